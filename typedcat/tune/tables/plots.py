"""The pictures of a sweep: each metric against each parameter, and over pairs of parameters."""

from __future__ import annotations

import importlib
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ..grid.naming import safe, shortened, unique
from ..ledger.results import Result
from .frames import Better, is_done, mean, number, plain
from .plot_pair import pair_plot
from .plot_parameter import parameter_plot
from .plot_style import is_drawable

NO_PICTURES = "no pictures without matplotlib: pip install 'typedcat[plots]'"
_MOST = 40  # pictures
_MOST_IN_PAIRS = 3  # parameters whose pairs are drawn
_MOST_CELLS = 40_000  # of a heat map


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        file: its name, that of no other picture of the sweep.
        metric: the metric that it shows.
        parameters: what it is shown against.
        png: the file itself.
    """

    file: str
    metric: str
    parameters: tuple[str, ...]
    png: bytes


@dataclass(frozen=True)
class _Plan:
    """A picture that is to be drawn: a metric, and the places of one or two parameters."""

    metric: Any
    places: tuple[int, ...]


def can_draw() -> bool:
    """Whether matplotlib is installed, and can be imported."""
    try:
        importlib.import_module("matplotlib.figure")
    except ImportError:
        return False
    return True


def pictures(
    results: Sequence[Result], parameters: Sequence[str], metrics: Sequence[Any], better: Better
) -> list[Picture]:
    """Draw the pictures: the metrics of `better` first, and not more than anyone looks at.

    Parameters with one value are left out unless all are. Values of a metric
    that are no numbers, not finite, or beyond 1e100 are left out. Heat maps show
    the pairs of all parameters, or of the three that make most of a difference;
    none is drawn of more cells than anyone can tell apart.

    Args:
        results: one per run.
        parameters: the names of the parameters.
        metrics: the names of the metrics.
        better: which end of a metric is the good one.

    Raises:
        ImportError: matplotlib is not installed; see `can_draw`.
    """
    labels = [list(dict.fromkeys(r.labels[i] for r in results)) for i in range(len(parameters))]
    plans: list[_Plan] = []
    drawn: dict[Any, list[tuple[Result, float]]] = {}
    for metric in [*better, *(name for name in metrics if name not in better)]:
        if runs := _drawable(results, metric):
            drawn[metric] = runs
            plans += _plans(metric, runs, labels)
    plans = plans[:_MOST]
    files = unique([_file_name(plan, parameters) for plan in plans])
    result = []
    for plan, file in zip(plans, files, strict=True):
        data = _draw(plan, drawn[plan.metric], parameters, labels, len(results), better.get(plan.metric))
        names = tuple(parameters[i] for i in plan.places)
        result.append(Picture(f"{file}.png", str(plan.metric), names, data))
    return result


def _drawable(results: Sequence[Result], metric: Any) -> list[tuple[Result, float]]:
    found = ((r, number(plain(r.metrics.get(metric)))) for r in results if is_done(r))
    return [(r, x) for r, x in found if x is not None and is_drawable(x)]


def _plans(metric: Any, runs: Sequence[tuple[Result, float]], labels: Sequence[Sequence[Any]]) -> list[_Plan]:
    varied = [i for i, values in enumerate(labels) if len(values) > 1]
    plans = [_Plan(metric, (i,)) for i in varied or [0]]
    pairs = [(i, j) for i, j in combinations(varied, 2) if len(labels[i]) * len(labels[j]) <= _MOST_CELLS]
    paired = {i for pair in pairs for i in pair}
    if len(paired) > _MOST_IN_PAIRS:
        effects = {i: _effect(runs, i) for i in sorted(paired)}
        paired = set(sorted(effects, key=lambda i: -effects[i])[:_MOST_IN_PAIRS])
    return [*plans, *(_Plan(metric, pair) for pair in pairs if paired.issuperset(pair))]


def _effect(runs: Sequence[tuple[Result, float]], place: int) -> float:
    """How far the means at the values of a parameter are apart."""
    return statistics.pstdev(_means(runs, (place,)).values())


def _means(runs: Sequence[tuple[Result, float]], places: Sequence[int]) -> dict[tuple[Any, ...], float]:
    groups: dict[tuple[Any, ...], list[float]] = {}
    for r, x in runs:
        groups.setdefault(tuple(r.labels[i] for i in places), []).append(x)
    return {key: mean(values) for key, values in groups.items()}


def _file_name(plan: _Plan, parameters: Sequence[str]) -> str:
    over = " and ".join(shortened(safe(parameters[i])) for i in plan.places)
    return f"{shortened(safe(str(plan.metric)))} by {over}"


def _draw(
    plan: _Plan,
    runs: Sequence[tuple[Result, float]],
    parameters: Sequence[str],
    labels: Sequence[Sequence[Any]],
    total: int,
    better: str | None,
) -> bytes:
    metric = str(plan.metric)
    if len(plan.places) == 1:
        (i,) = plan.places
        return parameter_plot(metric, parameters[i], labels[i], [(r.labels[i], x) for r, x in runs], total, better)
    i, j = plan.places
    means: Mapping[Any, float] = _means(runs, (i, j))
    return pair_plot(metric, (parameters[i], parameters[j]), (labels[i], labels[j]), means, better)
