"""The list of mistakes, the systems, and the programs in which each mistake is made once per system."""

from __future__ import annotations

import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
SYSTEMS = ("typedcat", "omegaconf", "ml_collections", "chz", "tyro", "hydra_zen")

Used = dict[str, float]
"""What a run gave to the training."""


@dataclass(frozen=True)
class Mistake:
    """A mistake that users make.

    Attributes:
        program: which correct program it is made in.
        meant: what the training should have been given, run by run.
    """

    name: str
    what: str
    program: str
    meant: list[Used]


@dataclass(frozen=True)
class Edit:
    """How a mistake is made: (what stands there, what is written instead), in a file or else on the command line."""

    file: str | None
    pairs: list[tuple[str, str]]

    def apply(self, text: str) -> str:
        """The text with the mistake.

        Raises:
            ValueError: what should stand there does not, or more than once.
        """
        for old, new in self.pairs:
            if text.count(old) != 1:
                raise ValueError(f"{old!r} stands {text.count(old)} times in {self.file or 'the command'}")
            text = text.replace(old, new)
        return text


@dataclass(frozen=True)
class System:
    """A config system: how its programs are written and run, and how each mistake is made in them.

    Attributes:
        key: its folder below `programs`.
        packages: the packages whose versions matter.
        misses: why it does not find a mistake before the program runs; typedcat alone says so.
    """

    key: str
    name: str
    packages: list[str]
    written: str
    commands: dict[str, list[str]]
    edits: dict[str, Edit]
    misses: dict[str, str]

    @property
    def folder(self) -> Path:
        """Where its correct programs are."""
        return PROGRAMS / self.key


@dataclass(frozen=True)
class Program:
    """A program to judge: a correct one, or one with a mistake in it."""

    system: System
    name: str
    command: list[str]
    meant: list[Used]
    edit: Edit | None = None

    @property
    def edited(self) -> str | None:
        """The file in which the mistake is made, if it is made in a file."""
        return self.edit.file if self.edit else None

    @property
    def text(self) -> str:
        """That file, with the mistake."""
        assert self.edit is not None and self.edit.file is not None
        correct = (self.system.folder / self.edit.file).read_text(encoding="utf-8")
        try:
            return self.edit.apply(correct)
        except ValueError as error:
            raise ValueError(f"{self.system.key}/{self.name}: {error}") from error

    def write(self, folder: Path) -> None:
        """Writes the whole program into a new folder."""
        _copy(self.system, folder)
        if self.edited:
            (folder / self.edited).write_text(self.text, encoding="utf-8")


def _copy(system: System, folder: Path) -> None:
    shutil.copytree(system.folder, folder, ignore=shutil.ignore_patterns("system.toml", "__pycache__"))
    shutil.copy(PROGRAMS / "training.py", folder)


def write_for_checkers(programs: list[Program], system: System, folder: Path) -> None:
    """Writes the files of a system for the checkers: the correct ones, and each edited one as `mistake_<name>.py`."""
    _copy(system, folder)
    for program in programs:
        if program.system is system and program.edited and program.edited.endswith(".py"):
            (folder / f"mistake_{program.name}.py").write_text(program.text, encoding="utf-8")


def read_mistakes() -> tuple[list[Mistake], dict[str, list[Used]]]:
    """The mistakes, and what each correct program gives to the training."""
    found = _toml(HERE / "mistakes.toml")
    meant: dict[str, list[Used]] = found["meant"]
    mistakes = []
    for name, said in found["mistakes"].items():
        program = said.get("program", "child")
        runs = [{**run, **said.get("meant", {})} for run in meant[program]]
        mistakes.append(Mistake(name, said["what"], program, runs))
    return mistakes, meant


def read_system(key: str) -> System:
    """One of `SYSTEMS`."""
    found = _toml(PROGRAMS / key / "system.toml")
    edits = {
        name: Edit(said.get("file"), [(old, new) for old, new in said["edits"]])
        for name, said in found["mistakes"].items()
    }
    said = {name: found[name] for name in ("name", "packages", "written", "commands")}
    return System(key=key, edits=edits, misses=found.get("misses", {}), **said)


def programs_of(system: System, mistakes: list[Mistake], meant: dict[str, list[Used]]) -> Iterator[Program]:
    """The correct programs of a system, called `correct_...`, and those with a mistake, called as the mistake."""
    for kind, command in system.commands.items():
        yield Program(system, f"correct_{kind}", command, meant[kind])
    for mistake in mistakes:
        command, edit = system.commands[mistake.program], system.edits[mistake.name]
        if edit.file is None:
            command = shlex.split(edit.apply(shlex.join(command)))
        yield Program(system, mistake.name, command, mistake.meant, edit)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
