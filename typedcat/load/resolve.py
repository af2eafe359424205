"""Dependencies become values: each is computed once, after everything that it reads, whatever the order.

While a tree resolves, its nodes are switched to classes that compute on reading. So the order follows from what the
functions read, an absent key is an error, and reading the tree afterwards costs nothing extra.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import (
    DependencyCycleError,
    DependencyError,
    InterpolationError,
    MissingKeyError,
    MountError,
    NotLoadedError,
    TypedcatError,
    did_you_mean,
    short_repr,
    together,
)
from ..tree.anchors import climb
from ..tree.config import BaseConfig
from ..tree.copying import branch_copy
from ..tree.keys import parse_path, suggest
from ..tree.node import (
    WHOLE_CONFIG,
    Anchor,
    Node,
    extra_of,
    level_of,
    mirror,
    path_of,
    plain_class,
    switch,
)
from ..tree.origin import history, newest, place
from ..tree.states import switched
from ..tree.values import P_DEP, Dependency, Extend, dependencies_in, function_name, function_place
from ..tree.walk import branches
from .declared_types import slot_types
from .modules import raised_at
from .secrets import masked

_FRESH_STACK_EVERY = 50
"""After so many dependencies that wait for each other the next one is computed on a thread of its own, with a stack
of its own: Python's recursion limit is per thread, and a user's function may take many frames itself."""

_MOST_NOTES = 5  # on who reads a dependency that failed
_MOST_READS = 3  # of a dependency that failed
_ABSENT = "there is no such key"
ParamDependency: Any = P_DEP
Failures = dict[tuple[int, Hashable], TypedcatError]
"""The error of each dependency that cannot be computed, by the identity of the node that holds it, and the key."""


@dataclass(frozen=True)
class Reads:
    """What `cfg.origin` cannot tell of a dependency: what it read.

    Attributes:
        key: the full path of the dependency.
        place: `file:line` that set it.
        reads: full paths of the keys that its function read, in order.
        functions: the function (several, where dependencies stand in a list), as `name at file:line`.
    """

    key: str
    place: str
    reads: tuple[str, ...]
    functions: tuple[str, ...] = ()


@dataclass
class _Slot:
    """A value of the tree that is, or contains, a dependency."""

    node: Node
    key: Hashable
    value: Any
    anchor: Anchor
    state: str = "waiting"  # then "running", then "done" or "failed"
    error: Exception | None = None
    reads: dict[str, None] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return path_of(self.node, self.key)

    @property
    def place(self) -> str:
        record = self.node.__origins__.get(self.key)
        if record is not None:
            return str(place(newest(record)))
        return function_place(self.value.func) if isinstance(self.value, Dependency) else "an unknown place"

    def others_read(self) -> tuple[str, ...]:
        """What it read, but for what lies in the subtree that it returned."""
        own = (f"{self.path}.", f"{self.path}[")
        return tuple(path for path in self.reads if not path.startswith(own))

    @property
    def priority(self) -> int:
        return self.value.priority if isinstance(self.value, Dependency) else 1

    @property
    def turn(self) -> int:
        """Where it stands in the order of definition."""
        return min((one.turn for one in dependencies_in(self.value)), default=0)


def resolve(root: BaseConfig, *, only_params: bool = False, failures: Failures | None = None) -> None:
    """Replace every dependency in the tree by its value, in place.

    Args:
        root: the root of a tree that has inherited already.
        only_params: replace `P_DEP`s only; other dependencies are computed where a P_DEP reads them, and stay.
        failures: takes the error of each dependency that cannot be computed, which stays then; nothing is raised.

    Raises:
        DependencyError: a function raised, or read an absent key; of several, the first, with notes on the others.
        DependencyCycleError: dependencies wait for each other.
    """
    resolver = _Resolver(root, only_params)
    if not resolver.slots:
        return
    resolver.open()
    try:
        resolver.run()
    finally:
        resolver.close()
    if failures is not None:
        failures.update(resolver.failures)
    elif resolver.failures:
        raise together(list(resolver.failures.values()))


class _Resolver:
    def __init__(self, root: BaseConfig, only_params: bool) -> None:
        self.root = root
        self.only_params = only_params
        self.failures: Failures = {}
        self.slots: dict[tuple[int, Hashable], _Slot] = {}
        self.running: list[_Slot] = []
        self.nodes: list[Any] = []
        self.find_slots(root)

    # -- before and after

    def find_slots(self, top: Node) -> list[_Slot]:
        found = []
        for node in branches(top):
            anchors = node.__extra__.anchors if node.__extra__ is not None else {}
            for key, value in dict.items(node):
                if _contains_dependency(value):
                    slot = _Slot(node, key, value, anchors.get(key, (level_of(node), ())))
                    self.slots[id(node), key] = slot
                    found.append(slot)
        return found

    def open(self) -> None:
        self.enter(branches(self.root))

    def enter(self, nodes: list[Any]) -> None:
        for node in nodes:
            extra_of(node).resolver = self
            switch(node, switched(Resolving, plain_class(node)))
            node.__dict__.clear()
        self.nodes.extend(nodes)

    def close(self) -> None:
        if self.only_params:
            for slot in self.slots.values():
                if slot.state == "done" and not isinstance(slot.value, ParamDependency):
                    dict.__setitem__(slot.node, slot.key, slot.value)
                    extra_of(slot.node).anchors[slot.key] = slot.anchor
        for node in self.nodes:
            if issubclass(type(node), Resolving):
                switch(node, plain_class(node))
            extra_of(node).resolver = None
            mirror(node)

    def run(self) -> None:
        for slot in sorted(self.slots.values(), key=lambda slot: (slot.priority, slot.turn)):
            if not self.only_params or isinstance(slot.value, ParamDependency):
                self.start(slot)
        if not self.only_params:
            extra_of(self.root).reads = {
                slot.path: Reads(slot.path, slot.place, slot.others_read(), functions_in(slot.value))
                for slot in self.slots.values()
            }

    # -- computing

    def start(self, slot: _Slot) -> None:
        """Compute a slot that nobody waits for."""
        try:
            self.compute(slot)
        except TypedcatError as error:
            self.failures[id(slot.node), slot.key] = error

    def compute(self, slot: _Slot) -> None:
        """Make sure that the value of a slot is there."""
        if slot.state == "done":
            return
        if slot.state == "failed" and slot.error is not None:
            raise slot.error
        if slot.state == "running":
            self.raise_cycle(slot)
        self.running.append(slot)
        slot.state = "running"
        try:
            if len(self.running) % _FRESH_STACK_EVERY == 0:
                value = _on_a_fresh_stack(lambda: self.evaluate(slot.value, slot))
            else:
                value = self.evaluate(slot.value, slot)
            self.put(slot, value)
            slot.state = "done"
        except Exception as error:
            slot.state, slot.error = "failed", error
            raise
        finally:
            self.running.pop()
            if slot.state == "running":  # an interrupt
                slot.state = "waiting"

    def raise_cycle(self, slot: _Slot) -> None:
        at = next(i for i, one in enumerate(self.running) if one is slot)
        raise DependencyCycleError([(one.path, one.place) for one in self.running[at:]])

    def evaluate(self, value: Any, slot: _Slot) -> Any:
        """The value with every dependency in it computed; containers without one are given back as they are."""
        while isinstance(value, Dependency):
            value = self.call(value, slot)
        if isinstance(value, Extend):
            base = self.evaluate(value.base, slot) if value.base is not None else []
            items = [self.item(item, slot) for item in value.items]
            return type(base)([*base, *items]) if type(base) in (list, tuple) else [*base, *items]
        if not _contains_dependency(value):
            return value
        if type(value) is dict:
            return {key: self.item(item, slot) for key, item in value.items()}
        return type(value)(self.item(item, slot) for item in value)

    def item(self, value: Any, slot: _Slot) -> Any:
        """What stands for `value` in a computed container; a config there is a config of its own."""
        value = self.evaluate(value, slot)
        if isinstance(value, BaseConfig) and unresolved(value):
            value = branch_copy(value)
            resolve(value)
        return value

    def call(self, dependency: Any, slot: _Slot) -> Any:
        try:
            up, down = slot.anchor
            anchor = (up, (*down, *dependency.down)) if dependency.rel else WHOLE_CONFIG
            value = dependency(climb(slot.node, anchor))
            if isinstance(value, BaseConfig):
                value.__ready__()
        except DependencyError as error:
            known = [key for key, _ in error.cycle] if isinstance(error, DependencyCycleError) else [error.key]
            if slot.path not in known and len(getattr(error, "__notes__", ())) < _MOST_NOTES:
                error.add_note(f"  read by {slot.path}, set at {slot.place}")
            raise
        except MissingKeyError as error:
            hint = did_you_mean(error.suggestions) or self.elsewhere(error.key) or _way_to_ask(error)
            why = f"reads '{error.key}', but {error.reason}"
            raise DependencyError(slot.path, slot.place, why, hint) from error
        except NotLoadedError as error:
            why = f"reads '{error.key}' from a config that is not loaded yet"
            hint = f"read it from what the function gets: DEP(lambda c: ... c.{error.key} ...)"
            raise DependencyError(slot.path, slot.place, why, hint) from error
        except (InterpolationError, MountError) as error:
            raise DependencyError(slot.path, slot.place, f"cannot be computed: {error}") from error
        except (Exception, SystemExit) as error:
            detail = error.message if isinstance(error, TypedcatError) else f"{type(error).__name__}: {error}"
            at = raised_at(error, getattr(getattr(dependency.func, "__code__", None), "co_filename", ""))
            hints = [f"it was raised at {at}"] if at and at != slot.place else []
            hints += map(self.shown, list(slot.reads)[:_MOST_READS])
            raise DependencyError(slot.path, slot.place, f"raised {detail}", "\n  ".join(hints)) from error
        return value

    def elsewhere(self, path: str) -> str:
        """A way out for a key that the whole config has, but not the node that the function got."""
        *above, last = parse_path(path)
        if not above or not dict.__contains__(self.root, last):
            return ""
        return (
            f"'{last}' is a key of the whole config, which the function gets from cfg.DEP(...) or DEP(..., rel=False)"
        )

    def shown(self, path: str) -> str:
        """What a dependency has read, and who set it."""
        *above, key = parse_path(path)
        node: Any = self.root
        for one in above:
            node = dict.get(node, one) if isinstance(node, dict) else None
        if not isinstance(node, BaseConfig) or not dict.__contains__(node, key):
            return f"it read {path}"
        value = dict.__getitem__(node, key)
        origin = next(history(node.__origins__.get(key), value), None)
        by = "" if origin is None else f", set {'by' if origin.how == 'override' else 'at'} {origin}"
        return f"it read {path} = {short_repr(masked(value, slot_types(node, key)))}{by}"

    def put(self, slot: _Slot, value: Any) -> None:
        node: Any = slot.node
        extra_of(node).anchors.pop(slot.key, None)
        if isinstance(value, BaseConfig):
            value = node.__mount__(slot.key, value)
            dict.__setitem__(node, slot.key, value)
            self.find_slots(value)
            self.enter(branches(value))
            value.__ready__()
        else:
            dict.__setitem__(node, slot.key, value)

    # -- reading

    def slot_of(self, node: Node, key: Hashable) -> _Slot | None:
        try:
            return self.slots.get((id(node), key))
        except TypeError:  # an unhashable key; the dict will say so
            return None

    def read(self, node: Node, key: Hashable) -> None:
        """Called before a key of the tree is read."""
        slot = self.slot_of(node, key)
        if self.running and not isinstance(dict.get(node, key), BaseConfig):
            self.running[-1].reads.setdefault(path_of(node, key))
        if slot is not None and slot.state != "done" and dict.get(node, key) is slot.value:
            self.compute(slot)

    def settle(self, node: Node) -> None:
        """Compute everything below a node."""
        for at in branches(node):
            for key in list(dict.keys(at)):
                self.read(at, key)


_NEVER = frozenset({int, float, bool, str, bytes, type(None)})  # most leaves


def _contains_dependency(value: Any) -> bool:
    if type(value) in _NEVER:
        return False
    return isinstance(value, Extend) or next(dependencies_in(value), None) is not None


def functions_in(value: Any) -> tuple[str, ...]:
    """The functions of the dependencies in a value, each as `name at file:line`."""
    found = []
    for dependency in dependencies_in(value):  # the last one first
        name, at = function_name(dependency.func), function_place(dependency.func)
        found.append(name if name.endswith(at) else f"{name} at {at}")
    return tuple(reversed(found))


def _way_to_ask(error: MissingKeyError) -> str:
    """How a function asks for a key that may not be there; elsewhere an absent key is falsy."""
    if error.reason != _ABSENT:  # an interpolation, which cannot ask
        return ""
    key = parse_path(error.key)[-1]
    return f"it may be absent? c.get({key!r}) and {key!r} in c ask for it"


def _on_a_fresh_stack(func: Callable[[], Any]) -> Any:
    """Call a function on another thread and wait for it."""
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.append((True, func()))
        except BaseException as error:  # noqa: BLE001 - it is raised again on the thread that waits
            outcome.append((False, error))

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(call,), name="typedcat-dependencies")
    thread.start()
    thread.join()
    fine, result = outcome[0]
    if not fine:
        raise result
    return result


class Resolving:
    """Mixed in before the class of each node of a tree that is being resolved: every way to a value computes it."""

    __slots__ = ()

    def __resolver__(self: Any) -> _Resolver:
        return self.__extra__.resolver  # type: ignore[no-any-return]  # set as long as the node has this class

    def __getattr__(self: Any, name: str) -> Any:
        if dict.__contains__(self, name):
            return self[name]
        if (name.startswith("__") and name.endswith("__")) or name.startswith(("_repr_", "_ipython_")):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return self.__absent__(name)

    def __getitem__(self: Any, key: Hashable) -> Any:
        if not dict.__contains__(self, key):
            return self.__absent__(key)
        self.__resolver__().read(self, key)
        return dict.__getitem__(self, key)

    def __absent__(self: Any, key: Hashable) -> Any:
        raise MissingKeyError(path_of(self, key), _ABSENT, suggest(key, dict.keys(self)))

    def get(self: Any, key: Hashable, default: Any = None) -> Any:
        return self[key] if dict.__contains__(self, key) else default

    def setdefault(self: Any, key: Hashable, default: Any = None) -> Any:
        if not dict.__contains__(self, key):
            self[key] = default
        return self[key]

    def __iter__(self: Any) -> Iterator[Any]:  # overridden, so that `**node` and `dict(node)` come through __getitem__
        return dict.__iter__(self)

    def __all__(self: Any) -> None:
        for key in list(dict.keys(self)):
            self.__resolver__().read(self, key)

    def values(self: Any) -> Any:
        self.__all__()
        return dict.values(self)

    def items(self: Any) -> Any:
        self.__all__()
        return dict.items(self)

    def pop(self: Any, key: Hashable, *default: Any) -> Any:
        if dict.__contains__(self, key):
            self.__resolver__().read(self, key)
        return super().pop(key, *default)  # type: ignore[misc]  # the class that this one is mixed into has it

    def __ready__(self: Any) -> None:
        self.__resolver__().settle(self)

    def __put__(self: Any, key: Hashable, value: Any, site: Any) -> None:
        self.__resolver__().slots.pop((id(self), key), None)
        super().__put__(key, value, site)  # type: ignore[misc]  # as above
        self.__dict__.clear()


def unresolved(root: Node) -> list[tuple[str, Any]]:
    """(path, value) of every value that still is, or contains, a dependency."""
    return [
        (path_of(node, key), value)
        for node in branches(root)
        for key, value in dict.items(node)
        if _contains_dependency(value)
    ]


__all__ = ["Failures", "Reads", "functions_in", "resolve", "unresolved"]
