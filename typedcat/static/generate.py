"""Stubs of a whole project: what is missing or has changed is made, everything else stays as it is."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ProjectError, TypedcatError, short_path
from .cache import Cache, Made, Written
from .catalog import MODULE, Entry, catalog_text
from .describe import Description, describe
from .names import module_name, stub_path
from .packages import package_stubs
from .pool import LONGEST_S, each
from .share import Elsewhere, digests, elsewhere, without
from .stub import HEADER, broken_text, stub_text

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Progress = Callable[[int, int], None]
"""Called with how many configs are done, and how many there are."""


@dataclass
class Report:
    """What a run has found and done.

    Attributes:
        configs: the configs, by their paths below the top folder.
        made: how many of them were read; the others have not changed.
        written: stubs that were written, or would be.
        removed: stubs without a config, which were removed, or would be.
        errors: why a config could not be read.
    """

    configs: list[str] = field(default_factory=list)
    made: int = 0
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    errors: dict[str, TypedcatError] = field(default_factory=dict)


def generate(
    paths: Sequence[Path],
    out: Path,
    *,
    top: Path,
    dry_run: bool = False,
    jobs: int = 0,
    timeout_s: float = LONGEST_S,
    progress: Progress | None = None,
    last_good: dict[str, Made] | None = None,
) -> Report:
    """Make the folder of stubs hold exactly those of some configs, and their catalog.

    Args:
        paths: config files.
        out: the folder of stubs.
        top: the folder that the paths in stubs and catalog count from; all configs lie below it.
        dry_run: write nothing, only tell.
        jobs, timeout_s: see `each`.
        progress: told about each config.
        last_good: what former runs made of each config, brought up to date here: of one that cannot be read now the
            stub stays as it was. Without it, or if it was never read, the stub allows everything.

    Raises:
        ProjectError: a config lies outside of `top`, or a stub cannot be written.
    """
    report = Report([_below(path, top) for path in paths])
    cache = Cache(top, out)
    texts: dict[str, str] = {}
    entries: list[Entry] = []
    kept = {} if last_good is None else {**_known(report.configs, cache), **last_good}
    todo = [path for path, name in zip(paths, report.configs, strict=True) if not cache.is_fresh(name)]
    report.made = len(todo)
    for count, done in enumerate(each(make, todo, top, jobs=jobs, timeout_s=timeout_s), 1):
        name = _below(done.path, top)
        if done.error is not None:
            report.errors[name] = done.error
            cache.forget(name)
            if name not in kept:
                texts[stub_path(name)] = broken_text(name, str(done.error), top)
                entries.append(Entry(module_name(name), (name,), "{typing:Any}"))
        elif done.result is not None:
            cache.keep(name, done.result)
        if progress is not None:
            progress(count, len(todo))
    found = _known(report.configs, cache)
    if last_good is not None:
        last_good.update({**kept, **found})
        found = {name: last_good[name] for name in report.configs if name in last_good}
    left_out = elsewhere((name, len(made.opened), made.digests) for name, made in found.items())
    for name, made in found.items():
        written = cache.written(name, left_out[name])
        if written is None:
            written = _written(made, left_out[name])
            cache.keep_written(name, written)
        texts[stub_path(name)] = written.text
        entries.append(Entry(module_name(name), made.paths, written.root, written.merged))
    texts[f"{MODULE}.pyi"] = catalog_text(entries)
    for name, text in package_stubs(report.configs, top).items():
        if not (out / name).is_file() or _is_ours(out / name):
            texts.setdefault(name, text)
    _bring_to_date(out, texts, report, dry_run)
    cache.save()
    return report


def _known(names: Iterable[str], cache: Cache) -> dict[str, Made]:
    """What this run or a former one has made of each config."""
    return {name: made for name in names if (made := cache.get(name)) is not None}


def make(path: Path, top: Path) -> Made:
    """What the stub of one config says, in a process that has its project as working directory.

    Raises:
        TypedcatError: it cannot be read, or something in it is more than typedcat can describe.
    """
    name = _below(path, top)
    try:
        made = describe(path, top, lambda file: _module_of(file, top))
    except TypedcatError:
        raise
    except Exception as error:  # a value that nobody thought of must not end the stubs of the others
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise TypedcatError(f"its types cannot be told: {said}") from error
    own = _below(path, Path.cwd()) if path.is_relative_to(Path.cwd()) else name
    text = _adapter().dump_json(made).decode()
    modules = tuple(_project_modules(top, set(made.opened)))
    return Made(text, made.opened, tuple(dict.fromkeys((name, own))), digests(made), modules)


def _written(made: Made, left_out: Elsewhere) -> Written:
    description = without(_adapter().validate_json(made.description), left_out)
    return Written(left_out, stub_text(description), description.root, description.merged)


@functools.cache
def _adapter() -> TypeAdapter[Description]:
    from pydantic import TypeAdapter

    return TypeAdapter(Description)


def _module_of(file: str, top: Path) -> str | None:
    path = Path(file)
    return module_name(_below(path, top)) if path.suffix == ".py" and path.is_relative_to(top) else None


def _below(path: Path, top: Path) -> str:
    if not path.is_relative_to(top):
        raise ProjectError(
            f"{short_path(path)} lies outside of {short_path(top)}", "run the command in a folder above all configs"
        )
    return path.relative_to(top).as_posix()


def _project_modules(top: Path, configs: set[str]) -> Iterable[str]:
    """The user's own modules that are imported by now: what they define is part of the types."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if not file or file in configs or not file.startswith(f"{top}{os.sep}") or "site-packages" in file:
            continue
        if not module.__name__.startswith(("typedcat", "_typedcat_")):
            yield file


def _bring_to_date(out: Path, texts: dict[str, str], report: Report, dry_run: bool) -> None:
    """Write what differs, and remove stubs that this command made and nothing stands behind any more."""
    try:
        for name, text in sorted(texts.items()):
            file = out / name
            if not file.is_file() or file.read_text(encoding="utf-8") != text:
                report.written.append(name)
                if not dry_run:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
        for file in sorted(out.rglob("*.pyi")) if out.is_dir() else ():
            name = file.relative_to(out).as_posix()
            if name not in texts and _is_ours(file):
                report.removed.append(name)
                if not dry_run:
                    _remove(file, out)
    except OSError as error:
        raise ProjectError(f"cannot write {short_path(error.filename or out)}: {error.strerror}") from error


def _is_ours(file: Path) -> bool:
    with file.open(encoding="utf-8", errors="replace") as stream:
        return stream.readline().startswith(HEADER)


def _remove(file: Path, out: Path) -> None:
    file.unlink()
    for folder in file.parents:
        if folder == out or any(folder.iterdir()):
            return
        folder.rmdir()
