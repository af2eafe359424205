"""Values and annotations as the text of a type.

In such a text `{module:Name}` stands for a name that has to be imported; `stub.py` writes it as the stub can say it.
"""

from __future__ import annotations

import collections
import collections.abc
import enum
import functools
import inspect
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union

from ..load.modules import definition_key
from ..tree.config import BaseConfig
from ..tree.node import plain_class

ANY = "{typing:Any}"
NONE = "None"
CONFIG = "{typedcat:Config}"
WIDE_CALLABLE = "{collections.abc:Callable}[..., {typing:Any}]"
JOINED_FUNCTIONS = "{builtins:function}"  # what mypy takes functions of several signatures in one list for
MOST_MEMBERS = 6  # of a union, before it is Any
_DEEPEST = 8  # of containers in each other
_MOST_ITEMS = 2_000  # of a container that are looked at
_CONFIG_MODULE = "_typedcat_"  # how the names of the modules of config files begin
GENERIC: dict[type, int] = {  # classes in C do not tell how many parameters they have
    collections.deque: 1, collections.defaultdict: 2, collections.OrderedDict: 2, collections.Counter: 1,
    collections.ChainMap: 2, functools.partial: 1, types.MappingProxyType: 2,
    list: 1, dict: 2, set: 1, frozenset: 1, type: 1, re.Pattern: 1, re.Match: 1,
}  # fmt: skip
_PLAIN = (bool, int, float, complex, str, bytes)

NodeType = Callable[[BaseConfig], str]
"""From a config inside of a container to its type."""

ModuleOf = Callable[[str], str | None]
"""From a config file to the module that its stub is; None if it has none."""


@dataclass(frozen=True)
class Spelled:
    """A type as text.

    Attributes:
        read: what reading gives.
        write: what may be written; '' if that is the same.
        why: why it, or a part of it, is `Any`; '' if nothing is.
    """

    read: str
    write: str = ""
    why: str = ""


class Speller:
    """Spells the types of one stub.

    Args:
        module_of: finds the stubs of config files, for classes that those define.

    Attributes:
        protocols: the name of the class that stands for functions of a signature, by the signature.
    """

    def __init__(self, module_of: ModuleOf) -> None:
        self.module_of = module_of
        self.protocols: dict[str, str] = {}
        self.whys: list[str] = []
        self.node_type: NodeType = lambda node: CONFIG

    def value(self, value: Any, node_type: NodeType | None = None) -> Spelled:
        """The type of a value: exact for reading, wide for writing.

        Args:
            value: the value.
            node_type: gives the types of the configs in it that are of no class; by default they are open.
        """
        around = self.node_type
        self.node_type = node_type or (lambda node: CONFIG)
        read, why = self._explained(lambda: union([self._value(value, 0)]))
        self.node_type = around
        return Spelled(read, _wide(value, read), why)

    def declared(self, annotation: Any) -> Spelled:
        """A declared type, exact both ways."""
        read, why = self._explained(lambda: self.annotation(annotation))
        return Spelled(read, "", why)

    def _explained(self, spell: Callable[[], str]) -> tuple[str, str]:
        """A type, and why it is `Any`; called again while it spells the type of a config in a list."""
        around, self.whys = self.whys, []
        read = spell()
        why = "; ".join(dict.fromkeys(self.whys))
        self.whys = around
        return read, why

    def _give_up(self, why: str) -> str:
        self.whys.append(why)
        return ANY

    # -- values

    def _value(self, value: Any, depth: int) -> str:
        if value is None:
            return NONE
        if type(value) in _PLAIN:
            return f"{{builtins:{type(value).__name__}}}"
        if isinstance(value, type) and typing.get_origin(value) is None:
            return f"{{builtins:type}}[{self._instance(value)}]"
        if isinstance(value, BaseConfig):
            own = plain_class(value)
            return self._class(own) if own.__typed__ else self.node_type(value)
        if depth > _DEEPEST:
            return ANY
        if type(value) in (list, tuple, set, frozenset) or isinstance(value, dict):
            return self._container(value, depth)
        if is_function(value):
            return self.function(value)
        if isinstance(value, PurePath):
            return "{pathlib:Path}"
        if isinstance(value, re.Pattern):
            return f"{{re:Pattern}}[{self._value(value.pattern, depth)}]"
        if type(value) is functools.partial:
            return f"{{functools:partial}}[{self._result(value.func)}]"
        return self._instance(type(value))

    def _container(self, value: Any, depth: int) -> str:
        if type(value) is tuple and len(value) <= MOST_MEMBERS:
            items = ", ".join(self._value(item, depth + 1) for item in value)
            return f"{{builtins:tuple}}[{items or '()'}]"
        if not isinstance(value, dict):
            ellipsis = ", ..." if type(value) is tuple else ""
            return f"{{builtins:{type(value).__name__}}}[{self._union(value, depth)}{ellipsis}]"
        if type(value) is not dict and GENERIC.get(type(value)) != 2:
            return self._instance(type(value))
        name = "{builtins:dict}" if type(value) is dict else self._class(type(value))
        return f"{name}[{self._union(value, depth)}, {self._union(dict.values(value), depth)}]"

    def _union(self, values: Iterable[Any], depth: int) -> str:
        found: dict[str, None] = {}
        for count, value in enumerate(values):
            found[self._value(value, depth + 1)] = None
            if count > _MOST_ITEMS:
                break
        return union(found)

    def _instance(self, cls: type[Any]) -> str:
        name = self._class(cls)
        if cls is tuple:
            return f"{name}[{ANY}, ...]"
        count = GENERIC.get(cls, len(parameters_of(cls)))
        return f"{name}[{', '.join([ANY] * count)}]" if count and name != ANY else name

    def _result(self, function: Any) -> str:
        """The type of what calling a function or a class gives."""
        return self._instance(function) if isinstance(function, type) else self._hint(_hints(function), "return")

    def function(self, value: Any) -> str:
        """The type of functions with the signature of a function: a protocol, which keeps the names of parameters."""
        try:
            signature = inspect.signature(value)
        except (TypeError, ValueError):  # written in C, and silent about it
            return WIDE_CALLABLE
        text = self.signature(signature, _hints(value), ["_self"])
        if text is None:
            return WIDE_CALLABLE
        name = re.sub(r"\W", "", getattr(value, "__name__", "") or "function").strip("_") or "function"
        wanted = f"{name[0].upper()}{name[1:]}Function"
        made = self.protocols.get(text)
        if made is None:
            made = self.protocols[text] = unused(wanted, self.protocols.values())
        return f"{{:{made}}}"

    def signature(self, signature: inspect.Signature, hints: Mapping[str, Any], first: list[str]) -> str | None:
        """`(self, x: int, y: float = ...) -> None`, or None if a parameter has no name that can be written."""
        parts, star = list(first), False
        parameters = list(signature.parameters.values())
        for i, parameter in enumerate(parameters):
            if not parameter.name.isidentifier():
                return None
            kind = parameter.kind
            if kind is parameter.KEYWORD_ONLY and not star:
                parts.append("*")
                star = True
            star = star or kind is parameter.VAR_POSITIONAL
            mark = "*" if kind is parameter.VAR_POSITIONAL else "**" if kind is parameter.VAR_KEYWORD else ""
            default = "" if parameter.default is parameter.empty else " = ..."
            parts.append(f"{mark}{parameter.name}: {self._hint(hints, parameter.name)}{default}")
            ends = i + 1 == len(parameters) or parameters[i + 1].kind is not parameter.POSITIONAL_ONLY
            if kind is parameter.POSITIONAL_ONLY and ends:
                parts.append("/")
        return f"({', '.join(parts)}) -> {self._hint(hints, 'return')}"

    def _hint(self, hints: Mapping[str, Any], name: str) -> str:
        return self.annotation(hints[name]) if name in hints else ANY

    # -- annotations

    def annotation(self, annotation: Any) -> str:
        """A resolved annotation as text."""
        if annotation is None or annotation is type(None):
            return NONE
        if isinstance(annotation, typing.NewType):
            return self.annotation(annotation.__supertype__)
        if (alias := getattr(annotation, "__value__", None)) is not None and not isinstance(annotation, type):
            return self.annotation(alias)  # a `type X = ...` statement
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is None:
            return self._simple(annotation)
        if origin is Annotated or origin in _WRAPPERS:
            return self.annotation(arguments[0])
        if origin is Union or origin is types.UnionType:
            return " | ".join(dict.fromkeys(self.annotation(one) for one in arguments))
        if origin is Literal:
            return f"{{typing:Literal}}[{', '.join(self._literal(one) for one in arguments)}]"
        if origin is collections.abc.Callable:
            taken = arguments[0]
            shown = f"[{', '.join(map(self.annotation, taken))}]" if isinstance(taken, list) else "..."
            return f"{{collections.abc:Callable}}[{shown}, {self.annotation(arguments[1])}]"
        items = ", ".join("..." if one is ... else self.annotation(one) for one in arguments)
        return f"{self._class(origin)}[{items or '()'}]"

    def _simple(self, annotation: Any) -> str:
        if isinstance(annotation, type):
            return self._instance(annotation)
        name = getattr(annotation, "_name", None) or getattr(annotation, "__name__", "")
        if annotation in (Any, typing.Never, typing.NoReturn, typing.LiteralString):
            return f"{{typing:{name}}}"
        if isinstance(annotation, typing.TypeVar):
            return ANY
        if isinstance(annotation, (str, typing.ForwardRef)):
            return self._give_up(f"the name {annotation!r} cannot be resolved")
        return ANY

    def _literal(self, value: Any) -> str:
        if isinstance(value, enum.Enum):
            return f"{self._class(type(value))}.{value.name}"
        return repr(value).replace("{", r"\x7b").replace("}", r"\x7d")

    # -- classes

    def _class(self, cls: type[Any]) -> str:
        if issubclass(cls, BaseConfig):
            cls = cls.__plain__
        module, name = cls.__module__, cls.__qualname__
        if module.startswith(_CONFIG_MODULE):
            file, _ = definition_key(cls)
            stub = self.module_of(file)
            if stub is None or "<locals>" in name or not issubclass(cls, BaseConfig):
                return self._give_up(f"{name} is defined in a config file; a module of its own would give it a type")
            return f"{{{stub}:{name}}}"
        if module == "typing" and name.startswith("_"):
            return self._give_up(f"{module}.{name} is no name that checkers know")
        home = importable(cls, module, name)
        return f"{{{home}:{name}}}" if home else self._give_up(f"{module}.{name} cannot be imported by that name")


_WRAPPERS = tuple(
    one
    for one in (typing.ClassVar, typing.Final, typing.Required, typing.NotRequired, getattr(typing, "ReadOnly", None))
    if one is not None
)


def union(members: Iterable[str]) -> str:
    """`A | B` of distinct types; `Any` of none, or of many; nothing but None stands for what is not known yet."""
    found = dict.fromkeys(part for member in members for part in _alternatives(member))
    if list(found) == [NONE]:
        return f"{ANY} | None"
    if not found or len(found) > MOST_MEMBERS:
        return ANY
    last = [NONE] if found.pop(NONE, 0) is None else []
    return " | ".join([*sorted(found), *last])


def _alternatives(text: str) -> list[str]:
    """The members of a union that stands at the top level of a text."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "|" and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()]


def importable(value: Any, module: str, name: str) -> str:
    """The module under which a class can be imported, a public one if there is one; '' if there is none."""
    homes = [module]
    if module.startswith("typedcat.") or any(part.startswith("_") for part in module.split(".")):
        parts = module.split(".")
        homes = [".".join(parts[: i + 1]) for i in range(len(parts))]
    for home in homes:
        found: Any = sys.modules.get(home)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is value and home != "__main__":
            return home
    return ""


def parameters_of(cls: type[Any]) -> tuple[Any, ...]:
    """The type variables of a class; of the class of `list[int]` the attribute of that name is something else."""
    found = getattr(cls, "__parameters__", ())
    return found if isinstance(found, tuple) else ()


def is_function(value: Any) -> bool:
    """Whether a value is there to be called, and tells what with."""
    return isinstance(value, (types.FunctionType, types.BuiltinFunctionType, types.MethodType))


def _hints(function: Any) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - what annotations of the user's code raise when evaluated can be anything
        return {}


def _wide(value: Any, read: str) -> str:
    """What may be written over a value: `lr = 0.5` over 1, AdamW over SGD, and None over anything."""
    if value is None:
        return ANY
    if isinstance(value, enum.Enum):
        return f"{read} | None"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "{builtins:float} | None"
    if isinstance(value, _PLAIN):
        return f"{read} | None"
    if isinstance(value, type):
        return f"{{builtins:type}}[{ANY}] | None"
    if is_function(value):
        return f"{WIDE_CALLABLE} | {JOINED_FUNCTIONS} | None"
    if isinstance(value, (list, tuple)):
        return f"{{builtins:list}}[{ANY}] | {{builtins:tuple}}[{ANY}, ...] | None"
    if isinstance(value, (set, frozenset)):
        return f"{{builtins:set}}[{ANY}] | {{builtins:frozenset}}[{ANY}] | None"
    if isinstance(value, BaseConfig):
        return WIDE_SUBTREE
    if isinstance(value, dict):
        return f"{{builtins:dict}}[{ANY}, {ANY}] | None"
    if isinstance(value, os.PathLike):
        return "{builtins:str} | {os:PathLike}[{builtins:str}] | None"
    return ANY  # another library's transform over this one's


WIDE_SUBTREE = f"{{typedcat:BaseConfig}} | {{builtins:dict}}[{{builtins:str}}, {ANY}] | None"


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, with a number if it is taken."""
    names, number, made = set(taken), 1, name
    while made in names:
        number += 1
        made = f"{name}{number}"
    return made
