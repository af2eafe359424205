"""When a mistake is found: type checkers, the commands of the system, and the program itself say so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cases import Program, System, Used, write_correct, write_for_checkers

Found = dict[str, str]
"""The first error in each file that has one."""

CHECK, LOAD, RUN, NEVER, WORKS = "check", "load", "run", "never", "works"
TIMEOUT = 300


@dataclass(frozen=True)
class Verdict:
    """What was said of a program.

    Attributes:
        mypy, pyright: the first error of each.
        check: the codes of what the command that checks all config files found; '' if it found nothing.
        trial: the last words of the command that builds the config without training, if it refused it.
        stage: when the program failed when it ran, if it did.
        error: its last words.
    """

    mypy: str | None
    pyright: str | None
    check: str
    trial: str | None
    stage: str
    error: str

    @property
    def static(self) -> str:
        """The type checkers that refuse it, joined by `+`."""
        return "+".join(name for name, said in (("mypy", self.mypy), ("pyright", self.pyright)) if said)

    @property
    def nothing_to_find(self) -> bool:
        """Whether the program does what is meant."""
        return self.stage == WORKS

    @property
    def earliest(self) -> str:
        """When the mistake is found, at the earliest: a cell of the table."""
        if self.nothing_to_find:
            return "-"
        return self.static or (CHECK if self.check else self.stage)

    @property
    def before_it_runs(self) -> bool:
        """Whether type checkers or the check find it."""
        return bool(self.static or self.check) and not self.nothing_to_find

    @property
    def before_training(self) -> bool:
        """Whether it is found before the first training step."""
        return self.before_it_runs or self.stage == LOAD


Verdicts = dict[tuple[str, str], Verdict]
"""By the key of the system and the name of the program."""


def judge(programs: list[Program], systems: list[System], folder: Path) -> Verdicts:
    """Checks and runs all programs.

    Raises:
        RuntimeError: a checker could not be run, or a correct program could not be set up.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda system: set_up(system, folder / "correct" / system.key), systems))
        for system in systems:
            write_for_checkers(programs, system, folder / "correct" / system.key, folder / "static" / system.key)
        mypy = {system.key: pool.submit(run_mypy, folder / "static" / system.key) for system in systems}
        pyright = {system.key: pool.submit(run_pyright, folder / "static" / system.key) for system in systems}
        checks = [pool.submit(run_check, program, folder) for program in programs]
        trials = [pool.submit(run_trial, program, folder) for program in programs]
        runs = [pool.submit(run_program, program, folder) for program in programs]
    verdicts = {}
    for program, check, trial, run in zip(programs, checks, trials, runs, strict=True):
        key = program.system.key
        by_mypy = _said_of(program, mypy[key].result())
        by_pyright = _said_of(program, pyright[key].result())
        verdicts[key, program.name] = Verdict(by_mypy, by_pyright, check.result(), trial.result(), *run.result())
    return verdicts


def set_up(system: System, folder: Path) -> None:
    """Writes the correct programs of a system as a user has them when the mistake is made."""
    write_correct(system, folder)
    for command in system.setup:
        done = _python(command, folder)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _written(program: Program, kind: str, folder: Path) -> Path:
    """A new folder with the program in it."""
    place = folder / kind / program.system.key / program.name
    program.write(folder / "correct" / program.system.key, place)
    return place


# -- type checkers


def _said_of(program: Program, found: Found) -> str | None:
    if program.edit is None:  # every file is part of some correct program
        unedited = (path for path in found if (program.system.folder / path).exists() or path == "training.py")
        return next((f"{path}: {found[path]}" for path in unedited), None)
    return found.get(f"mistake_{program.name}.py")


def run_mypy(folder: Path) -> Found:
    """What `mypy --strict` says of all files of a system, with the settings that the system's setup made."""
    settings = "mypy.ini" if (folder / "mypy.ini").exists() else ""
    options = ["--strict", f"--config-file={settings}", "--cache-dir", str(folder.with_name(f"{folder.name}_cache"))]
    done = _python(["-m", "mypy", *options, "."], folder)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"mypy failed:\n{done.stdout}{done.stderr}")
    found: Found = {}
    for path, message in re.findall(r"^(\S+\.py):\d+: error: (.*)$", done.stdout, re.MULTILINE):
        found.setdefault(path, message)
    return found


def run_pyright(folder: Path) -> Found:
    """What pyright says of all files of a system, with the settings that the system's setup made, else its defaults."""
    settings = folder / "pyrightconfig.json"
    if not settings.exists():
        settings.write_text("{}", encoding="utf-8")
    done = _python(["-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", "."], folder)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pyright failed:\n{done.stdout}{done.stderr}")
    found: Found = {}
    for said in json.loads(done.stdout)["generalDiagnostics"]:
        if said["severity"] == "error":
            path = Path(said["file"]).resolve().relative_to(folder.resolve()).as_posix()
            found.setdefault(path, said["message"].splitlines()[0])
    return found


# -- the commands of the systems


def run_check(program: Program, folder: Path) -> str:
    """The codes of what the command finds that checks all config files, '' if it finds nothing or there is none.

    Raises:
        RuntimeError: the command could not be run.
    """
    if not program.system.check:
        return ""
    done = _python([*program.system.check, "--format", "json"], _written(program, "check", folder))
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(program.system.check)} failed:\n{done.stdout}{done.stderr}")
    return ", ".join(sorted({f"`{finding['code']}`" for finding in json.loads(done.stdout)}))


def run_trial(program: Program, folder: Path) -> str | None:
    """The last words of the command that builds the config of a command line without training, if it refuses it.

    Raises:
        RuntimeError: it did train.
    """
    if program.trial is None:
        return None
    done = _python(program.trial, _written(program, "trial", folder))
    if "begin" in done.stdout.splitlines():
        raise RuntimeError(f"{program.system.key}/{program.name}: {' '.join(program.trial)} runs the training")
    fine = program.system.trial.fine
    refused = fine not in done.stdout + done.stderr if fine else done.returncode != 0
    return _last_words(done) if refused else None


# -- the program


def run_program(program: Program, folder: Path) -> tuple[str, str]:
    """Runs a program; returns when it failed, if it did, and the last line of its error."""
    done = _python(program.command, _written(program, "run", folder))
    lines = done.stdout.splitlines()
    if done.returncode != 0:
        return (RUN if "begin" in lines else LOAD), _last_words(done)
    used: list[Used] = [json.loads(line) for line in lines if line.startswith("{")]
    if not used:
        raise RuntimeError(f"{program.system.key}/{program.name} did nothing:\n{done.stdout}{done.stderr}")
    return (WORKS if _sorted(used) == _sorted(program.meant) else NEVER), ""


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    words = [line for line in done.stderr.splitlines() if line.strip()]
    return words[-1].strip() if words else ""


def _sorted(used: list[Used]) -> list[str]:
    return sorted(json.dumps({key: float(value) for key, value in run.items()}, sort_keys=True) for run in used)


def _python(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TYPEDCAT_", "MYPY"))}
    env |= {"HYDRA_FULL_ERROR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
