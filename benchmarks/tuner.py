"""The overhead of the tuner per run that does nothing, as a ratio to `multiprocessing.Pool.imap` in the same run.

    python benchmarks/tuner.py [RUNS]

Everything is in it: the grid, the check of each child, its file, the worker, the ledger, the metrics, the tables. What
is left out is the time of imports. How much of it the file system takes depends on the system, so that is shown, too.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import openpyxl  # noqa: F401 - not in what is measured
import pandas as pd  # noqa: F401 - as above

from typedcat import Cfg2TuneRunner
from typedcat.tune.grid.grid import Grid, load_tune

CONFIG = """\
from typedcat import Cfg2Tune, Param2Tune

cfg = Cfg2Tune(rand_seed=0)
for i in range(5):
    for j in range(5):
        cfg[f"part{{i}}"][f"key{{j}}"] = i * j
cfg.part0.key0 = Param2Tune(list(range({runs} // 10)))
cfg.part1.key0 = Param2Tune(list(range(10)))
"""
PROCESSES = 2


def nothing(*_: Any) -> dict[str, int]:
    """A run."""
    return {"x": 1}


def seconds_of_imap(runs: int) -> float:
    """Per call of a function that does nothing."""
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        list(pool.imap(nothing, range(100)))
        start = time.perf_counter()
        list(pool.imap(nothing, range(runs)))
        return (time.perf_counter() - start) / runs


def seconds_of_files(runs: int) -> float:
    """Per run: its two folders, its config, and its output file, and nothing else."""
    start = time.perf_counter()
    for i in range(runs):
        for folder in (f"files/configs/{i}", f"files/results/{i}"):
            os.makedirs(folder)
        scratch = f"files/configs/{i}/scratch"
        with open(scratch, "wb") as file:
            file.write(b"config")
        os.replace(scratch, f"files/configs/{i}/cfg.pkl")
        with open(f"files/results/{i}/output.txt", "wb"):
            pass
    return (time.perf_counter() - start) / runs


def seconds_of_tuning(record: bool) -> float:
    """Per run of a sweep."""
    runner = Cfg2TuneRunner(
        "configs/tune/cfg.py", experiment_root=f"record={record}", pool_size=PROCESSES, verbosity=False,
        record=record, plots=False,
        work_fn=nothing, gather_metric_fn=lambda cfg, folder, result, comb: result,
    )  # fmt: skip
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        frame = runner.tuning()
    return (time.perf_counter() - start) / len(frame)


def seconds_of_children() -> float:
    """Per child that is built."""
    grid = Grid(load_tune("configs/tune/cfg.py", "children", None))
    start = time.perf_counter()
    count = sum(1 for _ in grid.children())
    return (time.perf_counter() - start) / count


def main() -> None:
    """Print the table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        file = Path("configs/tune/cfg.py")
        file.parent.mkdir(parents=True)
        file.write_text(CONFIG.format(runs=runs), encoding="utf-8")
        limit = seconds_of_imap(runs)
        rows = [
            ("multiprocessing.Pool.imap", limit),
            ("its folders and files alone", seconds_of_files(runs)),
            ("a run", seconds_of_tuning(record=False)),
            ("a run with its record", seconds_of_tuning(record=True)),
            ("a child built", seconds_of_children()),
        ]
        for name, seconds in rows:
            sys.stdout.write(f"{name:30} {seconds * 1e6:9.1f} us  {seconds / limit:6.1f}x\n")
        os.chdir("/")


if __name__ == "__main__":
    main()
