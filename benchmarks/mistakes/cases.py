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
class Trial:
    """How a system builds the config of one command line without training.

    Attributes:
        name: the option or the command, as Markdown; what is lacking, if there is none.
        commands: that of each correct program which can be tried.
        fine: what the output says if nothing is wrong, where the exit status does not tell.
    """

    name: str
    commands: dict[str, list[str]]
    fine: str


@dataclass(frozen=True)
class System:
    """A config system: how its programs are written and run, and how each mistake is made in them.

    Attributes:
        key: its folder below `programs`.
        packages: the packages whose versions matter.
        setup: what has been run in a correct program before a mistake is made in it.
        check: the command that checks all config files of a program; empty if there is none.
        only_check: why no type checker finds a mistake that this command finds; typedcat alone says so.
        misses: why neither does.
    """

    key: str
    name: str
    packages: list[str]
    written: str
    commands: dict[str, list[str]]
    trial: Trial
    edits: dict[str, Edit]
    setup: list[list[str]]
    check: list[str]
    only_check: dict[str, str]
    misses: dict[str, str]

    @property
    def folder(self) -> Path:
        """Where its correct programs are."""
        return PROGRAMS / self.key


@dataclass(frozen=True)
class Program:
    """A program to judge: a correct one, or one with a mistake in it.

    Attributes:
        trial: the command that tries it without training; None if it cannot be tried.
    """

    system: System
    name: str
    command: list[str]
    trial: list[str] | None
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

    def write(self, correct: Path, folder: Path) -> None:
        """Writes the whole program into a new folder: a copy of the correct one, with the mistake."""
        shutil.copytree(correct, folder)
        if self.edited:
            (folder / self.edited).write_text(self.text, encoding="utf-8")


def write_correct(system: System, folder: Path) -> None:
    """Writes all correct programs of a system into a new folder, without what their setup makes."""
    shutil.copytree(system.folder, folder, ignore=shutil.ignore_patterns("system.toml", "__pycache__"))
    shutil.copy(PROGRAMS / "training.py", folder)


def write_for_checkers(programs: list[Program], system: System, correct: Path, folder: Path) -> None:
    """Writes the files of a system for the checkers: the correct ones, and each edited one as `mistake_<name>.py`."""
    shutil.copytree(correct, folder)
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
    trial = found["trial"]
    edits = {
        name: Edit(said.get("file"), [(old, new) for old, new in said["edits"]])
        for name, said in found["mistakes"].items()
    }
    return System(
        key=key,
        trial=Trial(trial["name"], trial.get("commands", {}), trial.get("fine", "")),
        edits=edits,
        setup=found.get("setup", []),
        check=found.get("check", []),
        only_check=found.get("only_check", {}),
        misses=found.get("misses", {}),
        **{name: found[name] for name in ("name", "packages", "written", "commands")},
    )


def programs_of(system: System, mistakes: list[Mistake], meant: dict[str, list[Used]]) -> Iterator[Program]:
    """The correct programs of a system, called `correct_...`, and those with a mistake, called as the mistake."""
    for kind, command in system.commands.items():
        yield Program(system, f"correct_{kind}", command, system.trial.commands.get(kind), meant[kind])
    for mistake in mistakes:
        command, trial = system.commands[mistake.program], system.trial.commands.get(mistake.program)
        edit = system.edits[mistake.name]
        if edit.file is None:
            command, trial = _edited(edit, command), _edited(edit, trial) if trial else None
        yield Program(system, mistake.name, command, trial, mistake.meant, edit)


def _edited(edit: Edit, command: list[str]) -> list[str]:
    return shlex.split(edit.apply(shlex.join(command)))


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
