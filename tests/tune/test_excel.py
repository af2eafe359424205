"""`metric_frame.xlsx`, as whoever opens it finds it."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from typedcat.tune.ledger.results import Result
from typedcat.tune.tables import excel
from typedcat.tune.tables.excel import workbook
from typedcat.tune.tables.frames import metric_frame, metric_names_of


def book_of(results: Sequence[Result], parameters: Sequence[str], **better: Any) -> Any:
    frame = metric_frame(results, parameters)
    data = workbook(frame, results, parameters, metrics=metric_names_of(results), better=better)
    return openpyxl.load_workbook(io.BytesIO(data))


def rows_of(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def grid(**metrics: Sequence[Any]) -> list[Result]:
    """Three batch sizes, for two optimizers each; the last one failed."""
    points = [(opt, size) for opt in ("SGD", "Adam") for size in (64, 128, 256)]
    rows = [dict(zip(metrics, values, strict=True)) for values in zip(*metrics.values(), strict=True)]
    results = [Result(point, f"{point}", state="done", metrics=row) for point, row in zip(points, rows, strict=False)]
    return [*results, Result(points[-1], "f", state="failed", error="=no luck\n\x00at all", attempts=2, rslt_dir="r/f")]


def cell(value: Any) -> Any:
    """What a metric becomes."""
    return book_of([Result(("a",), "f", state="done", metrics={"x": value})], ["p"])["MetricFrame"]["B2"]


def test_values_are_as_given() -> None:
    results = grid(acc=[98.2, 97.1, 96, 99.5, 98.0], text=["a", "b", "", "c\nd", "½"])
    sheet = book_of(results, ["opt", "size"])["MetricFrame"]
    assert rows_of(sheet) == [
        ["opt", "size", "acc", "text"],
        ["SGD", 64, 98.2, "a"],
        [None, 128, 97.1, "b"],
        [None, 256, 96, None],
        ["Adam", 64, 99.5, "c\nd"],
        [None, 128, 98, "½"],
        [None, 256, None, None],
    ]
    assert sorted(map(str, sheet.merged_cells.ranges)) == ["A2:A4", "A5:A7"]
    assert sheet.freeze_panes == "C2"
    assert sheet.column_dimensions["A"].width >= 6
    assert sheet["A1"].font.bold


def test_pandas_reads_the_same_table() -> None:
    results = grid(acc=[98.2, 97.1, 96, 99.5, 98.0], loss=[1, 2, 3, 4, 5])
    frame = metric_frame(results, ["opt", "size"])
    pd.testing.assert_frame_equal(pd.read_excel(io.BytesIO(workbook(frame)), index_col=[0, 1]), frame)


def test_colours_and_marks_say_what_is_best() -> None:
    results = grid(acc=[1, 5, 3, 5, 2], loss=[4, 1, 2, 3, 9], time=[1, 2, 3, 4, 5], text=list("abcde"))
    sheet = book_of(results, ["opt", "size"], acc="max", loss="min")["MetricFrame"]
    scales = {
        str(rules.sqref): [color.rgb[2:] for color in rules.rules[0].colorScale.color]
        for rules in sheet.conditional_formatting
    }
    assert scales == {
        "C2:C7": ["FFFFFF", "63BE7B"],
        "D2:D7": ["63BE7B", "FFFFFF"],
        "E2:E7": ["FFFFFF", "9DC3E6"],
    }
    marked = [c.coordinate for row in sheet.iter_rows(min_row=2) for c in row if c.font.bold and c.border.left.style]
    assert marked == ["C3", "D3", "C5"]


def test_deviations_and_counts_have_no_colours() -> None:
    results = [Result((p,), "f", seed, "done", {"acc": p + seed}, other_code=True) for p in (1, 2) for seed in (0, 1)]
    sheet = book_of(results, ["p"], acc="max")["MetricFrame"]
    assert [c.value for c in sheet[1]] == ["p", "acc", "acc std", "n", "code"]
    assert [str(rules.sqref) for rules in sheet.conditional_formatting] == ["B2:B3"]


@pytest.mark.parametrize(
    "text", ["=1+1", "=SUM(A1:A9)", "+1", "-1", "@x", "#N/A", "#DIV/0!", "1.5", "TRUE", "2020-01-01"]
)
def test_text_stays_text(text: str) -> None:
    found = cell(text)
    assert (found.value, found.data_type) == (text, "s")
    assert found.quotePrefix == (text[0] in "=#")
    parameter = book_of([Result((text,), "f", state="done", metrics={text: 1})], [text])["MetricFrame"]
    assert [found.data_type for found in (*parameter[1], parameter["A2"])] == ["s", "s", "s"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (math.nan, None), (math.inf, "inf"), (-math.inf, "-inf"), (None, None), (True, True), (10**400, str(10**400)),
        (1 + 2j, "(1+2j)"), (Decimal("0.1"), 0.1), ([1, "a"], "[1, 'a']"), ({"a": 1}, "{'a': 1}"), ("", None),
        ("a\x00b\x1f\ud800\ufffe", "a\ufffdb\ufffd\ufffd\ufffd"), (date(2026, 1, 2), datetime(2026, 1, 2)),
        (datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 5)),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"), (timedelta(hours=1), timedelta(hours=1)),
        (time(1, 2, 3), time(1, 2, 3)), (date(1900, 2, 28), "1900-02-28"), (date.max, "9999-12-31"),
        (datetime.max, "9999-12-31 23:59:59.999999"), (datetime(1899, 1, 1, 5), "1899-01-01 05:00:00"),
        (timedelta(days=-5), "-5 days +00:00:00"), (timedelta.max, "999999999 days, 23:59:59.999999"),
        (np.timedelta64(5, "s"), timedelta(seconds=5)),
        (Decimal("sNaN"), "sNaN"), (Fraction(10**400, 3), f"{10**400}/3"),
    ],
)  # fmt: skip
def test_any_value_has_a_cell(value: Any, wanted: Any) -> None:
    assert cell(value).value == wanted


def test_a_time_of_numpy_among_numbers() -> None:
    results = [Result((i,), "f", state="done", metrics={"x": x}) for i, x in enumerate([np.timedelta64(5, "s"), 1.5])]
    assert rows_of(book_of(results, ["p"], x="max")["MetricFrame"]) == [["p", "x"], [0, "5 seconds"], [1, 1.5]]


def test_a_number_that_python_does_not_write() -> None:
    assert cell(10**5000).value == "<int whose repr() raised ValueError>"


def test_a_long_text_is_cut() -> None:
    assert len(cell("x" * 40_000).value) == 32_000


def test_the_failures() -> None:
    sheet = book_of(grid(acc=[1, 2, 3, 4, 5]), ["opt", "size"])["failures"]
    assert rows_of(sheet) == [
        ["point", "seed", "attempts", "reason", "folder"],
        ["opt=Adam, size=256", None, 2, "=no luck\n\ufffdat all", "r/f"],
    ]
    assert sheet.freeze_panes == "B2"


def test_the_runs() -> None:
    started = datetime(2026, 1, 2, 3, 4, 5)
    results = [
        Result(
            (0.1,), "lr=0.1", 3, "done", {}, "", 1, started.timestamp(), 61.5, "node", ("A", "B"), "abc", True,
            rslt_dir="r",
        ),
        Result((0.2,), "lr=0.2", 4),
    ]  # fmt: skip
    book = book_of(results, ["lr"])
    assert book.sheetnames == ["MetricFrame", "failures", "runs"]
    assert rows_of(book["runs"]) == [
        ["point", "seed", "state", "started", "seconds", "host", "gpus", "git commit", "dirty", "folder"],
        ["lr=0.1", 3, "done", started, 61.5, "node", "A, B", "abc", True, "r"],
        ["lr=0.2", 4, "left", None, None, None, None, None, None, "lr=0.2"],
    ]
    assert book["runs"].auto_filter.ref == "A1:J3"


def test_what_a_sweep_was_run_with() -> None:
    about = {"command": "train.py --amp", "git": "", "packages": "numpy 2.0, torch 3.1"}
    book = openpyxl.load_workbook(io.BytesIO(workbook(metric_frame([], ["a"]), about=about)))
    assert rows_of(book["about"]) == [
        ["what", None],
        ["command", "train.py --amp"],
        ["packages", "numpy 2.0"],
        ["packages", "torch 3.1"],
    ]


def test_nothing_to_show() -> None:
    assert rows_of(book_of([], ["a", "b"])["MetricFrame"]) == [["a", "b"]]
    assert rows_of(book_of([Result((1,), "f")], ["a"], acc="max")["MetricFrame"]) == [["a"], [1]]


def test_more_columns_than_a_sheet_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_MOST_COLUMNS", 4)
    results = [Result((i, 0), "f", state="done", metrics={"x": i, "y": 2 * i, "z": 3 * i}) for i in range(2)]
    sheet = book_of(results, ["a", "b"], x="max", y="max")["MetricFrame"]
    note = "2 of 5 columns do not fit a sheet; the CSV files have all"
    assert rows_of(sheet) == [["a", "b", "x", note], [0, 0, 0, None], [1, 0, 1, None]]
    assert [str(rules.sqref) for rules in sheet.conditional_formatting] == ["C2:C3"]
    few = [Result(r.labels, r.folder, state="done", metrics={"x": 1, "y": 2}) for r in results]
    assert rows_of(book_of(few, ["a", "b"])["MetricFrame"])[0] == ["a", "b", "x", "y"]


def test_more_rows_than_a_sheet_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_MOST_ROWS", 4)
    results = [Result((1, i), "f", state="done", metrics={"x": i}) for i in range(9)]
    sheet = book_of(results, ["a", "b"], x="max")["MetricFrame"]
    assert rows_of(sheet) == [
        ["a", "b", "x"],
        [1, 0, 0],
        [None, 1, 1],
        ["7 of 9 rows do not fit a sheet; the CSV files have all", None, None],
    ]
    assert len(rows_of(book_of(results[:3], ["a", "b"])["MetricFrame"])) == 4
