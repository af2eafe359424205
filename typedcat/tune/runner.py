"""`Cfg2TuneRunner`: runs the children of a tune config and sums up their metrics."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from ..console import status, write
from ..errors import TuneError, short_path, short_repr
from ..load.pipeline import load_config
from ..load.project import find_project
from .engines import Outcome, Task, reason, run_here, run_in_processes
from .gpus import gpu_groups
from .grid import Grid, ParamComb, Point, load_tune
from .tables import metric_frame, save_xlsx, table_text

if TYPE_CHECKING:
    import pandas as pd

F = TypeVar("F", bound=Callable[..., Any])


class Cfg2TuneRunner:
    """Runs every child of a tune config.

    Args:
        cfg2tune_py: the tune config.
        config_root: see `load_config`.
        experiment_root: the folder of all results; by default the project's `experiments_root`, else 'experiment'.
            `experiments_root` is another name of it.
        pool_size: how many runs at a time, each in a process of its own; 0 runs one after the other in this process.
        work_gpu_num: GPUs per run; then as many run at a time as there are groups of GPUs.
        metric_names: the metrics in the table, in order; by default all that the gather function returns.
        gather_metric_fn, work_fn: instead of registering them.
        allow_fail_gather: whether metrics that cannot be gathered are a failed row; else `tuning` raises at the end.
        verbosity: whether progress is shown.
        block, memory_need, max_process: accepted as in AlchemyCat; which GPUs are idle is not judged yet.
        children: 'config' writes the child configs beside the tune config, 'result' into the result folder.

    Raises:
        ConfigFileError: the tune config cannot be read.
        TuneError: it is none, or the arguments contradict each other.
    """

    def __init__(
        self,
        cfg2tune_py: str | os.PathLike[str],
        config_root: str | None = None,
        experiment_root: str | None = None,
        pool_size: int = 0,
        work_gpu_num: int | None = None,
        metric_names: list[str] | None = None,
        gather_metric_fn: Callable[..., dict[str, Any]] | None = None,
        work_fn: Callable[..., Any] | None = None,
        allow_fail_gather: bool = True,
        block: bool = True,
        verbosity: bool = True,
        memory_need: float = -1.0,
        max_process: int = -1,
        *,
        experiments_root: str | None = None,
        children: str = "config",
    ) -> None:
        if experiment_root is not None and experiments_root is not None:
            raise TuneError("experiment_root and experiments_root are two names of one thing; give one")
        if children not in ("config", "result"):
            raise TuneError(f"children is 'config' or 'result', got {children!r}")
        if pool_size < 0:
            raise TuneError(f"pool_size must be 0 or more, got {pool_size}")
        if work_gpu_num is not None and pool_size:
            raise TuneError("with work_gpu_num, the number of GPUs decides how many run at a time: leave pool_size out")
        self.gpu_groups = [] if work_gpu_num is None else gpu_groups(work_gpu_num)
        self.pool_size = len(self.gpu_groups) if self.gpu_groups else pool_size
        self.cfg2tune_py = os.fspath(cfg2tune_py)
        given = experiments_root if experiment_root is None else experiment_root
        root = given if given is not None or find_project().experiments_root else "experiment"
        self.cfg2tune: Any = load_tune(cfg2tune_py, root, config_root)
        self.metric_names = metric_names
        self.work_fn = work_fn
        self.gather_metric_fn = gather_metric_fn
        self.allow_fail_gather = allow_fail_gather
        self.verbosity = verbosity
        self.grid = Grid(self.cfg2tune)
        self.rslt_dir = self.grid.rslt_dir
        self.children_dir = self.rslt_dir if children == "result" else os.path.dirname(self._source()) or os.curdir
        self.points: list[Point] = []
        self.cfg_pkls: list[str] = []
        self.failures: dict[int, str] = {}
        self.metric_frame: pd.DataFrame | None = None
        self._metrics: list[dict[str, Any] | None] = []
        self._done = 0

    def _source(self) -> str:
        """The path of the tune config, as short as the user's."""
        source: str = self.cfg2tune.__extra__.source
        return os.path.relpath(source) if not os.path.isabs(self.cfg2tune_py) else source

    @property
    def param_combs(self) -> list[ParamComb]:
        """What is chosen at each point: (value, its name) by the name of the parameter."""
        return [point.chosen for point in self.points or self.grid.points()]

    @property
    def cfgs(self) -> list[Any]:
        """The child configs, made anew."""
        return list(self.grid.children())

    def register_work_fn(self, work_fn: F) -> F:
        """A decorator: `work_fn(pkl_idx, cfg, cfg_pkl, cfg_rslt_dir, cuda_env)` runs one child.

        It gets the index of the child, the child loaded and frozen, the file of the child, its result folder, and a
        complete environment for a subprocess. What it returns goes to the gather function.
        """
        self.work_fn = work_fn
        return work_fn

    def register_gather_metric_fn(self, gather_metric_fn: F) -> F:
        """A decorator: `gather_metric_fn(cfg, cfg_rslt_dir, run_rslt, param_comb)` returns the metrics of one run."""
        self.gather_metric_fn = gather_metric_fn
        return gather_metric_fn

    def tuning(self) -> pd.DataFrame:
        """Check every child, run them all, print the table and write it to `metric_frame.xlsx`.

        A run that fails is a row without metrics; its reason is printed and in `failures`. After Ctrl-C what runs is
        ended, and the table has what was done.

        Returns:
            The table.

        Raises:
            TuneError: there is no work function, or children that cannot be run; then nothing was started. Or, with
                `allow_fail_gather=False`, metrics that could not be gathered; then everything else is done.
        """
        if self.work_fn is None:
            raise TuneError("there is no work function: decorate one with @runner.register_work_fn")
        _check_signature(self.work_fn, "work", _WORK_ARGUMENTS)
        if self.gather_metric_fn is not None:
            _check_signature(self.gather_metric_fn, "gather", _GATHER_ARGUMENTS)
        self.grid.check()
        self.points = list(self.grid.points())
        self.cfg_pkls = [self._dump(point) for point in self.points]
        self._metrics = [None] * len(self.points)
        self._done, self.failures = 0, {}
        not_gathered: list[Exception] = []
        try:
            with (
                _Progress(len(self.points), self.verbosity) as progress,
                closing(self._outcomes(self.work_fn)) as outcomes,
            ):
                for outcome in outcomes:
                    if (error := self._take(outcome)) is not None:
                        not_gathered.append(error)
                    failure = self.failures.get(outcome.index, "")
                    progress.step(self.points[outcome.index].folder, outcome.seconds, failure)
        finally:
            self.metric_frame = self._summary()
        if not_gathered and not self.allow_fail_gather:
            lines = self._failure_lines()
            raise TuneError("\n".join(["not all metrics could be gathered:", *lines])) from not_gathered[0]
        return self.metric_frame

    def _dump(self, point: Point) -> str:
        try:
            return self.grid.dump(point, self.children_dir)
        except OSError as error:
            raise TuneError(
                f"cannot write the child config {point.folder} into {short_path(self.children_dir)}: {error}\n"
                "  children='result' writes them into the result folder"
            ) from error
        except Exception as error:
            raise TuneError(
                f"cannot pickle the child config {point.folder}: {type(error).__name__}: {error}\n"
                "  let a DEP make what cannot be pickled, or make it in the training code"
            ) from error

    def _outcomes(self, work: Callable[..., Any]) -> Generator[Outcome]:
        tasks = (Task(i, os.path.abspath(file)) for i, file in enumerate(self.cfg_pkls))
        if self.pool_size:
            return run_in_processes(work, tasks, self.pool_size, self.gpu_groups)
        return run_here(work, tasks)

    def _take(self, outcome: Outcome) -> Exception | None:
        """Gather the metrics of a run that ended; gives what the gather function raised."""
        self._done += 1
        i = outcome.index
        if outcome.error:
            self.failures[i] = outcome.error
        elif self.gather_metric_fn is not None:
            try:
                cfg = load_config(self.cfg_pkls[i], create_rslt_dir=False)
                metrics = self.gather_metric_fn(cfg, cfg.rslt_dir, outcome.result, self.points[i].chosen)
                if not isinstance(metrics, Mapping):
                    raise TypeError(
                        f"the gather function returned {short_repr(metrics)}; return a dict, {{'acc': 0.9}}"
                    )
                self._metrics[i] = dict(metrics)
                self._check_metrics(i)
            except Exception as error:  # noqa: BLE001 - the user's function; one failed row, never the end
                self._metrics[i] = None
                self.failures[i] = f"its metrics cannot be gathered: {reason(error)}"
                return error
        return None

    def _check_metrics(self, i: int) -> None:
        missing = [name for name in self.metric_names or () if name not in (self._metrics[i] or {})]
        if missing:
            raise TuneError(f"the gather function gave no {' and no '.join(map(repr, missing))}")

    def _summary(self) -> pd.DataFrame:
        labels = [point.labels for point in self.points]
        frame = metric_frame(labels, list(self.points[0].chosen), self._metrics, self.metric_names)
        if self.failures:
            write("\n".join([f"{len(self.failures)} of {len(self.points)} runs failed:", *self._failure_lines()]))
        if self._done < len(self.points):
            write(f"{len(self.points) - self._done} of {len(self.points)} runs have not ended")
        if self.gather_metric_fn is not None and self._done:
            write(f"Metric Frame:\n{table_text(frame)}")
            write(f"Saving Metric Frame at {save_xlsx(frame, self.rslt_dir)}")
        return frame

    def _failure_lines(self) -> list[str]:
        return [
            f"  {self.points[i].folder}: {text}".replace("\n", "\n    ") for i, text in sorted(self.failures.items())
        ]


_WORK_ARGUMENTS = ("pkl_idx", "cfg", "cfg_pkl", "cfg_rslt_dir", "cuda_env")
_GATHER_ARGUMENTS = ("cfg", "cfg_rslt_dir", "run_rslt", "param_comb")


def _check_signature(function: Callable[..., Any], what: str, arguments: Sequence[str]) -> None:
    """A function that cannot be called must not be found out after hours of training."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise TuneError(f"the {what} function is called with ({', '.join(arguments)}): {error}") from error
    except ValueError:  # one without a signature
        return


class _Progress:
    """A bar on a terminal, else a line per run."""

    def __init__(self, total: int, shown: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.total = total
        self.done = 0
        self.shown = shown
        self.console = status()
        columns = (TextColumn("Tuning"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        # sys.stdout stays what it is: a work function may keep it
        bar = Progress(*columns, console=self.console, redirect_stdout=False, redirect_stderr=False)
        self.bar = bar if shown and self.console.is_terminal else None

    def __enter__(self) -> _Progress:
        if self.bar is not None:
            self.bar.start()
            self.bar.add_task("Tuning", total=self.total)
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def step(self, name: str, seconds: float, failure: str) -> None:
        """One more run has ended."""
        self.done += 1
        end = f"failed: {failure.splitlines()[0]}" if failure else "done"
        line = f"[{self.done}/{self.total}] {name}: {end} ({seconds:.1f} s)"
        if self.shown:
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
        if self.bar is not None:
            self.bar.advance(self.bar.task_ids[0])
