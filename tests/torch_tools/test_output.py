"""Copying output: what a process and its children write is on the screen and in the log, whatever ends them."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import threading
import time
from pathlib import Path

import pytest

from tests.torch_tools.conftest import CAPTURE, Project, all_ended, copiers_of, parent_of

EVERYTHING = (
    CAPTURE
    + """
import ctypes, multiprocessing
capture = Capture(log)
print("1 print")
os.write(1, b"2 descriptor\\n")
print("3 stderr", file=sys.stderr)
subprocess.run("echo 4 program; echo 5 its stderr >&2", shell=True)
ctypes.CDLL(None).puts(b"6 C")
ctypes.CDLL(None).fflush(None)
for method in ("fork", "spawn"):
    process = multiprocessing.get_context(method).Process(target=print, args=("7 " + method,))
    process.start()
    process.join()
"""
)
LINES = "1 print\n2 descriptor\n3 stderr\n4 program\n5 its stderr\n6 C\n7 fork\n7 spawn\n"


class TestWhatIsCopied:
    @pytest.mark.slow
    def test_everything_in_order(self, project: Project) -> None:
        code = "if __name__ == '__main__':\n    " + EVERYTHING.replace("\n", "\n    ")  # spawn imports the script
        assert project.run(code) == LINES
        assert project.log() == LINES

    def test_two_streams_that_lead_to_two_places(self, project: Project) -> None:
        process = project.start(
            CAPTURE + "Capture(log)\nprint('out')\nprint('err', file=sys.stderr)\n1 / 0", stderr=subprocess.PIPE
        )
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert out == "out\n"
        assert err.startswith("err\nTraceback") and err.endswith("ZeroDivisionError: division by zero\n")
        assert sorted(project.log()) == sorted(out + err)
        assert "ZeroDivisionError: division by zero" in project.log()

    def test_until_it_is_closed(self, project: Project) -> None:
        code = """
print("before")
capture = Capture(log)
print("in the log")
__import__("ctypes").CDLL(None).printf(b"in the log, too\\n")
capture.close()
capture.close()
print("after", flush=True)
os.write(2, b"after as well\\n")
"""
        assert project.run(CAPTURE + code) == "before\nin the log\nin the log, too\nafter\nafter as well\n"
        assert project.log() == "in the log\nin the log, too\n"
        assert all_ended(project.root)

    @pytest.mark.slow
    def test_one_within_another(self, project: Project) -> None:
        code = """
inner = Path("inner.txt")
inner.touch()
outer = Capture(log)
print("outer")
with_inner = Capture(inner)
print("both")
CLOSE
print("rest")
"""
        for close in ("with_inner.close()", "outer.close()", "with_inner.close(); outer.close()"):
            (project.root / "the.log").unlink(missing_ok=True)
            assert project.run(CAPTURE + code.replace("CLOSE", close)) == "outer\nboth\nrest\n"
            assert project.log().startswith("outer\nboth\n")
            assert (project.root / "inner.txt").read_text().startswith("both\n")

    def test_one_that_was_left_behind(self, project: Project) -> None:
        code = """
kept = os.dup(1), os.dup(2)
for i in range(5):
    Capture(log)
    print("run", i)
    os.dup2(kept[0], 1)
    os.dup2(kept[1], 2)
from tests.torch_tools.conftest import copiers_of
for _ in range(200):
    if len(copiers_of(Path.cwd())) == 2: break  # of the last one
    time.sleep(0.05)
print(len(copiers_of(Path.cwd())))
"""
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        assert project.run(CAPTURE + code, env=environment).endswith("2\n")
        assert project.log() == "".join(f"run {i}\n" for i in range(5))

    def test_one_that_is_closed_writes_into_no_other_file(self, project: Project) -> None:
        code = """
capture = Capture(log)
capture.close()
files = [open(f"checkpoint{i}", "wb") for i in range(20)]
capture.sync()
assert all(file.tell() == 0 and not os.path.getsize(file.name) for file in files)
"""
        assert project.run(CAPTURE + code) == ""

    def test_bytes_that_are_no_text(self, project: Project) -> None:
        data = bytes(byte for byte in range(256) if byte not in b"\r\x1b")
        code = f"Capture(log)\nfor _ in range(999): os.write(1, {data!r})\nos.write(1, b'\\0typed')"
        command = [sys.executable, str(project.script(CAPTURE + code))]
        assert subprocess.run(command, capture_output=True, check=True).stdout == data * 999 + b"\0typed"
        assert all_ended(project.root)
        assert (project.root / "the.log").read_bytes() == data * 999 + b"\0typed"

    def test_closed_standard_streams(self, project: Project) -> None:
        project.script(CAPTURE + "Capture(log)\nos.write(1, b'one\\n')\nos.write(2, b'two\\n')")
        subprocess.run([f"{sys.executable} train.py <&- >&- 2>&-"], shell=True, check=True, cwd=project.root)
        assert project.log("two") == "one\ntwo\n"

    @pytest.mark.parametrize("closed", [">&- 2>&-", ">&- 2>/dev/null", "2>&- >/dev/null"])
    def test_what_is_printed_when_standard_streams_are_closed(self, project: Project, closed: str) -> None:
        code = """
        before = sys.stdout, sys.stderr
        with contextlib.closing(Capture(log)):
            print('γ'); print('an error', file=sys.stderr)
        assert (sys.stdout, sys.stderr) == before and None in before
        Capture(log)
        print('again')
        raise KeyError('the end')
        """
        project.script("import contextlib\n" + CAPTURE + textwrap.dedent(code))
        done = subprocess.run([f"{sys.executable} train.py {closed}"], shell=True, check=False, cwd=project.root)
        assert done.returncode == 1
        text = project.log("the end")
        assert text.startswith("γ\nan error\nagain\nTraceback") and text.endswith("KeyError: 'the end'\n")


class TestEnds:
    """Nothing of what was written is lost, however a process ends."""

    @pytest.mark.parametrize(
        ("end", "code"),
        [
            ("sys.exit(3)", 3),
            ("os._exit(4)", 4),
            ("os.abort()", -signal.SIGABRT),
            ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
            ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
            ("raise KeyboardInterrupt", -signal.SIGINT),
            ("os.closerange(3, 100); os._exit(0)", 0),
            ("os.execvp('true', ['true'])", 0),
        ],
    )
    def test_much_output_and_a_sudden_end(self, project: Project, end: str, code: int) -> None:
        lines = "".join(f"line {i}\n" for i in range(30_000))
        output = project.run(CAPTURE + f"Capture(log)\nfor i in range(30_000): print('line', i)\n{end}", code)
        assert output.startswith(lines)
        assert project.log("line 29999\n").startswith(lines)
        assert all_ended(project.root)

    @pytest.mark.slow
    def test_the_log_is_complete_when_the_process_has_ended(self, project: Project) -> None:
        for _ in range(5):
            (project.root / "the.log").unlink(missing_ok=True)
            project.run(CAPTURE + "c = Capture(log)\nimport atexit\natexit.register(c.sync)\nprint('x' * 5_000_000)")
            assert (project.root / "the.log").stat().st_size == 5_000_001

    def test_ctrl_c_in_the_terminal_does_not_end_the_copying(self, project: Project) -> None:
        code = """Capture(log)
print("ready", flush=True)
try: time.sleep(60)
finally:
    for i in range(1000): print("cleaning up", i)
"""
        process = project.start(CAPTURE + code, start_new_session=True)
        project.log("ready")
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert "cleaning up 999" in output and "KeyboardInterrupt" in output
        assert "cleaning up 999" in project.log("KeyboardInterrupt")

    def test_signals_of_a_scheduler_go_to_all_processes(self, project: Project) -> None:
        process = project.start(CAPTURE + "Capture(log)\nprint('ready', flush=True)\nprint(sys.stdin.read())", stdin=-1)
        project.log("ready")
        for pid in copiers_of(project.root):
            for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP):
                os.kill(pid, number)
        assert process.communicate("later", timeout=60)[0] == "ready\nlater\n"
        assert project.log() == "ready\nlater\n"

    def test_a_copying_process_that_is_killed_is_replaced(self, project: Project) -> None:
        process = project.start(CAPTURE + "Capture(log)\nprint('ready', flush=True)\nprint(sys.stdin.read())", stdin=-1)
        project.log("ready")
        both = copiers_of(project.root)
        (copier,) = (pid for pid in both if parent_of(pid) in both)
        os.kill(copier, signal.SIGKILL)
        assert process.communicate("later", timeout=60)[0] == "ready\nlater\n"
        assert project.log("later") == "ready\nlater\n"

    def test_a_program_that_stays_in_the_background(self, project: Project) -> None:
        code = """c = Capture(log)
print("start")
subprocess.Popen("while [ ! -e go ]; do sleep 0.05; done; echo late", shell=True)
c.sync()
"""
        project.script(CAPTURE + code)
        with open(project.root / "screen", "w") as screen:
            subprocess.run([sys.executable, "train.py"], cwd=project.root, check=True, stdout=screen)
        assert project.log() == "start\n"
        (project.root / "go").touch()
        assert project.log("late") == "start\nlate\n"
        assert all_ended(project.root)

    def test_it_is_nobodys_child(self, project: Project) -> None:
        code = "Capture(log)\ntry: os.wait()\nexcept ChildProcessError: print('no child')"
        assert project.run(CAPTURE + code) == "no child\n"

    def test_forked_children_that_leave_in_their_own_ways(self, project: Project) -> None:
        code = """
capture = Capture(log)
for leave in (lambda: os._exit(0), sys.exit, capture.close, capture.sync):
    if not os.fork():
        print("child")
        leave()
        sys.exit()
    os.wait()
print("parent")
"""
        assert project.run(CAPTURE + code) == "child\n" * 4 + "parent\n"
        assert project.log() == "child\n" * 4 + "parent\n"


class TestScreens:
    @pytest.mark.slow
    def test_a_slow_reader(self, project: Project) -> None:
        process = project.start(CAPTURE + "Capture(log)\nprint('x' * 3_000_000)")
        got = 0
        with process:
            assert process.stdout is not None
            time.sleep(1)
            while data := process.stdout.read(500_000):
                got += len(data)
                time.sleep(0.05)
        assert (got, process.returncode) == (3_000_001, 0)
        assert len(project.log("x\n")) == 3_000_001

    def test_a_screen_that_goes_away(self, project: Project) -> None:
        project.script(CAPTURE + "Capture(log)\nfor i in range(10_000): print('line', i)\nPath('done').touch()")
        subprocess.run([f"{sys.executable} train.py | head -n 1"], shell=True, check=True, cwd=project.root)
        assert project.log("line 9999\n").count("\n") == 10_000
        assert (project.root / "done").exists()

    def test_a_screen_that_does_not_block(self, project: Project) -> None:
        process = project.start(CAPTURE + "Capture(log)\nos.set_blocking(3, False)\nprint('x' * 1_000_000)")
        time.sleep(0.5)
        assert len(process.communicate(timeout=60)[0]) == 1_000_001

    def test_silent(self, project: Project) -> None:
        code = (
            "Capture(log, silent=True, name='rank 1 of 2')\nprint('hidden')\nsubprocess.run(['echo', 'hidden too'])\n"
        )
        assert project.run(CAPTURE + code) == ""
        assert project.log() == "hidden\nhidden too\n"
        (project.root / "the.log").unlink()
        output = project.run(CAPTURE + code + "1 / 0", 1)
        assert output.startswith("rank 1 of 2 has failed (all of its output: the.log)\nTraceback")
        assert output.endswith("ZeroDivisionError: division by zero\n")
        assert "hidden" not in output and "ZeroDivisionError" in project.log("Traceback")

    def test_silent_without_a_log(self, project: Project) -> None:
        code = "capture = Capture(None, silent=True)\nprint('hidden')\ncapture.close()\nprint('shown')"
        assert project.run(CAPTURE + code) == "shown\n"


class TestLogs:
    def test_a_full_disk(self, project: Project) -> None:
        code = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
capture = Capture(log)
for i in range(10_000): print("line", i)
Path("done").touch()
"""
        output = project.run(CAPTURE + code)
        shown = output.replace(
            "\ntypedcat: the log cannot be written: File too large; the output goes on without it\n", ""
        )
        assert len(output) > len(shown)
        assert shown == "".join(f"line {i}\n" for i in range(10_000))
        assert len(project.log()) == 50_000
        assert (project.root / "done").exists()

    def test_a_disk_that_is_full_for_a_while(self, project: Project) -> None:
        from typedcat.torch_tools.copier import Log

        problems: list[str] = []
        read, write = os.pipe()
        os.set_blocking(write, False)
        log = Log(write, problems.append)
        while not problems:
            log.write(b"x" * 10_000)
        for _ in range(3):
            log.write(b"lost")
        before = os.read(read, 1 << 20)
        log.write(b"back")
        assert os.read(read, 1 << 20) == b"\n[typedcat: %d bytes are missing here]\nback" % (
            10_000 - len(before) % 10_000 + 12 if len(before) % 10_000 else 10_012
        )
        assert len(problems) == 1
        os.close(read)
        os.close(write)


class Terminal:
    """A terminal, what a script has drawn on it, and its keyboard."""

    def __init__(self, project: Project, code: str, columns: int = 100) -> None:
        self.keys, screen = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen(
            [sys.executable, str(project.script(code))], cwd=project.root, stdin=screen, stdout=screen, stderr=screen
        )
        os.close(screen)
        self.shown = b""
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self.keys, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def _read(self) -> None:
        try:
            while data := os.read(self.keys, 65536):
                self.shown += data
        except OSError:  # nobody has it open any more
            pass

    def end(self) -> bytes:
        assert self.process.wait(60) == 0, self.shown
        self._thread.join()
        os.close(self.keys)
        return self.shown


class TestTerminals:
    def test_it_stays_a_terminal(self, project: Project) -> None:
        code = """
Capture(log)
print(sys.stdout.isatty(), sys.stderr.isatty(), os.get_terminal_size(1).columns)
print("\\x1b[32mgreen\\x1b[0m")
for i in range(1, 11):
    print(f"\\r{i} of 10", end="", flush=True, file=sys.stderr)
print(file=sys.stderr)
Path("first").touch()
while not Path("second").exists(): time.sleep(0.05)
print("resized")
time.sleep(0.3)
print(os.get_terminal_size(1).columns)
print(input("name? "))
"""
        terminal = Terminal(project, CAPTURE + code)
        while not (project.root / "first").exists():
            time.sleep(0.05)
        terminal.resize(77)
        (project.root / "second").touch()
        while b"name? " not in terminal.shown:
            time.sleep(0.05)
        os.write(terminal.keys, b"cat\n")
        shown = terminal.end()
        assert b"\x1b[32mgreen\x1b[0m\r\n" in shown
        assert b"\r9 of 10\r10 of 10\r\n" in shown
        text = project.log("name?")
        assert text.startswith("True True 100\ngreen\n10 of 10\nresized\n77\nname? ")
        assert text.endswith("cat\n")

    def test_a_sudden_end(self, project: Project) -> None:
        code = "Capture(log)\nfor i in range(20_000): print('line', i)\nos._exit(0)"
        shown = Terminal(project, CAPTURE + code).end()
        assert shown == b"".join(b"line %d\r\n" % i for i in range(20_000))
        assert project.log("line 19999\n") == "".join(f"line {i}\n" for i in range(20_000))

    def test_a_terminal_that_is_closed(self, project: Project) -> None:
        code = """Capture(log)
print("ready", flush=True)
while not Path("closed").exists(): time.sleep(0.05)
for i in range(10_000): print("line", i)
Path("done").touch()
"""
        keys, screen = pty.openpty()
        command = [sys.executable, str(project.script(CAPTURE + code))]
        process = subprocess.Popen(command, cwd=project.root, stdin=screen, stdout=screen, stderr=screen)
        os.close(screen)
        project.log("ready")
        os.close(keys)
        (project.root / "closed").touch()
        assert process.wait(60) == 0
        assert project.log("line 9999\n").count("\n") == 10_001


def test_a_stream_that_leads_to_no_descriptor(project: Project) -> None:
    code = """
import io
sys.stdout = notebook = io.StringIO()
capture = Capture(log)
print("cell")
sys.stdout.writelines(["a\\n", "b\\n"])
capture.close()
assert sys.stdout is notebook
print("after")
assert notebook.getvalue() == "cell\\na\\nb\\nafter\\n"
"""
    assert project.run(CAPTURE + code) == ""
    assert project.log() == "cell\na\nb\n"


def test_a_stream_that_somebody_has_kept_writes_into_no_other_file(project: Project) -> None:
    code = """
import io, logging
sys.stderr = notebook = io.StringIO()
capture = Capture(log)
logging.basicConfig(format="%(message)s")
logging.warning("first")
capture.close()
files = [open(f"checkpoint{i}", "wb") for i in range(20)]
logging.warning("second")
assert notebook.getvalue() == "first\\nsecond\\n"
assert all(file.tell() == 0 and not os.path.getsize(file.name) for file in files)
"""
    assert project.run(CAPTURE + code) == ""
    assert project.log() == "first\n"


def test_logs_of_one_second(tmp_path: Path) -> None:
    from typedcat.errors import EnvError
    from typedcat.torch_tools.output import new_log

    names = [new_log(tmp_path / "new", rank).name for rank in (0, 0, 0, 0, 1, 1)]
    assert len(set(names)) == 6
    assert sum(name.endswith(".rank1.log") for name in names) == 2
    (tmp_path / "file").touch()
    with pytest.raises(EnvError, match=r"no log can be written into .*file"):
        new_log(tmp_path / "file")
