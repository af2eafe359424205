"""Equality of trees whose leaves are arrays, tensors and tables, in containers too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from typedcat import ADict, Config, TypedConfig, load_config


def arrays() -> dict[str, Any]:
    """New arrays, equal to those of any other call."""
    return {
        "plain": np.arange(6).reshape(2, 3),
        "empty": np.zeros((0, 2)),
        "one": np.array([1]),
        "scalar": np.float64(0.5),
        "zero_dim": np.array(3),
        "listed": [np.array([1, 2]), (np.array([0.5, 1.0]), "a")],
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        "series": pd.Series([1, 2]),
        "sub": {"mean": np.array([0.1, 0.2, 0.3])},
    }


@pytest.mark.parametrize("cls", [Config, ADict])
def test_equal_arrays(cls: type[Any]) -> None:
    one, other = cls(arrays()), cls(arrays())
    one["as_leaf"], other["as_leaf"] = {"deep": [np.array([1, 2])]}, {"deep": [np.array([1, 2])]}
    assert one == other
    assert not one != other  # noqa: SIM202 - `!=` is a method of its own
    assert one == other.to_dict()
    assert one == one.deepcopy()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.array([1, 2]), np.array([1, 3])),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.array([1, 1]), np.array([1])),
        (np.array([1, 2]), np.array([1, 2, 3])),
        (np.array([1, 1]), 1),
        (np.array([1]), 1),
        (1, np.array([1])),
        (np.array([1, 1]), [1, 1]),
        (np.array([1, 2]), None),
        ([np.array([1, 2])], [np.array([1, 3])]),
        ([np.array([1, 2])], [np.array([1, 2]), 1]),
        (pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})),
        (pd.Series([1, 2]), pd.Series([1, 3])),
    ],
)
def test_other_arrays(one: Any, other: Any) -> None:
    for left, right in ((one, other), (other, one)):
        assert Config(x=left) != Config(x=right)
        assert not Config(x=left) == Config(x=right)  # noqa: SIM201 - as above


def test_tensors() -> None:
    torch = pytest.importorskip("torch")
    assert Config(x=torch.ones(2, 3)) == Config(x=torch.ones(2, 3))
    for other in (torch.zeros(2, 3), torch.ones(3), torch.ones(4), torch.ones(2, 3, dtype=torch.float64), 1.0):
        assert Config(x=torch.ones(2, 3)) != Config(x=other)
    assert Config(x=torch.tensor(1)) == Config(x=torch.tensor(1))


def test_what_a_class_raises_is_not_hidden() -> None:
    class Odd:
        def __eq__(self, other: object) -> bool:
            raise ZeroDivisionError

        __hash__ = None  # type: ignore[assignment]  # as Python sets it beside `__eq__`

    with pytest.raises(ZeroDivisionError):
        assert Config(x=Odd()) == Config(x=Odd())


class Augment(TypedConfig):
    """Defaults that hold an array."""

    means: list[Any] = [np.array([0.1, 0.2])]


def test_defaults_with_arrays() -> None:
    base = Config(schema=Augment)
    assert load_config(Config(caps=base), create_rslt_dir=False) == base
