"""`get_metric`: what mmengine wrote last, in the folders that its runs have."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from typedcat.errors import TuneError
from typedcat.tune.mmcv_metric import get_metric

TRAIN = [{"lr": 0.1, "loss": 0.5, "time": 1.0, "epoch": 1, "iter": 10, "step": 10}]
VALIDATION = [
    {"aAcc": 80.0, "mIoU": 50.0, "data_time": 0.1, "time": 0.2, "step": 10},
    {"aAcc": 90.0, "mIoU": 60.0, "mAcc": 70.0, "data_time": 0.1, "time": 0.2, "step": 20},
]


def write(folder: Path, start: str, lines: list[dict[str, float]], age: int = 0, end: str = "\n") -> Path:
    file = folder / start / "vis_data" / "scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(map(json.dumps, lines)) + end, encoding="utf-8")
    os.utime(file, (1e9 - age, 1e9 - age))
    return file


def test_the_last_validation(tmp_path: Path) -> None:
    write(tmp_path, "20250101_120000", [*VALIDATION, *TRAIN])
    assert get_metric(tmp_path) == {"aAcc": 90.0, "mIoU": 60.0, "mAcc": 70.0}
    assert get_metric(str(tmp_path), ["mIoU", "loss"]) == {"mIoU": 60.0, "loss": 0.5}
    assert get_metric(tmp_path, "lr") == {"lr": 0.1}


def test_without_validation_that_of_the_training(tmp_path: Path) -> None:
    write(tmp_path, "20250101_120000", [{"lr": 0.2, "loss": 0.9, "iter": 5}, *TRAIN])
    assert get_metric(tmp_path) == {"lr": 0.1, "loss": 0.5}


def test_the_newest_start_counts(tmp_path: Path) -> None:
    write(tmp_path, "20250102_120000", [{"mIoU": 1.0}], age=20)
    write(tmp_path, "20250101_120000", [{"mIoU": 2.0}], age=10)
    assert get_metric(tmp_path) == {"mIoU": 2.0}
    write(tmp_path, "20250103_120000", [], end="")
    assert get_metric(tmp_path) is None


def test_no_file(tmp_path: Path) -> None:
    assert get_metric(tmp_path) is None
    assert get_metric(tmp_path, ["mIoU"]) is None
    assert get_metric(tmp_path / "no folder") is None


def test_a_line_that_was_cut_off(tmp_path: Path) -> None:
    file = write(tmp_path, "a", VALIDATION, end='\n{"aAcc": 9')
    assert get_metric(tmp_path, ["aAcc"]) == {"aAcc": 90.0}
    with open(file, "ab") as stream:
        stream.write(b"\xc3\0\0")  # what a machine leaves that has lost its power
    assert get_metric(tmp_path, ["aAcc"]) == {"aAcc": 90.0}


def test_mistakes(tmp_path: Path) -> None:
    file = write(tmp_path, "a", VALIDATION)
    with pytest.raises(TuneError, match="no metric 'mIou'\n  did you mean 'mIoU'"):
        get_metric(tmp_path, ["mIou"])
    with pytest.raises(TuneError, match="no metric 'loss'\n  there are aAcc, data_time, mAcc, mIoU, step, time"):
        get_metric(tmp_path, ["loss"])
    file.write_text("no\njson\n", encoding="utf-8")
    with pytest.raises(TuneError, match=r"scalars\.json:1: no JSON"):
        get_metric(tmp_path)
