"""The result folder of a config that is loaded: which one it is, and that it is there."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from ..errors import ProjectError, short_path
from ..tree.config import BaseConfig
from ..tree.origin import Place
from .inherit import RESULT_DIR
from .override import Override
from .project import Project, Root, path_text, result_dir


def set_result_dir(
    tree: BaseConfig,
    file: str,
    name: str | os.PathLike[str] | None,
    experiments_root: Root,
    config_root: Root,
    rslt_dir: Root,
    applied: list[Override],
    project: Project,
) -> None:
    """Give a tree its result folder: the one that is asked for, its own, or the one that mirrors its file.

    Args:
        tree: the tree.
        file: where it comes from; '' for nowhere.
        name: the path by which the user named it.
        experiments_root, config_root, rslt_dir: see `load_config`.
        applied: the overrides, which are in the name of the folder.
        project: where relative roots begin.

    Raises:
        ProjectError: the config lies outside of the config root.
        TypeError: a root, or the folder, is no path.
    """
    given = dict.get(tree, RESULT_DIR, ...)
    if any(override.keys == (RESULT_DIR,) for override in applied):
        return
    if rslt_dir is not None:
        folder = path_text("rslt_dir", rslt_dir)
    elif given is not ...:
        if not applied or not isinstance(given, str):
            return
        folder = _with_overrides(given, applied, top=None)
    elif file:
        mirrored = result_dir(
            Path(file), config_root=config_root, experiments_root=experiments_root, project=project, name=name
        )
        top = os.fspath(experiments_root if experiments_root is not None else project.experiments_root or "")
        folder = _with_overrides(mirrored, applied, top=os.path.join(project.root, os.path.expanduser(top)))
    else:
        return
    tree.__put__(RESULT_DIR, folder, Place(file or "config", None, "folder"))


_LONGEST_NAME = 200  # bytes; file systems allow 255, and the run may add to it


def _with_overrides(folder: str, applied: list[Override], top: str | None) -> str:
    """The result folder of a run with overrides: beside the one without them, but never outside the folder `top`."""
    if not applied:
        return folder
    head, name = os.path.split(folder.rstrip(os.sep) or folder)
    suffix = "".join(override.folder_suffix for override in applied)
    room = max(_LONGEST_NAME - len(name.encode()), 50)
    if len(suffix.encode()) > room:
        digest = f"...{zlib.crc32(suffix.encode()):08x}{len(suffix)}"
        suffix = suffix.encode()[: room - len(digest)].decode(errors="ignore") + digest
    is_top = top is not None and os.path.abspath(top) == os.path.abspath(folder)
    if is_top or name in ("", os.curdir, os.pardir):
        return os.path.join(folder, suffix.removeprefix(","))
    return os.path.join(head, name + suffix)


def check_result_dir(tree: BaseConfig, needed: bool) -> None:
    """A result folder that is to be made must be known.

    Raises:
        ProjectError: it is not.
    """
    folder = dict.get(tree, RESULT_DIR)
    if needed and (folder is None or folder is ...):
        raise ProjectError(
            "this config comes from no file, so no result folder mirrors it",
            "set cfg.rslt_dir, pass rslt_dir=..., or pass create_rslt_dir=False",
        )
    if needed and not isinstance(folder, (str, os.PathLike)):
        raise ProjectError(f"rslt_dir must be a path, got {folder!r}")


def make_result_dir(tree: BaseConfig) -> None:
    """Make the result folder of a loaded tree.

    Raises:
        ProjectError: the system refuses.
    """
    folder = os.fspath(dict.__getitem__(tree, RESULT_DIR))
    try:
        os.makedirs(folder, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(f"cannot make the result folder {short_path(folder)}: {reason}") from error
