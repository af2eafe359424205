"""The metrics that a run of mmengine wrote: for `register_gather_metric_fn`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import TuneError, did_you_mean, short_path
from ..tree.keys import suggest

_FILE = "scalars.json"
_OF_TRAINING = {"epoch", "iter", "lr", "base_lr", "loss", "grad_norm"}  # any of them tells a line of training
_NO_METRICS = {"epoch", "iter", "step", "time", "data_time", "memory", "eta"}


def get_metric(rslt_dir: str | os.PathLike[str], names: Iterable[str] | None = None) -> dict[str, float] | None:
    """The last metrics that mmengine has written below a result folder, in `<start>/vis_data/scalars.json`.

    Each start of a run, a resumed one too, writes a file of its own: the newest counts, so that what an earlier start
    has reached is never taken for the result of one that failed. Where a value occurs several times, the last counts.

    Args:
        rslt_dir: the result folder, which is the `work_dir` of the run.
        names: which metrics; by default all of the validation ('aAcc', 'mIoU', 'mAcc' in MMSegmentation), or, where
            nothing was validated, all of the training without its times and counters.

    Returns:
        name: value of each; None if no start has written a file, or the newest nothing of what is asked for by default.

    Raises:
        TuneError: there is no such metric, or the file is broken.
    """
    files = sorted(Path(rslt_dir).rglob(_FILE), key=lambda file: (file.stat().st_mtime_ns, str(file)))
    if not files:
        return None
    lines = _lines(files[-1])
    if names is None:
        validation = [line for line in lines if not _OF_TRAINING & line.keys()]
        found = {name: value for line in validation or lines for name, value in line.items() if name not in _NO_METRICS}
        return found or None
    known = {name: value for line in lines for name, value in line.items()}
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in known:
            way_out = did_you_mean(suggest(name, known)) or f"there are {', '.join(sorted(known)) or 'none'}"
            raise TuneError(f"{short_path(files[-1])}: no metric '{name}'\n  {way_out}")
    return {name: known[name] for name in wanted}


def _lines(file: Path) -> list[dict[str, float]]:
    """The scalars of each line; a last one that is cut off, as of a run that was killed, is left out."""
    texts = file.read_text(encoding="utf-8", errors="replace").splitlines()
    lines: list[dict[str, float]] = []
    for number, text in enumerate(texts, 1):
        try:
            values: Any = json.loads(text)
        except json.JSONDecodeError as error:
            if number == len(texts):
                break
            raise TuneError(f"{short_path(file)}:{number}: no JSON: {error.msg}") from error
        if isinstance(values, dict):
            lines.append({key: value for key, value in values.items() if isinstance(value, (int, float))})
    return lines


__all__ = ["get_metric"]
