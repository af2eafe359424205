"""Work on many configs at once: each in a process that may die, hang or fill up without harm to the others."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, TimeoutError, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..errors import TypedcatError
from ..load.project import find_project

R = TypeVar("R")
LONGEST_S = 120.0  # that one config may take
_PER_PROCESS = 4  # configs that make up for the start of one more process


@dataclass(frozen=True)
class Done(Generic[R]):
    """What became of the work on a config: a result, or an error."""

    path: Path
    result: R | None = None
    error: TypedcatError | None = None


def each(
    work: Callable[..., R], paths: Sequence[Path], *arguments: Any, jobs: int = 0, timeout_s: float = LONGEST_S
) -> Iterator[Done[R]]:
    """Call `work(path, *arguments)` for every path, as results come in.

    Configs of one project share processes, whose working directory is the root of that project.

    Args:
        work: a function of a module; what it raises has to be a `TypedcatError`.
        paths: config files.
        arguments: the same for every call.
        jobs: processes; 0 for one per core.
        timeout_s: seconds that a config may take.
    """
    by_root: dict[Path, list[Path]] = {}
    for path in paths:
        by_root.setdefault(find_project(path).root, []).append(path)
    for root, own in by_root.items():
        yield from _each_of(root, work, own, arguments, jobs or os.cpu_count() or 1, timeout_s)


def _each_of(
    root: Path, work: Callable[..., R], paths: list[Path], arguments: tuple[Any, ...], jobs: int, timeout_s: float
) -> Iterator[Done[R]]:
    from pebble import ProcessPool

    size = max(1, min(jobs, len(paths) // _PER_PROCESS))
    place = (str(root), list(sys.path))
    with ProcessPool(size, initializer=enter, initargs=place, context=get_context("spawn")) as pool:
        running: dict[Future[R], Path] = {
            pool.schedule(_work, args=[root, work, path, *arguments], timeout=timeout_s): path for path in paths
        }
        try:
            for future in as_completed(running):
                yield _outcome(future, running[future], timeout_s)
        except GeneratorExit:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves it untyped
            raise


def _outcome(future: Future[R], path: Path, timeout_s: float) -> Done[R]:
    from pebble import ProcessExpired

    try:
        return Done(path, future.result())
    except TypedcatError as error:
        return Done(path, error=error)
    except TimeoutError:
        return Done(path, error=TypedcatError(f"it took more than {timeout_s:g} s"))
    except ProcessExpired as error:
        return Done(path, error=TypedcatError(f"the process that read it died with exit code {error.exitcode}"))


def enter(root: str, path: list[str]) -> None:
    """Make this process one in which the configs of a project can be loaded.

    What they, or programs that they start, print goes to standard error: answers may be piped.
    """
    os.dup2(2, 1)
    os.chdir(root)
    sys.path[:] = path
    if root not in path:
        sys.path.insert(0, root)


def _work(root: Path, work: Callable[..., R], *arguments: Any) -> R:
    os.chdir(root)  # a former config may have left it
    return work(*arguments)
