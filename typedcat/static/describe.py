"""A config as the classes of its stub: one per subtree, with the type, the line and the history of each key."""

from __future__ import annotations

import contextlib
import inspect
import linecache
import os
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import TypedcatError, ValidationError
from ..load.modules import last_run
from ..load.open import Opened, recorded
from ..load.pipeline import prepare
from ..load.project import Project, find_project
from ..load.resolve import Failures, resolve
from ..load.schema import coerce_leaves, restore_leaves, validate
from ..load.schema_fields import SchemaField, fields_of, is_secret_type, nested_schema
from ..tree.config import BaseConfig, Config, caps_from
from ..tree.copying import branch_copy
from ..tree.fields import field_types
from ..tree.keys import is_attribute_name, is_protocol_name
from ..tree.merge import schema_of
from ..tree.node import extra_of, path_of, path_to, plain_class
from ..tree.origin import Origin, Place, history, newest, place
from ..tree.typed import TypedConfig
from ..tree.values import Dependency, Parameter
from ..tree.walk import branches
from .spell import ANY, CONFIG, MOST_MEMBERS, NONE, WIDE_SUBTREE, ModuleOf, Spelled, Speller, union, unused

_LONGEST_LINE = 100  # characters of the user's code in a docstring
_LONGEST_HISTORY = 6  # steps of it
DEEPEST = 40  # levels of subtrees; below, keys are not checked
DEEPEST_LISTS = 4  # levels of lists of configs


@dataclass(frozen=True)
class Attribute:
    """A key of a class.

    Attributes:
        name: the key.
        type: what reading gives, and what writing takes.
        lines: its docstring.
        default: whether a constructor may leave it out.
    """

    name: str
    type: Spelled
    lines: tuple[str, ...] = ()
    default: bool = False


@dataclass(frozen=True)
class StubClass:
    """A class of a stub.

    Attributes:
        name: what it is called there.
        bases: types, as text; () for a node that a config file describes by its values.
        attributes: its keys.
        hidden: keys that cannot be attributes, as they are written.
        methods: definitions of methods, as text.
        inner: nested classes.
        derived: whether it derives from a schema, of which it knows more; else a class with bases is a schema itself.
    """

    name: str
    bases: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    hidden: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    inner: tuple[StubClass, ...] = ()
    derived: bool = False


@dataclass(frozen=True)
class Description:
    """What the stub of a config says, without anything of the config itself: it can be sent to another process.

    Attributes:
        config: the path of the config, below the folder that all of them lie in.
        root: the type of the whole config.
        classes: those of its subtrees, and the schemas that the file itself defines.
        protocols: (name, signature) of functions.
        merged: the bases of a file with several, as written, and the type of what they make together.
        opened: the files that loading it opened.
    """

    config: str
    root: str
    classes: tuple[StubClass, ...] = ()
    protocols: tuple[tuple[str, str], ...] = ()
    merged: tuple[tuple[tuple[str, ...], str], ...] = ()
    opened: tuple[str, ...] = ()


def describe(path: Path, top: Path, module_of: ModuleOf) -> Description:
    """Load a config as far as it can be, and describe it.

    A dependency that cannot be computed is of the type that its function is annotated with, or of any.

    Args:
        path: the config file.
        top: the folder that paths in the stub count from.
        module_of: finds the stubs of config files.

    Raises:
        TypedcatError: it cannot be opened, or its bases cannot.
    """
    project = find_project(path)
    with recorded() as opened:
        tree = prepare(path, None, None, None, (), None, project, needs_dir=False)
    maker = _Maker(top, Speller(module_of))
    root = maker.root(tree, "Cfg")
    merged = [(bases, maker.root(_merged(path, bases, project), "Bases")) for bases in _several(path, opened)]
    own = _own_classes(path, maker)
    protocols = tuple((name, text) for text, name in maker.speller.protocols.items())
    files = tuple(dict.fromkeys(str(one.path) for one in opened))
    config = Path(os.path.relpath(path, top)).as_posix()
    return Description(config, root, (*own, *maker.classes), protocols, tuple(merged), files)


def _several(path: Path, opened: list[Opened]) -> Iterator[tuple[str, ...]]:
    """The bases of a file that names more than one, all of them by path."""
    for one in opened:
        if one.path == path and len(one.bases) > 1 and all(isinstance(base, str) for base in one.bases):
            yield one.bases
            return


def _merged(path: Path, bases: tuple[str, ...], project: Project) -> BaseConfig:
    tree = Config()
    extra_of(tree).caps = caps_from(bases, Place(str(path), None))
    return prepare(tree, None, None, None, (), None, project, needs_dir=False)


# -- values


@dataclass
class Resolved:
    """A tree with every value in it that can be had.

    Attributes:
        tree: the tree; a parameter stands there as its first value.
        choices: the values of each parameter, by the identity of its node, and the key.
        failures: the errors of the dependencies that cannot be computed.
    """

    tree: BaseConfig
    choices: dict[tuple[int, Hashable], tuple[Any, ...]] = field(default_factory=dict)
    failures: Failures = field(default_factory=dict)


def resolved(tree: BaseConfig) -> Resolved:
    """Compute what can be computed of a tree, in place; it no longer is a tune config then."""
    found = Resolved(tree)
    for node in branches(tree):
        for key, value in list(dict.items(node)):
            if isinstance(value, Parameter):
                found.choices[id(node), key] = value.optional_val
                first = value.optional_val[0]
                node.__put__(key, branch_copy(first) if isinstance(first, BaseConfig) else first, _place(node, key))
    extra_of(tree).tune = None
    before = coerce_leaves(tree)
    resolve(tree, failures=found.failures)
    restore_leaves(before)
    with contextlib.suppress(ValidationError):  # `typedcat check` tells; the types of a schema are known all the same
        validate(tree)
    return found


def _place(node: Any, key: Hashable) -> Any:
    """Who set a value, so that the one that takes its place has the same history."""
    record = node.__origins__.get(key)
    return Place("", None) if record is None else newest(record)


# -- classes


class _Maker:
    """Makes the classes of one stub."""

    def __init__(self, top: Path, speller: Speller) -> None:
        self.top = top
        self.speller = speller
        self.classes: list[StubClass] = []
        self.names: list[str] = []
        self.depth = 0  # of lists with configs in each other
        self.found = Resolved(Config())

    def root(self, tree: BaseConfig, name: str) -> str:
        """The type of a whole config."""
        self.found = resolved(tree)
        return self.node(tree, name, schema_of(tree))

    def node(self, node: BaseConfig, name: str, declared: Any) -> str:
        """The type of a subtree: the class that it is of, or one made for it."""
        own = plain_class(node)
        if own.__typed__:
            spelled = self.speller.declared(own)
            if spelled.read != ANY:
                return self.refined(node, name, spelled.read)
        schema = nested_schema(schema_of(node) or declared)
        if (not dict.__len__(node) and schema is None) or len(path_to(node)) > DEEPEST:
            return CONFIG
        made = unused(name, self.names)
        self.names.append(made)
        at = len(self.classes)
        attributes, hidden = [], []
        for key, value in dict.items(node):
            if key == "rslt_dir" and node.__parent__ is None:
                continue
            if not isinstance(key, str) or not self.can_be_attribute(node, key):
                hidden.append(f"cfg[{key!r}]" if node.__parent__ is None else f"{path_of(node)}[{key!r}]")
            else:
                attributes.append(self.attribute(node, key, value, schema, name))
        self.classes.insert(at, StubClass(made, (), tuple(attributes), tuple(hidden)))
        return f"{{:{made}}}"

    def refined(self, node: BaseConfig, name: str, base: str) -> str:
        """The class of a typed subtree, or one that derives from it and knows the keys of what it leaves open."""
        if len(path_to(node)) > DEEPEST:
            return base
        made = unused(name, self.names)
        at = len(self.classes)
        self.names.append(made)
        types, attributes = field_types(plain_class(node)), []
        for key, value in dict.items(node):
            annotation = types.get(key)
            if not isinstance(annotation, type) or not isinstance(value, BaseConfig):
                continue  # what may also be None, or something else, stays as it is declared
            declared = self.speller.declared(annotation).read
            read = self.node(value, name + _camel(key), annotation)
            if read not in (declared, CONFIG, ANY):
                known = fields_of(plain_class(node)).get(key)
                attributes.append(Attribute(key, Spelled(read, declared), self.lines(node, key, value, known)))
        if not attributes:
            self.names.remove(made)
            return base
        self.classes.insert(at, StubClass(made, (base,), tuple(attributes), derived=True))
        return f"{{:{made}}}"

    @staticmethod
    def can_be_attribute(node: BaseConfig, key: str) -> bool:
        """Whether a key can be declared in a class."""
        return is_attribute_name(key) and not is_protocol_name(key) and not key.startswith("__") and (
            key not in node.__reserved__
        )  # fmt: skip

    def attribute(self, node: BaseConfig, key: str, value: Any, schema: Any, name: str) -> Attribute:
        """One key of a class that is made for a subtree."""
        declared = fields_of(schema).get(key) if schema is not None else None
        annotation = declared.annotation if declared is not None else None
        below = name + _camel(key)
        if isinstance(value, BaseConfig) and (declared is None or nested_schema(annotation) is not None):
            type_ = Spelled(self.node(value, below, annotation), WIDE_SUBTREE)
        elif declared is not None:
            type_ = self.speller.declared(annotation)
        else:
            type_ = self.inferred(node, key, value, below)
        return Attribute(key, type_, self.lines(node, key, value, declared))

    def inferred(self, node: BaseConfig, key: str, value: Any, name: str) -> Spelled:
        """The type of a value that nothing declares."""
        choices = self.found.choices.get((id(node), key))
        if choices is not None:
            first, *others = [
                self.choice(one, f"{name}{i or ''}", False) for i, one in enumerate((value, *choices[1:]))
            ]
            every = (first, *others)
            why = "; ".join(dict.fromkeys(one.why for one in every if one.why))
            return Spelled(union(one.read for one in every), union(one.write for one in every), why)
        error = self.found.failures.get((id(node), key))
        if isinstance(value, Dependency):
            return self.uncomputed(value, error)
        return self.choice(value, name)

    def choice(self, value: Any, name: str, alone: bool = True) -> Spelled:
        if value is None and not alone:
            return Spelled(NONE, NONE)
        if isinstance(value, Dependency):
            return self.uncomputed(value, None)
        if isinstance(value, BaseConfig):
            return Spelled(self.node(value, name, None), WIDE_SUBTREE)
        return self.leaf(value, name)

    def leaf(self, value: Any, name: str) -> Spelled:
        """The type of a value that is no subtree; configs in its lists have classes unless they are too different."""
        known = len(self.classes), len(self.names)
        shapes: dict[str, str] = {}
        spelled = self.speller.value(value, lambda node: self.item(node, f"{name}Item", shapes))
        if len(set(shapes.values()) - {CONFIG}) <= MOST_MEMBERS:
            return spelled
        del self.classes[known[0] :], self.names[known[1] :]
        return self.speller.value(value)

    def item(self, node: BaseConfig, name: str, shapes: dict[str, str]) -> str:
        """The type of a config in a list: one class for all that have the same keys and types.

        Args:
            node: the config.
            name: of its class.
            shapes: the types so far, by what their classes say.
        """
        self.depth += 1
        known = len(self.classes), len(self.names)
        type_ = CONFIG if self.depth > DEEPEST_LISTS else self.node(node, name, None)
        self.depth -= 1
        found = shapes.setdefault(_shape(type_, self.classes[known[0] :]), type_)
        if found != type_:
            del self.classes[known[0] :], self.names[known[1] :]
        return found

    def uncomputed(self, value: Any, error: TypedcatError | None) -> Spelled:
        """The type of a dependency that could not be computed."""
        hint = inspect.get_annotations(value.func).get("return", inspect.Parameter.empty)
        if hint is not inspect.Parameter.empty and not isinstance(hint, str):
            return Spelled(self.speller.annotation(hint), ANY)
        why = str(error).partition("\n")[0] if error is not None else "its value depends on what is chosen"
        return Spelled(ANY, ANY, self.portable(why))

    # -- docstrings

    def lines(self, node: BaseConfig, key: Hashable, value: Any, declared: SchemaField | None) -> tuple[str, ...]:
        """The lines that set a value, newest first, and the line that declares it, with their code."""
        hide = declared is not None and is_secret_type(declared.annotation)
        hide = hide or hasattr(type(value), "get_secret_value")
        steps = list(history(node.__origins__.get(key), value))[:_LONGEST_HISTORY]
        if declared is not None:
            at = place(declared.where)
            steps.append(Origin(at.file, at.line, None, at.how))
        return tuple(dict.fromkeys(self.step(one, hide) for one in steps if one.file))

    def step(self, origin: Origin, hide: bool) -> str:
        file = self.shown(origin.file)
        if origin.line is None:
            return file
        code = "" if hide else " ".join(linecache.getline(origin.file, origin.line).split())
        code = code if len(code) <= _LONGEST_LINE else code[: _LONGEST_LINE - 3] + "..."
        return f"{file}:{origin.line}  {code}".rstrip()

    def shown(self, file: str) -> str:
        """A path that is the same on every machine."""
        path = Path(file)
        if path.is_relative_to(self.top):
            return path.relative_to(self.top).as_posix()
        parts = path.as_posix().rpartition("/site-packages/")
        return parts[2] if parts[1] else path.name

    def portable(self, text: str) -> str:
        """A message without the folder of the project in it."""
        return text.replace(f"{self.top}{os.sep}", "")


def _shape(type_: str, classes: list[StubClass]) -> str:
    """What some classes say, whatever they are called, and whichever lines set their keys."""
    keys = [tuple(replace(one, lines=()) for one in made.attributes) for made in classes]
    text = repr([replace(made, attributes=own) for made, own in zip(classes, keys, strict=True)])
    for number, made in enumerate(classes):
        text = re.sub(rf"(?<=\{{:){made.name}(?=\}})|(?<=name='){made.name}(?=')", f"<{number}>", text)
    return text if classes else type_


def _camel(key: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in key.split("_")) or "_"


# -- schemas that a config file defines


def _own_classes(path: Path, maker: _Maker) -> list[StubClass]:
    module = last_run(path) if path.suffix == ".py" else None
    if module is None:
        return []
    found = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, TypedConfig))
    return [_own_class(cls, maker) for cls in dict.fromkeys(found) if cls.__module__ == module.__name__]


def _own_class(cls: type[TypedConfig], maker: _Maker) -> StubClass:
    spell = maker.speller
    types, fields = field_types(cls), cls.__fields__
    attributes = [
        Attribute(name, spell.declared(types[name]), default=not one.required)
        for name, one in fields.items()
        if one.owner is cls
    ]
    methods, inner = [], []
    for name, value in vars(cls).items():
        if inspect.isfunction(value) and not is_protocol_name(name):
            signature = spell.signature(inspect.signature(value), _annotations(value), [])
            methods.append(f"def {name}{signature}: ...")
        elif isinstance(value, type) and issubclass(value, TypedConfig) and value.__qualname__.startswith(
            f"{cls.__qualname__}."
        ):  # fmt: skip
            inner.append(_own_class(value, maker))
    bases = tuple(spell.declared(base).read for base in cls.__bases__)
    return StubClass(cls.__name__, bases, tuple(attributes), (), tuple(methods), tuple(inner))


def _annotations(function: Any) -> dict[str, Any]:
    return {name: one for name, one in inspect.get_annotations(function).items() if not isinstance(one, str)}


__all__ = ["DEEPEST", "Attribute", "Description", "Resolved", "StubClass", "describe", "resolved"]
