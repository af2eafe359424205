"""GPUs that are leased: never to two at once, whoever asks, and only those that are idle."""

from __future__ import annotations

import itertools
import os
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.tune.conftest import Machine
from typedcat.errors import GpuError
from typedcat.tune.gpus import leases, slots
from typedcat.tune.gpus.demand import Busy
from typedcat.tune.gpus.leases import Lease, Leases
from typedcat.tune.gpus.locks import this_process


def got(lease: Lease | None) -> list[int | None]:
    assert lease is not None
    return [gpu.index for gpu in lease.gpus]


def why(leases: Leases) -> dict[int | None, str]:
    return {busy.gpu.index: busy.why for busy in leases.busy()}


# -- one after the other


def test_a_lease(machine: Machine) -> None:
    leases = Leases(2)
    lease = leases.try_acquire("lr=0.1")
    assert got(lease) == [0, 1]
    assert lease is not None
    port = lease.environment.pop("MASTER_PORT")
    assert int(port) in slots.PORTS
    assert lease.environment.pop("PET_MASTER_PORT") == port
    uuids = f"{machine.uuid(0)},{machine.uuid(1)}"
    assert lease.environment == {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": uuids,
        "TYPEDCAT_LENT_GPUS": uuids,
        "MASTER_ADDR": "127.0.0.1",
    }


def test_no_gpu_is_leased_twice(machine: Machine) -> None:
    machine.has_idle(5)
    leases, others = Leases(2), Leases(2)
    assert leases.capacity == 2
    one, two = leases.try_acquire("one"), others.try_acquire("two")
    assert (got(one), got(two)) == ([0, 1], [2, 3])
    assert leases.try_acquire("three") is None
    assert one is not None
    one.release()
    one.release()
    assert got(others.try_acquire("four")) == [0, 1]
    assert leases.try_acquire("five") is None
    with Leases(1).acquire("six") as six:
        assert got(six) == [4]
    assert got(Leases(1).try_acquire("seven")) == [4]


def test_the_order_of_the_user(machine: Machine) -> None:
    leases = Leases(1, environ={"CUDA_VISIBLE_DEVICES": "6,2", "TYPEDCAT_LOCK_DIR": str(machine.locks)})
    assert [got(leases.try_acquire("")) for _ in range(2)] == [[6], [2]]
    assert leases.try_acquire("") is None


def test_what_is_not_to_be_had_leaves_no_trace(machine: Machine) -> None:
    machine.has_idle(3)
    first = Leases(2).try_acquire("first")
    assert Leases(2).try_acquire("too much") is None
    assert got(Leases(1).try_acquire("little")) == [2]
    assert first is not None


def test_threads_get_different_gpus(machine: Machine) -> None:
    """All at once, where nothing has been made yet."""
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: Leases(1).acquire(""), range(8)))
    assert sorted(got(lease) for lease in made) == [[i] for i in range(8)]
    assert len({lease.environment["MASTER_PORT"] for lease in made}) == 8


@pytest.mark.parametrize(
    ("slots", "per_run", "capacity"),
    [
        ([1] * 8, 1, 8),
        ([1] * 8, 3, 2),
        ([2] * 3, 2, 3),
        ([3], 1, 3),
        ([4, 1], 2, 1),
        ([4, 2, 2], 2, 4),
        ([1, 1], 3, 0),
    ],
)
def test_capacity(slots: list[int], per_run: int, capacity: int) -> None:
    assert leases._capacity(slots, per_run) == capacity


# -- what can never be


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"per_run": 0}, "a run needs at least 1 GPU (work_gpu_num), got 0"),
        ({"per_run": 9}, "9 GPUs per run (work_gpu_num), but only 8 can be had"),
        ({"memory_need": 81_421}, "memory_need=81421 MiB on 1 GPU per run, but 0 of those"),
        ({"memory_need": -2}, "memory_need is in MiB, or -1 for all memory of a GPU, got -2"),
        ({"memory_need": float("nan")}, "got nan"),
        ({"max_process": -2}, "max_process is a number of processes, or -1"),
        ({"runs_per_gpu": 0}, "runs_per_gpu must be at least 1, got 0"),
        ({"per_run": 1.5}, "work_gpu_num must be a whole number, got 1.5"),
        ({"per_run": "2"}, "work_gpu_num must be a whole number, got '2'"),
        ({"max_process": 0.5}, "max_process must be a whole number, got 0.5"),
        ({"runs_per_gpu": None}, "runs_per_gpu must be a whole number, got None"),
        ({"memory_need": "10GB"}, "memory_need is in MiB, or -1 for all memory of a GPU, got '10GB'"),
    ],
)
def test_arguments_that_make_no_sense(machine: Machine, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(GpuError) as caught:
        Leases(**{"per_run": 1, **arguments})
    assert message in str(caught.value)


@pytest.mark.parametrize("given", ["", "-1", "3"])
def test_fewer_visible_than_a_run_needs(machine: Machine, given: str) -> None:
    with pytest.raises(
        GpuError, match=r"2 GPUs per run \(work_gpu_num\), but only [01] can be had\n  CUDA_VISIBLE_DEVI"
    ):
        Leases(2, environ={"CUDA_VISIBLE_DEVICES": given})


def test_the_message_tells_of_gpus_that_do_not_count(machine: Machine) -> None:
    machine.has("gpu {0} 1000 0 0 -", "migmode {0}", "gpu {1} 1000 0 0 -", "fail nvmlDeviceGetName {1} 15")
    machine.adds("gpu {2} 1000 0 0 -", "mig MIG-a 500 0 0 -")
    with pytest.raises(GpuError) as caught:
        Leases(2)
    assert str(caught.value).splitlines() == [
        "2 GPUs per run (work_gpu_num), but only 0 can be had",
        "  1 of those that are visible are MIG instances; a program can use only one",
        "  GPU 1 does not answer: GPU is lost",
        "  GPU 0 is in MIG mode, and has no instance to use",
        "  ask for at most 1",
    ]


def test_instances_are_leased_one_by_one(machine: Machine) -> None:
    machine.has("gpu {0} 1000 0 0 -", "gpu {1} 1000 0 0 -", "mig MIG-a/1/0 500 0 0 -", "mig MIG-b 500 0 0 -")
    leases = Leases(1)
    assert leases.capacity == 3
    shown = [lease.environment["CUDA_VISIBLE_DEVICES"] for _ in range(3) if (lease := leases.try_acquire(""))]
    assert shown == [machine.uuid(0), "MIG-a/1/0", "MIG-b"]
    assert leases.try_acquire("") is None
    assert "MIG-a/1/0 on " + machine.uuid(1) + ": leased by " in str(leases.busy()[1])


def test_sixteen_gpus_of_different_sizes(machine: Machine) -> None:
    machine.has(*(f"gpu {{{i}}} {8000 + 8000 * (i % 4)} 500 {4 if i % 3 else 300} -" for i in range(16)))
    leases = Leases(3, memory_need=23_000)
    assert [gpu.index for gpu in leases.gpus] == [2, 3, 6, 7, 10, 11, 14, 15]
    assert leases.capacity == 2
    assert [got(leases.try_acquire("")) for _ in range(2)] == [[2, 3, 6], [7, 10, 11]]
    assert leases.try_acquire("") is None
    assert got(Leases(6).try_acquire("")) == [1, 4, 5, 8, 13, 14]  # the others have something on them


def test_no_driver(machine: Machine) -> None:
    machine.adds("fail nvmlInitWithFlags * 9")
    with pytest.raises(GpuError, match="Driver Not Loaded"):
        Leases(1)


# -- idle


def test_only_gpus_without_anything_on_them(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 65 -", "gpu {1} 81920 500 64 9", "gpu {2} 81920 500 40000 7,8")
    leases = Leases(1)
    assert got(leases.try_acquire("")) == [1]
    assert leases.try_acquire("") is None
    texts = [str(busy).partition(": ")[2] for busy in leases.busy()]
    free = "81355 MiB are free and all of it is needed"
    assert texts[0] == f"{free}; 65 MiB are used by processes that cannot be seen from here"
    assert texts[1].startswith(f"leased by {this_process('').user} (process {os.getpid()} on {socket.gethostname()})")
    assert texts[2] == "41420 MiB are free and all of it is needed; processes on it: 7, 8"


def test_each_gpu_is_judged_by_its_own_memory(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 0 -", "gpu {1} 24000 500 0 -", "gpu {2} 81920 500 70000 7", "gpu {3} 81920 500 99 7")
    leases = Leases(1, memory_need=30 * 1024)
    assert leases.capacity == 3
    assert [got(leases.try_acquire("")) for _ in range(2)] == [[0], [3]]
    assert why(leases) == {0: "leased", 2: "memory", 3: "leased"}


def test_the_number_of_processes(machine: Machine) -> None:
    machine.has(f"gpu {{0}} 81920 500 9000 1,2,{os.getpid()}", "graphics {0} 1", "gpu {1} 81920 500 9000 1,2")
    leases = Leases(1, memory_need=1000, max_process=2)
    assert got(leases.try_acquire("")) == [1]
    (busy, _leased) = leases.busy()
    assert busy.why == "processes"
    assert str(busy).endswith(f": max_process=2; processes on it: 1, 2, {os.getpid()} (this process)")
    assert got(Leases(1, memory_need=1000, max_process=3).try_acquire("")) == [0]


def test_gpus_in_order_whatever_goes_on_on_them(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 80000 1,2,3", "gpu {1} 81920 500 0 -")
    leases = Leases(1, block=False, memory_need=99_999_999, max_process=0)
    assert [got(leases.try_acquire("")) for _ in range(2)] == [[0], [1]]
    assert leases.try_acquire("") is None


def test_memory_that_belongs_to_the_cpu_too(machine: Machine) -> None:
    machine.has("gpu {0} 0 0 0 -", "gpu {1} 0 0 0 5", "fail nvmlDeviceGetMemoryInfo_v2 * 3")
    leases = Leases(1)
    assert got(leases.try_acquire("")) == [0]
    assert leases.try_acquire("") is None
    with pytest.raises(GpuError, match=r"0 where the driver does not say"):
        Leases(1, memory_need=1)


@pytest.mark.parametrize("code", [4, 7, 10, 999])
def test_processes_that_cannot_be_listed_do_not_matter_where_memory_is_judged(machine: Machine, code: int) -> None:
    machine.has("gpu {0} 81920 500 4 -", "gpu {1} 81920 500 9000 -")
    machine.adds(f"fail nvmlDeviceGetComputeRunningProcesses_v3 * {code}")
    assert [got(Leases(1, memory_need=need).try_acquire("")) for need in (-1, 1000)] == [[0], [1]]


@pytest.mark.parametrize("arguments", [{"max_process": 0}, {"memory_need": 10, "max_process": 5}])
def test_processes_that_can_never_be_counted(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]
) -> None:
    machine.has_idle(1)
    machine.adds("fail nvmlDeviceGetMPSComputeRunningProcesses_v3 * 4")
    leases_ = Leases(1, **arguments)
    assert leases_.try_acquire("") is None
    assert why(leases_) == {0: "processes"}
    monkeypatch.setattr(leases, "_GONE_S", 0.1)
    with pytest.raises(GpuError) as caught:
        leases_.acquire("")
    assert str(caught.value).splitlines() == [
        "1 GPU per run, but 0 of 1 answer:",
        f"  GPU 0 ({machine.uuid(0)}): the processes on it cannot be listed: Insufficient Permissions",
        "  block=False takes GPUs as they are, and max_process=-1 those that have enough free memory",
    ]
    assert got(Leases(1, block=False, **arguments).try_acquire("")) == [0]


def test_neither_memory_nor_processes_are_known(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_GONE_S", 0.0)
    machine.has("gpu {0} 0 0 0 -", "fail nvmlDeviceGetMemoryInfo_v2 * 3", "fail nvmlDeviceGetMemoryInfo * 3")
    machine.adds("fail nvmlDeviceGetComputeRunningProcesses_v3 * 4")
    with pytest.raises(GpuError, match="processes on it cannot be listed: Insufficient Permissions\n  block=False"):
        Leases(1).try_acquire("")


# -- several runs on one GPU


def test_runs_are_spread_before_they_share(machine: Machine) -> None:
    machine.has_idle(2)
    leases = Leases(1, runs_per_gpu=2)
    assert leases.capacity == 4
    made = [leases.try_acquire("") for _ in range(4)]
    assert [got(lease) for lease in made] == [[0], [1], [0], [1]]
    assert leases.try_acquire("") is None
    assert made[2] is not None
    made[2].release()
    assert got(leases.try_acquire("")) == [0]


def test_own_runs_are_no_other_peoples_processes(machine: Machine) -> None:
    machine.has_idle(1)
    leases = Leases(1, runs_per_gpu=2, max_process=0)
    first = leases.try_acquire("")
    machine.has("gpu {0} 81920 500 40000 7")
    second = leases.try_acquire("")
    assert (got(first), got(second)) == ([0], [0])
    assert first is not None
    assert second is not None
    first.release()
    second.release()
    assert leases.try_acquire("") is None
    assert why(leases) == {0: "memory"}


def test_no_more_runs_than_there_is_memory_for(machine: Machine) -> None:
    machine.has_idle(1)
    leases = Leases(1, runs_per_gpu=4, memory_need=30_000)
    assert leases.capacity == 2
    assert [got(leases.try_acquire("")) for _ in range(2)] == [[0], [0]]
    assert leases.try_acquire("") is None
    assert why(leases) == {0: "leased"}


def test_memory_has_to_be_free_beside_own_runs(machine: Machine) -> None:
    machine.has_idle(1)
    leases = Leases(1, runs_per_gpu=4, memory_need=10_000)
    assert got(leases.try_acquire("")) == [0]
    machine.has("gpu {0} 81920 500 75000 7")
    assert leases.try_acquire("") is None
    assert why(leases) == {0: "memory"}


def test_no_more_runs_than_others_have_left_memory_for(machine: Machine) -> None:
    """A run takes its memory some time after it has started: until then the next one sees it free."""
    machine.has("gpu {0} 81920 500 40000 7")
    leases = Leases(1, runs_per_gpu=4, memory_need=20_000)
    assert leases.capacity == 4
    made = [leases.try_acquire("") for _ in range(3)]
    assert [got(lease) for lease in made[:2]] == [[0], [0]]
    assert made[2] is None
    (busy,) = leases.busy()
    assert busy.why == "memory"
    assert busy.detail == "with 2 runs of this runner on it there is no room for another one; processes on it: 7"
    for lease in made[:2]:
        assert lease is not None
        lease.release()
    machine.has_idle(1)
    assert [got(leases.try_acquire("")) for _ in range(4)] == [[0]] * 4


def test_two_runs_with_two_gpus_share_them(machine: Machine) -> None:
    machine.has_idle(3)
    leases = Leases(2, runs_per_gpu=2)
    assert leases.capacity == 3
    made = [got(leases.try_acquire("")) for _ in range(3)]
    assert Counter(itertools.chain(*made)) == {0: 2, 1: 2, 2: 2}
    assert leases.try_acquire("") is None


def test_who_shares_and_who_does_not(machine: Machine) -> None:
    machine.has_idle(1)
    alone, pairs, threes = Leases(1), Leases(1, runs_per_gpu=2), Leases(1, runs_per_gpu=3)
    first = pairs.try_acquire("first")
    assert first is not None
    assert alone.try_acquire("") is None
    assert threes.try_acquire("") is None  # it would be the second of three, and of two
    second = Leases(1, runs_per_gpu=2).try_acquire("second")
    assert second is not None
    assert [holder.who for holder in alone.busy()[0].holders] == ["first", "second"]
    assert [holder.who for holder in threes.busy()[0].holders] == ["first", "second"]
    first.release()
    assert alone.try_acquire("") is None
    second.release()
    assert why(alone) == why(pairs) == why(threes) == {}
    whole = alone.try_acquire("whole")
    assert pairs.try_acquire("") is None
    assert [holder.who for holder in pairs.busy()[0].holders] == ["whole"]
    assert whole is not None


# -- GPUs that do not answer


def test_others_go_on_without_a_lost_gpu(machine: Machine) -> None:
    machine.has_idle(3)
    leases = Leases(1)
    machine.adds(f"fail nvmlDeviceGetMemoryInfo_v2 {machine.uuid(0)} 15")
    assert [got(leases.try_acquire("")) for _ in range(2)] == [[1], [2]]
    assert leases.try_acquire("") is None
    assert why(leases) == {0: "gone", 1: "leased", 2: "leased"}
    assert str(leases.busy()[0]) == f"GPU 0 ({machine.uuid(0)}): it does not answer: GPU is lost"


def test_gpus_of_other_jobs_are_not_lost(machine: Machine) -> None:
    machine.adds(*(f"fail nvmlDeviceGetHandleByIndex_v2 {machine.uuid(i)} 4" for i in range(7)))
    assert Leases(1).lost == ()
    with pytest.raises(GpuError, match=r"only 1 can be had\n  a GPU does not answer: Insufficient P.*\n  ask for at"):
        Leases(2)


def test_lost_gpus_are_told_of_and_lent_again_when_they_are_back(machine: Machine) -> None:
    machine.has_idle(3)
    machine.adds(f"fail nvmlDeviceGetUUID {machine.uuid(2)} 15")
    leases = Leases(1)
    assert list(leases.lost) == ["GPU 2 does not answer: GPU is lost"]
    assert Leases(1, environ={**os.environ, "CUDA_VISIBLE_DEVICES": "0,1"}).lost == ()
    machine.adds(f"fail nvmlDeviceGetHandleByUUID {machine.uuid(0)} 15")
    assert got(leases.try_acquire("")) == [1]
    silent = "GPU 2 does not answer: GPU is lost"
    assert list(leases.lost) == [silent, f"GPU 0 ({machine.uuid(0)}) does not answer: GPU is lost"]
    machine.has_idle(3)
    assert got(leases.try_acquire("")) == [0]
    assert leases.lost == (silent,)  # it was not there when the machine was looked at


@pytest.mark.parametrize("block", [True, False])
def test_too_few_are_left_for_ever(machine: Machine, monkeypatch: pytest.MonkeyPatch, block: bool) -> None:
    machine.has_idle(2)
    leases_ = Leases(2, block=block)
    machine.adds(f"fail nvmlDeviceGetHandleByUUID {machine.uuid(1)} 15")
    assert leases_.try_acquire("") is None
    monkeypatch.setattr(leases, "_GONE_S", 0.2)
    with pytest.raises(GpuError) as caught:
        leases_.acquire("")
    assert str(caught.value).splitlines() == [
        "2 GPUs per run, but 1 of 2 answer:",
        f"  GPU 1 ({machine.uuid(1)}): GPU is lost",
        "  look at what `nvidia-smi` says; a GPU that is lost comes back when the machine is restarted",
    ]


def test_a_run_that_asks_for_what_it_has(machine: Machine) -> None:
    """It would wait for itself."""
    machine.has_idle(3)
    leases = Leases(1)
    lease = leases.try_acquire("")
    assert lease is not None
    within = {**os.environ, **lease.environment}
    with pytest.raises(GpuError) as caught:
        Leases(1, environ=within)
    assert str(caught.value).splitlines() == [
        "1 GPU per run (work_gpu_num), but this process, or the run that it belongs to, has them already "
        f"(TYPEDCAT_LENT_GPUS), and would wait for itself: GPU 0 ({machine.uuid(0)})",
        "  a run has the GPUs of its cuda_env without asking; a script gets all that it needs with one call of "
        "allocate_cuda",
    ]
    assert got(Leases(1, environ={**within, "CUDA_VISIBLE_DEVICES": "0,2"}).try_acquire("")) == [2]
    lease.release()
    assert got(Leases(1, environ=within).try_acquire("")) == [0]  # by what is left of a run that has ended


def test_a_run_that_shares_a_gpu_may_ask_for_more_of_it(machine: Machine) -> None:
    machine.has_idle(1)
    lease = Leases(1, runs_per_gpu=2).try_acquire("")
    assert lease is not None
    within = {**os.environ, **lease.environment}
    assert got(Leases(1, runs_per_gpu=2, environ=within).try_acquire("")) == [0]
    with pytest.raises(GpuError, match="would wait for itself"):
        Leases(1, runs_per_gpu=2, environ=within)


def test_a_gpu_that_was_only_slow(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "_GONE_S", 0.2)
    machine.has_idle(1)
    leases_ = Leases(1)
    machine.adds("fail nvmlInitWithFlags * 10")
    assert leases_.try_acquire("") is None
    machine.has_idle(1)
    time.sleep(0.25)
    lease = leases_.try_acquire("")
    assert got(lease) == [0]
    assert lease is not None
    lease.release()
    machine.adds("fail nvmlInitWithFlags * 18")
    assert leases_.try_acquire("") is None  # counted anew
    time.sleep(0.25)
    with pytest.raises(GpuError, match=r"1 GPU per run, but 0 of 1 answer:\n.*version mismatch"):
        leases_.try_acquire("")


# -- waiting


def test_waiting(machine: Machine) -> None:
    machine.has_idle(1)
    leases = Leases(1)
    first = leases.acquire("first")
    told: list[list[Busy]] = []

    def wait(busy: list[Busy]) -> None:
        told.append(busy)
        threading.Timer(0.3, first.release).start()

    assert got(leases.acquire("second", on_wait=wait)) == [0]
    assert [[busy.holders[0].who for busy in list_] for list_ in told] == [["first"]]


def test_waiting_tells_what_is_new(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 40000 7")
    leases, told = Leases(1), list[str]()

    def wait(busy: list[Busy]) -> None:
        told.append(busy[0].why)
        if len(told) == 1:
            # other numbers are no news
            threading.Timer(0.2, machine.has, ["gpu {0} 81920 500 50000 7"]).start()
            threading.Timer(0.5, machine.adds, ["fail nvmlDeviceGetMemoryInfo_v2 {0} 15"]).start()
        else:
            machine.has_idle(1)

    assert got(leases.acquire("", on_wait=wait)) == [0]
    assert told == ["memory", "gone"]


def test_words_stay_the_same_until_there_are_other_reasons(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 40000 7")
    leases, other = Leases(1), Leases(1, block=False)
    words = leases.waits_for()
    assert words == f"GPU 0 ({machine.uuid(0)}): 41420 MiB are free and all of it is needed; processes on it: 7"
    machine.has("gpu {0} 81920 500 40010 7")
    assert leases.waits_for() == words
    lease = other.acquire("other")
    assert "leased by" in leases.waits_for()
    lease.release()
    machine.has_idle(1)
    assert leases.waits_for() == ""


def test_the_waiting_is_stopped(machine: Machine) -> None:
    machine.has_idle(1)
    leases, stop = Leases(1), threading.Event()
    first = leases.acquire("", stop=stop)
    threading.Timer(0.2, stop.set).start()
    assert leases.acquire("", stop=stop) is None
    assert first is not None
    first.release()
    assert leases.acquire("", stop=stop) is None  # it was stopped before there was one


# -- ports


def test_ports_of_runs_at_the_same_time_differ(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "PORTS", range(23_500, 23_504))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 23_502))
        taken.listen()
        made = [Leases(1).try_acquire("") for _ in range(3)]
        assert {lease.environment["MASTER_PORT"] for lease in made if lease} == {"23500", "23501", "23503"}
        with pytest.raises(GpuError, match="there is no free port between 23500 and 23503 for MASTER_PORT"):
            Leases(1).try_acquire("")
        assert why(Leases(1)) == {0: "leased", 1: "leased", 2: "leased"}  # what had been locked is free again
