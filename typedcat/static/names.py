"""Names of stubs: paths of config files as dotted module names, and back."""

from __future__ import annotations

import re
import unicodedata
from keyword import iskeyword
from pathlib import PurePath, PurePosixPath

_ESCAPE = re.compile(r"_u([0-9a-f]+)_")
_LIKE_ONE = re.compile(r"_(?=u[0-9a-f])")
STUB = ".pyi"


def mangled(name: str) -> str:
    """The name as an identifier: what cannot stand in one becomes `_u<code point in hex>_`. `demangled` undoes it."""
    escaped = _LIKE_ONE.sub("_u5f_", name)
    made = "".join(char if _fits(char) else _escaped(char) for char in escaped)
    return _escaped(made[0]) + made[1:] if not made[0].isidentifier() or iskeyword(made) else made


def _fits(char: str) -> bool:
    """Whether a character can stand in an identifier, as itself: Python folds some into others."""
    return f"a{char}".isidentifier() and unicodedata.normalize("NFKC", char) == char


def _escaped(char: str) -> str:
    return f"_u{ord(char):x}_"


def demangled(name: str) -> str:
    """The name that `mangled` was given."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), name)


def module_name(config: PurePath | str) -> str:
    """The module that stands for a config file, by its path below the project.

    `configs/base,2xbs/cfg.py` -> `configs.base_u2c_2xbs.cfg`; the ending stays where it is not `.py`.
    """
    path = PurePosixPath(config)
    return ".".join(mangled(part) for part in (*path.parts[:-1], path.name.removesuffix(".py")))


def stub_path(config: PurePath | str) -> str:
    """The path of the stub of a config file, below the folder of stubs."""
    return module_name(config).replace(".", "/") + STUB


def config_path(stub: PurePath | str) -> str:
    """The path of the config file that a stub stands for: the inverse of `stub_path`."""
    path = PurePosixPath(stub)
    name = demangled(path.name.removesuffix(STUB))
    return str(PurePosixPath(*(demangled(part) for part in path.parts[:-1]), name if "." in name else f"{name}.py"))
