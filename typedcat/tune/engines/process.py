"""A worker process as the runner sees it, and the run that it does: its deadline, its end, and why it came."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from typing import Literal

from .channel import Channel
from .groups import signal_groups
from .protocol import OUTPUT, Outcome, Task, exit_text, reason, tail_of
from .worker import Answer

_START = (
    "import sys; sys.path[:] = sys.argv[3:]; from typedcat.tune.engines.worker import main; "
    "main(int(sys.argv[1]), int(sys.argv[2]))"
)
_DYING_S = 0.5  # between the end of a process's socket and its own
_REAP_S = 5.0  # how long a killed process is waited for
_UNKILLABLE_S = 30.0  # after which a killed process is given up: it hangs in the kernel, in a driver or a network disk


class Process:
    """See the module.

    Args:
        orders: a file with its orders.
        keep: descriptors that it keeps open.
        environment: what it gets on top of the environment of this process.

    Attributes:
        is_clean: whether the last run has left it as it was.
        is_special: whether it has an environment of its own, which is meant for one run.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, orders: int, keep: tuple[int, ...], environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-c", _START, str(theirs.fileno()), str(orders)]
            try:
                self._popen = subprocess.Popen(
                    [*command, *map(os.fspath, sys.path)],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                    pass_fds=(theirs.fileno(), orders, *keep),
                    env={**os.environ, **environment},
                )
            except BaseException:
                ours.close()
                raise
        self.channel = Channel(ours)
        self.pid = self._popen.pid
        self.is_clean = True
        self.is_special = bool(environment)
        self._runs = 0
        self._has_read = True
        self.task: Task | None = None
        self._answer: bytes | None = None
        self._gone = False
        self._began = 0.0
        self._timeout_s: float | None = None
        self._asked: float | None = None
        self._killed: float | None = None
        self._late = False

    # -- a run

    def start(self, task: Task, timeout_s: float | None) -> bool:
        """Give it a run; returns whether it has taken it."""
        self.task, self._began, self._timeout_s = task, time.monotonic(), timeout_s
        self._answer, self._gone, self._has_read = None, False, True
        self._runs += 1
        try:
            self.channel.send(pickle.dumps(replace(task, fds=())))
        except OSError:
            return False
        return True

    def has_ended(self) -> bool:
        """Whether the run has: there is an answer, or there will be none."""
        if self._answer is not None or self._gone:
            return True
        dead = self._exit_code() is not None  # before the socket is read: what a dead one has sent is all there
        try:
            self._answer = self.channel.poll()
            self._gone = self._answer is None and dead
        except (EOFError, OSError) as error:
            self._gone = True
            self._has_read = not isinstance(error, ConnectionResetError)  # that is the end of one with unread data
        if self._killed is not None and time.monotonic() > self._killed + _UNKILLABLE_S:
            self._gone = True
        return self._answer is not None or self._gone

    def enforce(self, grace_s: float) -> None:
        """Ask a run to end whose time is up, and kill one that does not."""
        now = time.monotonic()
        if self._timeout_s is not None and now > self._began + self._timeout_s and self._asked is None:
            self._late = True
            self.mark("ask")
            signal_groups((self.pid,), signal.SIGTERM)
        if self._asked is not None and now > self._asked + grace_s and self._killed is None:
            self.mark("kill")
            signal_groups((self.pid,), signal.SIGKILL)

    def mark(self, how: Literal["ask", "kill"]) -> None:
        """Remember that the run was told to end."""
        now = time.monotonic()
        self._asked = now if self._asked is None else self._asked
        if how == "kill" and self._killed is None:
            self._killed = now

    def not_begun(self) -> Task | None:
        """The run, if the process has died while it was idle, just as it got it: that is no fault of the run."""
        is_idle = self._runs > 1 and self._gone and not self._has_read and self._asked is None
        return self.task if is_idle else None

    def outcome(self) -> Outcome:
        """What has become of the run."""
        assert self.task is not None, "only processes that were given a run are asked"
        index, folder, self.task = self.task.index, self.task.rslt_dir, None
        outcome = self._outcome(index)
        self._answer = None
        if self._asked is not None:
            self.is_clean = False
            why = f"it took longer than {self._timeout_s:g} s" if self._late else "it was asked to end"
            if self._gone and self._exit_code() is None:
                why += ", and does not end even when it is killed"
            outcome = replace(outcome, result=None, error=why, stopped=not self._late)
        if outcome.error:
            file = os.path.join(folder, OUTPUT)
            output = tail_of(file)
            if outcome.exit_code is not None and not os.path.exists(file):
                output = f"\nit has no {OUTPUT}: if its process could not start, standard error says why"
            told = "\n" in outcome.error  # lines of the output already
            return replace(outcome, result=None, error=outcome.error + ("" if told else output))
        return _with_result(outcome)

    def _outcome(self, index: int) -> Outcome:
        if self._answer is not None:
            try:
                answer: Answer = pickle.loads(self._answer)
            except Exception as error:  # noqa: BLE001 - something else has written into the socket
                self.is_clean = False
                return Outcome(index, None, f"what it has answered cannot be read: {reason(error)}", self._seconds())
            self.is_clean = answer.clean
            return replace(answer.outcome, index=index)
        self.is_clean = False
        code = self._code()
        if code is None:
            why = "it has closed the connection to its runner"
        else:
            why = f"its process ended with {exit_text(code)}"
        return Outcome(index, None, why, self._seconds(), code)

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    # -- the process

    def _code(self) -> int | None:
        """The exit code of a process whose socket was closed; None if it lives."""
        deadline = time.monotonic() + _DYING_S
        while (code := self._exit_code()) is None and time.monotonic() < deadline:
            time.sleep(0.005)
        return code

    def _exit_code(self) -> int | None:
        """The exit code if it has ended; nobody is told, so that its number stays taken until its group is killed."""
        try:
            found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:  # the user's code waits for all children, or ignores SIGCHLD
            return 255
        if found is None:
            return None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def end(self) -> None:
        """End the process, with what its runs have left behind."""
        signal_groups((self.pid,), signal.SIGKILL)
        self.leave(_REAP_S)  # its GPUs are not free before it has ended

    def leave(self, timeout_s: float) -> None:
        """Close the connection to a process that was killed, and wait for its end, but not for ever."""
        self.channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout_s)


def _with_result(outcome: Outcome) -> Outcome:
    if outcome.result is None:
        return outcome
    try:
        return replace(outcome, result=pickle.loads(outcome.result))
    except BaseException as error:  # noqa: BLE001 - what was pickled there need not load here, and may even exit
        return replace(outcome, result=None, error=f"what it returned cannot be read here: {reason(error)}")
