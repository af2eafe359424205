"""Work and metrics of runs that are a script and a file: what `typedcat tune` does without any code of the user's."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import TuneError, did_you_mean, short_path
from ...load.project import RECORD
from ...tree.keys import suggest

_MOST_NAMED = 5  # files


@dataclass(frozen=True)
class Script:
    """A work function: runs a script with the config of the child.

    Attributes:
        file: the script. One that ends in `.py` is run by this Python, any other as a program.
        flag: the option before the path of the config.
        arguments: more arguments.
    """

    file: str
    flag: str = "-c"
    arguments: tuple[str, ...] = ()

    def check(self) -> None:
        """See before anything runs that there is something to run.

        Raises:
            TuneError: there is no such script or program, or it cannot be run.
        """
        if os.path.isfile(self.file):
            if not self._is_python and not os.access(self.file, os.X_OK):
                raise TuneError(f"{self.file} is no program that can be run\n  chmod +x {shlex.quote(self.file)}")
        elif self._is_python or os.path.dirname(self.file) or shutil.which(self.file) is None:
            folder, name = os.path.split(self.file)
            close = [os.path.join(folder, one) for one in suggest(name, _files_in(folder))]
            hint = f"\n  {did_you_mean(close)}" if close else ""
            if len(self.file.split()) > 1:
                hint = '\n  a command goes into a script of its own, dist.sh: exec torchrun train.py "$@"'
            raise TuneError(f"there is no script {self.file} in {os.getcwd()}{hint}")

    @property
    def _is_python(self) -> bool:
        return self.file.endswith(".py")

    def __call__(
        self, pkl_idx: int, cfg: Any, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it; its output goes where that of this process goes, line by line: what is killed has lost none."""
        start = [self.file]
        if self._is_python:
            start = [sys.executable, self.file]
        elif os.path.isfile(self.file):  # without a slash, only PATH would be looked through
            start = [os.path.abspath(self.file)]
        environment = {"PYTHONUNBUFFERED": "1", **cuda_env}
        ended = subprocess.run([*start, self.flag, cfg_pkl, *self.arguments], env=environment, check=False)
        as_typed = shlex.join([self.file, self.flag, "CHILD", *self.arguments])  # for the message, if it has failed
        return subprocess.CompletedProcess(as_typed, ended.returncode)


@dataclass(frozen=True)
class JsonMetrics:
    """A gather function: reads the metrics of a run from JSON files in its result folder.

    Attributes:
        files: their names; what a later one has wins. What stands in a mapping inside is named by its path: `val.acc`.
    """

    files: Sequence[str]

    def __call__(self, cfg: Any, cfg_rslt_dir: str, run_rslt: Any, param_comb: Any) -> dict[str, Any]:
        """The metrics.

        Raises:
            TuneError: a file is not there, or holds no mapping.
        """
        metrics: dict[str, Any] = {}
        for name in self.files:
            path = os.path.join(cfg_rslt_dir, name)
            try:
                with open(path, encoding="utf-8") as stream:
                    found = json.load(stream)
            except FileNotFoundError as error:
                raise TuneError(f"the run has not written {short_path(path)}{_instead(cfg_rslt_dir, name)}") from error
            except ValueError as error:
                raise TuneError(f"{short_path(path)} is no JSON: {error}") from error
            if not isinstance(found, dict):
                raise TuneError(f"{short_path(path)} holds no mapping of metrics, but a {type(found).__name__}")
            metrics.update(flat(found))
        return metrics


def flat(found: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[Any, Any]]:
    """Metrics in mappings inside of mappings, each by its path: `val.acc`. Others keep their keys."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}" if prefix else name, value


def _instead(folder: str, name: str) -> str:
    """Where the metrics may be: in another file, or at another place."""
    if not os.path.isabs(name) and os.path.exists(name):
        return (
            f", but there is {name} in the working directory, which all runs share\n"
            "  write it into the result folder, cfg.rslt_dir"
        )
    others = sorted(one for one in _files_in(folder) if one.endswith(".json") and one != RECORD)
    return f"\n  JSON files in that folder: {', '.join(others[:_MOST_NAMED])}" if others else ""


def _files_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder or os.curdir)
    except OSError:
        return []
