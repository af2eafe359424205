"""Dependencies in the place of what OmegaConf means by texts: interpolations (`${a.b}`), mandatory values (`???`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import InterpolationError, TypedcatError, short_repr
from ...tree.config import BaseConfig
from ...tree.keys import format_path
from ...tree.node import path_of
from ...tree.origin import newest, place
from ...tree.values import DEP, dependencies_in
from ...tree.walk import branches
from .builder import KeyPath
from .extras import needed
from .interpolation import KEEP_TEXT, Interpolation, visited
from .yaml_text import Mandatory

__all__ = ["Refuse", "mandatory", "override_dependencies", "put_dependencies", "unset"]

Refuse = Callable[[KeyPath, str, str], TypedcatError]
"""Makes the error for a value, of its path, the reason, and a way out."""
_make_dependency: Any = DEP  # to a checker it gives the value


class MandatoryValue:
    """The function of a dependency that stands for what somebody else has to set."""

    def __init__(self, shown: str) -> None:
        self.__qualname__ = shown  # what messages call it

    def __call__(self, top: Any) -> Any:
        raise InterpolationError(f"it is mandatory ({self.__qualname__}), and nothing sets it")


def mandatory(shown: str = "'???'", rel: bool = True) -> Any:
    """What stands for a value that somebody else has to set, and that is an error as long as nobody does.

    Args:
        shown: what its file calls it.
        rel: see `DEP`.
    """
    return _make_dependency(MandatoryValue(shown), rel=rel)


def unset(tree: BaseConfig) -> list[tuple[str, str]]:
    """The path of each value that is mandatory and has not been set, and where it says so."""
    return [
        (path_of(node, key), _place(node, key))
        for node in branches(tree)
        if node.__extra__ is not None
        for key in node.__extra__.anchors
        if any(isinstance(one.func, MandatoryValue) for one in dependencies_in(dict.get(node, key)))
    ]


def _place(node: BaseConfig, key: Any) -> str:
    record = node.__origins__.get(key)
    return str(place(newest(record))) if record is not None else "an unknown place"


def put_dependencies(
    data: Any,
    refuse: Refuse,
    *,
    hydra: Mapping[str, Any] | None = None,
    mandatory: bool = False,
) -> None:
    """Put dependencies in the place of interpolations and mandatory values, in plain data.

    Args:
        data: dicts and lists, each of which occurs once; they are changed.
        refuse: the error for a text that cannot be parsed, of its path, the reason, and a way out.
        hydra: see `Interpolation`.
        mandatory: whether each text '???' is a mandatory value, not only a `Mandatory`.

    Raises:
        MissingExtraError: there are interpolations, and OmegaConf is not installed.
    """
    _Texts(refuse, hydra, mandatory).put(data, (), False)


def override_dependencies(value: Any, at: KeyPath, in_list: bool, refuse: Refuse) -> Any:
    """The value of an override, with dependencies in the place of interpolations; names count from the whole config."""
    holder = {at[-1]: value}
    _Texts(refuse, rel=False).put(holder, at[:-1], in_list)
    return holder[at[-1]]


class _Found(Exception):
    """Something in a text is not text."""


def _found(*_: Any, **__: Any) -> Any:
    raise _Found


class _Texts:
    """Makes dependencies of the texts in plain data; see `put_dependencies`."""

    def __init__(
        self, refuse: Refuse, hydra: Mapping[str, Any] | None = None, mandatory: bool = False, rel: bool = True
    ) -> None:
        self.refuse = refuse
        self.hydra = hydra
        self.mandatory = mandatory
        self.rel = rel
        self.parser: Any = None

    def put(self, data: Any, at: KeyPath, in_list: bool) -> None:
        """Change what is in a dict or list; `at` is its path."""
        work: list[tuple[Any, KeyPath, bool]] = [(data, at, in_list)]
        while work:
            holder, path, in_list = work.pop()
            for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
                if type(value) in (dict, list):
                    work.append((value, (*path, key), in_list or type(value) is list))
                elif isinstance(value, Mandatory) or (self.mandatory and isinstance(value, str) and value == "???"):
                    holder[key] = mandatory(rel=self.rel)
                elif isinstance(value, str) and "${" in value:
                    holder[key] = self.meant(Interpolation(value, (*path, key), in_list, self.hydra))

    def meant(self, one: Interpolation) -> Any:
        """The dependency, or the text if nothing but escapes is in it."""
        if self.parser is None:
            self.parser = needed("omegaconf.grammar_parser", "omegaconf", self.purpose(one))
        if self.parser.SIMPLE_INTERPOLATION_PATTERN.match(one.text):
            return _make_dependency(one, rel=self.rel)
        from omegaconf.errors import GrammarParseError

        try:
            return visited(self.parser.parse(one.text), _found, _found)
        except _Found:
            return _make_dependency(one, rel=self.rel)
        except GrammarParseError as error:
            reason = f"{format_path(one.at)}: {short_repr(one.text)} is no valid interpolation: {error}"
            raise self.refuse(one.at, reason, KEEP_TEXT) from error

    def purpose(self, one: Interpolation) -> str:
        """What OmegaConf is needed for."""
        what = f"{format_path(one.at)} = {short_repr(one.text)} is an interpolation of OmegaConf, which"
        return str(self.refuse(one.at, what, ""))
