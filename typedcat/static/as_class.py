"""An open config as the text of a module that declares it: a `TypedConfig` class per subtree, ready to be edited.

What is promised is that the config fits the classes. So a type is written only if pydantic, which will hold the values
against it, leaves the value as it is, and a subtree with keys that no class can declare stays an open `Config`.
"""

from __future__ import annotations

import ast
import builtins
import pkgutil
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from keyword import kwlist
from types import NoneType
from typing import Any, TypeAlias, get_origin

from ..errors import SaveError, SchemaError, short_path, short_repr
from ..load.formats.python_text import py_text
from ..load.inherit import RESULT_DIR
from ..load.validators import adapter
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy
from ..tree.keys import is_attribute_name, is_protocol_name
from ..tree.merge import schema_of
from ..tree.node import path_to, plain_class
from ..tree.typed import TypedConfig
from ..tree.values import Dependency, Parameter, dependencies_in
from .class_layout import UNCLEAR, WIDTH, ClassKey, field_lines, flat, import_blocks
from .class_methods import NumberChecker, as_method_body, expression_of, way_to
from .describe import DEEPEST, Resolved, resolved
from .renamed import Renamed, is_class_name
from .spell import ANY, CONFIG, GENERIC, NONE, WIDE_CALLABLE, Speller, importable, parameters_of, union, unused
from .stub import PLAIN_IMPORTS, REFERENCE, Names

Path: TypeAlias = tuple[Hashable, ...]

_MOST_KEYS = 4  # that a comment lists
_SECRET = "a secret, which is never written"


def class_text(root: BaseConfig, name: str = "Train", command: str = "") -> str:
    """The module that declares the keys of a config: the same text for the same config.

    Args:
        root: a config that has inherited, with its dependencies as they are (see `parse_config`). It does not change.
        name: of the class of the whole config.
        command: what made the text, for its first lines.

    Raises:
        SchemaError: the config has a schema already, or keys at its root that no class can declare.
        DependencyError: a dependency cannot be computed.
    """
    if (schema := schema_of(root)) is not None:
        raise SchemaError(
            f"{_source(root)} is typed already: its schema is {schema.__name__}\n"
            "  a class is written for configs without one; `typedcat schema CONFIG` prints the JSON Schema"
        )
    if not is_class_name(name):
        raise SchemaError(f"{name!r} cannot be the name of a class")
    _check_root(root)
    return _Module(root, name).text(command)


def _source(root: BaseConfig) -> str:
    return short_path(root.__extra__.source) if root.__extra__ is not None and root.__extra__.source else "the config"


def _check_root(root: BaseConfig) -> None:
    """Below the root an open `Config` takes any key; the root itself is to be a class, which does not."""
    problems = [f"cfg[{short_repr(key)}]" for key in dict.keys(root) if not _can_be_field(key)]
    if problems:
        raise SchemaError(
            f"{_source(root)}: no class can declare {', '.join(problems)}: a field is a name that is neither a keyword "
            "nor a method of configs\n  rename it, or move it into a subtree, which is then declared as an open Config"
        )
    folder = dict.get(root, RESULT_DIR, "")
    if type(folder) is not str:
        raise SchemaError(
            f"{_source(root)}: rslt_dir is of type {type(folder).__name__}, and in every TypedConfig it is a str\n"
            "  set it to a str"
        )


def _can_be_field(key: Hashable) -> bool:
    return (
        isinstance(key, str)
        and is_attribute_name(key)
        and not is_protocol_name(key)
        and not key.startswith("__")
        and not hasattr(BaseConfig, key)
        and unicodedata.normalize("NFKC", key) == key  # as which Python reads a name
    )


# -- which subtrees become classes, and what they are called


def _why_open(node: BaseConfig) -> str | None:
    """Why a subtree stays an open `Config`; '' if it is just empty, None if it becomes a class."""
    if (schema := schema_of(node)) is not None:
        return f"open; its schema is {schema.__name__}"
    if not dict.__len__(node):
        return ""
    if unfit := [key for key in dict.keys(node) if not _can_be_field(key)]:
        shown = ", ".join(short_repr(key, 40) for key in unfit[:_MOST_KEYS])
        return f"open, because no class can declare {shown}{', ...' if len(unfit) > _MOST_KEYS else ''}"
    if type(dict.get(node, RESULT_DIR, "")) is not str:
        return "open, because the rslt_dir of a TypedConfig is a str"
    return "open, because it lies so deep" if len(path_to(node)) > DEEPEST else None


def _classes(root: BaseConfig) -> Iterator[tuple[Path, BaseConfig]]:
    """The subtrees that become classes."""
    work: list[tuple[Path, BaseConfig]] = [((), root)]
    for path, node in work:
        yield path, node
        for key, value in dict.items(node):
            if isinstance(value, BaseConfig) and _why_open(value) is None:
                work.append(((*path, key), value))


def _class_names(paths: Iterable[Path], taken: set[str]) -> dict[Path, str]:
    """A name for each: of the last keys of its path, as few as tell it from all others."""
    ends = {path: [_camel(path[i:]) for i in reversed(range(len(path)))] for path in paths}
    counts = [Counter(names) for names in _columns(ends.values())]
    found: dict[Path, str] = {}
    for path, names in ends.items():
        free = (one for i, one in enumerate(names) if counts[i][one] == 1 and one not in taken)
        found[path] = next(free, None) or unused(names[-1], taken)
        taken.add(found[path])
    return found


def _columns(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    rows = list(rows)
    for i in range(max(map(len, rows), default=0)):
        yield [row[i] for row in rows if len(row) > i]


def _camel(keys: Iterable[Hashable]) -> str:
    parts = [part for key in keys for part in str(key).split("_")]
    name = unicodedata.normalize("NFKC", "".join(part[:1].upper() + part[1:] for part in parts))
    return name if name.isidentifier() else f"_{name}"


# -- types


class _Speller(Speller):
    """Types that the values of other configs have as well: a class stands for its base, a function for any."""

    def function(self, value: Any) -> str:
        return WIDE_CALLABLE

    def _value(self, value: Any, depth: int) -> str:
        if value is None and depth:
            return NONE
        if isinstance(value, type) and get_origin(value) is None:
            return f"{{builtins:type}}[{self._class_type(value)}]"
        if isinstance(value, re.Pattern):
            return f"{{re:Pattern}}[{{builtins:{type(value.pattern).__name__}}}]"
        return super()._value(value, depth)

    def _union(self, values: Iterable[Any], depth: int) -> str:
        return super()._union(_floats(list(values)), depth)

    def _class_type(self, value: type[Any]) -> str:
        base = _public_base(value)
        if _is_generic(base):
            return self._give_up(f"no argument of {base.__name__}[...] is known")
        return self._class(base)

    def _instance(self, cls: type[Any]) -> str:
        if _is_generic(cls) and cls not in GENERIC and not parameters_of(cls):
            return self._give_up(f"no argument of {cls.__name__}[...] is known")
        return super()._instance(cls)


def _public_base(cls: type[Any]) -> type[Any]:
    """The widest class that says what a class is for: `Optimizer` for `AdamW`, so that another config may take `SGD`.

    The way up ends where there are several bases, or one of the language itself.
    """
    found = at = cls
    while len(at.__bases__) == 1 and at.__bases__[0].__module__ not in ("abc", "builtins", "enum", "typing"):
        at = at.__bases__[0]
        if not at.__name__.startswith("_") and not _is_generic(at) and importable(at, at.__module__, at.__qualname__):
            found = at
    return found


def _floats(values: Sequence[Any]) -> Sequence[Any]:
    """Of numbers some of which are fractions, all as fractions: `[1, 2.5]` is a `list[float]`."""
    if float not in map(type, values):
        return values
    return [0.0 if type(one) is int else one for one in values]


def _is_generic(cls: type[Any]) -> bool:
    """Whether a checker wants the arguments of a class; those of numpy's have defaults."""
    if cls.__module__.partition(".")[0] == "numpy":
        return False
    if isinstance(parameters := getattr(cls, "__parameters__", None), tuple):
        return bool(parameters)
    return cls in GENERIC or "__class_getitem__" in cls.__dict__


def _stays(value: Any, text: str) -> bool:
    """Whether validation against a type, as text, leaves a value as it is."""
    names: dict[str, Any] = {}

    def given(module: str, name: str) -> str:
        names[key := f"_{len(names)}"] = pkgutil.resolve_name(f"{module}:{name}")
        return key

    code = REFERENCE.sub(lambda found: given(found[1], found[2]), text)
    try:
        return _alike(value, adapter(eval(code, names)).validate_python(value))
    except Exception:  # noqa: BLE001 - validators of the user's classes may raise anything
        return False


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are the same, NaNs and types included; of numbers `1` and `1.0` are."""
    if one is other:
        return True
    if type(one) is not type(other):
        return {type(one), type(other)} == {int, float} and bool(one == other)  # 1 among fractions is one
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict):
        return all(map(_alike, dict.items(one), dict.items(other))) and len(one) == len(other)
    return bool(one == other) or repr(one) == repr(other) == "nan"


# -- values


class _Names(Names):
    """Names from where a library shows them, `torch.optim.AdamW`, rather than from where they are defined.

    They are imported themselves, but for those that would mean two things in the module: of these, the module is.
    """

    def __init__(self) -> None:
        super().__init__(())
        self.meanings = {name: home for home, some in PLAIN_IMPORTS.items() for name in some}  # of names in the module

    def name(self, module: str, name: str) -> str:
        first = name.partition(".")[0]
        home = _shown_by(module, first)
        known = hasattr(builtins, first) or first in self.shadows
        if not home or home == "builtins" or known or self.meanings.setdefault(first, home) != home:
            return super().name(home, name)
        self.from_imports.setdefault(home, set()).add(first)
        return name

    def module(self, module: str) -> str:
        first = module.partition(".")[0]
        if self.meanings.setdefault(first, "") == "":  # a module; what else is called so lies in one
            return super().module(module)
        around, self.shadows = self.shadows, {*self.shadows, first}
        try:
            return super().module(module)
        finally:
            self.shadows = around


def _shown_by(module: str, name: str) -> str:
    """The outermost package that lists a name of a module as its own, or the module."""
    thing = getattr(sys.modules.get(module), name, None)
    parts = module.split(".")
    for end in range(1, len(parts)):
        home = sys.modules.get(".".join(parts[:end]))
        if name in getattr(home, "__all__", ()) and getattr(home, name, None) is thing:
            return ".".join(parts[:end])
    return module


# -- the module


class _Module:
    def __init__(self, root: BaseConfig, name: str) -> None:
        self.root = root
        self.found = _values(root)
        self.names = _Names()
        nodes = dict(_classes(root))
        fields = {str(key) for node in nodes.values() for key in dict.keys(node)}
        taken = {name, *fields, *UNCLEAR, *dir(builtins), *kwlist, *self.names.meanings}
        called = {(): name, **_class_names((path for path in nodes if path), taken)}
        self.called = {id(node): called[path] for path, node in nodes.items()}
        self.speller = _Speller(lambda file: None)
        self.kinds: dict[tuple[int, str], type[Any]] = {}  # of the fields that are plain values, by their node
        self.classes: list[str] = []

    def text(self, command: str) -> str:
        self.node(self.root, self.found.tree)
        made = f"Made by `{command}`; edit it as you like." if command else ""
        lines = [f"Keys and types of {_source(self.root)}.", *([""] if made else []), made]
        doc = "\n".join(lines).rstrip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        end = "\n" if made else ""
        blocks = ["\n".join(block) for block in import_blocks(self.names)]
        return "\n\n\n".join(["\n\n".join([f'"""{doc}{end}"""', *blocks]), *self.classes]) + "\n"

    def node(self, node: BaseConfig, made: BaseConfig) -> bool:
        """Write the class of a subtree, after those below it; returns whether it can be made without arguments."""
        around, self.names.shadows = self.names.shadows, {*map(str, dict.keys(node)), *self.called.values()}
        keys = [
            self.subtree(key, value, dict.__getitem__(made, key))
            if isinstance(value, BaseConfig)
            else self.leaf(node, key, value, made)
            for key, value in dict.items(node)
            if key != RESULT_DIR
        ]
        keys = [self.with_method(node, key) for key in keys]
        fields = [line for key in keys if not key.method for line in field_lines(key)]
        methods = [line for key in keys if key.method for line in ("", *key.method)]
        body = [*fields, *methods[0 if fields else 1 :]] or ["    pass"]
        base = self.names.name("typedcat", "TypedConfig")
        self.classes.append("\n".join([f"class {self.called[id(node)]}({base}):", *body]))
        self.names.shadows = around
        return not any(key.required for key in keys)

    def subtree(self, key: str, value: BaseConfig, made: BaseConfig) -> ClassKey:
        own = plain_class(value)
        if id(value) in self.called:
            name = self.called[id(value)]
            return ClassKey(key, name, f"{name}()" if self.node(value, made) else "")
        if own.__typed__:
            type_ = self.speller.declared(own)
            name = self.names.type(type_.read)
            return ClassKey(key, name, f"{name}()" if type_.read != ANY and _is_complete(own) else "", type_.why)
        default, _ = self.default(value) if dict.__len__(value) else ("", "")
        name = self.names.type(CONFIG)
        return ClassKey(key, name, default or f"{name}()", _why_open(value) or "")

    def leaf(self, node: BaseConfig, key: str, value: Any, made: BaseConfig) -> ClassKey:
        at = (id(made), key)
        values = self.found.choices.get(at) or (dict.__getitem__(made, key),)
        type_, why = self.typed(values)
        kinds = {type(one) for one in values}
        if len(kinds) == 1 and kinds <= {int, float, bool, str}:
            self.kinds[id(node), key] = kinds.pop()
        how = "tuned" if isinstance(value, Parameter) else "computed" if any(dependencies_in(value)) else ""
        if how:
            story = node.origin((key,))
            return ClassKey(key, type_, "", f"{how} in {story[0]}" if story else how)
        default, reason = self.default(value)
        return ClassKey(key, type_, default, "; ".join(filter(None, (reason, why))))

    # -- types and values as text

    def typed(self, values: Sequence[Any]) -> tuple[str, str]:
        """The type of a field that may have any of some values, and why it says nothing where it does not."""
        several = _floats(values) if all(type(one) in (int, float, NoneType) for one in values) else values
        found = [(NONE, "") if one is None and len(values) > 1 else self.checked(one) for one in several]
        why = "; ".join(dict.fromkeys(why for _, why in found if why))
        return self.names.type(union(text for text, _ in found)), why

    def checked(self, value: Any) -> tuple[str, str]:
        if isinstance(value, Dependency):
            return ANY, ""
        spelled = self.speller.value(value)
        if _stays(value, spelled.read):
            return spelled.read, f"Any: {spelled.why}" if spelled.why else ""
        return ANY, f"Any: validation as {type(value).__name__} would change it"

    def default(self, value: Any) -> tuple[str, str]:
        """A value as an expression, or '' and the reason."""
        if hasattr(type(value), "get_secret_value"):
            return "", _SECRET
        cfg = Config()
        cfg["it"] = [branch_copy(value) if isinstance(value, BaseConfig) else value]
        try:
            written = ast.parse(py_text(cfg))
        except SaveError as error:
            reason = error.problems[0][1].partition(": ")[0]
            return "", f"no default: {reason.replace('has no text, being', 'no text for a value')}"
        except (RecursionError, MemoryError, SyntaxError):
            return "", "no default: nested too deeply"
        renamed = Renamed(self.names, written.body)
        assigned: Any = written.body[-1]
        return ast.unparse(renamed.visit(assigned.value.elts[0])), ""

    # -- dependencies that can move into the class

    def with_method(self, node: BaseConfig, key: ClassKey) -> ClassKey:
        """A computed key as a `@DEP` method that computes the same, or as a required one that says why it is none."""
        value = dict.__getitem__(node, key.name)
        if type(value) is not Dependency:
            return key
        checker = NumberChecker(getattr(value.func, "__globals__", {}), partial(self.kind, node))
        if (written := expression_of(value.func)) is None:
            why = "it is no single expression"
        elif (body := as_method_body(*written, way_to(node, key.name))) is None:
            why = "it reads keys outside of this class"
        elif method := self.method(node, key, checker, body):
            return replace(key, method=method)
        else:
            why = "it is more than simple arithmetic"
        return replace(key, comment=f"required, {key.comment}: no method, as {why}", above=True)

    def method(self, node: BaseConfig, key: ClassKey, checker: NumberChecker, expression: ast.expr) -> tuple[str, ...]:
        """The definition of a method; () if a checker may not find it right, or it is too long."""
        kind = checker.kind(expression)
        if kind is None or kind is not self.kinds.get((id(node), key.name)):
            return ()
        line = f"        return {flat(expression)}"
        decorator = self.names.name("typedcat", "DEP")
        head = (f"    @{decorator}", f"    def {key.name}(self) -> {key.type}:")
        return (*head, line) if len(line) <= WIDTH else ()

    def kind(self, node: BaseConfig, path: tuple[str, ...]) -> type[Any] | None:
        """The type of the plain value that lies below a node, if classes lead there."""
        at: Any = node
        for key in path[:-1]:
            at = dict.get(at, key)
            if id(at) not in self.called:
                return None
        return self.kinds.get((id(at), path[-1]))


def _values(root: BaseConfig) -> Resolved:
    """The config with every value in it.

    Raises:
        DependencyError: it cannot be loaded either.
    """
    found = resolved(branch_copy(root))
    is_tune = root.__extra__ is not None and root.__extra__.tune is not None
    if found.failures and not is_tune:
        raise next(iter(found.failures.values()))
    return found


def _is_complete(cls: type[TypedConfig]) -> bool:
    return not any(one.required and one.name != RESULT_DIR for one in cls.__fields__.values())


__all__ = ["class_text", "is_class_name"]
