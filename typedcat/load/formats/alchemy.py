"""Lets code that imports `alchemy_cat` run: what it imports comes from `typedcat.compat.alchemy_cat`.

Two things do that, because either alone leaves a gap:

* The config file is compiled with other names in its import statements, and so is each module of the user's that is
  first imported while a config file runs (see `load.helpers`). This works where AlchemyCat is installed too, whose
  objects would be strangers in our trees, and it stays so in functions that import later, and in processes that get
  them in a pickle.
* `import alchemy_cat` finds our package where AlchemyCat is not installed. This serves all other code: the script that
  loads the config, a process that unpickles a function by its name. The finder asks all others first, so that it never
  hides what is installed, and it is there from `import typedcat` on, as nobody can tell when it is needed.

To import instead under another name by replacing entries of `sys.modules` would change what other threads import.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ...errors import ConfigContentError, NoCounterpartError
from ...tree.keys import join

NAME = "alchemy_cat"
COUNTERPART = f"{__name__.partition('.')[0]}.compat.{NAME}"
_MENTION = NAME.encode()
_KINDS = {"ADict", "Config", "Cfg2Tune", "ItemLazy", "ParamLazy", "Param2Tune"}


def is_theirs(module: str) -> bool:
    """Whether a module is `alchemy_cat` or lies in it."""
    return module.partition(".")[0] == NAME


def is_mentioned(source: bytes) -> bool:
    """Whether a file may import from `alchemy_cat`."""
    return _MENTION in source


def code_of(source: bytes, file: str) -> CodeType:
    """What a file compiles to; what it imports from `alchemy_cat` comes from here.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError, OverflowError: as `compile`.
    """
    if not is_mentioned(source):
        return compile(source, file, "exec", dont_inherit=True)
    tree: ast.AST = _Imports().visit(ast.parse(source, file))
    code: CodeType = compile(tree, file, "exec", dont_inherit=True)  # type: ignore[call-overload]  # of a module
    return code


# -- import statements


@cache
def _has_counterpart(module: str) -> bool:
    place = Path(*counterpart_folder().parts[:-1], *module.split("."))
    return place.is_dir() or place.with_name(f"{place.name}.py").is_file()


@cache
def counterpart_folder() -> Path:
    """Where our package lies."""
    spec = find_spec(COUNTERPART)
    return Path(str(spec.origin)).parent if spec is not None else Path()


def _counterpart(module: str) -> str:
    return COUNTERPART + module.removeprefix(NAME)


class _Imports(ast.NodeTransformer):
    """Statements keep their lines, and bind the names that they bound."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if not node.level and node.module and is_theirs(node.module) and _has_counterpart(node.module):
            node.module = _counterpart(node.module)
        return node

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        parts = [one for alias in node.names for one in _replaced(alias)]
        return [ast.copy_location(ast.Import([ast.copy_location(one, node)]), node) for one in parts]


def _replaced(alias: ast.alias) -> Iterator[ast.alias]:
    if not is_theirs(alias.name):
        yield alias
    elif alias.asname:
        yield ast.alias(_counterpart(alias.name) if _has_counterpart(alias.name) else alias.name, alias.asname)
    else:  # it binds `alchemy_cat` itself, which knows its modules
        if not _has_counterpart(alias.name):
            yield alias
        yield ast.alias(COUNTERPART, NAME)


# -- where AlchemyCat is not installed


def found_after(
    finder: MetaPathFinder, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    """What the finders after one of them find."""
    others = sys.meta_path[sys.meta_path.index(finder) + 1 :]
    found = (other.find_spec(fullname, path, target) for other in others if hasattr(other, "find_spec"))
    return next((spec for spec in found if spec is not None), None)


class _CounterpartFinder(MetaPathFinder):
    """Passes over a folder that has the name and is no package, as `pip uninstall` and clones leave it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != NAME:
            return None
        spec = found_after(self, fullname, path, target)
        if spec is not None and spec.origin is not None:
            return spec
        folder = counterpart_folder()
        return spec_from_file_location(NAME, folder / "__init__.py", submodule_search_locations=[str(folder)])


class _Refusal(MetaPathFinder):
    """The last one that is asked."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        is_installed = NAME in sys.modules and not is_ours(sys.modules[NAME])
        for package in (NAME, COUNTERPART):  # the second where `from` has found no such attribute
            if fullname.startswith(f"{package}.") and not is_installed:
                raise NoCounterpartError(NAME + fullname.removeprefix(package))
        return None


def is_ours(module: ModuleType | None) -> bool:
    """Whether what was imported as `alchemy_cat`, or from it, is our package."""
    return str(getattr(module, "__file__", None) or "").startswith(str(counterpart_folder()))


def install() -> None:
    """Put the finders to their places."""
    sys.meta_path.insert(0, _CounterpartFinder())
    sys.meta_path.append(_Refusal())


# -- objects of an AlchemyCat that is installed


def refuse_theirs(tree: dict[Any, Any], file: Path) -> None:
    """Say so, where a module that was imported before has made configs or dependencies with AlchemyCat itself.

    Raises:
        ConfigContentError: there is one.
    """
    if NAME not in sys.modules or is_ours(sys.modules[NAME]):
        return
    stack: list[tuple[str, dict[Any, Any]]] = [("", tree)]
    for path, at in stack:
        for key, value in dict.items(at):
            kind, name = type(value), join(path, key)
            if is_theirs(kind.__module__) and kind.__name__ in _KINDS:
                raise ConfigContentError(
                    file,
                    f"{name} is a {kind.__name__} of the installed {NAME}, not of typedcat",
                    hints=[
                        "a module that was imported before has made it: let it import from typedcat",
                        f"or uninstall {NAME}: then the module gets typedcat's",
                    ],
                )
            if isinstance(value, type(tree)):
                stack.append((name, value))


__all__ = [
    "COUNTERPART",
    "NAME",
    "code_of",
    "counterpart_folder",
    "found_after",
    "install",
    "is_mentioned",
    "is_ours",
    "is_theirs",
    "refuse_theirs",
]
