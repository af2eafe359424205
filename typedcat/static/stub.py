"""The text of a stub."""

from __future__ import annotations

import builtins
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent

from .describe import Attribute, Description, StubClass
from .spell import Spelled

HEADER = "# Made by `typedcat stubs`, which overwrites it: "
REFERENCE = re.compile(r"\{([\w.]*):([\w.]+)\}")
PLAIN_IMPORTS = {
    "typing": {"Any", "Literal", "Protocol"},
    "typedcat": {"DEP", "BaseConfig", "Config", "TypedConfig"},
    "typedcat.static.key": {"Closed", "Key"},
    "collections.abc": {"Callable"},
}
KEY, CLOSED, PROTOCOL = "{typedcat.static.key:Key}", "{typedcat.static.key:Closed}", "{typing:Protocol}"


def stub_text(description: Description) -> str:
    """The stub of a config: the same text for the same description."""
    return _Writer(description).text()


def broken_text(config: str, error: str, top: Path) -> str:
    """The stub of a config that cannot be read: whatever is done with it is allowed."""
    why = error.replace(f"{top}{os.sep}", "").partition("\n")[0]
    lines = [f"{HEADER}{config}", "from typing import Any", "", f"cfg: Any  # it cannot be read: {why}"]
    return "\n".join([*lines, "def __getattr__(name: str) -> Any: ...", ""])


class Names:
    """What a text calls the things that it imports.

    Args:
        shadows: names that mean something else in the body of some class.

    Attributes:
        imports: `import ...` lines.
        from_imports: the names of each module that are imported from it.
    """

    def __init__(self, shadows: Iterable[str]) -> None:
        self.imports: set[str] = set()
        self.from_imports: dict[str, set[str]] = {}
        self.shadows = set(shadows)

    def type(self, text: str) -> str:
        """A type as this text can say it."""
        return REFERENCE.sub(lambda found: self.name(found[1], found[2]), text)

    def name(self, module: str, name: str) -> str:
        """A name of a module, which is imported for it."""
        first = name.partition(".")[0]
        if not module:
            return name
        if module == "builtins" and first not in self.shadows and hasattr(builtins, first):
            return name
        if first in PLAIN_IMPORTS.get(module, ()) and first not in self.shadows:
            self.from_imports.setdefault(module, set()).add(first)
            return name
        return f"{self.module(module)}.{name}"

    def module(self, module: str) -> str:
        """A module, which is imported; under another name where its own means something else."""
        if module.partition(".")[0] not in self.shadows and module != "builtins":
            self.imports.add(f"import {module}")
            return module
        alias = f"_{module.replace('.', '_')}"
        while alias in self.shadows:
            alias = f"_{alias}"
        self.imports.add(f"import {module} as {alias}")
        return alias


class _Writer:
    def __init__(self, description: Description) -> None:
        self.description = description
        self.names = Names(_names(description.classes))
        self.type = self.names.type

    def text(self) -> str:
        classes = [*map(self.protocol, self.description.protocols), *map(self.node_class, self.description.classes)]
        cfg = f"cfg: {self.type(self.description.root)}"
        merged = [f"bases: {self.type(type_)}" for _, type_ in self.description.merged]
        others = f"def __getattr__(name: str) -> {self.type('{typing:Any}')}: ..."
        imported = self.names.from_imports.items()
        froms = sorted(f"from {module} import {', '.join(sorted(names))}" for module, names in imported)
        head = [f"{HEADER}{self.description.config}", "# mypy: ignore-errors", *sorted(self.names.imports), *froms]
        return "\n".join([*head, "", *("\n".join([one, ""]) for one in classes), cfg, *merged, others, ""])

    # -- classes

    def protocol(self, item: tuple[str, str]) -> str:
        name, signature = item
        return f"class {name}({self.type(PROTOCOL)}):\n    def __call__{self.type(signature)}: ...\n"

    def node_class(self, made: StubClass) -> str:
        bases = ", ".join(self.type(base) for base in made.bases or (CLOSED,))
        inner = [indent(self.node_class(one), "    ").rstrip() for one in made.inner]
        attributes = [line for one in made.attributes for line in self.attribute(one, exact=bool(made.bases))]
        hidden = [f"    # {key} is no attribute" for key in made.hidden]
        methods = [f"    {self.type(text)}" for text in made.methods]
        body = [*inner, *attributes, *hidden, *methods]
        if not inner and not attributes and not methods:
            body.append("    ...")
        return "\n".join([f"class {made.name}({bases}):", *body, ""])

    def attribute(self, one: Attribute, exact: bool) -> Iterator[str]:
        comment = f"  # Any: {one.type.why}" if one.type.why else ""
        default = " = ..." if exact and one.default else ""
        yield f"    {one.name}: {self.key(one.type)}{default}{' '.join(comment.splitlines())}"
        if one.lines:
            yield from _docstring(one.lines)

    def key(self, type_: Spelled) -> str:
        read = self.type(type_.read)
        write = self.type(type_.write) if type_.write else read
        return read if write == read else f"{self.type(KEY)}[{read}, {write}]"


def _docstring(lines: tuple[str, ...]) -> Iterator[str]:
    first, *rest = (line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"') for line in lines)
    text = [f'    """{first}', *(f"    {line}" for line in rest)]
    if text[-1].endswith('"'):
        text[-1] += " "
    yield from [*text[:-1], f'{text[-1]}"""']


def _names(classes: Iterable[StubClass]) -> Iterator[str]:
    """What the bodies of classes define."""
    for one in classes:
        yield from (attribute.name for attribute in one.attributes)
        yield from (method.removeprefix("def ").partition("(")[0] for method in one.methods)
        yield from (inner.name for inner in one.inner)
        yield from _names(one.inner)
