"""What functions and classes are called, and what functions do: without folders, files, lines and numbers of runs."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any, TypeVar

from ...load.modules import _PREFIX as _CONFIG_FILES

T = TypeVar("T")

_SCRIPTS = ("__main__", "__mp_main__")  # a script, and what a spawned process calls the same script
_FLAGS = 0x2AC  # of code: *args, **kwargs, generator, coroutine; not which __future__ its file imports
_MOST = 4_000

_Known = dict[int, tuple[Any, T]]  # by id: the object, which is kept so that its id stays its own, and what it has
_names: _Known[str] = {}
_globals: _Known[tuple[str, ...]] = {}


def is_of_config(module: str | None) -> bool:
    """Whether a module is a config file, or one that config files import relatively."""
    return module is not None and module.startswith(_CONFIG_FILES)


def written_name(module: str | None, name: str = "") -> str:
    """How a class, function or module is called in a digest; of a config file the path below its project counts."""
    module = module or ""
    if is_of_config(module):
        root, _, rest = module.rpartition("@")[0].partition(".") if "@" in module else module.partition(".")
        # below the root of the drive: a file outside of its project, which may lie anywhere
        module = rest.rpartition(".")[2] if root in (_CONFIG_FILES + "/", _CONFIG_FILES) else rest
    elif module in _SCRIPTS:
        module = _SCRIPTS[0]
    return f"{module}:{name}"


def import_name(definition: Any) -> str | None:
    """`module:name` of a class or function that its module has under its name; None of any other.

    What config files and scripts define counts as having none: it is in no code that is hashed, or another script is
    called `__main__` too.
    """
    known = _names.get(id(definition))
    if known is not None:
        return known[1]
    module, name = definition.__module__, definition.__qualname__
    if is_of_config(module) or module in _SCRIPTS or "<" in name:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return _kept(_names, definition, f"{module}:{name}") if found is definition else None


def code_parts(code: CodeType) -> tuple[Any, ...]:
    """What a piece of code does, in plain values; the code of inner functions in its turn."""
    constants = tuple(code_parts(one) if isinstance(one, CodeType) else one for one in code.co_consts)
    arguments = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _FLAGS
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return code.co_code, constants, arguments, names, code.co_exceptiontable


def global_names(code: CodeType) -> tuple[str, ...]:
    """The names of the module that a piece of code, or a function in it, reads."""
    known = _globals.get(id(code))
    return known[1] if known is not None else _kept(_globals, code, tuple(sorted(set(_reads(code)))))


def _reads(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _reads(constant)


def _kept(known: _Known[T], of: Any, value: T) -> T:
    if len(known) >= _MOST:  # what config files define is made anew with every load
        known.clear()
    known[id(of)] = of, value
    return value


__all__ = ["code_parts", "global_names", "import_name", "is_of_config", "written_name"]
