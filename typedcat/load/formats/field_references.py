"""References of ml_collections (`config.get_ref('lr') * 2`) as dependencies: they follow what is overridden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...tree.values import DEP
from .builder import KeyPath
from .omegaconf_texts import mandatory

__all__ = ["put_references"]

_make_dependency: Any = DEP  # to a checker it gives the value


class Owner(NamedTuple):
    """A reference, and the path of the first key that has it: the one that says its value."""

    reference: Any
    path: KeyPath


class Reference:
    """The function of a dependency that stands for a reference.

    Args:
        reference: of ml_collections.
        owners: the keys that it is computed from.
    """

    def __init__(self, reference: Any, owners: tuple[Owner, ...]) -> None:
        self.reference = reference
        self.owners = owners
        self.__qualname__ = f"a reference to {' and '.join('.'.join(map(str, one.path)) for one in owners)}"

    def __call__(self, top: Any) -> Any:
        """The value, in the tree whose root is `top`."""
        return self.computed(self.reference, top)

    def computed(self, value: Any, top: Any) -> Any:
        """What ml_collections makes of a reference, with the values of the keys in `top`."""
        if not _is_reference(value):
            return value
        if (owner := _owner_of(value, self.owners)) is not None:
            for key in owner.path:
                top = top[key]
            return top
        result = self.computed(value._value, top)
        for op in value._ops:
            operands = [result, *(self.computed(one, top) for one in op.args)]
            result = None if any(one is None for one in operands) else self.computed(op.fn(*operands), top)
        return result


def put_references(data: dict[Any, Any]) -> None:
    """Put dependencies in the place of references; what refers to nothing else becomes its value.

    Args:
        data: nested dicts; they are changed.
    """
    found = [(holder, Owner(holder[path[-1]], path)) for holder, path in _references(data, ())]
    first: dict[int, Owner] = {}
    for _, one in found:
        first.setdefault(id(one.reference), one)
    owners = tuple(first.values())
    for holder, one in found:
        others = tuple(owner for owner in owners if owner.path != one.path)
        if used := _used(one.reference, others):
            holder[one.path[-1]] = _make_dependency(Reference(one.reference, used))
        elif one.reference._required and one.reference._value is None:
            holder[one.path[-1]] = mandatory("required_placeholder")
        else:
            holder[one.path[-1]] = one.reference.get()


def _references(data: dict[Any, Any], path: KeyPath) -> Iterator[tuple[dict[Any, Any], KeyPath]]:
    """The dict that holds each reference, and its path: those of a dict before what lies deeper."""
    work = [(data, path)]
    for holder, at in work:
        for key, value in holder.items():
            if _is_reference(value):
                yield holder, (*at, key)
            elif type(value) is dict:
                work.append((value, (*at, key)))


def _used(reference: Any, owners: tuple[Owner, ...]) -> tuple[Owner, ...]:
    """The keys that a reference is computed from."""
    used: dict[KeyPath, Owner] = {}
    work = [reference]
    for one in work:
        if (owner := _owner_of(one, owners)) is not None:
            used[owner.path] = owner
            continue
        parts = (one._value, *(arg for op in one._ops for arg in op.args))
        work += [part for part in parts if _is_reference(part) and not any(part is known for known in work)]
    return tuple(used.values())


def _owner_of(reference: Any, owners: tuple[Owner, ...]) -> Owner | None:
    return next((one for one in owners if one.reference is reference), None)


def _is_reference(value: Any) -> bool:
    kind = type(value)
    return kind.__name__ == "FieldReference" and kind.__module__.partition(".")[0] == "ml_collections"
