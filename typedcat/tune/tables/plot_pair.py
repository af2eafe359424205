"""The heat map of a metric over two parameters: the mean of the runs at each pair of values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .plot_style import (
    FONT_SIZE,
    INK,
    LARGEST,
    MISSING,
    ORANGE,
    SMALL_FONT_SIZE,
    Scale,
    direction_text,
    is_log_metric,
    label_even,
    new_figure,
    number_text,
    plain_numbers,
    png,
    scale_of,
    spans,
    title_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

_MOST_ANNOTATED = 12  # rows or columns
_CELL = (0.75, 0.45)  # inches, of one with a number in it
_SMALL_CELL = 0.22
_LEAST = (3.6, 2.6)  # of the map
_MARGIN = 0.9  # for the ticks and the name of an axis, the names of values not counted
_LARGE = 1e6  # from here on numbers are written with an exponent
_LARGE_SPAN = 100  # from here on each is written with digits of its own
_BAR = 1.4  # the scale of colours


def pair_plot(
    metric: str,
    parameters: tuple[str, str],
    labels: tuple[Sequence[Any], Sequence[Any]],
    means: Mapping[tuple[Any, Any], float],
    better: str | None,
) -> bytes:
    """The picture as a PNG file. Bright is better, or more where nothing is said to be better.

    Args:
        metric: its name.
        parameters: the names of the one whose values are rows, and of the one whose values are columns.
        labels: the distinct values of both, in the order of the grid.
        means: of the metric, finite numbers, by the pair of values; pairs without runs are left out.
        better: 'max', 'min' or None.
    """
    import numpy as np

    rows, columns = (scale_of(values) for values in labels)
    cells = np.array([[means.get((y, x), math.nan) for x in columns.labels] for y in rows.labels], dtype=float)
    annotated = max(cells.shape) <= _MOST_ANNOTATED
    width, height = _size(cells.shape, annotated)
    left, bottom = rows.longest(), _bottom(columns, width)
    figure = new_figure(width + left + _MARGIN + _BAR, height + bottom + _MARGIN)
    axes = figure.add_subplot()
    image = _draw(axes, cells, better)
    if annotated:
        _annotate(axes, image, cells)
    if better:
        _outline_best(axes, cells, better)
    _label(axes, rows, columns, width, height)
    axes.set_ylabel(title_text(parameters[0]), fontsize=FONT_SIZE, color=INK)
    axes.set_xlabel(title_text(parameters[1]), fontsize=FONT_SIZE, color=INK)
    bar = figure.colorbar(image, ax=axes)
    bar.outline.set_visible(False)
    bar.set_label(title_text(metric) + direction_text(better), fontsize=FONT_SIZE, color=INK)
    bar.ax.tick_params(colors=INK, labelsize=SMALL_FONT_SIZE)
    plain_numbers(bar.ax.yaxis, list(means.values()))
    return png(figure)


def _size(shape: tuple[int, ...], annotated: bool) -> tuple[float, float]:
    """Of the map, in inches."""
    cell = _CELL if annotated else (_SMALL_CELL, _SMALL_CELL)
    room = LARGEST - 4
    return (
        min(max(_LEAST[0], shape[1] * cell[0]), room),
        min(max(_LEAST[1], shape[0] * cell[1]), room),
    )


def _lies(scale: Scale, width: float) -> bool:
    """Whether the names fit below the columns without being turned."""
    return scale.longest() < width / len(scale.labels)


def _bottom(scale: Scale, width: float) -> float:
    return 0.2 if _lies(scale, width) else scale.longest()


# -- what is drawn


def _draw(axes: Axes, cells: NDArray[Any], better: str | None) -> AxesImage:
    import numpy as np
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    known = cells[np.isfinite(cells)]
    low, high = float(known.min()), float(known.max())
    if low == high:  # one colour, that of the middle
        room = abs(low) * 0.01 or 0.01
        low, high = low - room, high + room
    norm = LogNorm(low, high) if is_log_metric(known.tolist()) else Normalize(low, high)
    colours = colormaps["viridis_r" if better == "min" else "viridis"].with_extremes(bad=MISSING)
    image = axes.imshow(cells, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.grid(visible=False)
    return image


def _annotate(axes: Axes, image: AxesImage, cells: NDArray[Any]) -> None:
    form = cell_form([value for _, value in _known(cells)])
    colours = image.to_rgba(cells)
    for (row, column), value in _known(cells):
        red, green, blue, _ = colours[row, column]
        dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5
        text = form(value)
        size = FONT_SIZE if len(text) <= 6 else SMALL_FONT_SIZE
        axes.text(column, row, text, ha="center", va="center", fontsize=size, color="white" if dark else "black")


def cell_form(values: Sequence[float]) -> Callable[[float], str]:
    """How to write numbers such that they differ where the values do: with three digits of their range."""
    largest, length = max(map(abs, values)), max(values) - min(values)
    decimals = max(0, 2 - math.floor(math.log10(length or largest or 1.0)))
    if spans(values, _LARGE_SPAN) or decimals > 5 or largest >= _LARGE:
        return lambda value: number_text(value, 3)
    return lambda value: f"{value:.{decimals}f}"


def _outline_best(axes: Axes, cells: NDArray[Any], better: str) -> None:
    from matplotlib.patches import Rectangle

    (row, column), _ = (max if better == "max" else min)(_known(cells), key=lambda cell: cell[1])
    for colour, width in (("white", 4.0), (ORANGE, 2.0)):
        corner = (column - 0.5, row - 0.5)
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=colour, linewidth=width, clip_on=False, zorder=5))


def _known(cells: NDArray[Any]) -> list[tuple[tuple[int, int], float]]:
    rows, columns = cells.shape
    return [((i, j), float(cells[i, j])) for i in range(rows) for j in range(columns) if math.isfinite(cells[i, j])]


# -- what is written


def _label(axes: Axes, rows: Scale, columns: Scale, width: float, height: float) -> None:
    label_even(axes.yaxis, rows, height)
    label_even(axes.xaxis, columns, width)
    axes.tick_params(colors=INK, labelsize=FONT_SIZE - 1, length=0)
    if not _lies(columns, width):
        axes.tick_params(axis="x", labelrotation=90, labelsize=SMALL_FONT_SIZE)
