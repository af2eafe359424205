"""Work and metrics of runs that are a script and a file: what `typedcat tune` does without any code of the user's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import TuneError, short_path


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

    def __call__(
        self, pkl_idx: int, cfg: Any, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it; its output goes where that of this process goes."""
        start = [sys.executable, self.file] if self.file.endswith(".py") else [self.file]
        return subprocess.run([*start, self.flag, cfg_pkl, *self.arguments], env=cuda_env, check=False)


@dataclass(frozen=True)
class JsonMetrics:
    """A gather function: reads the metrics of a run from JSON files in its result folder.

    Attributes:
        files: their names; what a later one has wins.
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
                raise TuneError(f"the run has not written {short_path(path)}") from error
            except ValueError as error:
                raise TuneError(f"{short_path(path)} is no JSON: {error}") from error
            if not isinstance(found, dict):
                raise TuneError(f"{short_path(path)} holds no mapping of metrics, but a {type(found).__name__}")
            metrics.update(found)
        return metrics
