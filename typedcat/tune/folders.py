"""The result folder of a run before it starts: nothing that an older attempt has left there is overwritten or lost."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..errors import ProjectError, short_path
from .engines.protocol import OUTPUT
from .freshness import Files, files_in
from .ledger.ledger import Ledger
from .ledger.plan import Run


def made_ready(run: Run, ledger: Ledger) -> Files:
    """Make the result folder of a run; gives the files of older attempts in it.

    What another config has left there is moved aside. So is the output of an older attempt, which must not be taken for
    that of the new one.

    Raises:
        ProjectError: the system refuses.
    """
    folder = run.folder
    try:
        if run.last is not None and run.last.digest != run.digest and os.path.isdir(folder):
            _move_aside(folder, ledger)
        if _made(folder):
            return {}
        output = os.path.join(folder, OUTPUT)
        if os.path.exists(output):
            os.rename(output, free(f"{output}.old"))
        return files_in(folder)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ProjectError(f"cannot make the result folder {short_path(folder)}: {why}") from error


def _made(folder: str) -> bool:
    """Make a folder; returns whether it was not there."""
    try:
        os.mkdir(folder)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError:
        os.makedirs(folder, exist_ok=True)  # raises if it is none
        return False
    return True


def _move_aside(folder: str, ledger: Ledger) -> None:
    """First the ledger is told: killed in between, the next call finds the folder in its place and moves it again."""
    aside = free(f"{folder}.old")
    ledger.move(folder, aside)
    ledger.commit()
    os.rename(folder, aside)


def free(path: str) -> str:
    """The path with the first number after it that nothing has."""
    number = 1
    while os.path.lexists(f"{path}{number}"):
        number += 1
    return f"{path}{number}"


def gone(folders: Iterable[str]) -> list[str]:
    """Those of the folders that are not there; each folder that holds some of them is read once."""
    listed: dict[str, set[str]] = {}
    missing = []
    for folder in folders:
        parent, name = os.path.split(folder)
        if parent not in listed:
            try:
                listed[parent] = set(os.listdir(parent or os.curdir))
            except OSError:
                listed[parent] = set()
        if name not in listed[parent]:
            missing.append(folder)
    return missing
