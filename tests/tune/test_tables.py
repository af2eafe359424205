"""The table of a sweep: its numbers, how it is printed, and that CSV gives them back."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Snapshot
from typedcat.errors import TuneError
from typedcat.tune.ledger.results import Result
from typedcat.tune.tables.frames import best_rows, check_better, csv_text, metric_frame, runs_frame
from typedcat.tune.tables.text import table_text


def done(label: Any, seed: int | None = None, /, **metrics: Any) -> Result:
    labels = label if isinstance(label, tuple) else (label,)
    return Result(labels, folder=str(label), seed=seed, state="done", metrics=metrics)


def column(values: Sequence[Any]) -> pd.Series[Any]:
    """The column `x` of a table with a run per value."""
    return metric_frame([done(i, x=value) for i, value in enumerate(values)], ["i"])["x"]


def row(values: Sequence[Any]) -> dict[str, Any]:
    """The row of a point that was run once per value."""
    frame = metric_frame([done("p", i, x=value) for i, value in enumerate(values)], ["p"])
    return {str(name): value for name, value in frame.iloc[0].items()}


# -- the rows


def test_the_order_of_the_grid_and_units_are_kept() -> None:
    results = [done((2, "b"), acc=98.2), done((1, "a"), acc=97.1, loss=0.3), Result((0, "c"), "f", state="failed")]
    frame = metric_frame(results, ["n", "name"])
    assert list(frame.index) == [(2, "b"), (1, "a"), (0, "c")]
    assert list(frame.index.names) == ["n", "name"]
    assert list(frame.columns) == ["acc", "loss"]
    assert frame["acc"].tolist()[:2] == [98.2, 97.1]
    assert frame.iloc[2].isna().all()


@pytest.mark.parametrize("state", ["left", "running", "failed"])
def test_only_runs_that_are_done_count(state: Any) -> None:
    results = [done(1, 0, x=1.0), Result((1,), "f", 1, state, {"x": 9.0})]
    assert metric_frame(results, ["p"]).iloc[0].tolist()[::2] == [1.0, 1]


def test_the_metrics_that_were_asked_for() -> None:
    results = [done(1, a=1, b=2, c=3)]
    assert list(metric_frame(results, ["p"], ["c", "nowhere", "a", "c"]).columns) == ["c", "nowhere", "a"]
    assert metric_frame([], ["p", "q"]).shape == (0, 0)
    assert metric_frame([Result((1,), "f")], ["p"]).shape == (1, 0)


def test_repeats_give_mean_std_and_n() -> None:
    results = [done(1, 0, x=1.0, y=5), done(1, 1, x=2.0), done(2, 0, x=7.0, y=1)]
    results += [Result((2,), "f", 1), Result((3,), "f", 0)]
    frame = metric_frame(results, ["p"])
    assert list(frame.columns) == ["x", "x std", "y", "y std", "n"]
    assert frame["x"].tolist()[:2] == [1.5, 7.0]
    assert frame["x std"].iloc[0] == pytest.approx(pd.Series([1.0, 2.0]).std())
    assert frame["x std"].isna().tolist() == [False, True, True]
    assert frame["n"].tolist() == [2, 1, 0]


@pytest.mark.slow
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6))
def test_mean_and_std_are_those_of_pandas(values: list[float]) -> None:
    found = row(values)
    assert found["x"] == pytest.approx(pd.Series(values).mean(), abs=1e-6)
    assert found["x std"] == pytest.approx(pd.Series(values).std(), abs=1e-3)


@pytest.mark.slow
@given(st.lists(st.floats() | st.integers() | st.none() | st.booleans() | st.text(max_size=3), min_size=1, max_size=5))
def test_any_values_can_be_repeated(values: list[Any]) -> None:
    assert row(values)["n"] == len(values)


def test_a_run_that_diverged_shows_in_the_mean() -> None:
    assert math.isnan(row([1.0, math.nan])["x"])
    assert row([1.0, math.inf])["x"] == math.inf
    assert math.isnan(row([1.0, math.inf])["x std"])
    assert row([1e308, 1e308])["x"] == 1e308
    assert row([1.0, None, 3.0])["x"] == 2.0


def test_what_is_no_number_has_no_deviation() -> None:
    assert row(["a", "a"]) == {"x": "a", "n": 2}
    assert row(["a", "b", "a"]) == {"x": "a | b", "n": 3}
    assert row([[1], [1]]) == {"x": [1], "n": 2}
    assert row([True, False])["x"] == 0.5


def test_scalars_of_numpy_are_numbers() -> None:
    values = column([np.float32(0.5), np.array(2.0), np.int64(3)])
    assert values.tolist() == [0.5, 2.0, 3.0]
    assert values.dtype == float
    assert column([np.bool_(True), np.bool_(False)]).tolist() == [True, False]


@pytest.mark.slow
def test_scalars_of_torch_are_numbers() -> None:
    torch = pytest.importorskip("torch")
    assert column([torch.tensor(0.5, requires_grad=True), torch.tensor(2)]).tolist() == [0.5, 2.0]
    assert column([torch.tensor([1, 2]), torch.tensor([3, 4])]).iloc[1].tolist() == [3, 4]


def test_values_stay_what_they_are() -> None:
    assert column([1, 2]).dtype == int
    assert column([True, False]).dtype == bool
    assert column(["a", "b"]).tolist() == ["a", "b"]
    assert column([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert [list(value) for value in column([np.array([1, 2]), np.array([3, 4])])] == [[1, 2], [3, 4]]
    assert column([2**70, 1]).tolist() == [2**70, 1]
    assert column([2**53 + 1, math.nan]).iloc[0] == 2**53 + 1  # which no float can say


def test_names_of_metrics_come_first() -> None:
    frame = metric_frame([Result((1,), "f", 0, "done", {"n": 3.0, "n std": 1.0, "code": 2.0}, other_code=True)], ["p"])
    assert list(frame.columns) == ["n", "n std#2", "n std", "n std std", "code", "code std", "n#2", "code#2"]


def test_results_of_other_code_are_flagged() -> None:
    assert "code" not in metric_frame([done(1, x=1)], ["p"]).columns
    results = [Result((1,), "f", state="done", metrics={"x": 1}, other_code=True), done(2, x=1)]
    assert metric_frame(results, ["p"])["code"].tolist() == ["other", ""]
    results = [Result((1,), "f", seed, "done", {"x": 1}, other_code=seed < 2) for seed in range(3)]
    assert metric_frame(results, ["p"])["code"].tolist() == ["2 of 3 other"]


# -- what is best


def test_the_best_rows() -> None:
    results = [done(1, a=1, b=True, c="x"), done(2, a=3, b=False), done(3, a=3), done(4, a=math.nan)]
    frame = metric_frame(results, ["p"])
    better: dict[Any, Any] = {"a": "max", "b": "min", "c": "max", "nowhere": "max"}
    assert best_rows(frame, better) == {"a": [1, 2], "b": [1]}
    assert best_rows(frame, {}) == {}


def test_better_must_name_metrics(snapshot: Snapshot) -> None:
    with pytest.raises(TuneError) as unknown:
        check_better({"accuracy": "max"}, [done(1, test_accuracy=1, loss=2)])
    with pytest.raises(TuneError) as direction:
        check_better({"loss": "lower"}, [])  # type: ignore[dict-item]
    with pytest.raises(TuneError) as nothing:
        check_better({"loss": "min"}, [done(1)])
    snapshot("tune/better", f"{unknown.value}\n\n{direction.value}\n\n{nothing.value}\n")
    check_better({"accuracy": "max"}, [Result((1,), "f"), Result((2,), "f", state="failed")])
    check_better({"later": "max"}, [done(1, x=1)], ["later"])


def test_better_must_name_numbers() -> None:
    with pytest.raises(TuneError, match=r"better names 'acc', whose values are no numbers: '0.93'\n  let the gather"):
        check_better({"acc": "max"}, [done(1, acc=None), done(2, acc="0.93")])
    check_better({"acc": "max"}, [done(1, acc="diverged"), done(2, acc=0.93), done(3, acc=None)])
    check_better({"acc": "max"}, [done(1, acc=None)])


# -- as it is printed


def lr_and_name() -> list[Result]:
    points = [(lr, name) for lr in (0.1, 0.01) for name in ("SGD", "AdamW", "学习率")]
    return [
        Result(point, "f", state="done", metrics={"acc": 98.2 - i % 4, "loss": 0.5 + i / 7, "note": "ok"})
        if i != 4
        else Result(point, "f", state="failed")
        for i, point in enumerate(points)
    ]


def test_the_printed_table(snapshot: Snapshot) -> None:
    frame = metric_frame(lr_and_name(), ["lr", "opt"])
    repeated = [Result((lr,), "f", s, "done", {"acc": lr + s}, other_code=lr == 1) for lr in (1, 2) for s in (0, 1)]
    texts = [
        table_text(frame),
        table_text(frame, {"acc": "max", "loss": "min"}),
        table_text(metric_frame(repeated, ["lr"]), {"acc": "max"}),
        table_text(metric_frame([Result((1, "a"), "f"), Result((1, "b"), "f")], ["n", "name"])),
        table_text(metric_frame([], ["n"])),
    ]
    snapshot("tune/tables", "\n\n".join(texts) + "\n")


def test_a_long_table_is_shortened(snapshot: Snapshot) -> None:
    results = [done((i // 10, i % 10), acc=float(i == 777), text="long " * (i < 3) * 100) for i in range(1000)]
    text = table_text(metric_frame(results, ["a", "b"]), {"acc": "max"})
    assert len(text.splitlines()) < 110
    assert max(map(len, text.splitlines())) < 120
    snapshot("tune/long_table", text + "\n")


def test_cells_stay_on_their_line() -> None:
    lines = table_text(metric_frame([done(1, x="a\nb"), done(2, x=3.0)], ["p"]), {"x": "max"}).splitlines()
    assert lines[2:4] == ["1  a\\nb", "2   3.0*"]


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


ODD = [
    pd.Series([1, 2]), pd.DataFrame({"a": [1]}), pd.Categorical(["a"]), np.zeros((3, 3)), Broken(), 10**5000,
    Decimal("sNaN"), np.timedelta64(5, "s"), date(2026, 1, 2), "\x1b[2Ja\x07\x9b\tb", None, {"a": [1, 2]}, pd.NaT,
]  # fmt: skip


@pytest.mark.parametrize("seeds", [(None,), (0, 1)])
def test_any_value_can_be_printed_and_written(seeds: Sequence[int | None]) -> None:
    results = [done(i, seed, x=value) for i, value in enumerate([*ODD, 3.5]) for seed in seeds]
    frame = metric_frame(results, ["i"])
    lines = table_text(frame, {"x": "max"}).splitlines()
    assert len(lines) == len(ODD) + 4
    assert all(line.isprintable() for line in lines)
    assert lines[-2].split()[:2] == [str(len(ODD)), "3.5*"]
    assert any("<Broken whose repr() raised RuntimeError>" in line for line in lines)
    assert len(reads_back(frame, 1)) == len(ODD) + 1
    assert csv_text(runs_frame(results, ["i"]), index=False).count("2026-01-02") == len(seeds)


def test_names_do_not_move_the_cursor() -> None:
    frame = metric_frame([done("\x1b[2J", **{"\x1b[1A": 1, "tab\t": 2})], ["\x07p"])
    names, level, row = table_text(frame).splitlines()
    assert names.split() == [r"\x1b[1A", r"tab\t"]
    assert level.split() == [r"\x07p"]
    assert row.split() == [r"\x1b[2J", "1", "2"]


# -- CSV


def reads_back(frame: pd.DataFrame, levels: int) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(csv_text(frame)), index_col=list(range(levels)))


VALUES = st.floats() | st.integers(-(2**53), 2**53)  # larger ones, next to a cell without a number, pandas rounds
POINTS = st.dictionaries(
    st.tuples(st.integers(-9, 9), st.sampled_from(["a,b", 'say "x"', "=1+1", "½xbs", "学习率", " "])),
    st.fixed_dictionaries({"acc": VALUES, "two words": st.floats(allow_nan=False, allow_infinity=False)}) | st.none(),
    min_size=1,
)


@pytest.mark.slow
@given(POINTS)
def test_numbers_survive_csv(points: Mapping[tuple[int, str], Mapping[str, Any] | None]) -> None:
    results = [
        Result(labels, "f", state="left" if metrics is None else "done", metrics=metrics or {})
        for labels, metrics in points.items()
    ]
    frame = metric_frame(results, ["n", "name"], ["acc", "two words"])
    back = reads_back(frame, 2)
    assert list(back.index) == list(frame.index)
    assert list(back.columns) == list(frame.columns)
    for name in frame.columns:
        for one, other in zip(frame[name], back[name], strict=True):
            assert one == other or (math.isnan(one) and math.isnan(other))


def test_csv_has_one_line_of_names() -> None:
    frame = metric_frame([done((1, 2), **{"a": 1, "b\nc": [1, 2], "lr": Fraction(1, 3)})], ["lr", "n"])
    assert csv_text(frame).splitlines() == ["lr,n,a,b c,lr#2", '1,2,1,"[1, 2]",1/3']


def test_a_tidy_row_per_run() -> None:
    results = [
        Result(
            (0.1,), "lr=0.1/seed=3", 3, "done", {"acc": 98.2}, "", 2, 1.76e9, 61.5, "node", ("A", "B"), "abc", True,
            False, "experiment/lr=0.1/seed=3",
        ),
        Result((0.2,), "lr=0.2/seed=3", 3, "failed", error="no\nluck"),
    ]  # fmt: skip
    frame = pd.read_csv(io.StringIO(csv_text(runs_frame(results, ["lr"]), index=False)))
    first, second = frame.iloc[0], frame.iloc[1]
    assert list(frame.columns)[:4] == ["lr", "seed", "state", "acc"]
    assert (first["lr"], first["seed"], first["state"], first["acc"]) == (0.1, 3, "done", 98.2)
    assert pd.Timestamp(str(first["started"])).timestamp() == 1.76e9
    assert (first["seconds"], first["attempts"], first["gpus"], first["git_dirty"]) == (61.5, 2, "A, B", True)
    assert (second["error"], second["folder"]) == ("no\nluck", "lr=0.2/seed=3")
    assert math.isnan(float(second["acc"]))
    assert list(runs_frame([], ["seed", "state"]).columns)[:4] == ["seed", "state", "seed#2", "state#2"]
