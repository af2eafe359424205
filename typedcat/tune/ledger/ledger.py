"""The ledger of a sweep: an SQLite file in its result folder with a row for each attempt at a run.

One process writes, the runner that holds the lock of the folder; any number may read. A rollback journal, not a
write-ahead log: readers may sit on another machine, and a log needs memory that all of them share.

Folders in it are relative to its own, so that a result folder can be moved.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from ...errors import LedgerError
from ...tree.pickling import dumps
from .lock import can_lock

LEDGER = "ledger.sqlite"
VERSION = 1
_READ_TRIES = 5
_BUSY_S = 30.0  # how long a reader may keep the writer waiting
AttemptState: TypeAlias = Literal["running", "done", "failed", "stopped"]

_SCHEMA = """
CREATE TABLE sweeps(
    id INTEGER PRIMARY KEY, started REAL NOT NULL, about TEXT NOT NULL
);
CREATE TABLE attempts(
    id INTEGER PRIMARY KEY, sweep INTEGER NOT NULL REFERENCES sweeps,
    point TEXT NOT NULL, digest TEXT NOT NULL, code TEXT NOT NULL, state TEXT NOT NULL,
    started REAL NOT NULL, seconds REAL, host TEXT NOT NULL, gpus TEXT NOT NULL, rslt_dir TEXT NOT NULL,
    exit_code INTEGER, error TEXT NOT NULL DEFAULT '', metrics TEXT NOT NULL DEFAULT '{}', pickled BLOB
);
CREATE INDEX attempts_of_point ON attempts(point);
CREATE TABLE points(
    number INTEGER PRIMARY KEY, point TEXT NOT NULL, labels TEXT NOT NULL, seed TEXT, digest TEXT NOT NULL,
    rslt_dir TEXT NOT NULL
);
"""

_COLUMNS = (
    "id", "sweep", "point", "digest", "code", "state", "started", "host", "rslt_dir", "gpus", "seconds", "exit_code",
    "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """One row: a run that was started.

    Attributes:
        id: counts up.
        sweep: the call of `tuning` that started it.
        point: the folder of the run, relative to that of the sweep.
        digest: of the config.
        code: the hash of the user's code.
        state: 'stopped' if it was asked to end, or its runner was killed.
        started: in seconds since 1970.
        seconds: how long it took; None while it runs.
        host: the machine.
        gpus: names of the GPUs that were lent to it.
        rslt_dir: its result folder.
        exit_code: of its process, where that died.
        error: why it has no metrics.
        metrics: what the gather function returned.
    """

    id: int
    sweep: int
    point: str
    digest: str
    code: str
    state: AttemptState
    started: float
    host: str
    rslt_dir: str
    gpus: tuple[str, ...] = ()
    seconds: float | None = None
    exit_code: int | None = None
    error: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)


class PlannedPoint(NamedTuple):
    """A point of the grid of the last call of `tuning`; see `Result`."""

    point: str
    labels: tuple[Any, ...]
    seed: int | None
    digest: str
    rslt_dir: str


class Ledger:
    """The ledger in a folder.

    Args:
        folder: the result folder of a sweep.
        write: whether to write; the file is made if it is not there.

    Raises:
        LedgerError: it cannot be read or made.
    """

    def __init__(self, folder: str | os.PathLike[str], *, write: bool = False) -> None:
        import sqlite3

        self.folder = os.fspath(folder)
        self.path = os.path.join(folder, LEDGER)
        self.trouble = ""
        self._pending: list[tuple[str, tuple[Any, ...]]] = []
        self._errors = sqlite3.Error
        # a writer that was killed may have left a journal, which a reader cannot undo; one that lives soon will
        modes = ["rwc"] if write else [*["ro"] * _READ_TRIES, "rw"]
        for mode in modes:
            try:
                self._open(mode, write)
                break
            except sqlite3.Error as error:
                if mode == modes[-1] or "readonly" not in str(error):
                    raise _refusal(self.path, str(error)) from error
                time.sleep(0.1)
        self._next = 1 if self._empty else 1 + (self._one("SELECT max(id) FROM attempts") or 0)
        self._file = self._identity()

    def _open(self, mode: str, write: bool) -> None:
        import sqlite3

        self._at = os.path.abspath(self.path)  # the working directory may change
        locks = "" if can_lock(self.folder) else "&nolock=1"  # the runner has locked the folder
        uri = f"file:{_quoted(self._at)}?mode={mode}{locks}"
        # the thread that makes it is not always the one that closes it
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(write)
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _prepare(self, write: bool) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise LedgerError(self.path, "it was written by a newer typedcat", "use that one, or another result folder")
        self._empty = version == 0 and not write  # its sweep was killed before it started
        if not write:
            return
        # what was committed survives if the machine dies; the file is never left half written
        self._connection.execute("PRAGMA journal_mode=TRUNCATE")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if version == 0:
            self._connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={VERSION};COMMIT;")

    def _one(self, query: str) -> Any:
        return self._all(query)[0][0]

    # -- writing

    def begin_sweep(self, about: Mapping[str, Any], points: Iterable[PlannedPoint] = ()) -> int:
        """A new call of `tuning`. What an older one left running has been stopped, since the folder is ours.

        Args:
            about: what there is to know about it, as JSON can hold it.
            points: those of its grid.

        Returns:
            Its number.

        Raises:
            LedgerError: it cannot be read or written.
        """
        number = 1 + (self._one("SELECT max(id) FROM sweeps") or 0)
        self._add("INSERT INTO sweeps VALUES(?, ?, ?)", number, time.time(), json.dumps(about))
        gone = "its runner was killed"
        self._add("UPDATE attempts SET state='stopped', error=? WHERE state='running'", gone)
        self._add("DELETE FROM points")
        for i, one in enumerate(points):
            labels = json.dumps(one.labels, default=str)
            seed = None if one.seed is None else str(one.seed)  # SQLite's numbers end at 64 bits
            folder = self._relative(one.rslt_dir)
            self._add("INSERT INTO points VALUES(?, ?, ?, ?, ?, ?)", i, one.point, labels, seed, one.digest, folder)
        if not self.commit():
            raise LedgerError(self.path, f"cannot be written: {self.trouble}", "nothing was started")
        return number

    def end_sweep(self, number: int, about: Mapping[str, Any]) -> None:
        """A call of `tuning` has done what it was to do.

        Args:
            number: of `begin_sweep`.
            about: what there is to know about it now.
        """
        self._add("UPDATE sweeps SET about=? WHERE id=?", json.dumps(about), number)

    def move(self, old: str, new: str) -> None:
        """A result folder gets another name: what is known of the runs in it points there."""
        at, to = self._relative(old), self._relative(new)
        self._add("UPDATE attempts SET rslt_dir=? WHERE rslt_dir=?", to, at)
        self._add(
            "UPDATE attempts SET rslt_dir=? || substr(rslt_dir, ?) WHERE substr(rslt_dir, 1, ?)=?",
            f"{to}/", len(at) + 2, len(at) + 1, f"{at}/",
        )  # fmt: skip

    def start(self, attempt: Attempt) -> None:
        """A run has been started."""
        self._add(
            "INSERT INTO attempts(id, sweep, point, digest, code, state, started, host, gpus, rslt_dir)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            attempt.id, attempt.sweep, attempt.point, attempt.digest, attempt.code, attempt.state, attempt.started,
            attempt.host, json.dumps(attempt.gpus), self._relative(attempt.rslt_dir),
        )  # fmt: skip

    def next_id(self) -> int:
        """The id of a new attempt."""
        self._next += 1
        return self._next - 1

    def end(
        self,
        id: int,
        state: AttemptState,
        seconds: float,
        *,
        exit_code: int | None = None,
        error: str = "",
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        """A run has ended."""
        text, data = _packed(metrics or {})
        self._add(
            "UPDATE attempts SET state=?, seconds=?, exit_code=?, error=?, metrics=?, pickled=? WHERE id=?",
            state, seconds, exit_code, error, text, data, id,
        )  # fmt: skip

    def gathered(self, id: int, metrics: Mapping[str, Any]) -> None:
        """The metrics of a run that has ended were gathered once more."""
        text, data = _packed(metrics)
        self._add("UPDATE attempts SET state='done', error='', metrics=?, pickled=? WHERE id=?", text, data, id)

    def _add(self, statement: str, *values: Any) -> None:
        self._pending.append((statement, tuple(map(_storable, values))))

    @property
    def has_news(self) -> bool:
        """Whether something was added that is not written yet."""
        return bool(self._pending)

    def commit(self) -> bool:
        """Write what has been added; returns whether that worked.

        A full disk and the like are no end: it is kept, and tried again with the next commit. `trouble` says why.
        """
        if not self._pending:
            return not self.trouble
        try:
            if self._identity() != self._file:
                self._put_back()
            self._connection.execute("BEGIN IMMEDIATE")
            for statement, values in self._pending:
                self._connection.execute(statement, values)
            self._connection.execute("COMMIT")
        except (OSError, self._errors) as error:
            with contextlib.suppress(self._errors):
                self._connection.execute("ROLLBACK")
            self.trouble = getattr(error, "strerror", None) or str(error)
            return False
        self._pending.clear()
        self.trouble = ""
        return True

    def _identity(self) -> tuple[int, int] | None:
        """Which file is there under the name of the ledger."""
        try:
            found = os.stat(self._at)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _put_back(self) -> None:
        """Write the ledger again, whose file somebody has removed while it is in use: what was in it is still known."""
        import sqlite3

        scratch = f"{self._at}.new"
        os.makedirs(os.path.dirname(self._at), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(scratch)
        with contextlib.closing(sqlite3.connect(scratch)) as copy:
            self._connection.backup(copy)
        with contextlib.suppress(FileNotFoundError):
            os.replace(self._at, f"{self._at}.other")  # somebody has put another file there
        os.replace(scratch, self._at)
        self._connection.close()
        self._open("rw", write=True)
        self._file = self._identity()

    def close(self) -> None:
        """Write what is left and close the file.

        Raises:
            LedgerError: it cannot be written.
        """
        written = self.commit()
        with contextlib.suppress(self._errors):
            self._connection.close()
        if not written:
            raise LedgerError(
                self.path, f"cannot be written: {self.trouble}", "what is missing in it will be run again"
            )

    # -- reading

    def attempts(self) -> list[Attempt]:
        """All attempts, the oldest first.

        Raises:
            LedgerError: it cannot be read.
        """
        return list(self._attempts(f"SELECT {', '.join(_COLUMNS)}, metrics, pickled FROM attempts ORDER BY id"))

    def sweeps(self) -> list[tuple[int, float, dict[str, Any]]]:
        """(number, seconds since 1970, what is known about it) of each call of `tuning`.

        Raises:
            LedgerError: it cannot be read.
        """
        rows = self._all("SELECT id, started, about FROM sweeps ORDER BY id")
        return [(number, started, json.loads(about)) for number, started, about in rows]

    def points(self) -> list[PlannedPoint]:
        """The points of the grid of the last call of `tuning`, in its order.

        Raises:
            LedgerError: it cannot be read.
        """
        rows = self._all("SELECT point, labels, seed, digest, rslt_dir FROM points ORDER BY number")
        return [
            PlannedPoint(
                point, tuple(json.loads(labels)), None if seed is None else int(seed), digest, self._absolute(folder)
            )
            for point, labels, seed, digest, folder in rows
        ]

    def _attempts(self, query: str) -> Iterator[Attempt]:
        for *values, text, data in self._all(query):
            columns = dict(zip(_COLUMNS, values, strict=True))
            gpus = tuple(json.loads(columns.pop("gpus")))
            folder = self._absolute(columns.pop("rslt_dir"))
            yield Attempt(**columns, gpus=gpus, rslt_dir=folder, metrics=_unpacked(text, data))

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        if self._empty:
            return []
        try:
            return self._connection.execute(query).fetchall()
        except self._errors as error:
            raise _refusal(self.path, str(error)) from error

    # -- folders

    def _relative(self, folder: str) -> str:
        return folder.removeprefix(f"{self.folder}{os.sep}")

    def _absolute(self, folder: str) -> str:
        """As the user named the result folder: relative to the working directory, perhaps."""
        return os.path.join(self.folder, folder)


def _storable(value: Any) -> Any:
    """Half characters, which names of files and messages may have, are no text to SQLite."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def unfinished(sweeps: Sequence[tuple[int, float, Mapping[str, Any]]], rerun: str) -> list[int]:
    """The last sweeps that were told the same `rerun`, up to one that came to its end.

    Args:
        sweeps: see `Ledger.sweeps`.
        rerun: see `Cfg2TuneRunner.tuning`.
    """
    numbers: list[int] = []
    for number, _, about in reversed(sweeps):
        if about.get("rerun", "") != rerun or about.get("ended"):
            break
        numbers.append(number)
    return numbers


def _refusal(path: str, reason: str) -> LedgerError:
    return LedgerError(path, reason, "check the folder, or move the file away: then every run is done again")


def _quoted(path: str) -> str:
    """A path as SQLite's URIs want it."""
    from urllib.parse import quote

    return quote(path)


# -- metrics


def _packed(metrics: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Metrics as JSON, and pickled where JSON changes them."""
    plain = dict(metrics)
    try:
        text = json.dumps(plain)
        if _same(json.loads(text), plain):
            return text, None
    except (TypeError, ValueError, RecursionError):
        text = json.dumps({str(key): repr(value) for key, value in plain.items()})
    return text, dumps(plain)


def _same(one: Any, other: Any) -> bool:
    """Whether JSON has kept the types as well; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def _unpacked(text: str, data: bytes | None) -> dict[str, Any]:
    if data is not None:
        with contextlib.suppress(Exception):  # a class that is gone: then the text has to do
            loaded: dict[str, Any] = pickle.loads(data)
            return loaded
    read: dict[str, Any] = json.loads(text)
    return read
