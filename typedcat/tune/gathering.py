"""Metrics: what the user's gather function says of a run that has ended, asked at its end or once more later."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import TuneError, short_repr
from ..load.inherit import RESULT_DIR
from ..load.pipeline import finish
from ..load.schema_fields import MASK
from ..tree.origin import Place
from .display import Display
from .engines.protocol import in_one_process, reason
from .engines.script import flat
from .folders import gone
from .functions import defined_at
from .grid.grid import Grid
from .ledger.ledger import Ledger
from .ledger.plan import Run
from .session import lacks_metrics_only


@dataclass(frozen=True)
class Gathering:
    """See the module.

    Attributes:
        grid: that the runs are of.
        function: the user's; None if there is none, and no metrics.
        wanted: the metrics that it has to give.
    """

    grid: Grid
    function: Callable[..., object] | None
    wanted: Sequence[str] = ()

    def metrics(self, run: Run, result: Any) -> Mapping[str, Any]:
        """The metrics of a run; those in mappings by their path.

        Args:
            run: it has ended.
            result: what the work function has returned.

        Raises:
            TuneError: the function gave no metrics.
            Exception: whatever it raises.
        """
        if self.function is None:
            return {}
        child = self.grid.child(run.point)
        if run.rslt_dir != run.folder:  # an attempt under another name counts
            child.__put__(RESULT_DIR, run.rslt_dir, Place(self.grid.source, None, "point"))
        cfg: Any = finish(child)
        with contextlib.chdir(os.curdir), in_one_process():  # one that changes it must not move the results of others
            metrics = self.function(cfg, cfg.rslt_dir, result, dict(run.point.chosen))
        if not isinstance(metrics, Mapping):
            at = f"the gather function{defined_at(self.function)} returned {short_repr(metrics)}"
            why = "\n  the work function has returned nothing" if metrics is None and result is None else ""
            raise TuneError(f"{at}; return a dict, {{'acc': 0.9}}{why}")
        found = {name: _public(value) for name, value in flat(metrics)}
        if missing := [name for name in self.wanted if name not in found]:
            instead = f", but {', '.join(map(str, found))}" if found else ""
            raise TuneError(f"the gather function gave no {' and no '.join(map(repr, missing))}{instead}")
        return found

    def again(self, runs: Sequence[Run], ledger: Ledger, display: Display) -> None:
        """Ask for the metrics of all runs that have ended, whose result folders are there, once more; none is run."""
        ended = [run for run in runs if run.state == "done" or lacks_metrics_only(run)]
        missing = set(gone(run.rslt_dir for run in ended))
        for run in ended:
            if run.rslt_dir in missing:
                display.say(f"{run.point.folder}: its result folder is gone, its metrics stay as they are")
                continue
            try:
                metrics = self.metrics(run, None)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the user's function raises
                display.say(f"{run.point.folder}: its metrics stay as they are: {reason(error)}")
                continue
            run.metrics, run.state, run.error = metrics, "done", ""
            if run.last is not None:
                ledger.gathered(run.last.id, metrics)


def _public(value: Any) -> Any:
    """A metric without pydantic's secrets, which a ledger would keep in plain text."""
    if hasattr(type(value), "get_secret_value"):
        return MASK
    if type(value) is dict:
        return {key: _public(item) for key, item in value.items()}
    return type(value)(map(_public, value)) if type(value) in (list, tuple) else value
