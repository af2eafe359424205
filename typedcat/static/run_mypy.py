"""mypy over all config files of a project at once, whatever their folders are called."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import ProjectError, short_path
from ..load.formats.mmcv_source import mmcv_style
from .cache import FOLDER
from .findings import Finding
from .generate import Progress, generate
from .new_key import open_classes, way_to_add
from .pool import LONGEST_S
from .shadow import PACKAGE, shadow

_OPTIONS = (
    "--output=json",
    "--namespace-packages",
    "--explicit-package-bases",
    "--no-error-summary",
    "--no-warn-unused-configs",  # sections about other files than configs
    "--disable-error-code=import-untyped",  # no mistake of the config
)
_LONGEST_REPORT = 2_000  # characters of what mypy says when it cannot run


def is_installed() -> bool:
    """Whether mypy is there."""
    return find_spec("mypy") is not None


def type_errors(
    configs: Iterable[Path],
    stubbed: Sequence[Path],
    root: Path,
    *,
    jobs: int = 0,
    timeout_s: float = LONGEST_S,
    progress: Progress | None = None,
) -> list[Finding]:
    """What mypy finds in config files, with the types that the stubs of configs give.

    Args:
        configs: the files to check; those that are no Python, or do not compile, are left out.
        stubbed: the files that get stubs, absolute.
        root: the folder of the project.
        jobs, timeout_s, progress: see `generate`.

    Raises:
        ProjectError: a config lies outside of the project, or mypy cannot run.
    """
    cache = root / FOLDER
    stubs, copies = cache / "stubs", cache / "check"
    generate(stubbed, stubs, top=root, jobs=jobs, timeout_s=timeout_s, progress=progress)
    checked = {file for file in configs if file.suffix == ".py" and _compiles(file) and not mmcv_style(file)}
    originals = shadow(sorted(checked), root, copies)
    sources = [copy for copy, file in originals.items() if file in checked]
    if not sources:
        return []
    names = copies / "files.txt"
    names.write_text("".join(f"{os.path.relpath(copy, root)}\n" for copy in sources), encoding="utf-8")
    paths = os.pathsep.join(filter(None, [str(stubs), str(copies), str(root), os.environ.get("MYPYPATH")]))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *_OPTIONS, f"--cache-dir={cache / 'mypy'}", f"@{names}"],
        cwd=root,
        env={**os.environ, "MYPYPATH": paths, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    found = _findings(done, root, originals, checked)
    classes = open_classes(stubs) if found else set()
    ways = (way_to_add(one.message, Path(one.file), one.line, classes) for one in found)
    return [replace(one, notes=(*one.notes, way)) if way else one for one, way in zip(found, ways, strict=True)]


def _compiles(file: Path) -> bool:
    """Whether a file is Python: one that is not ends mypy, and loading it has said so."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about code of the user's, which is theirs
            compile(file.read_bytes(), file, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def _findings(
    done: subprocess.CompletedProcess[str], root: Path, originals: dict[Path, Path], checked: set[Path]
) -> list[Finding]:
    """The errors in the config files; if mypy could not go on, the error that says why."""
    found = []
    stopped = done.returncode not in (0, 1)
    for error in filter(None, map(_parsed, done.stdout.splitlines())):
        file = Path(os.path.normpath(root / error["file"]))
        original = originals.get(file, file)
        if error["severity"] == "error" and (original in checked or stopped):
            notes = tuple(_readable(line) for line in (error["hint"] or "").splitlines())
            text, code = _readable(error["message"]), error["code"] or "misc"
            found.append(Finding(str(original), max(error["line"], 1), code, text, notes, str(original)))
    if stopped and not found:
        said = (done.stderr.strip() or done.stdout.strip())[-_LONGEST_REPORT:]
        raise ProjectError(f"mypy cannot check the configs of {short_path(root)}:\n{said}", "leave it out: --no-mypy")
    return found


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        error = json.loads(line)
    except ValueError:
        return None
    return error if isinstance(error, dict) and {"file", "line", "message", "hint", "code"} <= error.keys() else None


def _readable(text: str) -> str:
    return text.replace(f"{PACKAGE}.", "").strip()
