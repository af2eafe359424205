"""An open config as the text of a module that declares it: a `TypedConfig` class per subtree, ready to be edited.

What is promised is that the config fits the classes. So a type is written only if pydantic, which will hold the values
against it, leaves the value as it is, and a subtree with keys that no class can declare stays an open `Config`.
"""

from __future__ import annotations

import ast
import builtins
import io
import linecache
import pkgutil
import sys
import textwrap
import tokenize
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword, kwlist
from types import FunctionType
from typing import Any, TypeAlias, get_origin

from ..errors import SaveError, SchemaError, short_path, short_repr
from ..load.inherit import RESULT_DIR
from ..load.python_text import py_text
from ..load.validators import adapter
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy
from ..tree.keys import is_attribute_name, is_protocol_name
from ..tree.merge import schema_of
from ..tree.node import WHOLE_CONFIG, path_to, plain_class
from ..tree.typed import TypedConfig
from ..tree.values import Dependency, Parameter, dependencies_in
from .describe import _DEEPEST, _Resolved, _resolved
from .spell import _GENERIC, ANY, CONFIG, NONE, WIDE_CALLABLE, Speller, importable, union, unused
from .stub import PLAIN_IMPORTS, REFERENCE, Names

Path: TypeAlias = tuple[Hashable, ...]

_WIDTH = 120
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
    return "open, because it lies so deep" if len(path_to(node)) > _DEEPEST else None


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
        if _is_generic(cls) and cls not in _GENERIC and not getattr(cls, "__parameters__", ()):
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
    return cls in _GENERIC or "__class_getitem__" in cls.__dict__


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
        return _parsed(self.names.name(self.modules[home], dotted.removeprefix(f"{home}.")))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.modules:
            return _parsed(self.names.module(self.modules[node.id]))
        return _parsed(self.names.name("typedcat" if node.id == "Config" else "builtins", node.id))

    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        node.elts.sort(key=ast.unparse)
        return node


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


# -- the module


@dataclass(frozen=True)
class _Key:
    """A field of a class, as text; `method` is the whole definition of one that a `@DEP` method computes."""

    name: str
    type: str
    default: str = ""
    comment: str = ""
    method: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return not self.default and not self.method


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
        blocks = ["\n".join(block) for block in _import_blocks(self.names)]
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
        keys = [_Key(key.name, key.type, method=found) if (found := self.method(node, key)) else key for key in keys]
        fields = [line for key in keys if not key.method for line in _field(key)]
        methods = [line for key in keys if key.method for line in ("", *key.method)]
        body = [*fields, *methods[0 if fields else 1 :]] or ["    pass"]
        base = self.names.name("typedcat", "TypedConfig")
        self.classes.append("\n".join([f"class {self.called[id(node)]}({base}):", *body]))
        self.names.shadows = around
        return not any(key.required for key in keys)

    def subtree(self, key: str, value: BaseConfig, made: BaseConfig) -> _Key:
        own = plain_class(value)
        if id(value) in self.called:
            name = self.called[id(value)]
            return _Key(key, name, f"{name}()" if self.node(value, made) else "")
        if own.__typed__:
            type_ = self.speller.declared(own)
            name = self.names.type(type_.read)
            return _Key(key, name, f"{name}()" if type_.read != ANY and _is_complete(own) else "", type_.why)
        default, _ = self.default(value) if dict.__len__(value) else ("", "")
        name = self.names.type(CONFIG)
        return _Key(key, name, default or f"{name}()", _why_open(value) or "")

    def leaf(self, node: BaseConfig, key: str, value: Any, made: BaseConfig) -> _Key:
        at = (id(made), key)
        values = self.found.choices.get(at) or (dict.__getitem__(made, key),)
        type_, why = self.typed(values)
        kinds = {type(one) for one in values}
        if len(kinds) == 1 and kinds <= {int, float, bool, str}:
            self.kinds[id(node), key] = kinds.pop()
        how = "tuned" if isinstance(value, Parameter) else "computed" if any(dependencies_in(value)) else ""
        if how:
            story = node.origin((key,))
            return _Key(key, type_, "", f"{how} in {story[0]}" if story else how)
        default, reason = self.default(value)
        return _Key(key, type_, default, reason or why)

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

    def method(self, node: BaseConfig, key: _Key) -> tuple[str, ...]:
        """The definition of a `@DEP` method that computes the same; () if none is sure to."""
        value = dict.__getitem__(node, key.name)
        if type(value) is not Dependency or not _starts_at(node, key.name):
            return ()
        written = _expression_of(value.func)
        if written is None:
            return ()
        argument, expression = written
        checker = _Checker(argument, value.func.__globals__, lambda path: self.kind(node, path))
        kind = checker.kind(expression)
        if kind is None or kind is not self.kinds.get((id(node), key.name)):
            return ()
        for name in ast.walk(expression):
            if isinstance(name, ast.Name) and name.id == argument:
                name.id = "self"
        line = f"        return {_flat(expression)}"
        decorator = self.names.name("typedcat", "DEP")
        head = (f"    @{decorator}", f"    def {key.name}(self) -> {key.type}:")
        return (*head, line) if len(line) <= _WIDTH else ()

    def kind(self, node: BaseConfig, path: tuple[str, ...]) -> type[Any] | None:
        """The type of the plain value that lies below a node, if classes lead there."""
        at: Any = node
        for key in path[:-1]:
            at = dict.get(at, key)
            if id(at) not in self.called:
                return None
        return self.kinds.get((id(at), path[-1]))


def _values(root: BaseConfig) -> _Resolved:
    """The config with every value in it.

    Raises:
        DependencyError: it cannot be loaded either.
    """
    found = _resolved(branch_copy(root))
    is_tune = root.__extra__ is not None and root.__extra__.tune is not None
    if found.failures and not is_tune:
        raise next(iter(found.failures.values()))
    return found


def _is_complete(cls: type[TypedConfig]) -> bool:
    return not any(one.required and one.name != RESULT_DIR for one in cls.__fields__.values())


# -- dependencies as methods


def _starts_at(node: BaseConfig, key: str) -> bool:
    """Whether the function of a dependency gets the node that holds it."""
    anchor = node.__extra__.anchors.get(key) if node.__extra__ is not None else None
    return anchor == (0, ()) or (anchor == WHOLE_CONFIG and node.__parent__ is None)


def _expression_of(function: Any) -> tuple[str, ast.expr] | None:
    """The parameter and the result of a function that is a single expression of it, and nothing but that."""
    if not isinstance(function, FunctionType) or function.__closure__ or function.__defaults__:
        return None
    code = function.__code__
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    except (SyntaxError, RecursionError, MemoryError):
        return None
    found = [one for one in ast.walk(tree) if _first_line(one) == code.co_firstlineno]
    if len(found) != 1 or not isinstance(one := found[0], (ast.Lambda, ast.FunctionDef)):
        return None
    if [*map(len, (one.args.args, one.args.posonlyargs, one.args.kwonlyargs))] != [1, 0, 0]:
        return None
    if one.args.vararg or one.args.kwarg:
        return None
    if isinstance(one, ast.Lambda):
        return one.args.args[0].arg, one.body
    body = one.body[1:] if ast.get_docstring(one) is not None else one.body
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return one.args.args[0].arg, body[0].value
    return None


def _first_line(node: ast.AST) -> int | None:
    """Where Python says that a function begins."""
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        return node.decorator_list[0].lineno
    return node.lineno if isinstance(node, (ast.FunctionDef, ast.Lambda)) else None


_NUMBERS = (int, float)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)  # not `**`, whose type depends on the values


class _Checker:
    """Tells what a checker would say a number is, of the few forms of expressions that it surely understands.

    Args:
        argument: the name of the node in the expression.
        scope: the names around the function, which may hide built-in functions.
        below: the type of the value at a path below the node.
    """

    def __init__(
        self, argument: str, scope: dict[str, Any], below: Callable[[tuple[str, ...]], type[Any] | None]
    ) -> None:
        self.argument = argument
        self.scope = scope
        self.below = below

    def kind(self, node: ast.expr) -> type[Any] | None:
        """The type of an expression; None if it is not clear, or no number."""
        found: type[Any] | None = None
        if isinstance(node, ast.Constant):
            found = type(node.value)
        elif isinstance(node, ast.Attribute):
            found = self.attribute(node)
        elif isinstance(node, ast.BinOp):
            kinds = {self.kind(node.left), self.kind(node.right)}
            if None not in kinds and isinstance(node.op, (*_OPERATORS, ast.Div)):
                found = float if float in kinds or isinstance(node.op, ast.Div) else int
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            found = self.call(node.func.id, [self.kind(one) for one in node.args])
        return found if found in _NUMBERS else None

    def attribute(self, node: ast.expr) -> type[Any] | None:
        """`c.loader.batch_size`."""
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        return self.below(tuple(path)) if isinstance(node, ast.Name) and node.id == self.argument else None

    def call(self, name: str, given: list[type[Any] | None]) -> type[Any] | None:
        """Of a built-in function."""
        if name in self.scope or None in given:
            return None
        if len(given) == 1:
            return {"round": int, "int": int, "float": float}.get(name)
        return given[0] if name in ("max", "min") and len({*given}) == 1 else None


# -- the layout, which is that of `ruff format`


def _field(key: _Key) -> Iterator[str]:
    """The lines of a field, its comment behind it or, where that is too long, above."""
    lines = _statement(f"    {key.name}: {key.type}", _parsed(key.default) if key.default else None)
    comment = " ".join(key.comment.split())
    if comment and (len(lines) > 1 or len(lines[0]) + len(comment) + 4 > _WIDTH):
        yield from textwrap.wrap(comment, _WIDTH, initial_indent="    # ", subsequent_indent="    # ")
        comment = ""
    yield from lines[:-1]
    yield lines[-1] + (f"  # {comment}" if comment else "")


def _statement(head: str, value: ast.expr | None) -> list[str]:
    if value is None:
        return [head]
    text = _laid_out(value, 4, len(head) + 3)
    if "\n" not in text and len(head) + 3 + len(text) > _WIDTH >= len(text) + 8:
        text = f"(\n        {text}\n    )"
    return f"{head} = {text}".split("\n")


def _laid_out(node: ast.expr, indent: int, used: int) -> str:
    """An expression, over several lines if it does not fit behind the `used` characters of its own line."""
    flat = _flat(node)
    found = _parts(node)
    if used + len(flat) <= _WIDTH or found is None:
        return flat
    begin, items, end = found
    inner = " " * (indent + 4)
    if isinstance(node, ast.Call) and len(line := inner + flat[len(begin) : -len(end)]) <= _WIDTH:
        return f"{begin}\n{line}\n{' ' * indent}{end}"
    lines = [f"{inner}{key}{_laid_out(item, indent + 4, indent + 5 + len(key))}," for key, item in items]
    return "\n".join([begin, *lines, " " * indent + end])


def _parts(node: ast.expr) -> tuple[str, list[tuple[str, ast.expr]], str] | None:
    """The brackets of an expression, and what stands in them: each with the text before it."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and node.elts:
        brackets = {ast.List: "[]", ast.Tuple: "()", ast.Set: "{}"}[type(node)]
        return brackets[0], [("", one) for one in node.elts], brackets[1]
    if isinstance(node, ast.Dict) and node.keys:
        pairs = zip(node.keys, node.values, strict=True)
        return "{", [(f"{_flat(key)}: ", value) for key, value in pairs if key is not None], "}"
    if isinstance(node, ast.Call) and (node.args or node.keywords):
        named = [(f"{one.arg}=", one.value) for one in node.keywords]
        return f"{_flat(node.func)}(", [*(("", one) for one in node.args), *named], ")"
    return None


def _flat(node: ast.expr) -> str:
    """An expression on one line, its strings in double quotes where that needs no more backslashes."""
    text = ast.unparse(node)
    parts, at = [], 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.string.lstrip("b").startswith("'"):
            prefix, _, body = token.string[:-1].partition("'")
            if body.count('"') <= body.count("\\'"):
                body = body.replace("\\'", "'").replace('"', '\\"')
                parts += [text[at : token.start[1]], prefix, '"', body, '"']
                at = token.end[1]
    return "".join([*parts, text[at:]])


def _import_blocks(names: Names) -> Iterator[list[str]]:
    """The imports, those of Python, of what is installed, and of the project itself apart."""
    plain = [(line.split()[1], line) for line in sorted(names.imports)]
    froms = [
        (module, f"from {module} import {', '.join(sorted(some, key=lambda name: (not name.isupper(), name)))}")
        for module, some in names.from_imports.items()
    ]
    lines = [*plain, *sorted(froms)]
    for block in range(3):
        if found := [line for module, line in lines if _block(module) == block]:
            yield found


def _block(module: str) -> int:
    top = module.partition(".")[0]
    spec = getattr(sys.modules.get(top), "__spec__", None)
    places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec is not None else []
    if top in sys.stdlib_module_names:
        return 0
    return 1 if top == "typedcat" or any("site-packages" in place for place in places) else 2


__all__ = ["class_text", "is_class_name"]
