"""Names of parameters, values and points."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcat import DEP, Config
from typedcat.tune.grid.naming import folder_name, name_parameters, name_values


class Plain:
    """Its repr has an address."""


class Adam:
    pass


def linear(x: float) -> float:
    return x


def texts(*values: Any) -> list[str]:
    return [name.text for name in name_values(values)]


def labels(*values: Any) -> list[Any]:
    return [name.label for name in name_values(values)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (128, "128"),
        (0.1, "0.1"),
        (1e-5, "1e-05"),
        (True, "True"),
        (None, "None"),
        ("", "''"),
        ("adam", "adam"),
        ("a/b\\c\nd", "a-b-c-d"),
        ("..", ".."),
        ([64, 64], "[64, 64]"),
        (("a", None), "('a', None)"),
        ({"b", "a", "c"}, "{'a', 'b', 'c'}"),
        ({"k": [1]}, "{'k': [1]}"),
        (Config({"a": {"b": 1}}), "{'a': {'b': 1}}"),
        (Adam, "Adam"),
        (linear, "linear"),
        ([Adam, linear], "[Adam, linear]"),
        (DEP(linear), "linear"),
        (Fraction(1, 2), "Fraction(1, 2)"),
        (float("nan"), "nan"),
    ],
)
def test_value(value: object, text: str) -> None:
    assert texts(value) == [text]


def test_numbers_of_numpy_are_named_as_numbers() -> None:
    assert texts(*np.linspace(0, 1, 3)) == ["0.0", "0.5", "1.0"]
    assert texts(np.float32(0.1), np.int64(3), np.bool_(True), np.array(2.5)) == ["0.1", "3", "True", "2.5"]
    assert texts([np.int64(1), np.float64(0.5)]) == ["[1, 0.5]"]
    assert labels(np.float64(0.5)) == [0.5]
    assert texts(1, np.int64(1)) == ["1", "1#2"]


def test_numbers_of_torch_are_named_as_numbers() -> None:
    torch = pytest.importorskip("torch")
    assert texts(torch.tensor(0.5), torch.tensor(3)) == ["0.5", "3"]


def test_numbers_stay_numbers_in_tables() -> None:
    assert labels(1, 0.5, "auto", True, None) == [1, 0.5, "auto", "True", "None"]
    assert labels(1, 2.5) == [1, 2.5]
    assert all(isinstance(label, str) for label in labels(1, 1.0, 2))  # equal numbers are one key to pandas
    assert labels(math.inf) == ["inf"]


def test_values_with_one_text_are_told_apart() -> None:
    assert texts(1, "1") == ["1", "'1'"]
    assert texts(None, "None") == ["None", "'None'"]
    assert texts("a/b", "a-b") == ["'a-b'", "'a-b'#2"]
    assert texts(3, 3) == ["3", "3#2"]
    assert [name.text for name in name_values([1, 2, 3], ["x", "x", ""])] == ["x", "x#2", "''"]
    other = type("Adam", (), {"__module__": "elsewhere"})
    assert texts(Adam, other)[1] == "elsewhere.Adam"


def test_a_name_does_not_depend_on_what_else_is_tried() -> None:
    double, triple = (lambda x: 2 * x), (lambda x: 3 * x)
    assert texts(double)[0] == texts(triple, double)[1] != texts(triple)[0]
    assert texts(double)[0].startswith("lambda-")


def test_functions_are_told_apart_by_what_they_close_over() -> None:
    def scale(k: Any) -> Any:
        return lambda x: k * x

    assert texts(scale(1)) != texts(scale(2))
    assert texts(scale(1)) == texts(scale(1))
    assert len(set(texts(scale(Plain()), scale([1]), scale([2])))) == 3


def test_objects_without_a_text_have_no_address() -> None:
    for value in (Plain(), partial(linear, 1)):
        assert "0x" not in texts(value)[0]
        assert texts(value)[0].startswith(type(value).__name__)


def test_long_values_are_cut() -> None:
    long = list(range(1_000))
    first, second = texts(long, [*long, 1])
    assert first != second
    assert len(first) <= 75
    assert first.startswith("[0, 1, 2,")


def test_names_are_the_same_in_every_process() -> None:
    code = (
        "from typedcat.tune.grid.naming import name_values\n"
        "values = ['x' * 200, {'a', 'b', 'c'}, lambda v: v in {'a', 'b', 'c'}, [{'q', 'r', 's'}]]\n"
        "print([name.text for name in name_values(values)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_parameters_are_named_by_their_last_key() -> None:
    assert name_parameters([("loader", "ini", "batch_size"), ("sched", "epochs")]) == ["batch_size", "epochs"]


def test_parameters_with_one_last_key_get_as_much_of_the_path_as_it_takes() -> None:
    assert name_parameters([("opt", "ini", "lr"), ("sub", "lr"), ("x",)]) == ["ini.lr", "sub.lr", "x"]
    assert name_parameters([("a", "x", "lr"), ("b", "x", "lr")]) == ["a.x.lr", "b.x.lr"]
    assert name_parameters([("lr",), ("opt", "lr")]) == ["lr", "opt.lr"]
    assert name_parameters([("a/b",), ("a-b",)]) == ["['a-b']", "['a-b']#2"]


def test_folder() -> None:
    assert folder_name({"batch_size": "128", "epochs": "5"}) == "batch_size=128,epochs=5"


def test_a_value_that_looks_like_parameters_is_told_apart() -> None:
    one = folder_name({"a": "x,b=y", "b": "z"})
    other = folder_name({"a": "x", "b": "y,b=z"})
    assert one != other


def test_long_folders_are_cut() -> None:
    names = {f"a_long_parameter_{i}": "x" * 60 for i in range(10)}
    folder = folder_name(names)
    assert len(folder.encode()) <= 200
    assert folder != folder_name({**names, "a_long_parameter_9": "y"})
    assert folder.startswith("a_long_parameter_0=xxx")


any_value = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=100),
    st.lists(st.integers() | st.text(max_size=3), max_size=40),
    st.sampled_from([Adam, linear, Plain(), Config({"a": 1}), "a,b=1", "=", ",", "#2"]),
)


@given(st.lists(any_value, min_size=1, max_size=6), st.lists(any_value, min_size=1, max_size=6))
def test_every_point_has_a_folder_of_its_own(first: list[Any], second: list[Any]) -> None:
    grid = product(name_values(first), name_values(second))
    folders = [folder_name({"a": one.text, "b": other.text}) for one, other in grid]
    assert len(set(folders)) == len(first) * len(second)
    for folder in folders:
        assert "/" not in folder
        assert "\0" not in folder
        assert 0 < len(folder.encode()) <= 200
    assert len({name.label for name in name_values(first)}) == len(first)
