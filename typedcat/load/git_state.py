"""What git knows of a folder: the commit, the branch, and what is not committed. Git may not answer."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 10.0
_LONGEST_FILE = 200_000  # bytes of the changes of one file
_LONGEST_DIFF = 1_000_000  # of all of them
_LONGEST_OUTPUT = 64_000_000  # what is read at all
_MOST_UNTRACKED = 200
_MOST_LOOKED_AT = 2_000
_LARGEST_UNTRACKED = 200_000
_KEPT_VARIABLES = ("GIT_EXEC_PATH", "GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
# No program of the user's runs, nothing is fetched, no lock is taken, and the diff is one that `git apply` takes.
_SETTINGS = (
    "core.fsmonitor=false",
    "core.quotePath=true",
    "diff.noprefix=false",
    "diff.mnemonicPrefix=false",
    "diff.relative=false",
    "diff.submodule=short",
    f"diff.orderFile={os.devnull}",
)
_STATUS = ("status", "--porcelain=v2", "--branch", "--no-ahead-behind", "-z", "--untracked-files=no")
_DIFF = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")
_UNTRACKED = ("ls-files", "-z", "--others", "--exclude-standard")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_PAGER": "cat",
}
_FILE = re.compile(rb"^diff --git ", re.MULTILINE)  # lines of a file's text begin with ' ', '+' or '-'


@dataclass(frozen=True)
class GitState:
    """What a folder looks like to git; all empty where there is no repository, no git, or no answer in time.

    Attributes:
        commit: the full hash of the commit that is checked out; '' before the first one.
        branch: its branch; '' when none is checked out.
        dirty: whether tracked files of the repository were changed since.
        diff: these changes, staged or not, as a patch that `git apply` takes, as long as nothing is left out: of binary
            files, and of files with very long changes, only that they differ.
        untracked: small text files below the folder that git neither tracks nor ignores, from the folder.
        more_untracked: how many other files are not tracked.
        problem: why something is missing here, if it is not just that there is no repository.
    """

    commit: str = ""
    branch: str = ""
    dirty: bool = False
    diff: str = ""
    untracked: tuple[str, ...] = ()
    more_untracked: int = 0
    problem: str = ""


class _Failed(Exception):
    """Git gave no answer."""


def git_state(folder: str | os.PathLike[str], seconds: float = _SECONDS) -> GitState:
    """Ask git about a folder.

    Args:
        folder: where to ask; any folder of a work tree.
        seconds: how long each question may take.

    Returns:
        What git says. No error, whatever git does.
    """
    place = os.path.abspath(folder)
    try:
        commit, branch, dirty = _status(_git(place, seconds, *_STATUS))
    except _Failed as failure:
        return GitState(problem=str(failure))
    diff, names, problem = b"", b"", ""
    try:
        if dirty:
            since = ["HEAD"] if commit else ["--cached"]
            diff = _git(place, seconds, *_DIFF, *since, "--")
        names = _git(place, seconds, *_UNTRACKED)
    except _Failed as failure:
        problem = str(failure)
    untracked, more = _small_texts(place, names)
    text = _limited(diff).decode("utf-8", "surrogateescape")
    return GitState(commit, branch, dirty, text, untracked, more, problem)


def _git(place: str, seconds: float, *arguments: str) -> bytes:
    """The output of git.

    Raises:
        _Failed: there is no git, it refused, or took too long.
    """
    command = ["git", "--no-pager", *(word for setting in _SETTINGS for word in ("-c", setting)), *arguments]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(_KEPT_VARIABLES)}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            done = subprocess.run(
                command,
                cwd=place,
                env={**kept, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError:  # no git, or no such folder
            raise _Failed("") from None
        except subprocess.TimeoutExpired:
            raise _Failed(f"git {arguments[0]} took longer than {seconds:g} seconds") from None
        except OSError as error:
            raise _Failed(f"git cannot be run: {error.strerror or error}") from None
        output.seek(0)
        errors.seek(0)
        if done.returncode != 0:
            raise _Failed(_reason(errors.read(10_000).decode("utf-8", "replace")))
        return output.read(_LONGEST_OUTPUT)


def _reason(text: str) -> str:
    """What git complained about; '' when there simply is no repository."""
    lines = text.strip().splitlines()
    usual = ("not a git repository", "must be run in a work tree")
    return "" if not lines or any(one in text for one in usual) else lines[0]


def _status(output: bytes) -> tuple[str, str, bool]:
    """(commit, branch, whether tracked files changed) from `git status --porcelain=v2 --branch -z`."""
    lines = output.decode("utf-8", "replace").split("\0")
    heads = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    commit, branch = heads.get("branch.oid", ""), heads.get("branch.head", "")
    dirty = any(line and not line.startswith("#") for line in lines)
    return "" if commit == "(initial)" else commit, "" if branch == "(detached)" else branch, dirty


def _limited(diff: bytes) -> bytes:
    """A diff without what is too long of it, which is said in its place."""
    room, parts = _LONGEST_DIFF, []
    for part in _by_file(diff):
        if len(part) > min(_LONGEST_FILE, room):
            head = part.partition(b"\n")[0]
            part = head + b"\nchanges of %d bytes are left out here\n" % len(part)
        room -= len(part)
        if room < 0:
            parts.append(b"the changes of more files are left out here\n")
            break
        parts.append(part)
    return b"".join(parts)


def _by_file(diff: bytes) -> Iterator[bytes]:
    starts = [found.start() for found in _FILE.finditer(diff)]
    for start, end in itertools.pairwise([*starts, len(diff)]):
        yield diff[start:end]


def _small_texts(place: str, output: bytes) -> tuple[tuple[str, ...], int]:
    """Of the names of files, separated by NUL: those of small text files, and how many others there are."""
    names = sorted(os.fsdecode(name) for name in output.split(b"\0") if name)
    found: list[str] = []
    for name in names[:_MOST_LOOKED_AT]:
        if len(found) < _MOST_UNTRACKED and _is_small_text(Path(place, name)):
            found.append(name)
    return tuple(found), len(names) - len(found)


def _is_small_text(file: Path) -> bool:
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST_UNTRACKED:
            return False
        with open(file, "rb") as stream:
            return b"\0" not in stream.read(1_000)
    except OSError:
        return False


__all__ = ["GitState", "git_state"]
