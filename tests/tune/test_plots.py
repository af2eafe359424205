"""The pictures of a sweep: which are drawn, and that any names and values can be."""

from __future__ import annotations

import itertools
import math
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from typedcat.tune.ledger.results import Result
from typedcat.tune.tables import plot_parameter, plot_style, plots
from typedcat.tune.tables.frames import metric_names_of
from typedcat.tune.tables.plot_pair import cell_form
from typedcat.tune.tables.plot_style import is_drawable, number_text, scale_of, shortened
from typedcat.tune.tables.plots import Picture, can_draw, pictures

pytest.importorskip("matplotlib")


def sweep(axes: dict[str, Sequence[Any]], metrics: Callable[[int], dict[str, Any]]) -> tuple[list[Result], list[str]]:
    points = itertools.product(*axes.values())
    return [Result(p, f"{p}", state="done", metrics=metrics(i)) for i, p in enumerate(points)], list(axes)


def drawn(results: Sequence[Result], parameters: Sequence[str], **better: Any) -> list[Picture]:
    found = pictures(results, parameters, metric_names_of(results), better)
    for picture in found:
        width, height = size(picture.png)
        assert 300 < width <= 2100
        assert 300 < height <= 2100
    return found


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.slow
def test_each_metric_by_each_parameter_and_pair() -> None:
    results, names = sweep({"lr": [0.1, 0.2], "opt": ["a", "b"], "fixed": [1]}, lambda i: {"acc": i, "note": "x"})
    assert [picture.file for picture in drawn(results, names)] == [
        "acc by lr.png",
        "acc by opt.png",
        "acc by lr and opt.png",
    ]
    results, names = sweep({"lr": [0.1]}, lambda i: {"acc": 0.5, "loss": 1})
    assert [(p.metric, p.parameters) for p in drawn(results, names, loss="min")] == [
        ("loss", ("lr",)),
        ("acc", ("lr",)),
    ]


def test_nothing_to_draw() -> None:
    results, names = sweep({"lr": [0.1, 0.2]}, lambda i: {"a": math.nan, "b": math.inf, "c": "text", "d": None})
    assert drawn(results, names) == []
    assert drawn([Result((1,), "f")], ["a"]) == []
    assert drawn([], ["a"]) == []


def test_the_three_parameters_that_matter_have_heat_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "_draw", lambda plan, *rest: b"")
    names = ["a", "b", "c", "d", "e"]
    weights = {"a": 1, "b": 0, "c": 5, "d": 0.1, "e": 3}
    results = [
        Result(p, f"{p}", state="done", metrics={"x": sum(w * v for w, v in zip(weights.values(), p, strict=True))})
        for p in itertools.product([0, 1], repeat=5)
    ]
    found = pictures(results, names, ["x"], {})
    assert [p.parameters for p in found if len(p.parameters) == 2] == [("a", "c"), ("a", "e"), ("c", "e")]
    many = [Result(p, f"{p}", state="done", metrics={f"m{k}": k for k in range(30)}) for p in [(0,), (1,)]]
    found = pictures(many, ["a"], [f"m{k}" for k in range(50)], {"m29": "max"})
    assert [p.metric for p in found[:2]] == ["m29", "m0"]
    assert len(pictures(results, names, ["x"] * 9, {})) == 40


def test_parameters_of_very_many_values_have_no_heat_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a random search, where each run has values of its own: that would be runs times runs of cells."""
    monkeypatch.setattr(plots, "_draw", lambda plan, *rest: b"")
    results = [Result((i, 2 * i, i % 3, i % 2), f"{i}", state="done", metrics={"x": i}) for i in range(30_000)]
    found = pictures(results, ["lr", "wd", "opt", "amp"], ["x"], {})
    assert [p.parameters for p in found] == [("lr",), ("wd",), ("opt",), ("amp",), ("opt", "amp")]


@pytest.mark.slow
def test_very_many_names_have_as_many_labels_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn_ticks: list[int] = []
    real = plot_style.label_even

    def spy(axis: Any, *rest: Any, **more: Any) -> None:
        real(axis, *rest, **more)
        drawn_ticks.append(len(axis.get_major_ticks()))

    monkeypatch.setattr(plot_parameter, "label_even", spy)
    results, names = sweep(
        {"name": [f"a long name of a value, number {i}" for i in range(2000)]}, lambda i: {"x": i % 7}
    )
    assert drawn(results, names)
    assert [40 < count < 80 for count in drawn_ticks] == [True]


def test_file_names_are_safe_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "_draw", lambda plan, *rest: b"")
    results, names = sweep({"../p": [1, 2], "long" * 99: [1, 2]}, lambda i: {"a/b": i, "a\\b": i, "x" * 300: i})
    files = [picture.file for picture in pictures(results, names, metric_names_of(results), {})]
    assert len(set(files)) == len(files) == 9
    assert all("/" not in file and len(file.encode()) < 256 for file in files)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("axes", "metrics"),
    [
        ({"$\\alpha_$": ["$x^2$", "$", "a_b", "学习率", "½xbs", "\\$"], "γ": [1]}, lambda i: {"m $\\%$ $_": i}),
        ({"n": range(50), "name": [f"a long name of a value, number {i}" for i in range(50)]}, lambda i: {"x": i % 7}),
        ({"wd": [0, 1e-5, 1e-4, 1, 2], "lr": [1e-5, 1e-3, 0.1]}, lambda i: {"x": 10.0 ** (i - 7), "y": 1e-300 * i}),
        ({"one": [3], "other": [0.0]}, lambda i: {"x": 98.123456789, "y": True}),
        ({"n": [-1, 0, 1]}, lambda i: {"x": [1e308, -1e308, 0.0][i], "y": [2**70, 1, 0][i]}),
        ({"\ud800": ["\udfff", "\x00\x1b"], "": ["", " "]}, lambda i: {"\ud83d": i, "\n": i, "_hidden": i}),
        ({"n": [2**60, 2**60 + 1], "big": [1e300, 1e-300]}, lambda i: {"x": 1e9 + i, "y": 98 + i * 1e-9}),
    ],
)
def test_any_names_and_values(axes: dict[str, Sequence[Any]], metrics: Callable[[int], dict[str, Any]]) -> None:
    results, names = sweep(axes, metrics)
    better: dict[str, Any] = dict.fromkeys(metrics(0), "min")
    assert drawn(results, names, **better)


@pytest.mark.slow
def test_what_is_not_done_or_not_finite_is_left_out() -> None:
    results, names = sweep({"a": [1, 2, 3], "b": ["x", "y"]}, lambda i: {"x": [0.5, math.nan, math.inf][i % 3]})
    assert len(drawn([results[0], *(Result(r.labels, "f") for r in results[1:])], names, x="max")) == 3
    assert len(drawn(results, names, x="max")) == 3


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(-1e99, 1e99).filter(is_drawable), min_size=1, max_size=6, unique=True), st.booleans())
def test_any_numbers(values: list[float], as_parameter: bool) -> None:
    labels = values if as_parameter else [f"v{i}" for i in range(len(values))]
    metrics = [1.0] * len(values) if as_parameter else values
    results = [Result((p,), "f", state="done", metrics={"x": x}) for p, x in zip(labels, metrics, strict=True)]
    assert len(drawn(results, ["p"], x="max")) == 1


@pytest.mark.slow
def test_pyplot_is_left_alone(tmp_path: Path) -> None:
    results, names = sweep({"a": [1, 2], "b": [1, 2]}, lambda i: {"x": i})
    loaded = "matplotlib.pyplot" in sys.modules
    drawn(results, names)
    assert ("matplotlib.pyplot" in sys.modules) == loaded


# -- axes


@pytest.mark.parametrize(
    ("labels", "kind", "positions"),
    [
        ([3, 1, 2], "linear", [1, 2, 3]),
        ([1e-4, 1e-1], "log", [1e-4, 1e-1]),
        ([0, 1e-5, 1.0], "steps", [0, 1, 2]),
        ([1, "a"], "names", [0, 1]),
        (["b", "a"], "names", [0, 1]),
        ([-1, 1], "linear", [-1, 1]),
        ([2**60, 2**60 + 1], "names", [0, 1]),  # one number to a float
        ([1e300, 1.0], "steps", [0, 1]),
        ([math.inf, 1.0], "names", [0, 1]),
    ],
)
def test_where_values_stand(labels: list[Any], kind: str, positions: list[float]) -> None:
    scale = scale_of(labels)
    assert (scale.kind, scale.positions()) == (kind, positions)
    low, high = scale.limits()
    assert low < min(positions) <= max(positions) < high


def test_numbers_on_axes_are_short() -> None:
    assert [number_text(x) for x in (1e9, 1e-9, 0.1, -2e10, 1234.5)] == ["1e9", "1e-9", "0.1", "-2e10", "1234.5"]
    assert scale_of([0.1, 1e-5, 1 / 3, 512, 1.0]).texts() == ["1e-5", "0.1", "0.3333", "1", "512"]
    assert scale_of([0.1, 0.1000001]).texts() == ["0.1", "0.1000001"]
    assert shortened("a name that\nis much longer than an axis has room for", 32) == "a name that is much l…s room for"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([98.12, 98.55], ["98.120", "98.550"]),
        ([12783.0, 0.5], ["1.28e4", "0.5"]),
        ([0.5], ["0.500"]),
        ([5.0, 250.0], ["5", "250"]),
        ([0.0], ["0.00"]),
    ],
)
def test_numbers_in_cells_differ_where_the_values_do(values: list[float], texts: list[str]) -> None:
    assert list(map(cell_form(values), values)) == texts


def test_matplotlib_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_draw()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert not can_draw()
