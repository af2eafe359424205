"""`Cfg2TuneRunner`: runs the children of a tune config and sums up their metrics."""

from __future__ import annotations

import math
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

from ..errors import DigestError, TuneError, short_path
from ..load.project import project_of
from ..load.surroundings import Surroundings
from ..tree.config import BaseConfig
from ..tree.node import extra_of
from ..tree.pickling import dumps
from .digest.digest import code_hash, config_digest
from .display import Display
from .ending import GATHERS, Ending, failure_lines
from .engines.local import LocalProcesses, pickled
from .engines.protocol import Engine, Here
from .folders import gone
from .functions import GATHER_ARGUMENTS, WORK_ARGUMENTS, check_signature
from .gathering import Gathering
from .gpus.leases import Leases
from .grid.grid import CHILD_FILE, Grid, ParamComb, Point, load_tune, project_of_tree
from .grid.settings import TuneSettings
from .ledger.ledger import LEDGER, Attempt, Ledger, PlannedPoint, unfinished
from .ledger.lock import RunnerLock
from .ledger.plan import Run, plan
from .ledger.results import Result
from .session import Session, Steps
from .streams import fill_standard_streams, show
from .tables.frames import Better

if TYPE_CHECKING:
    import pandas as pd

W = TypeVar("W", bound=Callable[[int, Any, str, str, dict[str, str]], object])
G = TypeVar("G", bound=Callable[[Any, str, Any, Any], object])
_MOST_REFUSED = 5  # configs without a digest that are named


class Cfg2TuneRunner:
    """Runs every child of a tune config.

    Args:
        cfg2tune_py: the tune config: its file, or a tree that has a result folder.
        config_root: see `load_config`.
        experiment_root: the folder of all results; by default the project's `experiments_root`, else 'experiment'.
            `experiments_root` is another name of it.
        pool_size: how many runs at a time; 0 runs one after the other and shows the output of each. Each run is in a
            process apart from this one.
        work_gpu_num: GPUs per run; then as many run at a time as there are GPUs for.
        metric_names: the metrics in the table, in order; by default all that the gather function returns.
        gather_metric_fn, work_fn: instead of registering them.
        allow_fail_gather: whether metrics that cannot be gathered are a failed row; else `tuning` raises at the end.
        block, memory_need, max_process, runs_per_gpu, lock_dir: which GPUs are lent; see `Leases`.
        verbosity: whether progress is shown.
        children: 'config' writes the child configs beside the tune config (if that has a file), 'result' into the
            result folder.
        overrides: `key=value` each, for every child; see `load_config`. They get a result folder of their own.
        repeats: how often each combination is run, instead of what the tune config says.
        better: 'max' or 'min' by the name of a metric, besides what the tune config says.
        timeout_s: how long a run may take, in seconds; None for as long as it takes.
        grace_s: seconds between asking a run to end (SIGTERM) and killing it.
        max_retries: how often a run that fails is tried again.
        plots: whether pictures are drawn at the end; needs matplotlib (`pip install 'typedcat[plots]'`).
        record: whether each run gets a record of its code and environment in its result folder; see `record_run`.
        in_process: runs in this process, one after the other: for a debugger. A crash ends the sweep then, and nothing
            ends a run that takes too long.

    Raises:
        ConfigFileError: the tune config cannot be read.
        TuneError: it is none, or the arguments contradict each other.
        GpuError: the machine can never give a run its GPUs.
    """

    def __init__(
        self,
        cfg2tune_py: str | os.PathLike[str] | BaseConfig,
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
        overrides: Sequence[str] = (),
        repeats: int | None = None,
        better: Better | None = None,
        timeout_s: float | None = None,
        grace_s: float = 10.0,
        max_retries: int = 0,
        runs_per_gpu: int = 1,
        lock_dir: str | os.PathLike[str] | None = None,
        plots: bool = True,
        record: bool = True,
        in_process: bool = False,
    ) -> None:
        if experiment_root is not None and experiments_root is not None:
            raise TuneError("experiment_root and experiments_root are two names of one thing; give one")
        if children not in ("config", "result"):
            raise TuneError(f"children is 'config' or 'result', got {children!r}")
        if not _is_count(pool_size):
            raise TuneError(f"pool_size must be a number, 0 or more, got {pool_size!r}")
        if work_gpu_num is not None and (pool_size or in_process):
            raise TuneError(
                "with work_gpu_num, the number of GPUs decides how many run at a time: leave pool_size out, and "
                "in_process"
            )
        _check_numbers(timeout_s, grace_s, max_retries)
        TuneSettings(better=better)  # refuses what is neither
        self.leases: Leases | None = None
        if work_gpu_num is not None:
            self.leases = Leases(
                work_gpu_num, block=block, memory_need=memory_need, max_process=max_process,
                runs_per_gpu=runs_per_gpu, lock_dir=lock_dir,
            )  # fmt: skip
        self.pool_size = self.leases.capacity if self.leases is not None else pool_size
        self.project = project_of_tree(cfg2tune_py) if isinstance(cfg2tune_py, BaseConfig) else project_of(cfg2tune_py)
        given = experiments_root if experiment_root is None else experiment_root
        root = given if given is not None or self.project.experiments_root else "experiment"
        self.cfg2tune: Any = (
            cfg2tune_py if isinstance(cfg2tune_py, BaseConfig) else load_tune(cfg2tune_py, root, config_root)
        )
        source = extra_of(self.cfg2tune).source
        self.cfg2tune_py: str = source if isinstance(cfg2tune_py, BaseConfig) else os.fspath(cfg2tune_py)
        self.metric_names = metric_names
        self.work_fn = work_fn
        self.gather_metric_fn: Callable[..., object] | None = gather_metric_fn
        self.allow_fail_gather = allow_fail_gather
        self.verbosity = verbosity
        self.timeout_s = timeout_s
        self.grace_s = grace_s
        self.max_retries = max_retries
        self.plots = plots
        self.record = record
        self.in_process = in_process
        self.grid = Grid(self.cfg2tune, overrides, repeats)
        self.better: Better = {**(self.grid.settings.better or {}), **(better or {})}
        self.rslt_dir = self.grid.rslt_dir
        self.children_dir = self._beside() if children == "config" else self.rslt_dir
        self.runs: list[Run] = []
        self.metric_frame: pd.DataFrame | None = None
        self._surroundings = Surroundings()

    def _beside(self) -> str:
        """The folder of the tune config, as short as the user's; of one that no file holds, the result folder."""
        source = extra_of(self.cfg2tune).source
        if not source:
            return self.rslt_dir
        return os.path.dirname(source if os.path.isabs(self.cfg2tune_py) else os.path.relpath(source)) or os.curdir

    @property
    def points(self) -> list[Point]:
        """The points of the grid."""
        return [run.point for run in self.runs] or list(self.grid.points())

    @property
    def cfg_pkls(self) -> list[str]:
        """The file of each child."""
        return [os.path.join(self.children_dir, point.folder, CHILD_FILE) for point in self.points]

    @property
    def param_combs(self) -> list[ParamComb]:
        """What is chosen at each point: (value, its name) by the name of the parameter."""
        return [point.chosen for point in self.points]

    @property
    def cfgs(self) -> list[Any]:
        """The child configs, made anew."""
        return list(self.grid.children())

    @property
    def failures(self) -> dict[int, str]:
        """Why runs failed, by their index."""
        return {run.index: run.error for run in self.runs if run.state == "failed"}

    def register_work_fn(self, work_fn: W) -> W:
        """A decorator: `work_fn(pkl_idx, cfg, cfg_pkl, cfg_rslt_dir, cuda_env)` runs one child.

        It gets the index of the child, the child loaded and frozen, the file of the child, its result folder, and a
        complete environment for a subprocess. What it returns goes to the gather function.
        """
        self.work_fn = work_fn
        return work_fn

    def register_gather_metric_fn(self, gather_metric_fn: G) -> G:
        """A decorator: `gather_metric_fn(cfg, cfg_rslt_dir, run_rslt, param_comb)` returns the metrics of one run."""
        self.gather_metric_fn = gather_metric_fn
        return gather_metric_fn

    def tuning(self, *, rerun: str = "") -> pd.DataFrame:
        """Check every child, run those that are due, print the table and write the summary into the result folder.

        Runs that an earlier call has done, with the same config, are not repeated. A run that fails is a row without
        metrics; its reason is printed and in `failures`. After Ctrl-C what runs is asked to end, after a second one
        killed, and the table has what was done.

        Args:
            rerun: 'failed' runs nothing but what has failed; 'stale' also what other code has done; 'all' everything;
                'gather' nothing: it only gathers the metrics of what has ended again, without what the work function
                returned; the folder of a run (or a pattern) that one again. When it was ended early, the same `rerun`
                goes on: what it has done already, with the same code, it does not do again.

        Returns:
            The table.

        Raises:
            TuneError: there is no work function, or children that cannot be run; then nothing was started. Or, with
                `allow_fail_gather=False`, metrics that could not be gathered; then everything else is done.
            HeldError: another runner is at work in the result folder.
            LedgerError: the ledger cannot be read or written.
            KeyboardInterrupt, SystemExit: at the end, after Ctrl-C or SIGTERM.
        """
        if self.work_fn is None:
            raise TuneError("there is no work function: decorate one with @runner.register_work_fn")
        check_signature(self.work_fn, "work", WORK_ARGUMENTS)
        if self.gather_metric_fn is not None:
            check_signature(self.gather_metric_fn, "gather", GATHER_ARGUMENTS)
        fill_standard_streams()
        self.runs = self.planned()
        self._make_folder()
        say = Display([], {}, shown=self.verbosity, live=False).say
        with RunnerLock(self.rslt_dir, self.grace_s + 5.0, say) as lock:
            ledger = Ledger(self.rslt_dir, write=True)
            try:
                session = self._session(ledger, lock, rerun)
            finally:
                ledger.close()
        if session.interrupted is not None:
            raise KeyboardInterrupt if session.interrupted == signal.SIGINT else SystemExit(128 + session.interrupted)
        if session.not_gathered and not self.allow_fail_gather:
            lines = failure_lines(self.runs)
            raise TuneError("\n".join(["not all metrics could be gathered:", *lines])) from session.not_gathered[0]
        self.metric_frame = self._ending().frame(self.runs)
        return self.metric_frame

    # -- before

    def planned(self) -> list[Run]:
        """Build, resolve and validate every child; nothing is written.

        Returns:
            A run for each, due as if nothing had ever been run.

        Raises:
            TuneError: with the problems of all children.
        """
        runs: list[Run] = []
        refused: dict[str, None] = {}
        for point, child in self.grid.loaded():
            try:
                digest = config_digest(child, self.grid.settings.volatile or ())
            except DigestError as error:  # it can be run, but nobody can tell later whether it is the same
                digest = ""
                refused.setdefault(str(error))
            runs.append(Run(len(runs), point, digest, os.path.join(self.rslt_dir, point.folder)))
        self._check_pickles(runs[0].point)
        for text in list(refused)[:_MOST_REFUSED]:
            show(f"runs will not be found done by the next call: {text}")
        if len(refused) > _MOST_REFUSED:
            show(f"... and {len(refused) - _MOST_REFUSED:,} more of the kind")
        return runs

    def _check_pickles(self, first: Point) -> None:
        """What cannot be pickled is named before anything starts: the values of each parameter, and all the rest."""
        for axis in self.grid.axes:
            for value, name in zip(axis.values, axis.names, strict=True):
                _check_pickle(value, f"{axis.name}={name.text}")
        _check_pickle(self.grid.child(first), first.folder)

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.rslt_dir, exist_ok=True)
        except OSError as error:
            raise TuneError(
                f"cannot make the result folder {short_path(self.rslt_dir)}: {error.strerror}\n"
                "  make it by hand, or name another one: Cfg2TuneRunner(..., experiment_root='...')"
            ) from error

    def _code(self) -> str:
        return code_hash(self.project.root, without=[self.rslt_dir])

    def preview(self, *, rerun: str = "") -> list[Run]:
        """What `tuning` would run now; nothing is written.

        Args and errors: see `tuning`.

        Returns:
            All runs; those with `due` would be run.
        """
        runs = self.planned()
        attempts: list[Attempt] = []
        going_on: list[int] = []
        if os.path.exists(os.path.join(self.rslt_dir, LEDGER)):
            with Ledger(self.rslt_dir) as ledger:
                attempts, going_on = ledger.attempts(), unfinished(ledger.sweeps(), rerun)
        plan(runs, attempts, self._code(), rerun, going_on)
        return runs

    # -- running

    def _session(self, ledger: Ledger, lock: RunnerLock, rerun: str) -> Session:
        code = self._code()
        self._surroundings = Surroundings.now(self.project.root)
        plan(self.runs, ledger.attempts(), code, rerun, unfinished(ledger.sweeps(), rerun))
        for run in [run for run in self.runs if run.due][:1]:  # what it cannot write or pickle shows before the start
            self._dump(run)
        engine = self._engine(lock)
        about = {**self._about(code), "rerun": rerun}
        steps = Steps(self._dump, self._gathering.metrics, self._summarise, lock.check)
        live = self.pool_size > 0
        try:
            with Display(self.runs, self.better, shown=self.verbosity, live=live) as display:
                self._tell_what_is_known(display)
                if rerun == "gather":
                    self._gathering.again(self.runs, ledger, display)
                session = Session(
                    steps, self.runs, engine, ledger, ledger.begin_sweep(about, self._planned_points()), code, display,
                    leases=self.leases, max_retries=self.max_retries, signals=not isinstance(engine, Here),
                    echo=self.verbosity and not live and not isinstance(engine, Here),
                )  # fmt: skip
                session.run()
                if session.interrupted is None:
                    ledger.end_sweep(session.sweep, {**about, "ended": True})
        finally:
            engine.close()
            table = self.gather_metric_fn is not None and not lock.lost
            self._ending().tell(self.runs, table=table, rerun=rerun)
        return session

    def _tell_what_is_known(self, display: Display) -> None:
        same = Counter(run.digest for run in self.runs if run.digest)
        if twice := sum(count - 1 for count in same.values()):
            display.say(f"{twice} of {len(self.runs)} runs have the config of another one: is a value there twice?")
        if changed := [run for run in self.runs if run.due and run.last is not None and run.last.digest != run.digest]:
            first = changed[0].point.folder
            display.say(f"{len(changed)} runs have changed since they were run, {first} first; old folders are kept")
        done = [run for run in self.runs if run.state == "done"]
        if not done:
            return
        display.say(f"{len(done)} of {len(self.runs)} runs are done already")
        if self.gather_metric_fn is not None and (without := sum(not run.metrics for run in done)):
            display.say(f"{without} of them have no metrics: {GATHERS}")
        missing = gone(run.rslt_dir for run in done)
        if missing:
            display.say(
                f"the result folders of {len(missing)} of them are gone, {short_path(missing[0])} first: their metrics "
                "are known, so they stay done; rerun=... runs them again"
            )

    def _about(self, code: str) -> dict[str, Any]:
        """What the ledger keeps of this call."""
        git = self._surroundings.git
        return {
            "parameters": self._parameters, "better": dict(self.better), "code": code, "source": self.grid.source,
            "host": self._surroundings.host, "user": self._surroundings.user, "pid": os.getpid(),
            "command": list(self._surroundings.command), "git": {"commit": git.commit, "dirty": git.dirty},
        }  # fmt: skip

    def _planned_points(self) -> Iterator[PlannedPoint]:
        for run in self.runs:
            yield PlannedPoint(run.point.folder, run.point.labels, run.point.seed, run.digest, run.rslt_dir)

    def _engine(self, lock: RunnerLock) -> Engine:
        if self.work_fn is None:  # pragma: no cover - tuning has looked
            raise TuneError("there is no work function")
        surroundings = self._surroundings if self.record else None
        if self.in_process:
            return Here(self.work_fn, surroundings)
        try:
            work = pickled(self.work_fn)
        except TuneError as error:
            if self.pool_size:
                raise
            show(
                "runs go on in this process, without a time-out, and a crash of one ends them all: "
                f"{str(error).splitlines()[0]}"
            )
            return Here(self.work_fn, surroundings)
        return LocalProcesses(
            work, max(self.pool_size, 1), fresh=self.leases is not None, timeout_s=self.timeout_s,
            grace_s=self.grace_s, surroundings=surroundings, keep=(lock.fd,),
        )  # fmt: skip

    def _dump(self, run: Run) -> str:
        try:
            return self.grid.dump(run.point, self.children_dir)
        except OSError as error:
            raise TuneError(
                f"cannot write the child config {run.point.folder} into {short_path(self.children_dir)}: {error}\n"
                "  children='result' writes them into the result folder"
            ) from error

    @property
    def _gathering(self) -> Gathering:
        return Gathering(self.grid, self.gather_metric_fn, self.metric_names or ())

    # -- after

    def results(self) -> list[Result]:
        """What is known of each run by now."""
        return self._ending().results(self.runs)

    @property
    def _parameters(self) -> list[str]:
        return [axis.name for axis in self.grid.axes]

    def _ending(self) -> Ending:
        return Ending(
            self.rslt_dir, self._parameters, self.metric_names, self.better, self.grid.source, self._surroundings,
            self.plots,
        )  # fmt: skip

    def _summarise(self) -> None:
        if self.gather_metric_fn is not None:
            self._ending().write(self.runs, draw=self.plots)


def _check_numbers(timeout_s: object, grace_s: object, max_retries: object) -> None:
    if timeout_s is not None and not (_is_number(timeout_s) and timeout_s > 0):
        raise TuneError(f"timeout_s must be a number of seconds, more than 0, or None, got {timeout_s!r}")
    if not (_is_number(grace_s) and 0 <= grace_s < math.inf):
        raise TuneError(f"grace_s must be a number of seconds, 0 or more, got {grace_s!r}")
    if not _is_count(max_retries):
        raise TuneError(f"max_retries must be a number, 0 or more, got {max_retries!r}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and int(value) >= 0


def _check_pickle(value: Any, name: str) -> None:
    try:
        dumps(value)
    except Exception as error:
        raise TuneError(
            f"cannot pickle the child config {name}: {type(error).__name__}: {error}\n"
            "  let a DEP make what cannot be pickled, or make it in the training code"
        ) from error
