"""A config as Python that runs: `cfg = Config()` and one assignment per key; classes and functions are imported."""

from __future__ import annotations

import cmath
import datetime
import enum
import functools
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, GenericAlias, MethodType, ModuleType
from typing import Any, NamedTuple

from ...errors import SaveError, readable, short_repr
from ...tree.config import BaseConfig
from ...tree.keys import is_attribute_name, join
from ...tree.merge import caps_of, schema_of
from ...tree.node import WHOLE, is_default
from ...tree.text import LEAVES
from ...tree.values import Deferred
from ..declared_types import slot_types
from ..secrets import hold_secrets, masked

SECRET = "is a secret, which is never written: set it where the config is loaded, or keep it out of the config"
_LITERALS = (str, int, float, complex, bool, bytes, type(None), type(...))
_TIMES = (datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone)
_DEEPEST = 50  # attributes in one expression
_LONG_INT = 10_000  # bits; Python reads and writes no decimal number of more than 4,300 digits
_LONGEST_NAME = 200  # of what is imported
_TAKEN = ("cfg", "Config")  # names that the text uses itself
_BRACKETS: dict[type, tuple[str, str, str]] = {
    list: ("[", "]", "[]"),
    tuple: ("(", ",)", "()"),
    set: ("{", "}", "set()"),
    frozenset: ("frozenset({", "})", "frozenset()"),
}


def py_text(cfg: BaseConfig) -> str:
    """A config file that loads to an equal config.

    Raises:
        SaveError: values that have no Python text, all of them.
    """
    writer = _Writer()
    try:
        lines = writer.tree(cfg)
    except RecursionError as error:
        raise too_deep("a .py config") from error
    if writer.problems:
        raise SaveError("a .py config", writer.problems, "save_pkl can hold anything")
    return "\n".join(['"""Written by typedcat."""', *writer.imports(), "from typedcat import Config", "", *lines, ""])


def too_deep(target: str) -> SaveError:
    """The error for a value that is nested too deeply to be written."""
    return SaveError(target, [("cfg", "nested too deeply for its writer")], "save_pkl can hold any depth")


class _Place(NamedTuple):
    """Where a node is: how the text calls it, its path, and how many levels below a variable it is.

    Python's compiler has a limit for the attributes of an expression, so that deep ones begin at a variable again.
    """

    code: str
    path: str
    depth: int


class _Writer:
    """One text: what it has to import, and what it cannot express."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.names: dict[tuple[str, str], str] = {}  # (module, name): what the text calls it
        self.problems: list[tuple[str, str]] = []

    def imports(self) -> list[str]:
        """The lines that import what the text needs."""
        lines = [f"import {name}" + f" as {_alias(name)}" * (_alias(name) != name) for name in sorted(self.modules)]
        return lines + [
            f"from {module} import {name} as {alias}" for (module, name), alias in sorted(self.names.items())
        ]

    def tree(self, cfg: BaseConfig) -> list[str]:
        """The lines, in the order of the keys."""
        lines = [f"cfg = {self.constructor(cfg, 'cfg')}"]
        if cfg.__state__ & WHOLE:
            lines.append("cfg.override(True)")
        lines.append(LEAVES)
        stack: list[tuple[_Place, Any]] = [(_Place("cfg", "cfg", 0), self.items_of(cfg))]
        while stack:
            at, items = stack[-1]
            for node, key, value in items:
                below = self.below(at, node, key)
                if not isinstance(value, BaseConfig):
                    lines.append(f"{below.code} = {self.leaf(node, key, value, below.path)}")
                    continue
                lines += self.subtree(value, below)
                if below.depth == _DEEPEST:
                    name = f"subtree_{len(lines)}"
                    lines.append(f"{name} = {below.code}")
                    below = _Place(name, below.path, 0)
                stack.append((below, self.items_of(value)))
                break
            else:
                stack.pop()
        return lines

    def below(self, at: _Place, node: Any, key: Any) -> _Place:
        """The place of a key of the node that is at `at`."""
        methods = node.__reserved__
        path = join(at.path, key, methods)
        if type(key) is str:
            return _Place(join(at.code, key, methods), path, at.depth + 1)
        return _Place(f"{at.code}[{self.key(key, path)}]", path, at.depth + 1)

    def key(self, key: Any, path: str) -> str:
        """Python text of a key; one of a class derived from `str` is the same key as its text."""
        if isinstance(key, str) and not isinstance(key, enum.Enum):
            return repr(str.__str__(key))
        if any(item != item for item in (key, *(key if type(key) is tuple else ()))):  # noqa: PLR0124 - nan does so
            return self.refuse(path, "no other key equals this one, so it cannot be found again")
        return self.code(key, path)

    def items_of(self, node: BaseConfig) -> Iterator[tuple[Any, Any, Any]]:
        """(node, key, value) of what a node holds, without what its class gives it again: dependencies, and secrets."""
        for key, value in list(dict.items(node)):
            if not (
                is_default(node, key) and (isinstance(value, Deferred) or hold_secrets(slot_types(node, key)))
                and not isinstance(value, BaseConfig)
            ):  # fmt: skip
                yield node, key, value

    def subtree(self, node: BaseConfig, place: _Place) -> Iterator[str]:
        """The lines of a subtree itself, where writing below it is not enough."""
        if self.is_special(node):
            yield f"{place.code} = {self.constructor(node, place.path)}"
        elif not node and not node.__state__ & WHOLE:
            yield f"{place.code} = Config()"
        if node.__state__ & WHOLE:
            yield f"{place.code}.override(True)"

    def is_special(self, at: Any) -> bool:
        return bool(caps_of(at)) or schema_of(at) is not None

    def constructor(self, at: Any, path: str, content: str = "") -> str:
        arguments = [content] if content else []
        if (schema := schema_of(at)) is not None:
            arguments.append(f"schema={self.code(schema, path)}")
        if caps := caps_of(at):
            bases = [self.declared(cap.base, slot_types(at), path) for cap in caps]
            arguments.append(f"caps=({', '.join(bases)},)")
        return f"Config({', '.join(arguments)})"

    def leaf(self, at: Any, key: Any, value: Any, path: str) -> str:
        return self.declared(value, slot_types(at, key), path)

    def declared(self, value: Any, types: list[Any], path: str) -> str:
        """Python text of a value that is declared as one of these types."""
        return self.code(value, path) if masked(value, types) is value else self.refuse(path, SECRET)

    def refuse(self, path: str, reason: str) -> str:
        self.problems.append((path.removeprefix("cfg."), reason))
        return "..."

    def code(self, value: Any, path: str) -> str:
        """Python text of a value; what has none is added to the problems."""
        kind = type(value)
        if kind in (float, complex) and not cmath.isfinite(value):
            return f"{kind.__name__}('{value}')"
        if kind is int and value.bit_length() > _LONG_INT:
            return hex(value)
        if kind in _LITERALS or kind in (range, bytearray):
            return repr(value)
        if kind is slice:
            return f"slice({', '.join(self.code(one, path) for one in (value.start, value.stop, value.step))})"
        if kind is GenericAlias:
            items = ", ".join(self.code(one, path) for one in value.__args__)
            return f"{self.code(value.__origin__, path)}[{items or '()'}]"
        if kind in _BRACKETS:
            start, end, empty = _BRACKETS[kind]
            return f"{start}{self.items(value, path)}{end}" if value else empty
        if kind is dict:
            pairs = (f"{self.key(k, join(path, k))}: {self.code(v, join(path, k))}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, BaseConfig):
            return self.node(value, path)
        if kind in _TIMES and isinstance(getattr(value, "tzinfo", None), (datetime.timezone, type(None))):
            self.modules.add("datetime")
            return repr(value)
        if isinstance(value, enum.Enum):
            name = value.value if isinstance(value, enum.Flag) else value.name
            return f"{self.code(kind, path)}{f'({name!r})' if isinstance(value, enum.Flag) else f'[{name!r}]'}"
        if isinstance(value, PurePath):
            return f"{self.code(Path if isinstance(value, Path) else kind, path)}({str(value)!r})"
        if kind is functools.partial:
            return self.partial(value, path)
        return self.imported(value, path)

    def items(self, values: Any, path: str) -> str:
        return ", ".join(self.code(item, f"{path}[{i}]") for i, item in enumerate(values))

    def node(self, value: BaseConfig, path: str) -> str:
        """A node that stands inside a list, or is a base."""
        parts = []
        for key, item in dict.items(value):
            if not (isinstance(item, Deferred) and is_default(value, key)):
                where = join(path, key)
                text = self.code(item, where) if isinstance(item, BaseConfig) else self.leaf(value, key, item, where)
                parts.append(f"{self.key(key, where)}: {text}")
        return self.constructor(value, path, f"{{{', '.join(parts)}}}")

    def partial(self, value: functools.partial[Any], path: str) -> str:
        self.modules.add("functools")
        arguments = [self.code(item, path) for item in (value.func, *value.args)]
        if all(map(is_attribute_name, value.keywords)):
            arguments += [f"{name}={self.code(item, path)}" for name, item in value.keywords.items()]
        else:
            arguments.append(f"**{self.code(value.keywords, path)}")
        return f"functools.partial({', '.join(arguments)})"

    def imported(self, value: Any, path: str) -> str:
        if isinstance(value, ModuleType):
            self.modules.add(value.__name__)
            return _alias(value.__name__)
        name = import_path(value)
        if name is None:
            return self.refuse(path, why_not(value))
        module, _, rest = name.partition(":")
        if module == "builtins":
            return rest
        if not _is_reachable(module):
            first, *below = rest.split(".")
            alias = self.names[module, first] = f"{_alias(module)}_{first}"
            return ".".join([alias, *below])
        self.modules.add(module)
        return f"{_alias(module)}.{rest}"


def _alias(module: str) -> str:
    """What the text calls a module."""
    own = module.partition(".")[0] in _TAKEN or not _is_reachable(module)
    return f"module_{module.replace('.', '_')}" if own else module


def _is_reachable(module: str) -> bool:
    """Whether `a.b.c` leads to a module: torch.optim deletes its own, and others have a function of the same name."""
    first, *rest = module.split(".")
    found: Any = sys.modules.get(first)
    for name in rest:
        found = getattr(found, name, None)
    return found is sys.modules.get(module)


def import_path(value: Any) -> str | None:
    """`module:name` of a class or function that an import finds again; None of anything else.

    What a module has only one of, and prints as, is found in the same way: `torch.float16`.
    """
    if not isinstance(value, (type, FunctionType, BuiltinFunctionType, MethodType)):
        module, _, name = short_repr(value, _LONGEST_NAME).rpartition(".")
        return f"{module}:{name}" if getattr(sys.modules.get(module), name, None) is value else None
    owner = getattr(value, "__self__", None)  # of a class method, whose module a built-in one does not know
    name = f"{owner.__module__ if isinstance(owner, type) else value.__module__}:{value.__qualname__}"
    if readable(name) != name:  # defined by a config file, or next to one: another process has no such module
        return None
    if value.__module__ == "__main__":  # which is another module in another process
        return None
    try:
        return name if pkgutil.resolve_name(name) == value else None
    except (ImportError, AttributeError, ValueError):
        return None


def why_not(value: Any) -> str:
    """Why a value has no text."""
    if hasattr(type(value), "get_secret_value"):
        return SECRET
    if isinstance(value, Deferred):
        return f"{value!r} is not computed yet: save the loaded config"
    if isinstance(value, (type, FunctionType)):
        where = "the script that runs" if value.__module__ == "__main__" else "the config file"
        return f"'{value.__qualname__}' cannot be imported: move it to a module outside of {where}"
    return f"has no text, being of type {type(value).__name__}: {short_repr(value, 60)}"


__all__ = ["SECRET", "import_path", "py_text", "too_deep", "why_not"]
