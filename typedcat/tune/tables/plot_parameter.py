"""The picture of a metric against one parameter: every run, and the mean with its deviation at each value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .frames import deviation, mean
from .plot_style import (
    BLUE,
    FONT_SIZE,
    INK,
    LARGEST,
    LETTER,
    ORANGE,
    PALE_INK,
    SMALL_FONT_SIZE,
    Scale,
    digits_of,
    direction_text,
    is_log_metric,
    label_even,
    label_numbers,
    new_figure,
    number_text,
    plain_numbers,
    png,
    scale_of,
    style_axes,
    title_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

T = TypeVar("T")
_WIDTH, _HEIGHT = 6.4, 4.2  # inches
_MARGINS = 1.6  # what is around the axes
_ROW = 0.3  # of a name, where names stand one above the other
_SPREAD = 0.3  # of the points of one name, which is 1 wide
_FAINT = 0.35
_GOLDEN = (math.sqrt(5) - 1) / 2


def parameter_plot(
    metric: str,
    parameter: str,
    labels: Sequence[Any],
    runs: Sequence[tuple[Any, float]],
    total: int,
    better: str | None,
) -> bytes:
    """The picture as a PNG file.

    A parameter of numbers gets an axis of numbers and a line through the means. The values of any other stand side by
    side, or one above the other where their names are long.

    Args:
        metric, parameter: their names.
        labels: the distinct values of the parameter, in the order of the grid.
        runs: the value of the parameter and the metric, a finite number, of each run that is shown.
        total: how many runs there are.
        better: 'max', 'min' or None.
    """
    scale = scale_of(labels)
    upright = scale.is_numeric or _fits(scale)
    height = _HEIGHT if upright else min(max(_HEIGHT, _MARGINS + _ROW * len(scale.labels)), LARGEST)
    figure = new_figure(_WIDTH, height)
    axes = figure.add_subplot()
    style_axes(axes, "y" if upright else "x")
    sketch = _Sketch(axes, scale, runs, upright)
    sketch.scale_values()
    sketch.draw_runs("run" if len(runs) == total else f"{len(runs)} of {total} runs")
    sketch.draw_means()
    if better:
        sketch.draw_best(better)
    sketch.label_values(height - _MARGINS)
    sketch.name(title_text(metric) + direction_text(better), title_text(parameter))
    return png(figure)


def _fits(scale: Scale) -> bool:
    """Whether the names can stand side by side without overlapping."""
    return scale.longest() < (_WIDTH - _MARGINS) / len(scale.labels)


def _spread(places: Sequence[float]) -> list[float]:
    """Each place moved aside by a different step of the golden ratio: evenly, and with no pattern in it."""
    seen: dict[float, int] = {}
    result = []
    for x in places:
        i = seen[x] = seen.get(x, -1) + 1
        result.append(x + _SPREAD * ((i * _GOLDEN + 0.5) % 1 - 0.5))
    return result


class _Sketch:
    """The axes of the picture, and what is drawn into them.

    Args:
        axes: of matplotlib.
        scale: where the values of the parameter stand.
        runs: see `parameter_plot`.
        upright: whether the metric is on the vertical axis.
    """

    def __init__(self, axes: Axes, scale: Scale, runs: Sequence[tuple[Any, float]], upright: bool) -> None:
        self.axes = axes
        self.scale = scale
        self.runs = runs
        self.upright = upright
        self.place = dict(zip(scale.labels, scale.positions(), strict=True))
        where = [self.place[label] for label, _ in runs]
        self.where = where if scale.is_numeric else _spread(where)
        self.values = [value for _, value in runs]
        self.log = is_log_metric(self.values)

    def scale_values(self) -> None:
        """Prepare the axis of the metric."""
        if self.log:
            self.axes.set(**{"yscale" if self.upright else "xscale": "log"})
        plain_numbers(self.axes.yaxis if self.upright else self.axes.xaxis, self.values)

    def draw_runs(self, name: str) -> None:
        """A point each, the fainter the more there are: the mean has to be seen among them."""
        alpha = max(0.05, min(_FAINT, 10 * len(self.place) / len(self.values)))
        self._scatter(self.where, self.values, s=22, color=PALE_INK, alpha=alpha, lw=0, zorder=1)
        self._scatter([], [], s=22, color=PALE_INK, alpha=_FAINT, lw=0, label=name)  # for the legend

    def draw_means(self) -> None:
        """The mean at each value, and how far the runs are from it."""
        groups: dict[float, list[float]] = {}
        for label, value in self.runs:
            groups.setdefault(self.place[label], []).append(value)
        where = sorted(groups)
        middles = [mean(groups[x]) for x in where]
        above = [deviation(groups[x]) for x in where]
        below = above
        if self.log:  # 0 is nowhere on it
            below = [min(d, m - min(groups[x])) for x, m, d in zip(where, middles, above, strict=True)]
        shown = any(map(math.isfinite, above))
        bars: dict[str, Any] = {"yerr" if self.upright else "xerr": [below, above]} if shown else {}
        self.axes.errorbar(
            *self._turned(where, middles), **bars, fmt="o-" if self.scale.is_numeric else "o", color=BLUE,
            markersize=6, linewidth=1.8, elinewidth=1.2, capsize=4, zorder=3, label="mean ± std" if shown else "mean",
        )  # fmt: skip

    def draw_best(self, better: str) -> None:
        """A ring around the best run."""
        best = (max if better == "max" else min)(range(len(self.values)), key=self.values.__getitem__)
        value = self.values[best]
        self._scatter(
            [self.where[best]], [value], s=110, color="none", edgecolor=ORANGE, lw=2.2, zorder=5,
            label=f"best run: {number_text(value, digits_of(self.values))}",
        )  # fmt: skip

    def label_values(self, length: float) -> None:
        """Ticks and ends of the axis of the parameter; its length, in inches, is asked for where it is the vertical."""
        if not self.upright:
            self.axes.set_ylim(*reversed(self.scale.limits()))  # the first on top
            label_even(self.axes.yaxis, self.scale, length)
            self.axes.tick_params(axis="y", labelsize=SMALL_FONT_SIZE)
            return
        if self.scale.is_even:
            label_even(self.axes.xaxis, self.scale, _WIDTH - _MARGINS, gap=self.scale.longest() + LETTER)
        else:
            self.axes.set_xscale("log" if self.scale.kind == "log" else "linear")
            label_numbers(self.axes.xaxis, self.scale, _WIDTH - _MARGINS)
        self.axes.set_xlim(*self.scale.limits())

    def name(self, metric: str, parameter: str) -> None:
        """The names of the axes, and what the marks mean."""
        x, y = self._turned(parameter, metric)
        self.axes.set_xlabel(x, fontsize=FONT_SIZE, color=INK)
        self.axes.set_ylabel(y, fontsize=FONT_SIZE, color=INK)
        self.axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=SMALL_FONT_SIZE, labelcolor=INK,
            borderaxespad=0.2, borderpad=0.2, handletextpad=0.4, columnspacing=1.2,
        )  # fmt: skip

    def _scatter(self, where: Sequence[float], values: Sequence[float], **style: Any) -> None:
        self.axes.scatter(*self._turned(where, values), **style)

    def _turned(self, of_parameter: T, of_metric: T) -> tuple[T, T]:
        """What belongs to the horizontal axis and to the vertical one."""
        return (of_parameter, of_metric) if self.upright else (of_metric, of_parameter)
