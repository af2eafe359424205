"""What is seen of a sweep while it runs: a live display on a terminal, else a line per run."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..console import status
from .ledger.plan import Run

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_MOST_SHOWN = 12  # runs that go on


class Display:
    """Shows what becomes of runs; a context manager.

    Args:
        runs: all of the sweep.
        better: 'max' or 'min' by the name of a metric.
        shown: whether anything is shown.
        live: whether the screen may be redrawn: not if the output of runs is shown as it comes.
    """

    def __init__(self, runs: Sequence[Run], better: Mapping[str, str], *, shown: bool, live: bool) -> None:
        self.runs = runs
        self.better = better
        self.shown = shown
        self.console = status()
        self.started = time.monotonic()
        self.due = sum(run.due for run in runs)
        self.ended = 0
        self.running: dict[int, float] = {}
        self.waiting = ""
        self.live: Live | None = None
        if shown and live and self.console.is_terminal:
            from rich.live import Live

            # sys.stdout stays what it is: a work function may keep it
            self.live = Live(
                get_renderable=self._renderable, console=self.console, refresh_per_second=4,
                redirect_stdout=False, redirect_stderr=False, transient=True,
            )  # fmt: skip

    def __enter__(self) -> Display:
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.live is not None:
            self.live.stop()

    def say(self, text: str) -> None:
        """Show a line."""
        if self.shown:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def wait_for(self, text: str) -> None:
        """What a run waits for; '' if none does."""
        if text and text != self.waiting and self.live is None:
            self.say(f"waiting: {text}")
        self.waiting = text

    def start(self, run: Run) -> None:
        """A run has been started."""
        self.running[run.index] = time.monotonic()

    def end(self, run: Run, *, again: bool = False) -> None:
        """A run has ended; `again`: it will be tried again."""
        began = self.running.pop(run.index, time.monotonic())
        self.ended += not again
        how = f"failed: {run.error.splitlines()[0]}" if run.state == "failed" and run.error else run.state
        how = f"{how}; once more" if again else "asked to end" if run.state == "left" else how
        seconds = run.seconds if run.seconds is not None else time.monotonic() - began
        self.say(f"[{self.ended}/{self.due}] {run.point.folder}: {how} ({seconds:.1f} s)")

    # -- the live part

    def _renderable(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Table.grid(padding=(0, 1))
        head.add_row(
            "Tuning", ProgressBar(total=max(self.due, 1), completed=self.ended, width=30), Text(self._counts())
        )
        lines: list[RenderableType] = [head]
        now = time.monotonic()
        for index, began in list(self.running.items())[:_MOST_SHOWN]:
            run = self.runs[index]
            gpus = f"  on {', '.join(run.gpus)}" if run.gpus else ""
            lines.append(Text(f"  {run.point.folder}  {_time(now - began)}{gpus}", overflow="ellipsis", no_wrap=True))
        if len(self.running) > _MOST_SHOWN:
            lines.append(Text(f"  and {len(self.running) - _MOST_SHOWN} more"))
        if self.waiting:
            lines.append(Text(f"  waiting: {self.waiting}", overflow="ellipsis", no_wrap=True))
        lines += [
            Text(f"  best {line}", overflow="ellipsis", no_wrap=True) for line in best_lines(self.runs, self.better)
        ]
        return Group(*lines)

    def _counts(self) -> str:
        states = [run.state for run in self.runs]
        left = self.due - self.ended
        text = f"{self.ended}/{self.due}: {states.count('done')} done, {states.count('failed')} failed, {left} left"
        if 0 < self.ended < self.due:
            text += f", about {_time((time.monotonic() - self.started) / self.ended * left)} to go"
        return text


def best_lines(runs: Sequence[Run], better: Mapping[str, str]) -> list[str]:
    """The best run by each metric of which it is known what is better."""
    lines = []
    for metric, which in better.items():
        known = [(value, run) for run in runs if (value := _number(run.metrics.get(metric))) is not None]
        if known:
            value, run = (max if which == "max" else min)(known, key=lambda pair: pair[0])
            lines.append(f"{metric}: {value:g} at {run.point.folder}")
    return lines


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
