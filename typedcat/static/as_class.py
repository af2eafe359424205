"""An open config as the text of a module that declares it: a `TypedConfig` class per subtree, ready to be edited.

What is promised is that the config fits the classes. So a type is written only if pydantic, which will hold the values
against it, leaves the value as it is, and a subtree with keys that no class can declare stays an open `Config`.
"""

from __future__ import annotations

import ast
import builtins
import pkgutil
import sys
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from keyword import iskeyword, kwlist
from typing import Any, TypeAlias, get_origin

from ..errors import SaveError, SchemaError, short_path, short_repr
from ..load.inherit import RESULT_DIR
from ..load.python_text import py_text
from ..load.validators import adapter
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy
from ..tree.keys import is_attribute_name, is_protocol_name
from ..tree.merge import schema_of
from ..tree.node import path_to, plain_class
from ..tree.typed import TypedConfig
from ..tree.values import Dependency, Parameter, dependencies_in
from .class_layout import WIDTH, ClassKey, field_lines, flat, import_blocks, parsed
from .class_methods import NumberChecker, expression_of, starts_at
from .describe import DEEPEST, Resolved, resolved
from .spell import ANY, CONFIG, GENERIC, NONE, WIDE_CALLABLE, Speller, importable, union, unused
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


def is_class_name(name: str) -> bool:
    """Whether a class can be called so."""
    return name.isidentifier() and not iskeyword(name) and not name.startswith("__")


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
        return super()._value(value, depth)

    def _class_type(self, value: type[Any]) -> str:
        base = _public_base(value)
        if _is_generic(base):
            return self._give_up(f"no argument of {base.__name__}[...] is known")
        return self._class(base)

    def _instance(self, cls: type[Any]) -> str:
        if _is_generic(cls) and cls not in GENERIC and not getattr(cls, "__parameters__", ()):
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


def _is_generic(cls: type[Any]) -> bool:
    """Whether a checker wants the arguments of a class."""
    if (parameters := getattr(cls, "__parameters__", None)) is not None:
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
    """Whether two values are the same, types and NaNs included."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict):
        return all(map(_alike, dict.items(one), dict.items(other))) and len(one) == len(other)
    return bool(one == other) or repr(one) == repr(other) == "nan"


# -- values


class _Names(Names):
    """Names from where a library shows them, `torch.optim.AdamW`, rather than from where they are defined."""

    def name(self, module: str, name: str) -> str:
        first = name.partition(".")[0]
        thing = getattr(sys.modules.get(module), first, None)
        parts = module.split(".")
        for end in range(1, len(parts)):
            home = sys.modules.get(".".join(parts[:end]))
            if first in getattr(home, "__all__", ()) and getattr(home, first, None) is thing:
                return super().name(".".join(parts[:end]), name)
        return super().name(module, name)


class _Renamed(ast.NodeTransformer):
    """The expression of a value, as `py_text` writes it, in the names of the module; the items of sets in order."""

    def __init__(self, names: Names, modules: dict[str, str]) -> None:
        self.names = names
        self.modules = modules  # by what `py_text` calls them

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        dotted = ast.unparse(node)
        home = max((one for one in self.modules if dotted.startswith(f"{one}.")), key=len, default=None)
        if home is None:
            return self.generic_visit(node)
        return parsed(self.names.name(self.modules[home], dotted.removeprefix(f"{home}.")))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.modules:
            return parsed(self.names.module(self.modules[node.id]))
        return parsed(self.names.name("typedcat" if node.id == "Config" else "builtins", node.id))

    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        node.elts.sort(key=ast.unparse)
        return node


# -- the module


class _Module:
    def __init__(self, root: BaseConfig, name: str) -> None:
        self.root = root
        self.found = _values(root)
        nodes = dict(_classes(root))
        fields = {str(key) for node in nodes.values() for key in dict.keys(node)}
        taken = {name, *fields, *dir(builtins), *kwlist, *(one for some in PLAIN_IMPORTS.values() for one in some)}
        called = {(): name, **_class_names((path for path in nodes if path), taken)}
        self.called = {id(node): called[path] for path, node in nodes.items()}
        self.names = _Names(())
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
        keys = [
            ClassKey(key.name, key.type, method=found) if (found := self.method(node, key)) else key for key in keys
        ]
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
        return ClassKey(key, type_, default, reason or why)

    # -- types and values as text

    def typed(self, values: Sequence[Any]) -> tuple[str, str]:
        """The type of a field that may have any of some values, and why it says nothing where it does not."""
        found = [(NONE, "") if one is None and len(values) > 1 else self.checked(one) for one in values]
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
        imported = [one for line in written.body if isinstance(line, ast.Import) for one in line.names]
        renamed = _Renamed(self.names, {one.asname or one.name: one.name for one in imported})
        assigned: Any = written.body[-1]
        return ast.unparse(renamed.visit(assigned.value.elts[0])), ""

    # -- dependencies that can move into the class

    def method(self, node: BaseConfig, key: ClassKey) -> tuple[str, ...]:
        """The definition of a `@DEP` method that computes the same; () if none is sure to."""
        value = dict.__getitem__(node, key.name)
        if type(value) is not Dependency or not starts_at(node, key.name):
            return ()
        written = expression_of(value.func)
        if written is None:
            return ()
        argument, expression = written
        checker = NumberChecker(argument, value.func.__globals__, lambda path: self.kind(node, path))
        kind = checker.kind(expression)
        if kind is None or kind is not self.kinds.get((id(node), key.name)):
            return ()
        for name in ast.walk(expression):
            if isinstance(name, ast.Name) and name.id == argument:
                name.id = "self"
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
