"""The digest of a config: equal for equal configs in every process, on every machine, another one after any change."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection

from ...errors import DigestError, TuneError, short_path
from ...load.inherit import RESULT_DIR
from ...tree.config import BaseConfig
from .code_hash import code_hash
from .value_kinds import Writer

_VERSION = b"typedcat digest 1\n"  # to be counted up when the bytes of any value change


def config_digest(cfg: BaseConfig, volatile: Collection[str] = ()) -> str:
    """The digest of a loaded config: what its values are, not how they came about.

    The order of keys and of the items of sets does not count, nor do schemas; the order of a plain dict that is a value
    does. Left out are `rslt_dir` and the roots, at the top; a text or path that begins with the result folder counts
    from there. Functions and classes that an import finds count by their name. Those of config files and scripts, and
    lambdas, count by their code, what they close over, and what they read of their config file.

    Args:
        cfg: a loaded config.
        volatile: keys that make no difference to the result, by their last name (`num_workers`) or their whole path
            (`loader.ini.num_workers`). Keys of plain dicts too; what lies below such a key is left out with it.

    Returns:
        32 hexadecimal digits. Lambdas are compared by their bytecode, so that another minor version of Python gives a
        config with lambdas another digest.

    Raises:
        DigestError: values that are not the same in another process, all of them.
        TuneError: `volatile` is one string, or has something in it that is no key.
    """
    if isinstance(volatile, str):
        raise TuneError(f"volatile is a list of keys, not one string: write [{volatile!r}]")
    folder = dict.get(cfg, RESULT_DIR)
    try:
        writer = Writer(os.fspath(folder) if isinstance(folder, (str, os.PathLike)) else "", volatile)
    except ValueError as error:
        raise TuneError(f"volatile: {error}") from error
    writer.tree(cfg)
    if writer.problems:
        raise DigestError(_name_of(cfg), list(writer.problems.items()))
    return hashlib.blake2b(_VERSION + writer.result(), digest_size=16).hexdigest()


def _name_of(cfg: BaseConfig) -> str:
    return short_path(cfg.__extra__.source) if cfg.__extra__ is not None and cfg.__extra__.source else "the config"


__all__ = ["code_hash", "config_digest"]
