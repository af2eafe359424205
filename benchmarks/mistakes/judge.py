"""When a mistake is found: mypy, pyright and the program itself say so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cases import PROGRAMS, Program, System, Used, write_for_checkers

Found = dict[str, str]
"""The first error in each file that has one."""

LOAD, RUN, NEVER, WORKS = "load", "run", "never", "works"
TIMEOUT = 300


@dataclass(frozen=True)
class Verdict:
    """What was said of a program: the first error of each checker, when it failed when it ran, and its last words."""

    mypy: str | None
    pyright: str | None
    stage: str
    error: str

    @property
    def static(self) -> str:
        """The checkers that refuse it, joined by `+`."""
        return "+".join(name for name, said in (("mypy", self.mypy), ("pyright", self.pyright)) if said)

    @property
    def nothing_to_find(self) -> bool:
        """Whether the program does what is meant."""
        return self.stage == WORKS

    @property
    def earliest(self) -> str:
        """When the mistake is found, at the earliest: a cell of the table."""
        return "-" if self.nothing_to_find else self.static or self.stage

    @property
    def before_it_runs(self) -> bool:
        """Whether it is found before the program runs."""
        return bool(self.static) and not self.nothing_to_find

    @property
    def before_training(self) -> bool:
        """Whether it is found before the first training step."""
        return self.before_it_runs or self.stage == LOAD


Verdicts = dict[tuple[str, str], Verdict]
"""By the key of the system and the name of the program."""


def judge(programs: list[Program], systems: list[System], folder: Path) -> Verdicts:
    """Checks and runs all programs.

    Raises:
        RuntimeError: a checker could not be run.
    """
    static = folder / "static"
    static.mkdir(parents=True)
    (static / "training.py").write_bytes((PROGRAMS / "training.py").read_bytes())
    for system in systems:
        write_for_checkers(programs, system, static / f"in_{system.key}")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pyright = pool.submit(run_pyright, static)
        mypy = {system.key: pool.submit(run_mypy, static / f"in_{system.key}") for system in systems}
        runs = [pool.submit(run_program, program, folder / "run") for program in programs]
    verdicts = {}
    for program, run in zip(programs, runs, strict=True):
        key = program.system.key
        by_mypy = _said_of(program, mypy[key].result())
        by_pyright = _said_of(program, _below(pyright.result(), f"in_{key}/"))
        verdicts[key, program.name] = Verdict(by_mypy, by_pyright, *run.result())
    return verdicts


def _said_of(program: Program, found: Found) -> str | None:
    if program.edit is None:  # every file is part of some correct program
        unedited = (path for path in found if (program.system.folder / path).exists() or path == "training.py")
        return next((f"{path}: {found[path]}" for path in unedited), None)
    return found.get(f"mistake_{program.name}.py")


def _below(found: Found, folder: str) -> Found:
    return {path.removeprefix(folder): said for path, said in found.items() if path.startswith(folder)}


def run_mypy(folder: Path) -> Found:
    """What `mypy --strict` says of all files of a system."""
    files = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*.py"))]
    options = ["--strict", "--config-file=", "--cache-dir", str(folder.with_name(f"{folder.name}_cache"))]
    done = _python(["-m", "mypy", *options, *files], folder)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"mypy failed:\n{done.stdout}{done.stderr}")
    found: Found = {}
    for path, message in re.findall(r"^(\S+\.py):\d+: error: (.*)$", done.stdout, re.MULTILINE):
        found.setdefault(path, message)
    return found


def run_pyright(folder: Path) -> Found:
    """What pyright says, with its default settings, of all files of all systems."""
    (folder / "pyrightconfig.json").write_text('{"exclude": ["*_cache"]}', encoding="utf-8")
    done = _python(["-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", "."], folder)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pyright failed:\n{done.stdout}{done.stderr}")
    found: Found = {}
    for said in json.loads(done.stdout)["generalDiagnostics"]:
        if said["severity"] == "error":
            path = Path(said["file"]).resolve().relative_to(folder.resolve()).as_posix()
            found.setdefault(path, said["message"].splitlines()[0])
    return found


def run_program(program: Program, folder: Path) -> tuple[str, str]:
    """Runs a program; returns when it failed, if it did, and the last line of its error."""
    place = folder / program.system.key / program.name
    program.write(place)
    done = _python(program.command, place)
    lines = done.stdout.splitlines()
    if done.returncode != 0:
        words = [line for line in done.stderr.splitlines() if line.strip()]
        return (RUN if "begin" in lines else LOAD), (words[-1].strip() if words else "")
    used: list[Used] = [json.loads(line) for line in lines if line.startswith("{")]
    if not used:
        raise RuntimeError(f"{program.system.key}/{program.name} did nothing:\n{done.stdout}{done.stderr}")
    return (WORKS if _sorted(used) == _sorted(program.meant) else NEVER), ""


def reported_by_typedcat_check(program: Program, folder: Path) -> bool:
    """Whether `typedcat check` reports a typedcat program that `judge` has left in the folder.

    Raises:
        RuntimeError: the command could not be run.
    """
    done = _python(["-m", "typedcat", "check", "configs"], folder / "run" / program.system.key / program.name)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"typedcat check failed:\n{done.stdout}{done.stderr}")
    return done.returncode == 1


def _sorted(used: list[Used]) -> list[str]:
    return sorted(json.dumps({key: float(value) for key, value in run.items()}, sort_keys=True) for run in used)


def _python(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("TYPEDCAT_")}
    env |= {"MYPYPATH": str(folder.parent), "HYDRA_FULL_ERROR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
