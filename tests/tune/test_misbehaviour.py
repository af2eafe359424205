"""Runs that misbehave, in every way that is known: one failed row at most, and the next run notices nothing."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tune.conftest import WriteTune
from tests.tune.waiting import ended
from typedcat import Cfg2TuneRunner
from typedcat.tune.ledger.ledger import Ledger

FOLDER = Path("experiment/tune/grid")


def tuned(path: str, work: Any, gather: Any = lambda *_: {}, **options: Any) -> Cfg2TuneRunner:
    """A runner after `tuning()`."""
    runner = Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=gather, verbosity=False, plots=False, **options)
    runner.tuning()
    return runner


def frame_of(runner: Cfg2TuneRunner) -> Any:
    assert runner.metric_frame is not None
    return runner.metric_frame


class OfTheUser(BaseException):
    """No `Exception`, as `asyncio.CancelledError`."""


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class ExitsWithoutText(Exception):
    def __str__(self) -> str:
        raise SystemExit("no text")


class ExitsWhenLoaded:
    def __reduce__(self) -> Any:
        return sys.exit, (0,)


class InterruptsWhenLoaded:
    def __reduce__(self) -> Any:
        return _interrupt, ()


def _interrupt() -> None:
    raise KeyboardInterrupt


class Result:
    """Loads in its own process only."""

    def __reduce__(self) -> Any:
        return _only_in, (os.getpid(),)


def _only_in(pid: int) -> int:
    if pid != os.getpid():
        raise RuntimeError("not here")
    return pid


def _deeper() -> int:
    return 1 + _deeper()


def _close_everything(folder: str) -> None:
    os.closerange(3, 256)
    with open(f"{folder}/mine.bin", "wb") as file:
        file.write(b"mine")
    for _ in range(50):  # files of the run take the numbers that were free
        os.open(f"{folder}/mine.bin", os.O_RDWR | os.O_APPEND)


def _replace_by_a_file(folder: str) -> None:
    shutil.rmtree(folder)
    Path(folder).write_text("x", encoding="utf-8")


def _fork_and_come_back(folder: str) -> int:
    return os.fork()


def _detach(folder: str, *, fork_twice: bool = False) -> int:
    """A program in a session of its own."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    Path(f"{folder}/pid").write_text(str(program.pid), encoding="utf-8")
    return program.pid


def _log(folder: str) -> None:
    """With no effect where another run has done it before."""
    logging.basicConfig(filename=f"{folder}/train.log", level=logging.INFO)
    logging.info("mine")


def _log_by_name(folder: str) -> None:
    """As libraries do that set up a logger of their own."""
    logger = logging.getLogger("train")
    logger.addHandler(logging.FileHandler(f"{folder}/train.log"))
    logger.warning("mine")


def _leave_open(folder: str) -> None:
    """As many as a process may have, in a few runs."""
    for _ in range(300):
        os.open(os.devnull, os.O_RDONLY)


def _write_much(folder: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (9, 9))
    Path(f"{folder}/much").write_bytes(bytes(99))


def _change_all(folder: str) -> None:
    os.environ["LEFT"] = "behind"
    os.umask(0o777)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.alarm(1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
    sys.stdout = None
    os.chdir("/")
    threading.Thread(target=time.sleep, args=(600,)).start()


KINDS: dict[str, tuple[Any, str | None]] = {  # what it does, and what is said; None if it is done
    "exit0": (lambda f: sys.exit(0), None),
    "exit": (lambda f: sys.exit(), None),
    "exit1": (lambda f: sys.exit(1), "SystemExit: 1"),
    "message": (lambda f: sys.exit("no luck"), "SystemExit: no luck"),
    "_exit0": (lambda f: os._exit(0), "its process ended with exit code 0"),
    "base": (lambda f: (_ for _ in ()).throw(OfTheUser("end")), "OfTheUser: end"),
    "unprintable": (lambda f: (_ for _ in ()).throw(Unprintable()), "Unprintable: its text cannot be told"),
    "half": (lambda f: (_ for _ in ()).throw(ValueError("\udcff")), r"ValueError: \udcff"),
    "deep": (lambda f: _deeper(), "RecursionError"),
    "memory": (lambda f: bytearray(1 << 62), "MemoryError"),
    "long": (lambda f: (_ for _ in ()).throw(ValueError("x" * 1_000_000)), "ValueError: xxx"),
    "unreadable": (lambda f: Result(), "what it returned cannot be read here: RuntimeError: not here"),
    "unpicklable": (lambda f: threading.Lock(), "what it returned cannot be sent back: TypeError"),
    "sigterm": (lambda f: os.kill(os.getpid(), signal.SIGTERM), "it was ended by SIGTERM"),
    "close12": (lambda f: os.closerange(1, 3), None),
    "closeall": (_close_everything, "its process ended with exit code 1"),
    "fork": (_fork_and_come_back, None),
    "detach": (_detach, None),
    "change": (_change_all, None),
    "vanish": (shutil.rmtree, None),
    "file": (_replace_by_a_file, None),
    "utf8": (lambda f: os.write(1, b"\xff\xfe\x1b[31mred\r 10%\r 20%\n\xc3") and os._exit(3), "\n20%\n\ufffd"),
    "printed": (lambda f: (sys.stdout.write("last words\n"), ctypes.string_at(0)), "last words"),
    "stdout": (lambda f: setattr(sys, "stdout", open(os.devnull, "w", encoding="utf-8")), None),  # noqa: SIM115
    "killgroup": (lambda f: os.killpg(0, signal.SIGKILL), "signal SIGKILL (out of memory?)"),
    "thread": (lambda f: threading.Thread(target=time.sleep, args=(600,)).start(), None),
    "ctrl-c": (lambda f: signal.raise_signal(signal.SIGINT), "KeyboardInterrupt (test_misbehaviour.py:"),
    "generator": (lambda f: (_ for _ in ()).throw(GeneratorExit()), "GeneratorExit"),
    "no text": (lambda f: (_ for _ in ()).throw(ExitsWithoutText()), "ExitsWithoutText: its text cannot be told"),
    "escapes": (lambda f: (_ for _ in ()).throw(ValueError("\x1b[2J\x1b]0;t\x07 red")), "ValueError:  red ("),
    "exits": (lambda f: ExitsWhenLoaded(), "what it returned cannot be read here: SystemExit: 0"),
    "interrupts": (lambda f: InterruptsWhenLoaded(), "what it returned cannot be read here: KeyboardInterrupt"),
    "paused": (lambda f: os.kill(os.getpid(), signal.SIGSTOP), "it took longer than 20 s"),
    "large": (_write_much, "File too large"),
    "log": (_log, None),
    "log again": (_log, None),
    "late log": (lambda f: logging.root.addHandler(logging.FileHandler(f"{f}/late.log", delay=True)), None),
    "named log": (_log_by_name, None),
    "named log again": (_log_by_name, None),
    "open": (_leave_open, None),
    "open 2": (_leave_open, None),
    "open 3": (_leave_open, None),
    "open 4": (_leave_open, None),
    "stdin": (lambda f: os.close(0), None),
    "arguments": (lambda f: sys.argv.append("--more"), None),
    "trace": (lambda f: sys.setprofile(lambda *_: None), None),
    "cores": (lambda f: os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]), None),
    "closed": (lambda f: sys.stdout.close(), None),
    "last": (lambda f: None, None),
}
RETURNED = ("unreadable", "unpicklable", "exits", "interrupts")


def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
    umask = os.umask(0o022)
    os.umask(umask)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    state = (
        os.environ.get("LEFT"), umask, limits, signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        sys.stdout is sys.__stdout__, threading.active_count(), os.path.isdir("configs"),
        signal.getsignal(signal.SIGTERM) is signal.SIG_IGN, len(sys.argv), sys.getprofile(),
        os.path.exists("/dev/fd/0"), len(os.sched_getaffinity(0)), len(logging.root.handlers),
        len(os.listdir("/dev/fd")) < 300, sys.stdout.closed,
    )  # fmt: skip
    if cfg.kind in RETURNED:
        return KINDS[cfg.kind][0](folder)
    KINDS[cfg.kind][0](folder)
    return {"state": state, "i": i}


@pytest.mark.slow
def test_a_sweep_of_runs_that_misbehave(tune: WriteTune) -> None:
    path = tune(f"cfg = Cfg2Tune()\ncfg.kind = Param2Tune({list(KINDS)})\n")
    gather: Any = lambda cfg, folder, result, comb: result if isinstance(result, dict) else {"i": -1}  # noqa: E731
    runner = tuned(path, work, gather, pool_size=1, timeout_s=20.0, grace_s=0.5)
    said = {list(KINDS)[index]: text for index, text in runner.failures.items()}
    for kind, (_, expected) in KINDS.items():
        assert (kind in said) == (expected is not None), f"{kind}: {said.get(kind)}"
        assert expected is None or expected in said[kind], f"{kind}: {said[kind]}"
    assert all(len(text) < 10_000 for text in said.values())
    assert "10%" not in said["utf8"] and "\x1b" not in said["utf8"]
    states = {str(state) for state in frame_of(runner)["state"] if isinstance(state, tuple)}
    assert len(states) == 1, states  # what a run has changed, the next does not see
    assert (FOLDER / "kind=closeall/mine.bin").read_bytes() == b"mine"
    logs = {path.parent.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*/train.log")}
    assert set(logs.values()) == {"INFO:root:mine\n", "mine\n"} and len(logs) == 4
    assert ended(int((FOLDER / "kind=detach/pid").read_text(encoding="utf-8")))
    with Ledger(FOLDER) as ledger:
        assert len(ledger.attempts()) == len(KINDS)


@pytest.mark.slow
def test_large_outputs_and_results(tune: WriteTune, capfd: pytest.CaptureFixture[str]) -> None:
    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
        if cfg.a == 0:
            return bytes(200_000_000)
        line = b"x" * 999 + b"\n"
        for _ in range(100):
            os.write(1, line * 1000)
        raise ValueError("much was said")

    runner = tuned(
        tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1])\n"), work,
        lambda cfg, folder, result, comb: {"size": len(result)}, pool_size=2,
    )  # fmt: skip
    assert frame_of(runner)["size"][0] == 200_000_000
    assert runner.failures[1].startswith("ValueError: much was said")
    assert len(runner.failures[1]) < 5_000
    assert (FOLDER / "a=1/output.txt").stat().st_size > 100_000_000
    assert len(capfd.readouterr().out) < 10_000


@pytest.mark.slow
def test_time_outs_end_everything(tune: WriteTune) -> None:
    """A run that ignores SIGTERM, a program in a session of its own, one that a shell has started."""

    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
        if cfg.a == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if cfg.a == 1:
            os.waitpid(_detach(folder), 0)
        if cfg.a == 2:
            os.system(f"sleep 600 & echo $! > {folder}/pid; wait")
        time.sleep(600)

    runner = tuned(
        tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1, 2])\n"), work, pool_size=3, timeout_s=4.0, grace_s=0.5,
        max_retries=1,
    )  # fmt: skip
    assert {text.partition("\n")[0] for text in runner.failures.values()} == {"it took longer than 4 s"}
    assert len(runner.failures) == 3
    for a in (1, 2):
        assert ended(int((FOLDER / f"a={a}/pid").read_text(encoding="utf-8")))
    with Ledger(FOLDER) as ledger:
        assert [one.state for one in ledger.attempts()] == ["failed"] * 6


@pytest.mark.parametrize(
    "end", [SystemExit(0), SystemExit(1), KeyboardInterrupt(), OfTheUser(), Unprintable(), ExitsWithoutText()]
)
def test_gathering_that_ends_oddly(tune: WriteTune, end: BaseException) -> None:
    def gather(cfg: Any, folder: str, result: Any, comb: Any) -> Any:
        if cfg.a == 1:
            raise end
        os.chdir("/")
        return {1: cfg.a, ("b", 2): 3, None: 0.5}

    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1, 2])\n")
    if isinstance(end, KeyboardInterrupt):
        with pytest.raises(KeyboardInterrupt):
            tuned(path, lambda *_: None, gather, in_process=True)
    else:
        runner = tuned(path, lambda *_: None, gather, in_process=True)
        assert runner.failures[1].startswith("its metrics cannot be gathered: ")
        assert frame_of(runner)[1].tolist()[::2] == [0, 2]
    assert (FOLDER / "metric_frame.csv").exists()
    with Ledger(FOLDER) as ledger:
        states = [one.state for one in ledger.attempts()]
        assert states == (["done", "stopped"] if isinstance(end, KeyboardInterrupt) else ["done", "failed", "done"])
        assert ledger.attempts()[0].metrics == {1: 0, ("b", 2): 3, None: 0.5}


@pytest.mark.parametrize("end", [SystemExit(1), OfTheUser("end"), GeneratorExit(), ExitsWithoutText()])
def test_gathering_again_that_ends_oddly(
    tune: WriteTune, end: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    def gather(cfg: Any, *_: Any) -> dict[str, int]:
        if cfg.a == 1:
            raise end
        return {"x": 10 + cfg.a}

    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1, 2])\n")
    tuned(path, lambda *_: None, lambda cfg, *_: {"x": cfg.a}, in_process=True)
    runner = Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=gather, plots=False)
    assert runner.tuning(rerun="gather")["x"].tolist() == [10, 1, 12]
    assert f"a=1: its metrics stay as they are: {type(end).__name__}" in capsys.readouterr().err


def test_a_log_to_the_screen_costs_no_worker(tune: WriteTune) -> None:
    """Training scripts begin with it, and what they import takes long."""

    def logs(i: int, *_: Any) -> dict[str, int]:
        logging.basicConfig(level=logging.INFO)
        logging.info(f"run {i}")
        return {"pid": os.getpid()}

    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1, 2])\n")
    runner = tuned(path, logs, lambda cfg, folder, result, comb: result, pool_size=1)
    assert len(set(frame_of(runner)["pid"])) == 1
    said = [(FOLDER / f"a={i}/output.txt").read_text(encoding="utf-8") for i in range(3)]
    assert said == [f"INFO:root:run {i}\n" for i in range(3)]


def test_a_process_that_cannot_start_says_where_the_reason_is(
    tune: WriteTune, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    runner = tuned(tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([1])"), lambda *_: None, pool_size=1)
    assert runner.failures[0].startswith("its process ended with exit code 1\n")
    assert "if its process could not start, standard error says why" in runner.failures[0]
    assert "Fatal Python error" in capfd.readouterr().err


class Unstorable:
    """No pickle, and no text either."""

    def __reduce__(self) -> Any:
        sys.exit("no pickle")

    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("value", [threading.Lock(), (i for i in (1,)), sys.stdout, ExitsWhenLoaded(), Unstorable()])
def test_metrics_that_cannot_be_stored(tune: WriteTune, value: Any) -> None:
    """They lose no run, and no other metric."""
    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1, 2])\n")
    gather: Any = lambda cfg, *_: {"acc": cfg.a / 2, "value": value if cfg.a == 1 else 0}  # noqa: E731
    assert tuned(path, lambda *_: None, gather, in_process=True).failures == {}
    again = tuned(path, lambda *_: pytest.fail("it is run again"), gather, in_process=True)
    assert frame_of(again)["acc"].tolist() == [0.0, 0.5, 1.0]
    assert frame_of(again)["value"].tolist()[::2] == [0, 0]


def test_a_gather_function_has_its_own_choices(tune: WriteTune) -> None:
    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1])\n")
    runner = tuned(path, lambda *_: None, lambda cfg, folder, result, comb: {"a": comb.pop("a")[0]}, in_process=True)
    assert [dict(comb) for comb in runner.param_combs] == [{"a": (0, "0")}, {"a": (1, "1")}]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Python 3.12 on: there are threads, and a fork
def test_what_is_forked_is_no_second_runner(tune: WriteTune) -> None:
    def forks(*_: Any) -> dict[str, int]:
        if os.fork() == 0 and os.getpid() % 2:
            raise ValueError("in the child")
        return {"pid": os.getpid()}

    runner = tuned(tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1, 2])\n"), forks, forks, in_process=True)
    assert frame_of(runner)["pid"].tolist() == [os.getpid()] * 3
    with Ledger(FOLDER) as ledger:
        assert [one.state for one in ledger.attempts()] == ["done"] * 3


def test_the_line_of_the_user_is_named(tune: WriteTune) -> None:
    def missing(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> str:
        return Path("nowhere.txt").read_text(encoding="utf-8")

    def popen(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
        return subprocess.Popen(["true"])

    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([1])")
    runner = Cfg2TuneRunner(path, work_fn=missing, pool_size=1, verbosity=False, plots=False)
    runner.tuning()
    line = missing.__code__.co_firstlineno + 1
    assert (
        f"FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.txt' (test_misbehaviour.py:{line})"
        in (runner.failures[0])
    )
    runner = Cfg2TuneRunner(path, work_fn=popen, pool_size=1, verbosity=False, plots=False)
    runner.tuning()
    assert "wait for the command: return subprocess.run(...)" in runner.failures[0]


def test_secrets_are_in_no_file_that_others_read(tune: WriteTune) -> None:
    body = """
        from pydantic import SecretStr

        cfg = Cfg2Tune(token=SecretStr("hunter2-hunter2"))
        cfg.a = Param2Tune([1, 2])
        """
    runner = Cfg2TuneRunner(
        tune(body), pool_size=1, verbosity=False, plots=False,
        work_fn=lambda i, cfg, *_: None, gather_metric_fn=lambda cfg, *_: {"a": cfg.a, "token": cfg.token},
    )  # fmt: skip
    frame = runner.tuning()
    assert frame["token"].tolist() == ["**********", "**********"]
    holders = {path for path in Path().rglob("*") if path.is_file() and b"hunter2-hunter2" in path.read_bytes()}
    assert holders == {Path("configs/tune/grid/cfg.py"), *map(Path, runner.cfg_pkls)}
    assert {stat.S_IMODE(os.stat(path).st_mode) for path in runner.cfg_pkls} == {0o600}
