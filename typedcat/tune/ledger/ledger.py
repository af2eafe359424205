"""The ledger of a sweep: an SQLite file in its result folder with a row for each attempt at a run.

One process writes, the runner that holds the lock of the folder; any number may read. A rollback journal, not a
write-ahead log: readers may sit on another machine, and a log needs memory that all of them share.

Folders in it are relative to its own, so that a result folder can be moved.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from ...errors import LedgerError, short_repr
from .lock import can_lock, is_held
from .packing import packed, read_json, unpacked

LEDGER = "ledger.sqlite"
VERSION = 1
_TRIES, _TRY_S = 6, 0.1  # of readers
_BUSY_S = 30.0  # how long others may keep one waiting who has nothing else to do
_SOON_S = 0.5  # and a runner, whose runs start and end meanwhile
_NEW_FILE = "put back a copy of it, or move it away: then every run is done again"
_OF_JOURNALS = 776  # SQLite's code READONLY_ROLLBACK
_OF_BAD_FILES = (1, 11, 26)  # SQLite's codes: ERROR, as of a missing table, CORRUPT, NOTADB
_T = TypeVar("_T")
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

_COLUMNS: dict[str, Any] = {
    "id": int, "sweep": int, "point": str, "digest": str, "code": str, "state": str, "started": float, "host": str,
    "rslt_dir": str, "gpus": str, "seconds": float | None, "exit_code": int | None, "error": str, "metrics": str,
    "pickled": bytes | None,
}  # fmt: skip


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

    Attributes:
        trouble: why the last commit has failed; '' if it has not.
        given_up: whether nothing is written any more.

    Raises:
        LedgerError: it cannot be read or made.
    """

    def __init__(self, folder: str | os.PathLike[str], *, write: bool = False) -> None:
        import sqlite3

        self.folder = os.fspath(folder)
        self.path = os.path.join(folder, LEDGER)
        self.trouble = ""
        self._way_out = ""
        self.given_up = False
        self._pending: list[tuple[str, tuple[Any, ...]]] = []
        self._errors = sqlite3.Error
        self._write = write
        self._locks = can_lock(self.folder)
        try:
            self._tried(lambda: self._open("rwc" if write else "ro"))
        except sqlite3.Error as error:
            if not self._may_undo(error):
                raise self._refusal(error) from error
            try:
                self._open("rw")
            except sqlite3.Error as another:
                raise self._refusal(another) from another
        self._next = 1 if self._empty else 1 + (self._one("SELECT max(id) FROM attempts") or 0)
        self._file = self._identity()

    def _tried(self, action: Callable[[], _T]) -> _T:
        """Do something again and again that cannot be done while a writer is at work: one that lives soon has ended."""
        for _ in range(_TRIES - 1):
            try:
                return action()
            except self._errors as error:
                if self._write or not _is_of_a_journal(error):
                    raise
                time.sleep(_TRY_S)
        return action()

    def _may_undo(self, error: Exception) -> bool:
        """Whether what a writer has begun can be undone: it was killed. Where there are no locks, it may be at work."""
        return not self._write and _is_of_a_journal(error) and (self._locks or not is_held(self.folder))

    def _refusal(self, error: Exception) -> LedgerError:
        if not self._write and (_is_of_a_journal(error) or (not self._locks and is_held(self.folder))):
            why = f"it is being written, or its runner was killed meanwhile: {error}"
            return LedgerError(
                self.path, why, "try again; if it stays like that, start the runner again, which mends it"
            )
        why = str(error) if isinstance(error, self._errors) else f"it is damaged: {error}"
        return LedgerError(self.path, why, _way_out(error))

    def _open(self, mode: str) -> None:
        import sqlite3

        self._at = os.path.abspath(self.path)  # the working directory may change
        locks = "" if self._locks else "&nolock=1"  # the runner has locked the folder
        uri = f"file:{_quoted(self._at)}?mode={mode}{locks}"
        # the thread that makes it is not always the one that closes it
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
        except UnicodeError as error:  # where SQLite quotes what it could not read
            self._connection.close()
            raise self._refusal(error) from error
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise LedgerError(self.path, "it was written by a newer typedcat", "use that one, or another result folder")
        self._empty = version == 0 and not self._write  # its sweep was killed before it started
        if not self._write:
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
        if not self.commit(_BUSY_S):
            self.give_up()
            raise self._cannot_be_written("nothing was started")
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
        text, data = packed(metrics or {})
        self._add(
            "UPDATE attempts SET state=?, seconds=?, exit_code=?, error=?, metrics=?, pickled=? WHERE id=?",
            state, seconds, exit_code, error, text, data, id,
        )  # fmt: skip

    def gathered(self, id: int, metrics: Mapping[str, Any]) -> None:
        """The metrics of a run that has ended were gathered once more."""
        text, data = packed(metrics)
        self._add("UPDATE attempts SET state='done', error='', metrics=?, pickled=? WHERE id=?", text, data, id)

    def _add(self, statement: str, *values: Any) -> None:
        self._pending.append((statement, tuple(map(_storable, values))))

    @property
    def has_news(self) -> bool:
        """Whether something was added that is not written yet."""
        return bool(self._pending)

    def commit(self, busy_s: float = _SOON_S) -> bool:
        """Write what has been added; returns whether that worked.

        A full disk and the like are no end: it is kept, and tried again with the next commit. `trouble` says why.

        Args:
            busy_s: how long to wait for others who are reading.
        """
        if self.given_up:
            self._pending.clear()
            return True
        if not self._pending:
            return not self.trouble
        try:
            if self._identity() != self._file:
                self._put_back()
            self._connection.execute(f"PRAGMA busy_timeout={round(1000 * busy_s)}")
            self._connection.execute("BEGIN IMMEDIATE")
            for statement, values in self._pending:
                self._connection.execute(statement, values)
            self._connection.execute("COMMIT")
        except (OSError, self._errors) as error:
            with contextlib.suppress(self._errors):
                self._connection.execute("ROLLBACK")
            self.trouble, self._way_out = getattr(error, "strerror", None) or str(error), _way_out(error)
            return False
        self._pending.clear()
        self.trouble = ""
        return True

    def give_up(self) -> None:
        """Write nothing any more, not what was added either: the folder is another runner's by now, say."""
        self.given_up = True

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
        self._open("rw")
        self._file = self._identity()

    def close(self) -> None:
        """Write what is left and close the file.

        Raises:
            LedgerError: it cannot be written.
        """
        written = self.commit(_BUSY_S)
        with contextlib.suppress(self._errors):
            self._connection.close()
        if not written:
            raise self._cannot_be_written("what is missing in it will be run again")

    def _cannot_be_written(self, so: str) -> LedgerError:
        return LedgerError(self.path, f"cannot be written: {self.trouble}", f"{so}\n  {self._way_out}")

    # -- reading

    def attempts(self) -> list[Attempt]:
        """All attempts, the oldest first.

        Raises:
            LedgerError: it cannot be read.
        """
        return list(map(self._attempt, self._all(f"SELECT {', '.join(_COLUMNS)} FROM attempts ORDER BY id")))

    def sweeps(self) -> list[tuple[int, float, dict[str, Any]]]:
        """(number, seconds since 1970, what is known about it) of each call of `tuning`.

        Raises:
            LedgerError: it cannot be read.
        """
        rows = self._all("SELECT id, started, about FROM sweeps ORDER BY id")
        with self._understood():
            return [(int(number), float(started), read_json(about, dict)) for number, started, about in rows]

    def points(self) -> list[PlannedPoint]:
        """The points of the grid of the last call of `tuning`, in its order.

        Raises:
            LedgerError: it cannot be read.
        """
        rows = self._all("SELECT point, labels, seed, digest, rslt_dir FROM points ORDER BY number")
        with self._understood():
            return [
                PlannedPoint(
                    point, tuple(read_json(labels, list)), None if seed is None else int(seed), digest,
                    self._absolute(folder),
                )
                for point, labels, seed, digest, folder in rows
            ]  # fmt: skip

    def _attempt(self, row: Sequence[Any]) -> Attempt:
        with self._understood():
            for (name, kind), value in zip(_COLUMNS.items(), row, strict=True):
                if not isinstance(value, kind):
                    raise TypeError(f"{name} is {short_repr(value)}")
            *values, text, data = row
            columns = dict(zip(_COLUMNS, values, strict=False))
            gpus = tuple(read_json(columns.pop("gpus"), list))
            folder = self._absolute(columns.pop("rslt_dir"))
            return Attempt(**columns, gpus=gpus, rslt_dir=folder, metrics=unpacked(text, data))

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        if self._empty:
            return []
        try:
            return self._tried(lambda: self._connection.execute(query).fetchall())
        except (self._errors, UnicodeError) as error:
            raise self._refusal(error) from error

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        """What stands in rows may be damaged, or be another program's, where the file as such is sound."""
        try:
            yield
        except (ValueError, TypeError, RecursionError) as error:
            raise self._refusal(error) from error

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


def _is_of_a_journal(error: Exception) -> bool:
    """Whether something could not be done because a writer has begun what only it, or another writer, can end."""
    return getattr(error, "sqlite_errorcode", None) == _OF_JOURNALS


def _way_out(error: Exception) -> str:
    """Where the file itself is bad, only another one helps; else it is the folder, the disk, or another program."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, OSError) or (code is not None and code & 0xFF not in _OF_BAD_FILES):
        return "see to the folder, the space on its disk, and who else has the file open; then the same command goes on"
    return _NEW_FILE


def _quoted(path: str) -> str:
    """A path as SQLite's URIs want it."""
    from urllib.parse import quote

    return quote(path)
