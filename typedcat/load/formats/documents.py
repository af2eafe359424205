"""What every reader of configs begins with: the bytes of a file, its text, and what a pickle holds."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from typedcat.errors import ConfigFileError, ConfigFormatError, ConfigNotFoundError, TypedcatError, readable
from typedcat.load.formats.alchemy_pickle import mentions_theirs, unpickle

__all__ = ["decode", "read_bytes", "read_pickle"]

MAX_BYTES = 64 * 1024 * 1024


def read_bytes(path: Path, max_bytes: int | None = MAX_BYTES) -> bytes:
    """The content of a regular file.

    Args:
        path: the file.
        max_bytes: more than that is an error; None for no limit.

    Returns:
        All its bytes.

    Raises:
        ConfigNotFoundError: it is not there (any more).
        ConfigFileError: it is a directory, a pipe or a device, too large, or may not be read.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise ConfigFileError(path, "is a directory, not a config file")
        if not stat.S_ISREG(mode):
            raise ConfigFileError(path, "is a pipe, socket or device; only regular files are read")
        with open(path, "rb") as file:
            data = file.read(-1 if max_bytes is None else max_bytes + 1)
    except FileNotFoundError as error:
        raise ConfigNotFoundError(path, "no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigFileError(path, f"cannot be read: {reason}") from error
    if max_bytes is not None and len(data) > max_bytes:
        raise ConfigFileError(path, f"is larger than {max_bytes // 2**20} MiB, which no config is")
    return data


def decode(path: Path, data: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Raises:
        ConfigFormatError: it is neither, or there is nothing but white space in it.
    """
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"not valid {encoding.upper()}: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise ConfigFormatError(path, reason, line, hints=["save the file as UTF-8"]) from error
    if not text.strip():
        raise ConfigFormatError(path, "the file is empty")
    return text


def read_pickle(path: Path) -> object:
    """What is pickled in a file. Unpickling runs code, so the file has to be as trusted as the training script.

    Raises:
        ConfigFileError: the file cannot be read.
        ConfigFormatError: it is empty, cut off, no pickle, or needs a module or name that is not there.
    """
    import pickle

    data = read_bytes(path, max_bytes=None)
    if not data:
        raise ConfigFormatError(path, "the file is empty")
    try:
        value: object = unpickle(data, path) if mentions_theirs(data) else pickle.loads(data)
    except TypedcatError:
        raise
    except ImportError as error:
        if isinstance(error.__cause__, TypedcatError):  # a config file that is needed cannot be run
            raise ConfigFormatError(path, str(error)) from error
        module = error.name or "a module"
        raise ConfigFormatError(
            path,
            f"the pickle needs {module}: {error}",
            hints=["install it in this environment, or put its folder on PYTHONPATH"],
        ) from error
    except AttributeError as error:
        raise ConfigFormatError(
            path,
            f"the pickle needs a name that its module does not have: {readable(str(error))}",
            hints=["it was renamed or removed since the file was written: bring it back, or write the file again"],
        ) from error
    except (EOFError, pickle.UnpicklingError) as error:
        raise ConfigFormatError(path, f"not a whole pickle: {error}", hints=["write the file again"]) from error
    except Exception as error:  # what corrupt bytes, or the __setstate__ of a user's class, raise can be anything
        raise ConfigFormatError(path, f"cannot be unpickled: {type(error).__name__}: {error}") from error
    return value
