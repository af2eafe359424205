"""What a call of `tuning` leaves: why runs failed, the table, the files in the result folder, and how to go on."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import TuneError, short_path
from ..load.surroundings import Surroundings
from .engines.protocol import reason
from .ledger.plan import Run
from .ledger.results import Result
from .session import lacks_metrics_only
from .streams import show
from .tables.excel import PACKAGES, TABLE
from .tables.frames import Better, check_better, metric_frame
from .tables.plots import NO_PICTURES, can_draw
from .tables.summary import write_summary
from .tables.text import table_text

if TYPE_CHECKING:
    import pandas as pd

GATHERS = "rerun='gather' (--rerun gather) reads them from the result folders, and runs nothing"
_MOST_IN_FULL = 20  # failures with the end of their output
_MOST_NAMED = 200
_ADDRESS = re.compile(r"\b0x[0-9a-f]+")  # of an object, another one in each process


@dataclass
class Ending:
    """See the module.

    Attributes:
        folder: the result folder of the sweep.
        parameters: the names of the parameters.
        metric_names: the metrics in the table, in order; None for all.
        better: which end of a metric is the good one.
        source: what the sweep is called.
        surroundings: what it ran in.
        plots: whether pictures are drawn.
    """

    folder: str
    parameters: Sequence[str]
    metric_names: Sequence[str] | None
    better: Better
    source: str
    surroundings: Surroundings
    plots: bool

    def frame(self, runs: Sequence[Run]) -> pd.DataFrame:
        """The table."""
        return metric_frame(self.results(runs), self.parameters, self.metric_names)

    def results(self, runs: Sequence[Run]) -> list[Result]:
        """What is known of each run by now."""
        git = self.surroundings.git
        return [run.result({"commit": git.commit, "dirty": git.dirty}) for run in runs]

    def write(self, runs: Sequence[Run], *, draw: bool) -> None:
        """Write the files.

        Raises:
            TuneError: `better` names no metric.
            OSError: one cannot be written.
        """
        write_summary(
            Path(self.folder), self.results(runs), self.parameters,
            metric_names=self.metric_names, better=self.better, about=self._about(), draw=draw,
        )  # fmt: skip

    def _about(self) -> dict[str, str]:
        """What the report says about the sweep."""
        about = self.surroundings
        dirty = ", with changes that are not committed" if about.git.dirty else ""
        return {
            "name": self.source, "command": shlex.join(about.command), "started": about.started,
            "machine": f"{about.user} on {about.host}", "git": f"{about.git.commit}{dirty}" if about.git.commit else "",
            "Python": about.python, PACKAGES: ", ".join(f"{name} {its}" for name, its in about.packages.items()),
        }  # fmt: skip

    # -- on the terminal

    def tell(self, runs: Sequence[Run], *, table: bool, rerun: str = "") -> None:
        """Say what has become of the runs; print the table and write the files.

        Args:
            runs: all of the sweep.
            table: whether there is a table: runs have metrics.
            rerun: what `tuning` was told.
        """
        failures = failure_lines(runs)
        if failures:
            count = sum(run.state == "failed" for run in runs)
            show("\n".join([f"{count} of {len(runs)} runs failed:", *failures]))
        if lacking := sum(map(lacks_metrics_only, runs)):
            show(f"{lacking} of them failed when their metrics were gathered: if only that was wrong, {GATHERS}")
        if table and not all(run.state in ("left", "running") for run in runs):
            self._tell_table(runs)
        if others := sum(run.other_code for run in runs):
            show(f"{others} of {len(runs)} results are of other code: rerun='stale' (--rerun stale) runs them again")
        self._tell_what_is_left(runs, rerun)

    def _tell_table(self, runs: Sequence[Run]) -> None:
        self._check_better(runs)
        try:  # the runs are done, whatever can be made of their metrics
            show(f"Metric Frame:\n{table_text(self.frame(runs), self.better)}")
            self.write(runs, draw=self.plots)
        except OSError as error:
            show(f"cannot write the summary into {short_path(self.folder)}: {error.strerror or error}")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - metrics can be any objects
            show(f"cannot make a summary of these metrics: {reason(error)}")
        else:
            if self.plots and not can_draw():
                show(NO_PICTURES)
            show(f"Saving Metric Frame at {os.path.join(self.folder, TABLE)}")

    def _tell_what_is_left(self, runs: Sequence[Run], rerun: str) -> None:
        left = [run for run in runs if run.state in ("left", "running")]
        due = sum(run.due for run in left)
        if due:
            show(f"{due} of {len(runs)} runs have not ended: the same command again goes on with them")
        if len(left) > due:
            show(f"{len(left) - due} of {len(runs)} runs are missing, which rerun={rerun!r} leaves out")

    def _check_better(self, runs: Sequence[Run]) -> None:
        try:
            check_better(self.better, self.results(runs), self.metric_names)
        except TuneError as error:
            show(str(error))
            self.better = {}


def failure_lines(runs: Sequence[Run]) -> list[str]:
    """Why runs failed, each reason in full once. Of many, the later ones on one line each; of very many, how many."""
    lines = []
    told: set[str] = set()
    failed = [run for run in runs if run.state == "failed"]
    for run in failed[:_MOST_NAMED]:
        reason_as_such = _ADDRESS.sub("", run.error)
        in_full = reason_as_such not in told and len(told) < _MOST_IN_FULL
        told.add(reason_as_such)
        text = run.error if in_full else run.error.partition("\n")[0]
        lines.append(f"  {run.point.folder}: {text}".replace("\n", "\n    "))
    if len(failed) > _MOST_NAMED:
        lines.append(f"  and {len(failed) - _MOST_NAMED:,} more, which are in the table")
    return lines
