"""`@DEP(priority=2)`: a decorator with arguments, in the body of a class and elsewhere."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from typedcat import DEP, P_DEP, TypedConfig, load_config
from typedcat.tree.values import Dependency

seen: list[str] = []


class Train(TypedConfig):
    epochs: int = 3

    @DEP(priority=2)
    def second(self) -> int:
        seen.append("second")
        return self.epochs * 2

    @DEP(priority=1, rel=False)
    def first(self) -> int:
        seen.append("first")
        return self.epochs

    @P_DEP(priority=0)
    def early(self) -> int:
        return self.epochs + 1


def test_its_methods_are_computed_in_order() -> None:
    seen.clear()
    cfg = load_config(Train(epochs=4), create_rslt_dir=False)
    assert (cfg.second, cfg.first, cfg.early) == (8, 4, 5)
    assert seen == ["first", "second"]


def test_what_it_makes_pickles_as_any_other() -> None:
    made: Any = DEP(priority=2)(len)
    assert isinstance(made, Dependency)
    assert pickle.loads(pickle.dumps(made)).priority == 2


def test_a_function_is_needed_sooner_or_later() -> None:
    with pytest.raises(TypeError, match="func"):
        DEP()  # type: ignore[call-overload]  # on purpose
    with pytest.raises(TypeError, match="takes a function"):
        DEP(func=3)  # type: ignore[call-overload]  # on purpose
    with pytest.raises(TypeError, match="takes a function"):
        DEP(priority=2)(3)  # type: ignore[arg-type]  # on purpose
