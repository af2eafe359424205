"""Runners that are started, and ended, in all the ways of clusters and notebooks."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tune.conftest import WriteTune
from tests.tune.waiting import ended, wait_for
from typedcat.tune.ledger.ledger import Ledger

pytestmark = pytest.mark.slow
FOLDER = Path("experiment/tune/grid")
SMALL = "cfg = Cfg2Tune()\ncfg.a = Param2Tune([0, 1, 2])\n"
HEAD = """
import os, signal, subprocess, sys, time
from typedcat import Cfg2TuneRunner

runner = Cfg2TuneRunner('configs/tune/grid/cfg.py', pool_size=1, grace_s=2, plots=False)

@runner.register_work_fn
def work(i, cfg, pkl, folder, env):
    print('läuft', cfg.a)
    if cfg.a == 1 and os.path.exists('hang'):
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)
        open('pid.part', 'w').write(str(child.pid))
        os.replace('pid.part', 'pid')
        child.wait()
    return {'x': cfg.a}

runner.register_gather_metric_fn(lambda cfg, folder, result, comb: result)
"""
TUNE = HEAD + "runner.tuning()\n"


def run(code: str, shell: str = "{python} script.py", **options: str) -> subprocess.CompletedProcess[str]:
    Path("script.py").write_text(code, encoding="utf-8")
    return subprocess.run(
        ["sh", "-c", shell.format(python=sys.executable)], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **options},
    )  # fmt: skip


def states() -> list[str]:
    with Ledger(FOLDER) as ledger:
        return [one.state for one in ledger.attempts()]


ASYNC = HEAD + "import asyncio\nasync def main(): runner.tuning()\nasyncio.run(main())\n"
THREAD = HEAD + "import threading\nt = threading.Thread(target=runner.tuning); t.start(); t.join()\n"
NOTEBOOK = f"import sys\ndel sys.modules['__main__'].__file__\nexec(compile({TUNE!r}, '<cell 1>', 'exec'), globals())\n"
NESTED = TUNE.replace(
    "    return {'x'",
    "    inner = Cfg2TuneRunner('configs/tune/inner/cfg.py', pool_size=1, work_fn=lambda *_: 1)\n"
    "    assert len(inner.tuning()) == 3\n    return {'x'",
)
TWO = TUNE + (
    "other = Cfg2TuneRunner('configs/tune/inner/cfg.py', pool_size=1, work_fn=lambda *_: 1)\n"
    "import threading\nt = threading.Thread(target=other.tuning); t.start(); runner.tuning(rerun='failed'); t.join()\n"
)


@pytest.mark.parametrize(
    ("code", "shell"),
    [
        (TUNE, "{python} script.py <&- >&- 2>&-"),
        (TUNE, "{python} script.py >/dev/full 2>/dev/full"),
        (TUNE, "{python} script.py 2>&1 | true"),
        (TUNE.replace("pool_size=1", "pool_size=0"), "PYTHONIOENCODING=ascii {python} script.py"),
        (TUNE, '{python} -c "$(cat script.py)"'),
        (ASYNC, "{python} script.py"),
        (THREAD, "{python} script.py"),
        (NOTEBOOK, "{python} script.py"),
        (NESTED, "{python} script.py"),
        (TWO, "{python} script.py"),
        ("import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n" + TUNE, "{python} script.py"),
    ],
    ids=["closed", "full", "pipe", "ascii", "-c", "asyncio", "thread", "notebook", "nested", "two", "sigchld"],
)
def test_ways_to_start(tune: WriteTune, code: str, shell: str) -> None:
    tune(SMALL)
    tune(SMALL, "inner")
    done = run(code, shell)
    assert states() == ["done"] * 3, done.stderr
    assert (FOLDER / "metric_frame.csv").exists()
    assert "uft 2" in (FOLDER / "a=2/output.txt").read_text(encoding="utf-8")


def begun(code: str = TUNE, prefix: str = "") -> subprocess.Popen[str]:
    """A runner whose second run hangs."""
    Path("hang").touch()
    Path("script.py").write_text(prefix + code, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "script.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(Path("pid"))
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_in_order(tune: WriteTune, number: int) -> None:
    tune(SMALL)
    process = begun()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert states() == ["done", "stopped"]
    assert "2 of 3 runs have not ended: the same command again goes on with them" in out
    assert "interrupted: 1 running are asked to end; once more kills them" in err
    assert (FOLDER / "metric_frame.csv").exists()
    assert ended(int(Path("pid").read_text(encoding="utf-8")))


def test_under_nohup_it_goes_on(tune: WriteTune) -> None:
    tune(SMALL)
    process = begun(prefix="import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    os.kill(int(Path("pid").read_text(encoding="utf-8")), signal.SIGKILL)
    process.communicate(timeout=30)
    assert states() == ["done"] * 3


@pytest.mark.parametrize("ignores", ["", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "])
def test_a_killed_runner_leaves_nothing_running(tune: WriteTune, ignores: str) -> None:
    """Not even what the second run of a process has started, in a session of its own, and that is deaf."""
    tune(SMALL)
    process = begun(TUNE.replace("import time; ", f"import time; {ignores}"))
    time.sleep(0.7)
    process.kill()
    process.communicate()
    assert states() == ["done", "running"]
    Path("hang").unlink()
    done = run(TUNE)
    assert ended(int(Path("pid").read_text(encoding="utf-8")))
    assert states() == ["done", "stopped", "done", "done"], done.stderr


def test_a_second_interrupt_ends_a_gather_function_that_hangs(tune: WriteTune) -> None:
    tune(SMALL)
    hanging = TUNE.replace("lambda cfg, folder, result, comb: result", "lambda *_: (open('pid', 'w'), time.sleep(600))")
    Path("script.py").write_text(hanging, encoding="utf-8")
    process = subprocess.Popen([sys.executable, "script.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(Path("pid"))
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert states() == ["stopped"]


def test_a_folder_that_vanishes_while_it_runs(tune: WriteTune) -> None:
    import shutil

    tune(SMALL)
    process = begun()
    shutil.rmtree(FOLDER)
    os.kill(int(Path("pid").read_text(encoding="utf-8")), signal.SIGKILL)
    _, err = process.communicate(timeout=30)
    assert states() == ["done"] * 3, err
    assert (FOLDER / "metric_frame.csv").exists()


def test_a_killed_runner_leaves_nothing_that_its_runs_have_left(tune: WriteTune) -> None:
    """A program in the background, deaf, whose parent has ended; the run itself obeys."""
    tune(SMALL)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    shell = f"['sh', '-c', f'{{sys.executable}} -c \"{deaf}\" >/dev/null 2>&1 & echo $!'], stdout=subprocess.PIPE)"
    code = TUNE.replace("[sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)", shell)
    code = code.replace("str(child.pid)", "child.communicate()[0].decode()").replace("child.wait()", "time.sleep(600)")
    process = begun(code)
    time.sleep(0.5)
    process.kill()
    process.communicate()
    assert ended(int(Path("pid").read_text(encoding="utf-8")))


def _without_the_powers_of_root() -> None:
    """After the next `exec`, folders that are read-only are so for root, too."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE


def test_folders_that_cannot_be_written(tune: WriteTune) -> None:
    """First that of results, then that of child configs."""
    tune(SMALL)
    FOLDER.mkdir(parents=True)
    Path("script.py").write_text(TUNE, encoding="utf-8")
    for folder, said in (
        (
            FOLDER,
            "cannot write into the result folder experiment/tune/grid: experiment/tune/grid/runner.lock: Permission",
        ),
        (Path("configs/tune/grid"), "children='result' writes them into the result folder"),
    ):
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "script.py"], capture_output=True, text=True, timeout=60, check=False,
            preexec_fn=_without_the_powers_of_root,
        )  # fmt: skip
        folder.chmod(0o755)
        assert said in done.stderr
        assert done.returncode == 1
    assert states() == []


def test_a_disk_that_is_full(tune: WriteTune, project: Path) -> None:
    """Children, output, ledger and tables: what could not be written is failed or done again; nothing is made up."""
    tune(SMALL)
    FOLDER.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", os.fspath(FOLDER)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        full = TUNE.replace(
            "    return {'x'",
            "    if cfg.a == 1: open('experiment/tune/grid/fill', 'wb').write(bytes(10**6))\n    return {'x'",
        ).replace("pool_size=1", "pool_size=1, children='result'")
        done = run(full)
        assert "No space left on device" in done.stdout, done.stderr
        assert "a=1: OSError" in done.stdout
        Path(FOLDER, "fill").unlink()
        done = run(full.replace("if cfg.a == 1", "if False"))
        assert done.returncode == 0, done.stderr
        with Ledger(FOLDER) as ledger:
            assert {one.point for one in ledger.attempts() if one.state == "done"} == {"a=0", "a=1", "a=2"}
    finally:
        subprocess.run(["umount", "-l", os.fspath(FOLDER)], check=True)


PICKLES = """
import multiprocessing, pickle
from typedcat import Cfg2TuneRunner

class Net: pass

def double(x): return 2 * x

if __name__ == '__main__':
    runner = Cfg2TuneRunner('configs/tune/grid/cfg.py', pool_size=1, plots=False)

    @runner.register_work_fn
    def work(i, cfg, pkl, folder, env):
        pickle.dump(Net(), open(folder + '/net.pkl', 'wb'))
        with multiprocessing.get_context('fork').Pool(1) as pool:
            return {'x': pool.map(double, [cfg.a])[0]}

    runner.register_gather_metric_fn(lambda cfg, folder, result, comb: result)
    assert runner.tuning()['x'].tolist() == [0, 2, 4]
    assert type(pickle.load(open('experiment/tune/grid/a=1/net.pkl', 'rb'))) is Net
"""


def test_runs_pickle_what_the_script_defines(tune: WriteTune) -> None:
    tune(SMALL)
    done = run(PICKLES)
    assert done.returncode == 0, done.stderr + done.stdout
