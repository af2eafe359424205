"""Writing configs to files, each of which is there whole or not at all."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

from ..errors import SaveError
from ..tree.config import BaseConfig
from ..tree.copying import branch_copy
from ..tree.node import raw_set
from ..tree.pickling import dumps
from .formats.mmcv_text import mmcv_text
from .formats.python_text import py_text
from .inherit import RESULT_DIR
from .pipeline import loaded
from .plain import json_text, yaml_text


def save(
    cfg: BaseConfig, file: str | os.PathLike[str], target: str, *, save_copy: bool = True, private: bool = False
) -> Path:
    """Write a config; nothing in memory changes, and the file is there whole or not at all.

    Args:
        cfg: the config, or a subtree.
        file: where to; folders are made.
        target: 'py', 'pkl', 'yaml', 'json' or 'mmcv'.
        save_copy: of a pickle: whether it is of an unfrozen copy.
        private: whether nobody but the user may read the file.

    Raises:
        SaveError: values that the format cannot express, all of them.
    """
    path = Path(file)
    if target == "pkl":
        data = _pickled(branch_copy(cfg) if save_copy else cfg)
    elif target == "py":
        data = py_text(cfg).encode()
    elif target == "mmcv":
        data = mmcv_text(_with_work_dir(loaded(cfg))).encode()
    else:
        data = (yaml_text(cfg) if target == "yaml" else json_text(cfg)).encode()
    write_whole(path, data, private=private)
    return path


def _with_work_dir(cfg: BaseConfig) -> BaseConfig:
    """With mmengine's name of the result folder, into which its runs write."""
    if RESULT_DIR not in cfg or "work_dir" in cfg:
        return cfg
    copy = branch_copy(cfg)
    raw_set(copy, "work_dir", dict.__getitem__(cfg, RESULT_DIR))
    return copy


def _pickled(cfg: BaseConfig) -> bytes:
    try:
        return pickle.dumps(cfg)  # plain data needs no cloudpickle, which takes twice as long; what does brings it in
    except Exception as error:  # what a user's __reduce__ raises can be anything
        problems = [(name, reason) for name, (_, _, value) in cfg.named_ckl if (reason := _why_no_pickle(value))]
        raise SaveError("a pickle", problems or [("cfg", f"{type(error).__name__}: {error}")]) from error


def _why_no_pickle(value: Any) -> str:
    try:
        dumps(value)
    except Exception as error:  # noqa: BLE001 - as above
        return f"{type(error).__name__}: {error}"
    return ""


def write_whole(path: str | os.PathLike[str], data: bytes, *, private: bool = False) -> None:
    """Write a file that is there whole or not at all; its folder is made. `private`: others may not read it."""
    mode = 0o600 if private else 0o666
    folder = os.path.dirname(path)
    scratch = os.path.join(folder, f".{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(scratch, flags, mode)
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(scratch, flags, mode)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
        os.replace(scratch, path)
    except BaseException:
        os.unlink(scratch)
        raise
