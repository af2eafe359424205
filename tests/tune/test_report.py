"""What a sweep leaves in its folder, and the page that shows it."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from typedcat.errors import TuneError
from typedcat.tune.ledger.results import Result
from typedcat.tune.tables import plots, report, summary
from typedcat.tune.tables.frames import metric_frame, metric_names_of
from typedcat.tune.tables.report import report_html
from typedcat.tune.tables.summary import write_summary


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sweep"


EVIL = "<script>alert(1)</script> & \"quoted\" 'x' </style> http://example.org"
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """The elements of a page, each with its attributes and the text in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str]]] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = tag, {name: value or "" for name, value in attrs}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1][0], []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def sweep(state: Any = "done", **more: Any) -> list[Result]:
    return [
        Result((lr, opt), f"lr={lr},opt={opt}", state=state, metrics={"acc": 90 + i, "loss": 1 / (i + 1)}, **more)
        for i, (lr, opt) in enumerate([(0.1, "SGD"), (0.1, "Adam"), (0.01, "SGD"), (0.01, "Adam")])
    ]


def page_of(
    results: Sequence[Result], parameters: Sequence[str], better: Any = None, about: Any = None, **more: Any
) -> Page:
    names = metric_names_of(results)
    frame = metric_frame(results, parameters)
    return Page(
        report_html("t", frame, results, parameters, metrics=names, better=better or {}, about=about or {}, **more)
    )


# -- the page


def test_the_table_has_every_digit_to_sort_by_and_marks_the_best() -> None:
    page = page_of(sweep(), ["lr", "opt"], {"acc": "max", "loss": "min"})
    assert page.texts["button"] == ["lr", "opt", "acc", "loss"]
    cells = page.all("td")
    assert [cell["data-v"] for cell in cells[:4]] == ["90.0", "1.0", "91.0", "0.5"]
    assert page.texts["td"][4:] == ["92", "0.333333", "93 ★", "0.25 ★"]
    assert [cell.get("style") for cell in cells[::2]] == [f"--v:{x}" for x in ("0.000", "0.333", "0.667", "1.000")]
    assert cells[5]["title"] == repr(1 / 3)
    assert [cell["style"] for cell in cells[1::2]][::3] == ["--v:0.000", "--v:1.000"]
    assert all("top" not in cell["class"] for cell in page_of(sweep(), ["lr", "opt"]).all("td"))


def test_the_summary_says_what_is_best_and_what_is_left() -> None:
    results = [
        *sweep(),
        Result((1, "x"), "f", state="failed"),
        Result((2, "x"), "f", state="running"),
        Result((3, "x"), "f"),
    ]
    page = page_of(results, ["lr", "opt"], {"acc": "max"})
    assert page.texts["b"] == ["4", "1", "1", "1", "93"]
    assert "lr=0.01, opt=Adam" in page.texts["li"]
    repeated = [Result((1,), "f", seed, "done", {"acc": 90.0 + seed}) for seed in range(3)]
    assert page_of(repeated, ["p"], {"acc": "max"}).texts["b"][-1] == "91 ± 1"


def test_everything_is_escaped_and_nothing_is_loaded() -> None:
    result = Result(
        (EVIL,), EVIL, state="done", metrics={EVIL: 1.0, "text": EVIL}, host=EVIL, gpus=(EVIL,), git_commit=EVIL,
        attempts=1, rslt_dir=EVIL,
    )  # fmt: skip
    failed = Result(("b",), EVIL, state="failed", error=f"{EVIL}\n{EVIL}", attempts=2)
    picture = plots.Picture("x.png", EVIL, (EVIL,), b"png")
    results = [result, failed]
    frame = metric_frame(results, [EVIL])
    text = report_html(
        EVIL,
        frame,
        results,
        [EVIL],
        metrics=[EVIL],
        better={EVIL: "max"},
        about={EVIL: EVIL},
        pictures=[picture],
        note=EVIL,
    )
    page = Page(text)
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert EVIL in page.texts["title"]
    assert [image["src"] for image in page.all("img")] == [f"data:image/png;base64,{base64.b64encode(b'png').decode()}"]
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "a", "base")
        assert not set(attributes) & {"href", "srcset", "onclick", "onload", "data"}
    assert not any("http" in source for source in page.texts["script"] + page.texts["style"])
    assert "default-src 'none'" in page.all("meta")[1]["content"]


class EvilFloat(float):
    def __repr__(self) -> str:
        return f'">{EVIL}'


def test_a_number_says_nothing_but_its_value() -> None:
    results = [Result((i,), "f", state="done", metrics={"x": x}) for i, x in enumerate([EvilFloat(0.5), "a text"])]
    page = page_of(results, ["p"], {"x": "max"})
    assert page.all("td")[0]["data-v"] == "0.5"
    assert len(page.all("script")) == 1


def test_long_reasons_are_folded() -> None:
    results = [
        Result((1,), "f", state="failed", error="ValueError: short"),
        Result((2,), "f", 7, state="failed", error="Traceback:\n  line\nValueError: no luck", attempts=3),
        Result((3,), "f", state="failed", error="x" * 50_000),
        Result((4,), "f", state="failed"),
    ]
    page = page_of(results, ["p"])
    assert len(page.all("details")) == 2
    assert page.texts["span"][0] == "ValueError: short"
    assert page.texts["summary"][0] == "p=2, seed 7; 3 attempts: "
    assert page.texts["pre"][0] == "Traceback:\n  line\nValueError: no luck"
    assert len(page.texts["pre"][1]) == 20_000
    assert page.texts["span"][-1] == "no reason is known"


def test_what_was_run() -> None:
    results = sweep(started=1.76e9, seconds=90.0, host="node", gpus=("H100",), git_commit="abc", attempts=1)
    page = page_of(results, ["lr", "opt"], about={"packages": "torch 2.4\nnumpy 2.1", "nothing": ""})
    assert page.texts["dt"] == ["packages", "git commit", "host", "GPU"]
    assert page.texts["dd"] == ["torch 2.4\nnumpy 2.1", "abc", "node", "H100"]
    assert "6 min in all" in page.texts["p"][0]
    other = Result((1, "x"), "f", attempts=1, git_commit="abc", git_dirty=True, other_code=True)
    text = page_of([*results, other], ["lr", "opt"]).texts["dd"][0]
    assert text == "abc (4 runs)\nabc with changes that were not committed; the code has changed since (1 run)"


def test_a_long_table_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_MOST_ROWS", 4)
    monkeypatch.setattr(report, "_MOST_FAILURES", 3)
    results = [Result((i,), "f", state="done", metrics={"x": float(i == 5)}) for i in range(10)]
    page = page_of([*results, *(Result((i,), "f", state="failed") for i in range(10, 20))], ["p"], {"x": "max"})
    assert page.texts["th"] == ["0", "1", "5", "18", "19"]
    assert page.texts["p"][-1] == "15 of 20 rows are not shown."
    assert page.texts["li"][-1] == "and 7 more, which are in runs.csv"


# -- the files


@pytest.mark.slow
def test_the_files(folder: Path) -> None:
    results = sweep()
    about = {"name": "my sweep"}
    written = write_summary(folder, results, ["lr", "opt"], better={"acc": "max"}, about=about)
    assert written == folder / "report.html"
    names = sorted(str(path.relative_to(folder)) for path in written.parent.rglob("*"))
    pictures = [f"{m} by {p}.png" for m in ("acc", "loss") for p in ("lr and opt", "lr", "opt")]
    tables = ["metric_frame.csv", "metric_frame.xlsx", "plots"]
    assert names == [*tables, *(f"plots/{file}" for file in pictures), "report.html", "runs.csv"]
    page = Page(written.read_text(encoding="utf-8"))
    assert page.texts["title"] == ["my sweep"]
    assert len(page.all("img")) == 6
    frame = pd.read_csv(written.parent / "metric_frame.csv", index_col=[0, 1])
    assert frame["acc"].tolist() == [90, 91, 92, 93]
    assert len(pd.read_csv(written.parent / "runs.csv")) == 4
    assert openpyxl.load_workbook(written.parent / "metric_frame.xlsx").sheetnames == [
        "MetricFrame",
        "failures",
        "runs",
    ]


@pytest.mark.slow
def test_pictures_of_an_earlier_summary_go_and_those_of_the_user_stay(folder: Path) -> None:
    write_summary(folder, sweep(), ["lr", "opt"], better={}, about={})
    mine = folder / "plots" / "mine.png"
    mine.write_bytes(b"\x89PNG of the user")
    fewer = [Result((r.labels[0],), r.folder, state="done", metrics={"acc": 1}) for r in sweep()[::2]]
    write_summary(folder, fewer, ["lr"], better={}, about={}, draw=False)
    assert len(list((folder / "plots").iterdir())) == 7
    write_summary(folder, fewer, ["lr"], better={}, about={})
    assert sorted(os.listdir(folder / "plots")) == ["acc by lr.png", "mine.png"]


def test_without_matplotlib_the_page_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "can_draw", lambda: False)
    page = Page(write_summary(folder, sweep(), ["lr", "opt"], better={}, about={}).read_text(encoding="utf-8"))
    assert "no pictures without matplotlib: pip install 'typedcat[plots]'" in page.texts["p"]
    assert page.texts["title"] == [folder.name]
    assert not (folder / "plots").exists()


def test_nothing_is_done_yet(folder: Path) -> None:
    results = [Result(r.labels, r.folder) for r in sweep()]
    page = Page(write_summary(folder, results, ["lr", "opt"], better={"acc": "max"}, about={}).read_text("utf-8"))
    assert page.texts["button"] == ["lr", "opt"]
    assert Page(write_summary(folder, [], ["a"], better={}, about={}).read_text("utf-8")).texts["b"] == ["0"]


def test_a_wrong_metric_is_said_before_anything_is_written(folder: Path) -> None:
    with pytest.raises(TuneError, match="the metrics are acc, loss"):
        write_summary(folder, sweep(), ["lr", "opt"], better={"accuracy": "max"}, about={})
    assert not folder.exists()


def test_half_characters_are_written(folder: Path) -> None:
    results = [Result(("a",), "f", state="failed", error="broken \ud800 name")]
    page = Page(write_summary(folder, results, ["p"], better={}, about={}).read_text(encoding="utf-8"))
    assert page.texts["span"] == ["broken \\ud800 name"]


@pytest.mark.parametrize("fails_at", range(4))
def test_a_full_disk_leaves_whole_files(folder: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    write_summary(folder, sweep(), ["lr", "opt"], better={}, about={}, draw=False)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    real, calls = os.replace, []

    def replace(source: Any, target: Any) -> None:
        calls.append(target)
        if len(calls) > fails_at:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="No space left"):
        write_summary(folder, sweep(host="new"), ["lr", "opt"], better={"acc": "max"}, about={}, draw=False)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert list(after) == list(before) or sorted(after) == sorted(before)
    assert after["report.html"] == before["report.html"]


def test_a_folder_that_cannot_be_written(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(OSError, match="sweep"):
        write_summary(folder, sweep(), ["lr", "opt"], better={}, about={}, draw=False)
    assert folder.read_text() == "a file"
