"""What is seen of a sweep: on a wide terminal, on a narrow one, and of thousands of runs."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from typedcat.tune.display import Display, best_lines, middle_cut
from typedcat.tune.grid.grid import Point
from typedcat.tune.ledger.plan import Run

NAME = "optimizer=a_very_long_name_of_an_optimizer,学习率=0.1,dropout="


def display(width: int, count: int = 30, height: int = 12) -> Display:
    runs = [Run(i, Point(f"{NAME}{i}", {}), "d", f"r/{i}") for i in range(count)]
    made = Display(runs, {"acc": "max"}, shown=True, live=False)
    made.console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    return made


def frame(made: Display) -> list[str]:
    file = io.StringIO()
    made.console.file = file
    made.console.print(made._renderable())
    return file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 120])
def test_a_frame_fits(width: int) -> None:
    from rich.cells import cell_len

    made = display(width)
    for run in made.runs[:20]:
        made.start(run)
    made.runs[20].metrics = {"acc": 0.5}
    made.wait_for("GPU 0: process 1 of somebody has leased it, and that is a long story")
    made.trouble_is("experiment/tune/grid/ledger.sqlite cannot be written for now: database or disk is full")
    lines = frame(made)
    assert len(lines) <= made.console.height
    assert all(cell_len(line) <= width for line in lines)
    assert lines[0].endswith("0/30 runs, 0 done, 20 running")
    assert lines[1].startswith("    0:00  optimizer=") and lines[1].endswith("dropout=0")
    assert "and 16 more" in lines[5]
    assert lines[-1].endswith("dropout=20")


def test_lines_of_runs() -> None:
    made = display(200)
    run = made.runs[0]
    made.start(run)
    run.state, run.error, run.seconds = "failed", "ValueError: [bold]no[/] \udcff\nmore", 1.0
    made.end(run, again=True)
    run.state, run.error = "left", ""
    made.end(run)
    made.warn_once("a")
    made.warn_once("a")
    text = made.console.file.getvalue()  # type: ignore[attr-defined]
    assert text == (
        f"[0/30] {NAME}0: failed: ValueError: [bold]no[/] \\udcff; once more (1.0 s)\n"
        f"[1/30] {NAME}0: stopped (1.0 s)\na\n"
    )


def test_trouble_is_told_once_and_goes() -> None:
    made = display(80)
    for text in ("the disk is full", "the disk is full"):
        made.trouble_is(text)
        made.wait_for("")  # as a runner says between any two runs
    assert made.console.file.getvalue() == "the disk is full\n"  # type: ignore[attr-defined]
    assert frame(made)[-1].split() == ["trouble", "the", "disk", "is", "full"]
    made.trouble_is("")
    assert len(frame(made)) == 1


def test_the_best_of_odd_metrics() -> None:
    class Odd:
        def __float__(self) -> float:
            raise RuntimeError("no number")

    values: list[Any] = [1, float("nan"), "2", Odd(), None, [1], 10**400, 3]
    made = display(80, len(values))
    for run, value in zip(made.runs, values, strict=True):
        run.metrics = {"acc": value}
    assert best_lines(made.runs, {"acc": "max"}) == [f"acc: 3 at {NAME}7"]


def test_names_are_cut_in_the_middle() -> None:
    assert middle_cut("abcdefghij", 10) == "abcdefghij"
    assert middle_cut("abcdefghij", 5) == "ab…ij"


@pytest.mark.slow
def test_memory_of_many_points(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Children are built one at a time; what stays is a row each."""
    import gc
    import tracemalloc

    from typedcat import Cfg2Tune, Cfg2TuneRunner, Param2Tune

    monkeypatch.chdir(tmp_path)
    cfg = Cfg2Tune({f"key{i}": i for i in range(50)}, rslt_dir="r")
    cfg.a = Param2Tune(list(range(100)))
    cfg.b = Param2Tune(list(range(10)))
    runner = Cfg2TuneRunner(cfg)
    tracemalloc.start()
    try:
        runs = runner.planned()
        gc.collect()
        used, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used / len(runs) < 1300
    assert peak < used + 2_000_000
