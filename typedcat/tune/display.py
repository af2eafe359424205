"""What is seen of a sweep while it runs: a live display on a terminal, else a line per run."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..console import status
from .ledger.plan import Run
from .ledger.results import number_of
from .streams import LOST, printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_MOST_SHOWN = 12  # runs that go on
_MOST_BEST = 4  # metrics whose best run is shown
_BAR = 30  # columns
_MARGIN = 10  # columns before names


class Display:
    """Shows what becomes of runs; a context manager. That it cannot be shown is no error.

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
        self.trouble = ""
        self.live: Live | None = None
        self._warned: set[str] = set()
        if shown and live and self.console.is_terminal:
            from rich.live import Live

            # sys.stdout stays what it is: a work function may keep it
            self.live = Live(
                get_renderable=self._renderable, console=self.console, refresh_per_second=4,
                redirect_stdout=False, redirect_stderr=False, transient=True,
            )  # fmt: skip

    def __enter__(self) -> Display:
        if self.live is not None:
            with contextlib.suppress(*LOST):
                self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.live is not None:
            with contextlib.suppress(*LOST):
                self.live.stop()

    def say(self, text: str) -> None:
        """Show a line."""
        if self.shown:
            with contextlib.suppress(*LOST):
                text = printable(text, self.console.encoding)
                self.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def warn_once(self, text: str) -> None:
        """Show a line that was not shown before."""
        if text not in self._warned:
            self._warned.add(text)
            self.say(text)

    def wait_for(self, text: str) -> None:
        """What a run waits for; '' if none does."""
        if text and text != self.waiting and self.live is None:
            self.say(f"waiting: {text}")
        self.waiting = text

    def trouble_is(self, text: str) -> None:
        """What cannot be done for now, while the sweep goes on; '' if it can be again."""
        if text and text != self.trouble and self.live is None:
            self.say(text)
        self.trouble = text

    def start(self, run: Run) -> None:
        """A run has been started."""
        self.running[run.index] = time.monotonic()

    def end(self, run: Run, *, again: bool = False) -> None:
        """A run has ended; `again`: it will be tried again."""
        began = self.running.pop(run.index, time.monotonic())
        self.ended += not again
        how: str = run.state
        if run.state == "failed":
            how = f"failed: {run.error.partition(chr(10))[0]}" + ("; once more" if again else "")
        elif run.state == "left":
            how = "stopped"
        seconds = run.seconds if run.seconds is not None else time.monotonic() - began
        self.say(f"[{self.ended}/{self.due}] {run.point.folder}: {how} ({seconds:.1f} s)")

    # -- the live part

    def _renderable(self) -> RenderableType:
        from rich.console import Group

        now = time.monotonic()
        running = list(self.running.items())
        shown = running[: min(_MOST_SHOWN, max(1, self.console.height - 8))]
        lines = [self._head()]
        lines += [self._row(self.runs[index], now - began) for index, began in shown]
        if len(running) > len(shown):
            lines.append(self._line("", f"and {len(running) - len(shown)} more"))
        if self.waiting:
            lines.append(self._line("waiting", self.waiting))
        if self.trouble:
            lines.append(self._line("trouble", self.trouble))
        lines += [self._line("best", line) for line in best_lines(self.runs, self.better)[:_MOST_BEST]]
        return Group(*lines)

    def _head(self) -> RenderableType:
        """The bar and the numbers; on a narrow terminal the numbers alone."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        numbers = Text(self._counts(), overflow="ellipsis", no_wrap=True)
        if self.console.width < _BAR + numbers.cell_len + 2:
            return numbers
        head = Table.grid(padding=(0, 1))
        head.add_row(ProgressBar(total=max(self.due, 1), completed=self.ended, width=_BAR), numbers)
        return head

    def _row(self, run: Run, seconds: float) -> RenderableType:
        gpus = f"{', '.join(run.gpus)}  " if run.gpus else ""
        return self._line(_time(seconds), gpus + run.point.folder)

    def _line(self, head: str, text: str) -> RenderableType:
        """A line that fits; what differs from run to run is at the end of long names."""
        from rich.text import Text

        room = max(self.console.width - _MARGIN, 12)
        return Text(f"{head:>{_MARGIN - 2}}  {middle_cut(text, room)}", overflow="ellipsis", no_wrap=True)

    def _counts(self) -> str:
        states = Counter(run.state for run in self.runs)
        left = self.due - self.ended
        parts = [f"{self.ended}/{self.due} runs", f"{states['done']} done"]
        if states["failed"]:
            parts.append(f"{states['failed']} failed")
        parts.append(f"{len(self.running)} running")
        if self.ended and left:
            parts.append(f"{_time((time.monotonic() - self.started) / self.ended * left)} to go")
        return ", ".join(parts)


def middle_cut(text: str, room: int) -> str:
    """The text without its middle, if it takes more columns than there is room for."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= room:
        return text
    begin = set_cell_size(text, room // 2).rstrip()
    end = text
    while cell_len(end) > room - room // 2 - 1:
        end = end[1:]
    return f"{begin}…{end}"


def best_lines(runs: Sequence[Run], better: Mapping[str, str]) -> list[str]:
    """The best run by each metric of which it is known what is better."""
    lines = []
    for metric, which in better.items():
        known = [(value, run) for run in runs if (value := number_of(run.metrics.get(metric))) is not None]
        if known:
            value, run = (max if which == "max" else min)(known, key=lambda pair: pair[0])
            lines.append(f"{metric}: {value:g} at {run.point.folder}")
    return lines


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
