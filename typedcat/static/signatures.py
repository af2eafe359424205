"""Does the `ini` of a node fit the signature of its `cls`: `cls(**ini)` is what training code does with them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import did_you_mean, readable, short_repr
from ..load.declared_types import slot_types
from ..load.schema_fields import fields_of
from ..load.secrets import masked
from ..tree.config import BaseConfig
from ..tree.keys import join, suggest
from ..tree.origin import Place, history
from ..tree.values import Deferred
from .argument_types import Unknown, fits
from .findings import Finding, absolute
from .setters import setter

_KEYWORDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_EXPONENT = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")
_IN_YAML = "YAML takes a number such as 1e-3 for text; it wants a point and a sign: 1.0e-3"
_UNTYPED = inspect.Parameter("any", inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Arguments:
    """What a callable takes by name.

    Attributes:
        parameters: by name.
        written: the same with annotations as the code has them, texts or not.
        more: whether it takes any other as well.
    """

    parameters: Mapping[str, inspect.Parameter]
    written: Mapping[str, inspect.Parameter]
    more: bool

    def refusal(self, key: Hashable, value: Any) -> str:
        """Why an argument is not taken, as the code of a finding; '' where it may be."""
        if key not in self.parameters:
            return "" if self.more else "unknown-argument"
        parameter = self.parameters[str(key)]
        wanted, default = parameter.annotation, parameter.default
        if fits(value, wanted):
            return ""
        is_kept = default is not parameter.empty and type(value) is type(default)  # None, in `size: int = None`
        return "" if is_kept and not fits(default, wanted) else "argument-type"


@dataclass(frozen=True)
class Component:
    """A mapping with a `cls` and an `ini`: a subtree, or a plain dict in a value.

    Attributes:
        path: its path, as messages name it.
        node: the mapping.
        slot: the node and the key that hold it, from which is known who set a plain dict.
    """

    path: str
    node: dict[Any, Any]
    slot: tuple[BaseConfig, Hashable]

    @property
    def cls(self) -> Any:
        """What is called."""
        return dict.get(self.node, "cls")

    @property
    def ini(self) -> Any:
        """Its arguments: a subtree or a plain dict, else this is no such mapping."""
        return dict.get(self.node, "ini")

    def setter(self, *keys: Hashable) -> Place | None:
        """Who set what stands at `cls`, or at `ini` and a key."""
        holder, slot = self.node, self.slot
        for key in keys:
            slot = (holder, key) if isinstance(holder, BaseConfig) else slot
            holder = dict.__getitem__(holder, key)
        return setter(*slot)


def argument_faults(tree: BaseConfig, config: Path) -> Iterator[Finding]:
    """What each `ini` holds that the `cls` beside it does not take; required arguments may come from training code."""
    for one in _components(tree):
        arguments = arguments_of(one.cls) if isinstance(one.ini, dict) else None
        if arguments is not None:
            for key, value in dict.items(one.ini):
                if code := arguments.refusal(key, value):
                    yield _finding(one, key, code, arguments, config)


def _components(tree: BaseConfig) -> Iterator[Component]:
    """Every subtree and every plain dict, also those in lists; parents first."""
    work: list[tuple[str, Any, tuple[BaseConfig, Hashable]]] = [("", tree, (tree, ""))]
    seen: set[int] = set()
    while work:
        path, value, slot = work.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            yield Component(path, value, slot)
            items: list[tuple[str, Any, Any]] = [(join(path, key), item, key) for key, item in dict.items(value)]
        else:
            items = [(f"{path}[{i}]", item, i) for i, item in enumerate(value)]
        for name, item, key in reversed(items):
            if isinstance(item, (dict, list, tuple)):
                work.append((name, item, (value, key) if isinstance(value, BaseConfig) else slot))


# -- signatures


def arguments_of(cls: Any) -> Arguments | None:
    """What a callable takes by name; None if nobody can tell. A decorator that takes any arguments decides."""
    if not callable(cls) or isinstance(cls, (Deferred, BaseConfig)):
        return None
    signature = _signature(cls)
    if signature is None:
        return None
    if isinstance(cls, type) and hasattr(cls, "__pydantic_decorators__"):
        return _of_model(cls, signature)
    parameters = (_signature(cls, {}) or signature).parameters
    return Arguments(_by_name(parameters), signature.parameters, _takes_more(parameters))


def _signature(cls: Any, names: dict[str, Any] | None = None) -> inspect.Signature | None:
    """The signature of a callable.

    Args:
        cls: the callable.
        names: given, its annotations are no texts; names that checkers alone know come to stand for anything in it.
    """
    try:
        return inspect.signature(cls, follow_wrapped=False, locals=names, eval_str=names is not None)
    except NameError as error:
        if names is None or not error.name or error.name in names:
            return None
        return _signature(cls, {**names, error.name: Unknown})
    except Exception:  # noqa: BLE001 - written in C; annotations or a metaclass of the user's raise whatever they like
        return None


def _of_model(cls: Any, signature: inspect.Signature) -> Arguments:
    """What a pydantic class takes: of any type, as it converts; of any name, if code of the user's sees them first."""
    validators = cls.__pydantic_decorators__.model_validators.values()
    is_own = any(one.info.mode != "after" for one in validators) or not cls.__init__.__module__.startswith("pydantic")
    fields = fields_of(cls) if "__pydantic_fields__" in vars(cls) else {}  # not of a plain subclass of its dataclasses
    names = [*_by_name(signature.parameters), *fields]  # a field may have several
    parameters = dict.fromkeys(names, _UNTYPED)
    return Arguments(parameters, parameters, is_own or _takes_more(signature.parameters))


def _takes_more(parameters: Mapping[str, inspect.Parameter]) -> bool:
    return any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())


def _by_name(parameters: Mapping[str, inspect.Parameter]) -> dict[str, inspect.Parameter]:
    return {name: one for name, one in parameters.items() if one.kind in _KEYWORDS}


# -- what to say


def _finding(one: Component, key: Hashable, code: str, arguments: Arguments, config: Path) -> Finding:
    """An argument that is not taken: the fault of who wrote it, or of who chose another class later."""
    value = dict.__getitem__(one.ini, key)
    at, chosen = one.setter("ini", key), one.setter("cls")
    record = one.node.__origins__.get("cls") if isinstance(one.node, BaseConfig) else None
    notes: tuple[str, ...] = ()
    older = [arguments_of(step.value) for step in history(record, one.cls)][1:]
    if any(had is not None and key in had.parameters and not had.refusal(key, value) for had in older):
        notes = (f"it was set for another class, at {at}; assign Drop to it",)
        at = chosen
    elif chosen is not None and at is not None and chosen.file != at.file:
        notes = (f"cls is set at {chosen}",)
    file, line = (absolute(at.file), at.line or 1) if at is not None else (str(config), 1)
    if file.endswith((".yaml", ".yml")) and isinstance(value, str) and _EXPONENT.fullmatch(value):
        notes = (*notes, _IN_YAML)
    text = f"{join(join(one.path, 'ini'), key)}: {_said(one, key, value, code, arguments)}"
    is_default = chosen is None or chosen.how == "default"
    return Finding(file, line, code, text, notes, str(config), incomplete=is_default)


def _said(one: Component, key: Hashable, value: Any, code: str, arguments: Arguments) -> str:
    cls = getattr(one.cls, "func", one.cls)  # of a partial
    name = readable(getattr(cls, "__qualname__", "") or type(cls).__qualname__)
    if code == "unknown-argument":
        close = did_you_mean(suggest(key, arguments.parameters))
        return "; ".join(filter(None, [f"{name} takes no argument {key!r}", close]))
    annotation = arguments.written[str(key)].annotation
    wanted = readable(annotation if isinstance(annotation, str) else inspect.formatannotation(annotation))
    slot = (one.ini, key) if isinstance(one.ini, BaseConfig) else one.slot
    return f"{name} takes {wanted.replace('collections.abc.', '')}, got {short_repr(masked(value, slot_types(*slot)))}"
