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
from dataclasses import dataclass
from types import TracebackType
from typing import overload

from ...errors import GpuError
from .devices import Gpu, Load, boards, loads
from .locks import Holder, LockFile, LockFolder, OpenFolder, this_process
from .slots import holders, take, take_port
from .visible import chosen

_UNUSED_MIB = 64  # of a GPU that has nothing to do; even the smallest CUDA program takes more
_GONE_S = 10.0  # after which a GPU that does not answer is taken for lost
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0


@dataclass(frozen=True)
class Busy:
    """A GPU that is not to be had now.

    Attributes:
        gpu: which one.
        why: 'leased', 'memory' (too little is free), 'processes' (too many use it), or 'gone' (it does not answer).
        detail: the same in words.
        holders: who has leased it.
        load: what goes on on it; None if it does not answer.
    """

    gpu: Gpu
    why: str
    detail: str
    holders: tuple[Holder, ...] = ()
    load: Load | None = None

    def __str__(self) -> str:
        return f"{self.gpu}: {self.detail}"


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
            they may be its own; a `memory_need` has to be free there, too, and no more runs get in than it has room
            for.
        lock_dir: the folder of locks; see `LockFolder`.
        environ: where `CUDA_VISIBLE_DEVICES` and `TYPEDCAT_LOCK_DIR` are looked up.

    Attributes:
        capacity: how many runs there is room for at a time, if nobody else has a GPU.
        gpus: those that may be lent, in the order in which they are tried.

    Raises:
        GpuError: the arguments make no sense, or this machine can never give a run what it needs: there is no driver,
            there are too few GPUs or too small ones, or they cannot be locked.
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
        _check_numbers(per_run, memory_need, max_process, runs_per_gpu)
        self.per_run = per_run
        self.block = block
        self.memory_need = memory_need
        self.max_process = max_process
        self.runs_per_gpu = runs_per_gpu
        self.gpus = self._large_enough(_usable(per_run, environ))
        self._slots = {gpu.uuid: self._room(gpu) for gpu in self.gpus}
        self.capacity = _capacity(list(self._slots.values()), per_run)
        self._own: collections.Counter[str] = collections.Counter()  # runs of this runner, by GPU
        self._lock = threading.Lock()  # of choosing GPUs, and of `_own`
        self._short_since: float | None = None
        self._folder = LockFolder(lock_dir, environ)
        with self._folder.entered():  # now is the time to say that it cannot be used
            pass

    def _large_enough(self, gpus: list[Gpu]) -> list[Gpu]:
        if not self.block or self.memory_need <= 0:
            return gpus
        fit = [gpu for gpu in gpus if gpu.memory_total >= self.memory_need]
        if len(fit) < self.per_run:
            sizes = ", ".join(f"{gpu} has {gpu.memory_total}" for gpu in gpus)
            raise GpuError(
                f"memory_need={self.memory_need:g} MiB on {_count(self.per_run)} per run, but {len(fit)} of those that "
                f"are visible are that large: {sizes} (0 where the driver does not say)"
            )
        return fit

    def _room(self, gpu: Gpu) -> int:
        """How many runs may be on a GPU."""
        if not self.block or self.memory_need <= 0:
            return self.runs_per_gpu
        return min(self.runs_per_gpu, int(gpu.memory_total // self.memory_need))

    def try_acquire(self, who: str) -> Lease | None:
        """Lease GPUs if enough are to be had now. It waits for no GPU.

        Args:
            who: what for; others who wait for the same GPUs are told.

        Returns:
            The lease; None if there are not enough.

        Raises:
            GpuError: so many GPUs do not answer any more that there will never be enough, or they cannot be locked.
        """
        state = loads(self.gpus)
        self._check_enough(state)
        idle = [gpu for gpu in self.gpus if self._refusal(gpu, state[gpu.uuid]) is None]
        if len(idle) < self.per_run:
            return None
        with self._lock:
            idle.sort(key=lambda gpu: self._own[gpu.uuid])  # runs are spread before they share; else the order stays
            return self._grasp(idle, this_process(who))

    def _grasp(self, idle: list[Gpu], holder: Holder) -> Lease | None:
        """Lock `per_run` of the GPUs, or none."""
        gpus: list[Gpu] = []
        files: list[LockFile] = []
        with self._folder.entered() as folder, contextlib.ExitStack() as undo:
            undo.callback(_close, files)
            for gpu in idle:
                locks = take(folder, gpu.uuid, self._slots[gpu.uuid], self.runs_per_gpu)
                files += locks
                if locks:
                    locks[-1].write(holder)
                    gpus.append(gpu)
                if len(gpus) == self.per_run:
                    break
            else:
                return None
            port, lock = take_port(folder)
            files.append(lock)
            lock.write(holder)
            files.append(folder.keep())
            undo.pop_all()
        self._own.update(gpu.uuid for gpu in gpus)
        return Lease(gpus, _environment(gpus, port), files, lambda: self._forget(gpus))

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
                reasons = [(one.gpu.uuid, one.why, one.holders) for one in busy]
                if reasons != told:
                    on_wait(busy)
                told = reasons
            # runners that wait for the same GPUs must not keep step
            stop.wait(delay * random.uniform(0.5, 1.5))
            delay = min(delay * 1.5, _LONGEST_DELAY_S)
        return None

    def busy(self) -> list[Busy]:
        """The GPUs that are not to be had now, and why."""
        state = loads(self.gpus)
        with self._folder.entered() as folder:
            found = [self._unavailable(folder, gpu, state[gpu.uuid]) for gpu in self.gpus]
        return [busy for busy in found if busy is not None]

    def _unavailable(self, folder: OpenFolder, gpu: Gpu, load: Load | str) -> Busy | None:
        if isinstance(load, str):
            return self._refusal(gpu, load)
        locks = take(folder, gpu.uuid, self._slots[gpu.uuid], self.runs_per_gpu)
        for lock in locks:
            lock.close()
        if locks:
            return self._refusal(gpu, load)
        who = holders(folder, gpu.uuid)
        detail = "leased by " + (", and by ".join(map(str, who)) or "somebody")
        return Busy(gpu, "leased", detail, who, load)

    def _refusal(self, gpu: Gpu, load: Load | str) -> Busy | None:
        """Why a GPU is not idle; None if it is, as far as that matters."""
        if isinstance(load, str):
            return Busy(gpu, "gone", f"it does not answer: {load}")
        if not self.block:
            return None
        shared = self._own[gpu.uuid] > 0
        if not self._enough_memory(gpu, load, shared):
            need = "all of it" if self.memory_need < 0 else f"{self.memory_need:g} MiB"
            detail = f"{load.memory_free} MiB are free and {need} is needed; {_used_by(load)}"
            return Busy(gpu, "memory", detail, load=load)
        if not shared and 0 <= self.max_process < len(load.processes):
            return Busy(gpu, "processes", f"max_process={self.max_process}; {_used_by(load)}", load=load)
        return None

    def _enough_memory(self, gpu: Gpu, load: Load, shared: bool) -> bool:
        if self.memory_need >= 0:
            return load.memory_free >= self.memory_need
        if shared:
            return True
        # memory that the GPU shares with the CPU says nothing
        return load.memory_used <= _UNUSED_MIB if gpu.memory_total else not load.processes

    def _check_enough(self, state: Mapping[str, Load | str]) -> None:
        """Raise when there will never be enough GPUs again; one that does not answer once may be only slow."""
        gone = {uuid: why for uuid, why in state.items() if isinstance(why, str)}
        if len(state) - len(gone) >= self.per_run:
            self._short_since = None
            return
        now = time.monotonic()
        since = self._short_since = self._short_since or now
        if now - since >= _GONE_S:
            lines = [f"  {gpu}: {gone[gpu.uuid]}" for gpu in self.gpus if gpu.uuid in gone]
            raise GpuError(
                "\n".join(
                    [
                        f"{_count(self.per_run)} per run, but {len(state) - len(gone)} of {len(state)} answer:",
                        *lines,
                        "  look at what `nvidia-smi` says; a GPU that is lost comes back when the machine is restarted",
                    ]
                )
            )


def _check_numbers(per_run: int, memory_need: float, max_process: int, runs_per_gpu: int) -> None:
    if per_run < 1:
        raise GpuError(f"a run needs at least 1 GPU (work_gpu_num), got {per_run}")
    if memory_need != -1 and not memory_need >= 0:
        raise GpuError(f"memory_need is in MiB, or -1 for all memory of a GPU, got {memory_need}")
    if max_process < -1:
        raise GpuError(f"max_process is a number of processes, or -1 for any number, got {max_process}")
    if runs_per_gpu < 1:
        raise GpuError(f"runs_per_gpu must be at least 1, got {runs_per_gpu}")


def _usable(per_run: int, environ: Mapping[str, str]) -> list[Gpu]:
    """The visible GPUs that a run with so many of them can use."""
    given = environ.get("CUDA_VISIBLE_DEVICES")
    there = boards()
    visible = chosen(there, given)
    # a CUDA program uses one MIG instance, the first that it sees
    usable = [gpu for gpu in visible if per_run == 1 or not gpu.parent]
    if len(usable) >= per_run:
        return usable
    notes = []
    if given is not None:
        notes.append(f"  CUDA_VISIBLE_DEVICES={given!r} shows these: {', '.join(map(str, visible)) or 'none'}")
    if len(usable) < len(visible):
        count = len(visible) - len(usable)
        notes.append(f"  {count} of those that are visible are MIG instances; a program can use only one")
    notes += [f"  GPU {board.index} does not answer: {board.error}" for board in there if board.error]
    notes += [
        f"  GPU {board.index} is in MIG mode, and has no instances"
        for board in there
        if not board.error and not board.units
    ]
    head = f"{_count(per_run)} per run (work_gpu_num), but only {len(usable)} can be had"
    raise GpuError("\n".join([head, *notes]))


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
    return {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": ",".join(gpu.uuid for gpu in gpus),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "PET_MASTER_PORT": str(port),  # torchrun's own; it takes 29500 otherwise, or does so in older versions
    }


def _used_by(load: Load) -> str:
    if not load.processes:
        return f"{load.memory_used} MiB are used by processes that cannot be seen from here"
    pids = ", ".join(f"{pid} (this process)" if pid == os.getpid() else str(pid) for pid in load.processes)
    return f"processes on it: {pids}"


def _count(per_run: int) -> str:
    return "1 GPU" if per_run == 1 else f"{per_run} GPUs"
