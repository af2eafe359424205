"""What the text of an MMCV config says: its style, its bases, which of them is wrong, and the line of every key."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ConfigContentError, ConfigNotFoundError, InheritanceError, did_you_mean, short_path, short_repr
from ...tree.origin import Place
from ..modules import syntax_error
from .document_bases import near
from .documents import read_bytes
from .json_text import read_json
from .python_source import KeyPath, assigned_names, defined_names, imports_ours, key_lines, parsed, statements
from .yaml_text import read_yaml

BASE = "_base_"
TEXT, PURE = "text", "pure"
_SPLIT = "a config and all of its bases are written in one style: with _base_ = [...], or with read_base()"
_OTHER_STYLES = {"cfg", "config", "_C", "get_cfg_defaults", "get_config"}
_DOCUMENTS = {".yaml": read_yaml, ".yml": read_yaml, ".json": read_json}
_HINTS_OF_MMCV = (b"_base_", b"read_base", b"{{")
_VARIABLE = re.compile(r"\{\{\s*(?:fileDirname|fileBasename|fileBasenameNoExtension|fileExtname)\s*\}\}")
_BASE_VARIABLE = re.compile(r"\{\{\s*_base_\.([\w.]+)\s*\}\}")
_ENVIRONMENT = re.compile(r"\{\{['\"]?\s*\$(\w+)\s*:\s*(\S*?)\s*['\"]?\}\}")
_VARIABLES = (_VARIABLE, _BASE_VARIABLE, _ENVIRONMENT)


def mmcv_style(path: Path) -> str:
    """Whether a `.py` file says that it is a config of mmengine; it is not run.

    Returns:
        TEXT with `_base_` or `{{ variables }}` in it, PURE with `with read_base()`; '' for anything else, configs of
        mmengine that need neither among them.
    """
    return style_of(read_bytes(path), path)


def style_of(data: bytes, path: Path) -> str:
    """`mmcv_style` of a file that has been read."""
    if not any(mark in data for mark in _HINTS_OF_MMCV) or (tree := parsed(data, path)) is None or imports_ours(tree):
        return ""
    if _base_statement(tree) is not None:
        return TEXT
    if any(_reads_base(node) for node in tree.body):
        return PURE
    if _OTHER_STYLES & assigned_names(tree):
        return ""
    text = data.decode(errors="replace")
    found = (one.search(part) for part, _ in (*_texts(tree, text), *_sets(tree, text)) for one in _VARIABLES)
    return TEXT if any(found) else ""


@dataclass
class Sources:
    """A config and its bases, as far as they are files whose text can be read.

    Attributes:
        texts: by path.
        places: where each key is set that is set in plain sight.
        defined: names of imports, functions and classes.
        uses_environment: whether a text has `{{ $VARIABLE:default }}` in it.
    """

    texts: dict[Path, str] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    uses_environment: bool = False

    def base_line(self, file: Path) -> int | None:
        """The line on which a file names its bases."""
        tree = parsed(self.texts.get(file, ""), file)
        found = None if tree is None else next((node for node in tree.body if _names_bases(node)), None)
        return None if found is None else found.lineno

    def line_of(self, file: Path, key: str) -> int | None:
        """The line on which a file sets a key, at whatever depth; else the one on which it names its bases."""
        found = (place.line for keys, place in self.places.items() if keys[-1] == key and Path(place.file) == file)
        return next(found, None) or self.base_line(file)

    def variable_line(self, file: Path, key: str) -> tuple[str, int] | None:
        """The name and line of the `{{ _base_.x }}` of a file that goes through a key."""
        for line, text in enumerate(self.texts.get(file, "").splitlines(), 1):
            for found in _BASE_VARIABLE.finditer(text):
                if key in found[1].split("."):
                    return found[1], line
        return None


def read_sources(path: Path, style: str) -> Sources:
    """The text of a config and of its bases.

    Raises:
        ConfigFileError: a base is missing or does not compile, or `_base_` is no path.
        InheritanceError: configs that name each other, or of different styles.
    """
    sources = Sources()
    _read(path, style, sources, ())
    return sources


def _read(path: Path, style: str, sources: Sources, chain: tuple[Path, ...]) -> None:
    data = read_bytes(path)
    if (tree := parsed(data, path)) is None:
        _fail_to_compile(path, data)
        return
    if imports_ours(tree):
        hint = "inherit from both in a config of typedcat: cfg = Config(caps=[..., ...])"
        raise ConfigContentError(path, "is a config of typedcat, which no config of MMCV's can inherit", hints=[hint])
    text = data.decode(errors="replace")
    chain = (*chain, path)
    for base, line in _bases(path, tree, style):
        if base in chain:
            names = [short_path(one) for one in (*chain[chain.index(base) :], base)]
            way_out = f"remove one of them: {short_path(path)}:{line}"
            raise InheritanceError(f"configs name each other as bases: {' -> '.join(names)}\n  {way_out}", chain=names)
        if not base.is_file():
            hints = [did_you_mean(near(base, path)), f"it is named in {short_path(path)}:{line}"]
            raise ConfigNotFoundError(base, "no such base file", hints=hints)
        if base.suffix in _DOCUMENTS:
            document = _DOCUMENTS[base.suffix](base)
            sources.places.update((keys, Place(str(base), number)) for keys, number in document.lines.items())
        elif base not in sources.texts:
            _read(base, style, sources, chain)
    if style == TEXT:
        _check_variables(path, tree, text, sources)
    sources.texts[path] = text
    sources.defined |= defined_names(tree) - {*_from_bases(tree)}
    sources.places.update((keys, Place(str(path), line)) for keys, line in key_lines(tree))


def _fail_to_compile(path: Path, data: bytes) -> None:
    try:
        compile(data, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise syntax_error(str(path), error) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConfigContentError(path, f"does not compile: {str(error) or 'nested too deeply'}") from error


def _check_variables(path: Path, tree: ast.Module, text: str, sources: Sources) -> None:
    for part, line in _texts(tree, text):
        if found := _BASE_VARIABLE.search(part):
            hint = f"join them: {{{{ _base_.{found[1]} }}}} + '...'"
            raise ConfigContentError(path, f"{found[0]} is a whole value, no part of a text", line, hints=[hint])
    for part, line in _sets(tree, text):
        if (found := _BASE_VARIABLE.search(part)) and _base_statement(tree) is None:
            raise ConfigContentError(path, f"uses {found[0]}, but has no _base_", line)
    for number, written in enumerate(text.splitlines(), 1):  # comments too: mmengine fills them in as well
        for variable in _ENVIRONMENT.finditer(written):
            sources.uses_environment = True
            if not variable[2] and variable[1] not in os.environ:
                hint = f"set it, or give a default: {{{{ ${variable[1]}:default }}}}"
                reason = f"the environment variable {variable[1]} is not set"
                raise ConfigContentError(path, reason, number, hints=[hint])


def _texts(tree: ast.Module, text: str) -> Iterator[tuple[str, int]]:
    """The texts with `{{` among the values of a file, as they are written, and the line of each."""
    comments = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and "{{" in node.value
            and id(node) not in comments
        ):
            yield ast.get_source_segment(text, node) or "", node.lineno


def _sets(tree: ast.Module, text: str) -> Iterator[tuple[str, int]]:
    """The sets in a file, which `{{ variables }}` outside of texts are to Python, and the line of each."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Set):
            yield ast.get_source_segment(text, node) or "", node.lineno


# -- bases


def _bases(path: Path, tree: ast.Module, style: str) -> Iterator[tuple[Path, int]]:
    """The bases that a file names, and the line of each. What only mmengine finds, `mmdet::...`, is left out."""
    named = _base_statement(tree)
    with_bases = [node for node in tree.body if isinstance(node, ast.With) and _reads_base(node)]
    stranger = named if style == PURE else with_bases[0] if with_bases else None
    if stranger is not None:
        what = f"has {BASE}, in a config that uses read_base()" if style == PURE else "uses read_base(), below _base_"
        raise ConfigContentError(path, what, stranger.lineno, hints=[_SPLIT])
    if named is not None:
        yield from _named_bases(path, named)
    for node in with_bases:
        yield from _imported_bases(path, node)


def _named_bases(path: Path, statement: ast.Assign) -> Iterator[tuple[Path, int]]:
    try:
        value = ast.literal_eval(statement.value)
    except ValueError:  # an expression, which mmengine evaluates
        return
    names = value if isinstance(value, list) else [value]
    nodes = statement.value.elts if isinstance(statement.value, ast.List) else [statement.value]
    for name, line in zip(names, (node.lineno for node in nodes), strict=True):
        if not isinstance(name, str):
            raise ConfigContentError(path, f"{BASE} is a path or a list of paths, got {short_repr(value)}", line)
        if "::" not in name:
            yield Path(os.path.normpath(path.parent / name)), line


def _imported_bases(path: Path, node: ast.With) -> Iterator[tuple[Path, int]]:
    for statement in node.body:
        if not isinstance(statement, ast.ImportFrom) or statement.module is None:
            reason, hint = "with read_base() imports bases, nothing else", "write: from .folder.file import *"
            raise ConfigContentError(path, reason, statement.lineno, hints=[hint])
        parts = statement.module.split(".")
        above = path.parent.joinpath(*[".."] * (statement.level - 1))
        folder = above if statement.level else _package_folder(parts.pop(0))
        if folder is None:  # mmengine says so
            continue
        if parts:
            yield Path(os.path.normpath(folder.joinpath(*parts[:-1], f"{parts[-1]}.py"))), statement.lineno


def _package_folder(name: str) -> Path | None:
    from importlib.util import find_spec

    spec = find_spec(name)  # a top-level name: found without running anything of it
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _from_bases(tree: ast.Module) -> Iterator[str]:
    for node in statements(tree):
        if isinstance(node, ast.With):
            yield from (a.asname or a.name for one in node.body if isinstance(one, ast.ImportFrom) for a in one.names)


def _base_statement(tree: ast.Module) -> ast.Assign | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == BASE:
            return node
    return None


def _reads_base(node: ast.stmt) -> bool:
    called = node.items[0].context_expr if isinstance(node, ast.With) else None
    return isinstance(called, ast.Call) and isinstance(called.func, ast.Name) and called.func.id == "read_base"


def _names_bases(node: ast.stmt) -> bool:
    return _reads_base(node) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == BASE
    )


__all__ = ["BASE", "PURE", "TEXT", "Sources", "mmcv_style", "read_sources", "style_of"]
