"""What generated stubs are made of: a node whose keys are known, and a key that is read exactly and written widely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..tree.config import Config

R_co = TypeVar("R_co", covariant=True)
W_contra = TypeVar("W_contra", contravariant=True)


class Key(Generic[R_co, W_contra]):
    """A key of a config, to a type checker only: reading gives an `R_co`, writing takes a `W_contra`."""

    if TYPE_CHECKING:

        def __get__(self, node: Any, owner: Any) -> R_co: ...
        def __set__(self, node: Any, value: W_contra) -> None: ...


class Closed(Config):
    """A config with the keys that its stub names and no others, to a type checker only.

    `cfg['key'] = ...` adds one on purpose.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # No method any more, so that neither checker finds a fallback for names that are not declared.
        __getattr__: None  # type: ignore[assignment, misc]  # as said
        __setattr__: None  # type: ignore[assignment, misc]  # as said
        __delattr__: None  # type: ignore[assignment]  # as said
