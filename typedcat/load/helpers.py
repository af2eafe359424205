"""Modules of the user's that are first imported while a config file runs: its helpers, and configs that it builds on.

They are ordinary modules, which run once per process, but for two things. What they import from `alchemy_cat` comes
from here (see `formats.alchemy`). And a config that is imported from them is a copy, one for each file that imports it:
after `from .base import cfg` and `cfg.lr = 0.1`, or `import base` and `base.cfg.lr = 0.1`, the next config that imports
the same base gets it as its file has made it. All other code, such as the script that loads the configs, gets the
module's own.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, SupportsIndex

from ..tree.config import BaseConfig
from ..tree.copying import branch_copy
from .formats import alchemy

__all__ = ["helpers_too", "install"]

_Copies = dict[int, tuple[BaseConfig, BaseConfig]]
"""By the id of a config of a module: that config, and the copy that a file has got."""

_copies: contextvars.ContextVar[_Copies | None] = contextvars.ContextVar("copies", default=None)


@contextlib.contextmanager
def helpers_too() -> Iterator[None]:
    """While it is entered, a file runs: what it is first to import are helpers, and it gets copies of its own."""
    token = _copies.set({})
    try:
        yield
    finally:
        _copies.reset(token)


class _HelperFinder(MetaPathFinder):
    """Finds what the finders after it find; only the loader is another one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if _copies.get() is None or alchemy.is_theirs(fullname):
            return None
        spec = alchemy.found_after(self, fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader and _is_users(spec.loader.path):
            spec.loader = _HelperLoader(fullname, spec.loader.path)
        return spec


def _is_users(file: str) -> bool:
    """Whether a file may be the user's: not of an installed library, of which there are thousands to read."""
    return {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


class _HelperLoader(SourceFileLoader):
    """Its code is not kept in `__pycache__` if other importers must not find it there."""

    def get_code(self, fullname: str) -> CodeType | None:
        source = self.get_data(self.path)
        return alchemy.code_of(source, self.path) if alchemy.is_mentioned(source) else super().get_code(fullname)

    def exec_module(self, module: ModuleType) -> None:
        with helpers_too():
            super().exec_module(module)
        if type(module) is ModuleType and any(isinstance(value, BaseConfig) for value in vars(module).values()):
            module.__class__ = _OfConfigs


class _OfConfigs(ModuleType):
    """A module that has configs: what it says itself about them is theirs, what it gives away are copies."""

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        copies = _copies.get()
        if copies is None or not isinstance(value, BaseConfig):
            return value
        if id(value) not in copies:
            copies[id(value)] = (value, branch_copy(value))
        return copies[id(value)][1]

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Picklers know modules by their very class: let them do with this one what they do with any other."""
        module = ModuleType(self.__name__)
        module.__dict__.update(self.__dict__)
        return _itself, (module,)


def _itself(module: ModuleType) -> ModuleType:
    return module


def install() -> None:
    """Put the finder to its place, before all others."""
    sys.meta_path.insert(0, _HelperFinder())
