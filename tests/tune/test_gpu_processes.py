"""Leases across processes and users: one holder at a time, and none when it is dead."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.tune.conftest import Machine
from typedcat.errors import GpuError
from typedcat.tune.gpus.allocate import allocate_cuda
from typedcat.tune.gpus.leases import Leases

HOLD = """
import subprocess, sys, time
from typedcat.tune.gpus.leases import Leases

lease = Leases(1).try_acquire("hold")
child = subprocess.Popen(["sleep", "100"], pass_fds=lease.fds if sys.argv[1] == "handed over" else ())
print(child.pid, flush=True)
time.sleep(100)
"""


class Process:
    """A Python program that sees the machine."""

    def __init__(self, machine: Machine, code: str, *arguments: str) -> None:
        environ = {**os.environ, **machine.environ}
        command = [sys.executable, "-c", code, *arguments]
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, text=True, start_new_session=True)

    def line(self) -> str:
        assert self.popen.stdout is not None
        return self.popen.stdout.readline().strip()

    def ask(self, line: str) -> str:
        assert self.popen.stdin is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()
        return self.line()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.communicate()


def soon(leases: Leases) -> bool:
    """Whether a GPU is to be had within a short time, that of the end of a process."""
    stop = threading.Event()
    threading.Timer(5.0, stop.set).start()
    lease = leases.acquire("", stop=stop)
    if lease is not None:
        lease.release()
    return lease is not None


@pytest.mark.slow
def test_a_holder_that_is_killed_holds_nothing(machine: Machine) -> None:
    machine.has_idle(1)
    with Process(machine, HOLD, "kept") as holder:
        holder.line()
        leases = Leases(1)
        assert leases.try_acquire("") is None
        (said,) = leases.busy()[0].holders
        assert (said.pid, said.who) == (holder.popen.pid, "hold")
        os.kill(holder.popen.pid, signal.SIGKILL)
        assert soon(leases)  # whose child lives


@pytest.mark.slow
def test_a_child_that_was_handed_the_lease_keeps_it(machine: Machine) -> None:
    machine.has_idle(1)
    with Process(machine, HOLD, "handed over") as holder:
        child = int(holder.line())
        leases = Leases(1)
        os.kill(holder.popen.pid, signal.SIGKILL)
        holder.popen.wait()
        for _ in range(3):
            assert leases.try_acquire("") is None
            time.sleep(0.1)
        assert "for hold" in str(leases.busy()[0])
        os.kill(child, signal.SIGKILL)
        assert soon(leases)


def test_released_by_the_parent_and_kept_by_the_child(machine: Machine) -> None:
    machine.has_idle(1)
    leases = Leases(1)
    lease = leases.try_acquire("")
    assert lease is not None
    with subprocess.Popen(["sleep", "100"], pass_fds=lease.fds) as child:
        lease.release()
        assert leases.try_acquire("") is None
        child.kill()
    assert soon(leases)


FORK = """
import os, sys, time
from typedcat.tune.gpus.leases import Leases

leases = Leases(1)
lease = leases.try_acquire("")
for ends in (False, True):
    if os.fork() == 0:
        if ends:
            lease.release()
        time.sleep(100)
time.sleep(0.2)
print(leases.try_acquire(""))
lease.release()
print(leases.try_acquire("").gpus[0].index)
os.killpg(0, 9)
"""


@pytest.mark.slow
def test_a_forked_child_holds_nothing_and_releases_nothing(machine: Machine) -> None:
    machine.has_idle(1)
    with Process(machine, FORK) as process:
        assert [process.line(), process.line()] == ["None", "0"]


CONTEND = """
import json, sys, threading, time
from typedcat.tune.gpus.leases import Leases

per_run, runs_per_gpu, threads, count = map(int, sys.argv[1:])
leases = Leases(per_run, runs_per_gpu=runs_per_gpu)
log = []

def work():
    for _ in range(count // threads):
        with leases.acquire("contend") as lease:
            start = time.monotonic()
            time.sleep(0.003)
            log.append([[gpu.index for gpu in lease.gpus], lease.environment["MASTER_PORT"], runs_per_gpu, start,
                        time.monotonic()])

print("ready", flush=True)
sys.stdin.readline()
workers = [threading.Thread(target=work) for _ in range(threads)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(json.dumps(log))
"""


def contend(machine: Machine, *processes: tuple[int, int, int, int]) -> list[Any]:
    """What each process had, and when, if all start at once; each is given the arguments of CONTEND."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(Process(machine, CONTEND, *map(str, arguments))) for arguments in processes]
        assert [process.line() for process in made] == ["ready"] * len(made)
        with ThreadPoolExecutor(len(made)) as threads:
            logs = list(threads.map(lambda process: json.loads(process.ask("go")), made))
        return [entry for log in logs for entry in log]


def overlaps(log: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Pairs of leases with a common GPU that were there at the same time."""
    for one, other in itertools.combinations(log, 2):
        if set(one[0]) & set(other[0]) and one[3] < other[4] and other[3] < one[4]:
            yield one, other


@pytest.mark.slow
def test_two_runners_never_have_the_same_gpu(machine: Machine) -> None:
    machine.has_idle(3)
    log = contend(machine, (1, 1, 4, 120), (2, 1, 2, 80))
    assert len(log) == 200
    assert list(overlaps(log)) == []
    assert {len(set(entry[0])) for entry in log} == {1, 2}
    for one, other in itertools.combinations(log, 2):
        if one[3] < other[4] and other[3] < one[4]:
            assert one[1] != other[1]  # nor the same port


@pytest.mark.slow
def test_runners_with_different_neighbours_never_meet(machine: Machine) -> None:
    machine.has_idle(2)
    log = contend(machine, (1, 1, 2, 40), (1, 2, 4, 80), (1, 3, 4, 80))
    assert len(log) == 200
    met = list(overlaps(log))
    assert met  # some did share
    assert {(one[2], other[2]) for one, other in met} <= {(2, 2), (3, 3)}
    for entry in log:
        for gpu in entry[0]:
            together = [other for other in log if gpu in other[0] and other[3] <= entry[3] < other[4]]
            assert len(together) <= entry[2]


# -- two users


OTHER_USER = """
import os, sys
import json, pwd, fcntl, socket, pynvml
from typedcat.errors import GpuError
from typedcat.tune.gpus.leases import Leases

os.umask(0o077)
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
for line in map(str.strip, sys.stdin):
    try:
        if line == "release":
            lease.release()
            print("released", flush=True)
        else:
            leases = Leases(1, lock_dir=None if line == "lease" else line)
            lease = leases.try_acquire("other user")
            print(lease.gpus[0].index if lease else leases.busy()[0], flush=True)
    except GpuError as error:
        print(str(error).replace(chr(10), " "), flush=True)
"""


@pytest.fixture
def open_machine(machine: Machine, nvml_library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine with one GPU, of which another user may know; pytest's own folders are closed to him."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory(prefix="typedcat-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        made = Machine(Path(shutil.copy(nvml_library, folder)), Path(folder))
        made.has_idle(1)
        for name, value in made.environ.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.mark.slow
def test_two_users(open_machine: Machine) -> None:
    machine = open_machine
    lease = Leases(1).try_acquire("a run of root")
    assert lease is not None
    with Process(machine, OTHER_USER, "65534") as other:
        said = other.ask("lease")
        assert f"leased by root (process {os.getpid()} on " in said
        assert "for a run of root since" in said
        lease.release()
        assert other.ask("lease") == "0"
        busy = str(Leases(1).busy()[0])
        assert f"(process {other.popen.pid} on " in busy
        assert "for other user" in busy
        assert other.ask("release") == "released"
    assert Leases(1).try_acquire("") is not None


@pytest.mark.slow
def test_the_other_user_was_first(open_machine: Machine) -> None:
    """He made the folder and the files, with a umask that keeps others out."""
    machine = open_machine
    with Process(machine, OTHER_USER, "65534") as first, Process(machine, OTHER_USER, "65533") as second:
        (machine.locks.parent / "for all").mkdir()
        (machine.locks.parent / "for all").chmod(0o777)
        machine.locks = machine.locks.parent / "for all" / "locks"
        assert first.ask(str(machine.locks)) == "0"
        assert "for other user" in second.ask(str(machine.locks))
        assert Leases(1, lock_dir=machine.locks).try_acquire("") is None
        assert first.ask("release") == "released"
        assert second.ask(str(machine.locks)) == "0"
        assert "for other user" in first.ask(str(machine.locks))


@pytest.mark.slow
def test_a_folder_that_is_just_being_made(open_machine: Machine) -> None:
    machine = open_machine
    with Process(machine, OTHER_USER, "65534") as other:
        machine.locks.mkdir(mode=0o700)
        threading.Timer(0.5, machine.locks.chmod, [0o1777]).start()
        assert other.ask("lease") == "0"


@pytest.mark.slow
def test_a_folder_that_the_other_user_may_not_use(open_machine: Machine) -> None:
    machine = open_machine
    machine.locks.mkdir()
    machine.locks.chmod(0o755)
    with Process(machine, OTHER_USER, "65534") as other:
        said = other.ask("lease")
        assert said.startswith(f"the folder of GPU locks {machine.locks} cannot be used: Permission denied")
        assert "TYPEDCAT_LOCK_DIR names another one" in said
        machine.locks.chmod(0o1777)
        file = machine.locks / machine.uuid(0)
        file.touch()
        file.chmod(0o644)
        assert other.ask("lease") == "0"  # reading is enough for a lock
        assert "leased by somebody" in str(Leases(1).busy()[0])
        other.ask("release")
        file.chmod(0o600)
        assert f"({file} belongs to root and is -rw-------)" in other.ask("lease")


# -- for the rest of a process


def test_gpus_for_the_rest_of_this_process(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has_idle(3)
    numbers, environ = allocate_cuda(2)
    assert numbers == [0, 1]
    assert environ["CUDA_VISIBLE_DEVICES"] == f"{machine.uuid(0)},{machine.uuid(1)}"
    assert environ["PATH"] == os.environ["PATH"]
    assert Leases(2).try_acquire("") is None
    assert allocate_cuda(1, verbosity=False)[0] == [2]
    output, errors = capfd.readouterr()
    assert output == ""
    assert errors == f"Allocated GPU 0 ({machine.uuid(0)}), GPU 1 ({machine.uuid(1)})\n"


def test_lost_gpus_are_told_of(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.adds(f"fail nvmlDeviceGetName {machine.uuid(0)} 15")
    assert allocate_cuda(1)[0] == [1]
    lines = capfd.readouterr().err.splitlines()
    assert lines == ["GPU 0 does not answer: GPU is lost", f"Allocated GPU 1 ({machine.uuid(1)})"]


def test_an_instance_for_the_rest_of_this_process(machine: Machine) -> None:
    machine.has("gpu {0} 1000 0 0 -", "mig MIG-a 500 0 100 -")
    assert allocate_cuda(1, memory_need=400, max_process=0)[0] == ["MIG-a"]


def test_a_process_does_not_wait_for_itself(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has_idle(2)
    environ = allocate_cuda(1, verbosity=False)[1]
    with pytest.raises(GpuError, match=r"2 GPUs per run .* has them already .* wait for itself: GPU 0 \(GPU-0000"):
        allocate_cuda(2, verbosity=False)
    assert allocate_cuda(1, verbosity=False)[0] == [1]
    monkeypatch.setattr(os, "environ", environ)
    with pytest.raises(GpuError, match=r"1 GPU per run .* wait for itself: GPU 0 .*\n.* one call of allocate_cuda"):
        allocate_cuda(1, verbosity=False)


FORK_AND_ALLOCATE = """
import os, sys, time
from typedcat.tune.gpus.allocate import allocate_cuda

allocate_cuda(1, verbosity=False)
if os.fork() == 0:
    print(allocate_cuda(1, verbosity=False)[0], flush=True)
    time.sleep(100)
time.sleep(1)
"""


@pytest.mark.slow
def test_a_forked_child_waits_for_its_parent(machine: Machine) -> None:
    machine.has_idle(1)
    with Process(machine, FORK_AND_ALLOCATE) as process:
        assert process.line() == "[0]"
        assert process.popen.wait() == 0


def test_more_gpus_than_there_are(machine: Machine) -> None:
    with pytest.raises(GpuError, match="only 8 can be had"):
        allocate_cuda(9)


ALLOCATE = """
import sys
from typedcat.tune.gpus.allocate import allocate_cuda

numbers, _ = allocate_cuda(1)
print(numbers, flush=True)
sys.stdin.readline()
"""


@pytest.mark.slow
def test_scripts_wait_for_each_other(machine: Machine) -> None:
    machine.has_idle(1)
    with Process(machine, ALLOCATE) as first:
        assert first.line() == "[0]"
        with Process(machine, ALLOCATE) as second:
            time.sleep(1)
            first.ask("end")
            assert second.line() == "[0]"
