"""GPUs lent to one run at a time, across all processes and users of a machine.

A lease is a set of locks (see `gpu_locks`), one per GPU, and a free `MASTER_PORT`. It holds among all who use the same
lock folder: other programs, and containers with a /tmp of their own, know nothing of it. Those are what `block`,
`memory_need` and `max_process` are for, which look at the GPU itself.
"""

from __future__ import annotations

import collections
import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import overload

from ...errors import GpuError
from .demand import Busy, Demand
from .devices import Gpu, Load, boards, loads
from .locks import Holder, LockFile, LockFolder, OpenFolder, this_process
from .slots import holders, take, take_port
from .visible import chosen

_GONE_S = 10.0  # after which a GPU that does not answer is taken for lost
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0


LENT = "TYPEDCAT_LENT_GPUS"
"""An environment variable of runs: the UUIDs of the GPUs that they have."""

OnWait = Callable[[list[Busy]], None]


class Lease:
    """GPUs that nobody else gets until it is released, or until the last process that holds it is gone.

    Attributes:
        gpus: which ones.
        environment: what a run needs to use these and no others, and to talk to itself on a port of its own.
        fds: open files; a process that is started with `subprocess.Popen(..., pass_fds=lease.fds)` holds the lease,
            too, so that its GPUs stay its own even if this process dies.
    """

    def __init__(
        self, gpus: Sequence[Gpu], environment: Mapping[str, str], files: Sequence[LockFile], end: Callable[[], None]
    ) -> None:
        self.gpus = tuple(gpus)
        self.environment = dict(environment)
        self.fds = tuple(file.fd for file in files)
        self._files: Sequence[LockFile] = files
        self._end = end
        self._lock = threading.Lock()

    @property
    def is_held(self) -> bool:
        """Whether this process has the GPUs: not after a release, and not in a child that was forked."""
        return any(file.is_open for file in self._files)

    def release(self) -> None:
        """Give the GPUs back, once the run has ended; a second time does nothing.

        Processes that were given `fds` and still live keep them leased.
        """
        with self._lock:
            files, self._files = self._files, ()
        if files:
            self._end()
        _close(files)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


class Leases:
    """Lends GPUs to runs. Threads may share one.

    Args:
        per_run: GPUs of each run, at least 1.
        block: whether only idle GPUs are lent; else the first ones that are not leased, whatever goes on on them.
        memory_need: MiB that have to be free on an idle GPU; -1 for all of it, so that nothing else is on it.
        max_process: how many processes may be on an idle GPU; -1 for any number.
        runs_per_gpu: how many runs may share a GPU. While runs share one, other runners get it only with the same
            number. On a GPU on which this runner has a run already, processes and used memory are not judged, since
            they may be its own; a `memory_need` has to be free there, too, and no more runs get in than there was room
            for before the first, as a run takes its memory some time after it has started.
        lock_dir: the folder of locks; see `LockFolder`.
        environ: where `CUDA_VISIBLE_DEVICES`, `TYPEDCAT_LOCK_DIR` and `TYPEDCAT_LENT_GPUS` are looked up.

    Attributes:
        capacity: how many runs there is room for at a time, if nobody else has a GPU.
        gpus: those that may be lent, in the order in which they are tried.
        lost: which GPUs did not answer at the last look, and why. They are left out; those that did at first are lent
            again when they answer.

    Raises:
        GpuError: the arguments make no sense, or this machine can never give a run what it needs: there is no driver,
            there are too few GPUs or too small ones, they cannot be locked, or this process or the run that it belongs
            to has them already, so that it would wait for itself.
    """

    def __init__(
        self,
        per_run: int,
        *,
        block: bool = True,
        memory_need: float = -1.0,
        max_process: int = -1,
        runs_per_gpu: int = 1,
        lock_dir: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.demand = Demand(per_run, block, memory_need, max_process, runs_per_gpu)
        usable, self._silent = _usable(self.demand, environ)
        self.lost: tuple[str, ...] = self._silent
        self.gpus = self.demand.large_enough(usable)
        self._slots = {gpu.uuid: self.demand.room(gpu.memory_total) for gpu in self.gpus}
        self.capacity = _capacity(list(self._slots.values()), per_run)
        self._own: collections.Counter[str] = collections.Counter()  # runs of this runner, by GPU
        self._room: dict[str, int] = {}  # for how many there was memory before the first of them, by GPU
        self._lock = threading.Lock()  # of choosing GPUs, and of `_own` and `_room`
        self._short_since: float | None = None
        self._reasons: list[object] = []  # of what `waits_for` said last
        self._words = ""
        self._folder = LockFolder(lock_dir, environ)
        with self._folder.entered() as folder:  # now is the time to say that it cannot be used
            self._check_own(folder, environ.get(LENT, ""))

    def _check_own(self, folder: OpenFolder, lent: str) -> None:
        own = [gpu for gpu in self.gpus if gpu.uuid in lent.split(",") and not self._is_free(folder, gpu)]
        if len(self.gpus) - len(own) < self.demand.per_run:
            raise GpuError(
                f"{self.demand.count} per run (work_gpu_num), but this process, or the run that it belongs to, has "
                f"them already ({LENT}), and would wait for itself: {', '.join(map(str, own))}\n"
                "  a run has the GPUs of its cuda_env without asking; a script gets all that it needs with one call of "
                "allocate_cuda"
            )

    def try_acquire(self, who: str) -> Lease | None:
        """Lease GPUs if enough are to be had now. It waits for no GPU.

        Args:
            who: what for; others who wait for the same GPUs are told.

        Returns:
            The lease; None if there are not enough.

        Raises:
            GpuError: so many GPUs do not answer any more that there will never be enough, or they cannot be locked.
        """
        state = self._look()
        self._check_enough(state)
        with self._lock:
            idle = [gpu for gpu in self.gpus if self._refusal(gpu, state[gpu.uuid]) is None]
            if len(idle) < self.demand.per_run:
                return None
            idle.sort(key=lambda gpu: self._own[gpu.uuid])  # runs are spread before they share; else the order stays
            lease = self._grasp(idle, this_process(who))
            for gpu in () if lease is None else lease.gpus:
                self._count(gpu, state[gpu.uuid])
            return lease

    def _look(self) -> dict[str, Load | str]:
        """What goes on on all GPUs."""
        state = loads(self.gpus)
        gone = [(gpu, why) for gpu in self.gpus if isinstance(why := state[gpu.uuid], str)]
        self.lost = (*self._silent, *(f"{gpu} does not answer: {why}" for gpu, why in gone))
        return state

    def _count(self, gpu: Gpu, load: Load | str) -> None:
        """A run has been given the GPU."""
        if not self._own[gpu.uuid]:
            self._room[gpu.uuid] = self._slots[gpu.uuid]
            if isinstance(load, Load) and gpu.memory_total:
                self._room[gpu.uuid] = self.demand.room(load.memory_free)
        self._own[gpu.uuid] += 1

    def _grasp(self, idle: list[Gpu], holder: Holder) -> Lease | None:
        """Lock `per_run` of the GPUs, or none."""
        gpus: list[Gpu] = []
        files: list[LockFile] = []
        with self._folder.entered() as folder, contextlib.ExitStack() as undo:
            undo.callback(_close, files)
            for gpu in idle:
                locks = self._take(folder, gpu)
                files += locks
                if locks:
                    locks[-1].write(holder)
                    gpus.append(gpu)
                if len(gpus) == self.demand.per_run:
                    break
            else:
                return None
            port, lock = take_port(folder)
            files.append(lock)
            lock.write(holder)
            files.append(folder.keep())
            undo.pop_all()
        return Lease(gpus, _environment(gpus, port), files, lambda: self._forget(gpus))

    def _take(self, folder: OpenFolder, gpu: Gpu) -> list[LockFile]:
        return take(folder, gpu.uuid, self._slots[gpu.uuid], self.demand.runs_per_gpu)

    def _is_free(self, folder: OpenFolder, gpu: Gpu) -> bool:
        """Whether it could be taken now."""
        locks = self._take(folder, gpu)
        _close(locks)
        return bool(locks)

    def _forget(self, gpus: Sequence[Gpu]) -> None:
        with self._lock:
            self._own.subtract(gpu.uuid for gpu in gpus)

    @overload
    def acquire(self, who: str, *, stop: None = None, on_wait: OnWait | None = None) -> Lease: ...
    @overload
    def acquire(self, who: str, *, stop: threading.Event, on_wait: OnWait | None = None) -> Lease | None: ...
    def acquire(self, who: str, *, stop: threading.Event | None = None, on_wait: OnWait | None = None) -> Lease | None:
        """Lease GPUs, waiting for them as long as it takes.

        Nobody stands in a queue: who looks first after GPUs became free has them, so that a run which needs many of
        them may wait long where others need few.

        Args:
            who: what for; others who wait for the same GPUs are told.
            stop: ends the waiting.
            on_wait: is called when the waiting begins, and again when the reasons change, with what `busy` gives.

        Returns:
            The lease; None if `stop` was set before there was one.

        Raises:
            GpuError: as `try_acquire`.
        """
        delay = _FIRST_DELAY_S
        told = None
        stop = stop or threading.Event()
        while not stop.is_set():
            lease = self.try_acquire(who)
            if lease is not None:
                return lease
            if on_wait is not None and (busy := self.busy()):
                reasons = list(map(_reason, busy))
                if reasons != told:
                    on_wait(busy)
                told = reasons
            # runners that wait for the same GPUs must not keep step
            stop.wait(delay * random.uniform(0.5, 1.5))
            delay = min(delay * 1.5, _LONGEST_DELAY_S)
        return None

    def busy(self) -> list[Busy]:
        """The GPUs that are not to be had now, and why."""
        state = self._look()
        with self._folder.entered() as folder:
            found = [self._unavailable(folder, gpu, state[gpu.uuid]) for gpu in self.gpus]
        return [busy for busy in found if busy is not None]

    def waits_for(self) -> str:
        """What `busy` gives, in words that stay the same until there are other reasons: numbers alone are no news."""
        busy = self.busy()
        reasons = list(map(_reason, busy))
        if reasons != self._reasons:
            self._reasons, self._words = reasons, "; ".join(map(str, busy))
        return self._words

    def _unavailable(self, folder: OpenFolder, gpu: Gpu, load: Load | str) -> Busy | None:
        if isinstance(load, str):
            return self._refusal(gpu, load)
        if self._is_free(folder, gpu):
            return self._refusal(gpu, load)
        who = holders(folder, gpu.uuid)
        detail = "leased by " + (", and by ".join(map(str, who)) or "somebody")
        return Busy(gpu, "leased", detail, who, load)

    def _refusal(self, gpu: Gpu, load: Load | str) -> Busy | None:
        return self.demand.refusal(gpu, load, own=self._own[gpu.uuid], room=self._room.get(gpu.uuid, 0))

    def _check_enough(self, state: Mapping[str, Load | str]) -> None:
        """Raise when there will never be enough GPUs again; one that does not answer once may be only slow."""
        unknown = [
            (gpu, why)
            for gpu in self.gpus
            if (why := self.demand.unknown(gpu, state[gpu.uuid], own=self._own[gpu.uuid]))
        ]
        answer = len(self.gpus) - len(unknown)
        if answer >= self.demand.per_run:
            self._short_since = None
            return
        now = time.monotonic()
        since = self._short_since = self._short_since or now
        if now - since < _GONE_S:
            return
        lines = [f"{gpu}: {why}" for gpu, why in unknown]
        gone = [gpu for gpu, _ in unknown if isinstance(state[gpu.uuid], str)]
        if gone:
            lines.append("look at what `nvidia-smi` says; a GPU that is lost comes back when the machine is restarted")
        if len(gone) < len(unknown):
            lines.append("block=False takes GPUs as they are, and max_process=-1 those that have enough free memory")
        head = f"{self.demand.count} per run, but {answer} of {len(self.gpus)} answer:"
        raise GpuError("\n  ".join([head, *lines]))


def _usable(demand: Demand, environ: Mapping[str, str]) -> tuple[list[Gpu], tuple[str, ...]]:
    """The visible GPUs that a run with so many of them can use, and which do not answer."""
    given = environ.get("CUDA_VISIBLE_DEVICES")
    there = boards()
    visible = chosen(there, given)
    silent = [board for board in there if board.error]
    # a CUDA program uses one MIG instance, the first that it sees
    usable = [gpu for gpu in visible if demand.per_run == 1 or not gpu.parent]
    if len(usable) >= demand.per_run:
        lost = [board.silence for board in silent if given is None and board.index is not None]
        return usable, tuple(lost)
    notes = [f"{demand.count} per run (work_gpu_num), but only {len(usable)} can be had"]
    if given is not None:
        notes.append(f"CUDA_VISIBLE_DEVICES={given!r} shows these: {', '.join(map(str, visible)) or 'none'}")
    if len(usable) < len(visible):
        count = len(visible) - len(usable)
        notes.append(f"{count} of those that are visible are MIG instances; a program can use only one")
    notes += dict.fromkeys(board.silence for board in silent)
    notes += [
        f"{board} is in MIG mode, and has no instance to use" for board in there if not board.error and not board.units
    ]
    most = len(usable) or min(len(visible), 1)
    notes.append(f"ask for at most {most}" if most else "run without GPUs, or where there are some")
    raise GpuError("\n  ".join(notes))


def _reason(busy: Busy) -> object:
    return busy.gpu.uuid, busy.why, busy.holders


def _capacity(slots: Sequence[int], per_run: int) -> int:
    """How many runs fit at a time if each takes a slot of `per_run` different GPUs."""
    runs = 0
    while sum(min(slot, runs + 1) for slot in slots) >= per_run * (runs + 1):
        runs += 1
    return runs


def _close(files: Sequence[LockFile]) -> None:
    for file in files:
        file.close()


def _environment(gpus: Sequence[Gpu], port: int) -> dict[str, str]:
    uuids = ",".join(gpu.uuid for gpu in gpus)
    return {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": uuids,
        LENT: uuids,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "PET_MASTER_PORT": str(port),  # torchrun's own; it takes 29500 otherwise, or does so in older versions
    }
