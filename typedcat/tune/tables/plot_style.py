"""What the pictures of a sweep share: colours, sizes, axes of numbers and of names, text that is taken as it is."""

from __future__ import annotations

import io
import logging
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from .frames import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe and Ito's, which people with any kind of colour blindness tell apart.
BLUE = "#0072B2"
ORANGE = "#D55E00"
INK = "#222222"
PALE_INK = "#666666"
GRID = "#DDDDDD"
MISSING = "#EEEEEE"

DOTS_PER_INCH = 150
FONT_SIZE = 11.0  # points
SMALL_FONT_SIZE = 9.0
LETTER = 0.085  # the width of a letter of ordinary size, in inches, on the generous side
LARGEST = 14.0  # side of a picture, in inches
_PADDING = 0.08  # around it
SOFTWARE = "typedcat"  # by which pictures of an earlier summary are known
_LONGEST_LABEL = 32  # characters
_LONGEST_TITLE = 70
_LOG_PARAMETER = 100  # a span, largest value by smallest, from which on an axis is logarithmic
_LOG_METRIC = 1000
_LARGEST_DRAWN, _SMALLEST_DRAWN = 1e100, 1e-250
_FEWEST_DIGITS = 4
_ROOM_AT_END = 0.05  # of the length of an axis
_SMALL, _LARGE = 1e-3, 1e6  # between these numbers are written without an exponent

# Fonts that have what matplotlib's own lacks, where one of them is installed.
_OTHER_FONTS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei", "Droid Sans Fallback", "Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB",
    "Arial Unicode MS",
)  # fmt: skip


# -- axes


@dataclass(frozen=True)
class Scale:
    """Where the values of a parameter stand on an axis.

    Attributes:
        labels: the distinct values; numbers in their order, others in that of the grid.
        kind: 'names' and 'steps' stand at 0, 1, 2, ..., the others where their number is. Steps are numbers that
            neither a linear nor a logarithmic axis tells apart, such as 0, 0.00001 and 1.
    """

    labels: tuple[Any, ...]
    kind: Literal["names", "steps", "linear", "log"]

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers, so that a line between them means something."""
        return self.kind != "names"

    @property
    def is_even(self) -> bool:
        """Whether each value stands one further than the one before."""
        return self.kind in ("names", "steps")

    def positions(self) -> list[float]:
        """Where the values stand."""
        if self.is_even:
            return [float(i) for i in range(len(self.labels))]
        return [x for label in self.labels if (x := number(label)) is not None]

    def texts(self) -> list[str]:
        """What the values are called on the axis: numbers with no more digits than tell them apart."""
        if not self.is_numeric:
            return [shortened(str(label), _LONGEST_LABEL) for label in self.labels]
        for digits in range(_FEWEST_DIGITS, 17):
            texts = [number_text(label, digits) if isinstance(label, float) else str(label) for label in self.labels]
            if len(set(texts)) == len(texts):
                return texts
        return [str(label) for label in self.labels]

    def longest(self) -> float:
        """The width of the longest of the texts, in inches."""
        return max(map(len, self.texts())) * LETTER

    def limits(self) -> tuple[float, float]:
        """The ends of the axis: some room around the values."""
        first, last = self.positions()[0], self.positions()[-1]
        if self.is_even:
            return first - 0.5, last + 0.5
        if self.kind == "log":
            room = (last / first) ** _ROOM_AT_END
            return first / room, last * room
        room = (last - first) * _ROOM_AT_END or abs(first) * 0.1 or 1.0
        return first - room, last + room


def scale_of(labels: Sequence[Any]) -> Scale:
    """How to draw the values of a parameter.

    Args:
        labels: the distinct ones, in the order of the grid.
    """
    values = [number(label) for label in labels]
    finite = [x for x in values if x is not None and math.isfinite(x)]
    if len(finite) < len(labels) or len(set(finite)) < len(labels):
        return Scale(tuple(labels), "names")
    ordered = tuple(label for _, label in sorted(zip(finite, labels, strict=True), key=lambda pair: pair[0]))
    sizes = [abs(x) for x in finite if x]
    if not all(map(is_drawable, finite)) or (min(finite) <= 0 and spans(sizes, _LOG_PARAMETER)):
        return Scale(ordered, "steps")
    return Scale(ordered, "log" if spans(finite, _LOG_PARAMETER) else "linear")


def is_drawable(value: float) -> bool:
    """Whether matplotlib can do its sums with the number."""
    return value == 0 or _SMALLEST_DRAWN <= abs(value) <= _LARGEST_DRAWN


def spans(values: Sequence[float], factor: float) -> bool:
    """Whether the values are positive, and the largest is more than so many times the smallest."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > factor


def label_numbers(axis: Axis, scale: Scale, length: float) -> None:
    """Ticks of a linear or logarithmic axis: at the values themselves where there is room, else at round numbers.

    Args:
        axis: a horizontal axis.
        scale: what stands on it.
        length: of the axis, in inches.
    """
    from matplotlib.ticker import NullFormatter, NullLocator

    positions, texts = scale.positions(), scale.texts()
    ends = [math.log10(x) if scale.kind == "log" else x for x in (*scale.limits(), *positions)]
    places = [(x - ends[0]) / (ends[1] - ends[0]) * length for x in ends[2:]]
    widths = [len(text) * LETTER for text in texts]
    axis.set_minor_formatter(NullFormatter())
    if all(b - a > (v + w) / 2 + LETTER for (a, b), (v, w) in zip(pairwise(places), pairwise(widths), strict=True)):
        axis.set_ticks(positions, labels=texts)
        axis.set_minor_locator(NullLocator())
    else:
        plain_numbers(axis, positions)


def label_even(axis: Axis, scale: Scale, length: float, *, gap: float = 0.2) -> None:
    """Ticks of an axis of names or steps, as many as there is room for.

    Args:
        axis: the axis.
        scale: what stands on it.
        length: of the axis, in inches.
        gap: that two ticks need, in inches.
    """
    texts = scale.texts()
    step = math.ceil(len(texts) * gap / length)
    axis.set_ticks(list(range(0, len(texts), step)), labels=texts[::step])


def is_log_metric(values: Sequence[float]) -> bool:
    """Whether the values of a metric are shown on a logarithmic scale."""
    return spans(values, _LOG_METRIC)


def plain_numbers(axis: Axis, values: Sequence[float]) -> None:
    """Numbers as they are: no `+9.812e1` or `1e9` at the end of the axis, and no formulas.

    Args:
        axis: the axis, logarithmic or not.
        values: what is shown on it.
    """
    from matplotlib.ticker import FuncFormatter, NullFormatter, ScalarFormatter

    largest = max(map(abs, values))
    if axis.get_scale() == "linear" and _SMALL <= largest < _LARGE:
        formatter = ScalarFormatter(useOffset=False, useMathText=False)
        formatter.set_scientific(False)  # all with the same decimals
        axis.set_major_formatter(formatter)
        return
    digits = digits_of(values)
    axis.set_major_formatter(FuncFormatter(lambda x, _: number_text(x, digits)))
    axis.set_minor_formatter(NullFormatter())


# -- text


def digits_of(values: Sequence[float]) -> int:
    """How many significant digits tell the values apart."""
    length = max(values) - min(values)
    largest = max(map(abs, values))
    return max(5, math.ceil(math.log10(largest / length)) + 3) if 0 < length < math.inf else 5


def number_text(value: float, digits: int = 6) -> str:
    """The number with so many significant digits, `1e9` for `1e+09`."""
    return re.sub(r"e\+?(-?)0*(?=\d)", r"e\1", f"{value:.{digits}g}")


def title_text(text: object) -> str:
    """A name, as short as a title needs it."""
    return shortened(str(text), _LONGEST_TITLE)


def shortened(text: str, limit: int) -> str:
    """The text on one line, its middle left out where it is too long: names differ at both ends."""
    text = " ".join(text.encode(errors="backslashreplace").decode().split())  # matplotlib refuses half characters
    if len(text) <= limit:
        return text
    return f"{text[: limit - limit // 3 - 1]}…{text[-(limit // 3) :]}"


def direction_text(direction: str | None) -> str:
    """`, higher is better`."""
    return {"max": ", higher is better", "min": ", lower is better"}.get(direction or "", "")


# -- figures


def new_figure(width: float, height: float) -> Figure:
    """An empty picture, its size in inches; no part of pyplot's state."""
    from matplotlib.figure import Figure

    size = min(width, LARGEST), min(height, LARGEST)
    figure = Figure(size, DOTS_PER_INCH, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=_PADDING, h_pad=_PADDING)
    return figure


def style_axes(axes: Axes, grid: str) -> None:
    """Two spines, and lines behind the points in the direction in which values are read."""
    axes.set_facecolor("white")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(PALE_INK)
    axes.tick_params(colors=INK, labelsize=FONT_SIZE - 1)
    axes.grid(visible=False)
    axes.grid(visible=True, axis="x" if grid == "x" else "y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def png(figure: Figure) -> bytes:
    """The picture as a file. Every text is drawn as it is: `$` begins no formula, whatever the user's settings."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    fonts = _fonts()
    canvas: Any = FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)
            text.set_usetex(False)
            text.set_fontfamily(fonts)
    with _quiet_about_fonts():
        canvas.print_png(buffer, metadata={"Software": SOFTWARE})  # savefig would draw it twice
    return buffer.getvalue()


@contextmanager
def _quiet_about_fonts() -> Iterator[None]:
    """A letter that no font has is shown as a box, and a font that is too bold is used: no reason to write anything."""
    logger = logging.getLogger("matplotlib.font_manager")

    def is_serious(record: logging.LogRecord) -> bool:
        return record.levelno > logging.WARNING

    logger.addFilter(is_serious)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            yield
    finally:
        logger.removeFilter(is_serious)


@cache
def _fonts() -> list[str]:
    from matplotlib.font_manager import get_font_names

    installed = set(get_font_names())
    return ["DejaVu Sans", *(name for name in _OTHER_FONTS if name in installed)]
