"""Values that stand for others until a config is loaded: DEP, P_DEP, Param2Tune, Extend, Drop."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast, overload

from ..errors import TuneError, short_path, short_repr
from .hooks import hooks

T = TypeVar("T")
C = TypeVar("C")


def function_place(func: Callable[..., Any]) -> str:
    """`file:line` of a function, or '' for one that is written in C."""
    code = getattr(inspect.unwrap(func), "__code__", None)
    return f"{short_path(code.co_filename)}:{code.co_firstlineno}" if code else ""


def function_name(func: Callable[..., Any]) -> str:
    """The name of a function, for messages: `round_up`, or `lambda at configs/base.py:12`."""
    name = getattr(func, "__qualname__", None) or type(func).__name__
    name = name.rpartition("<locals>.")[2]
    return f"lambda at {function_place(func)}" if name.endswith("<lambda>") else name


class Deferred:
    """Base of everything that is not a value yet and must not be used as one."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        raise TypeError(f"{self!r} is not known yet: let a DEP make the text, cfg.key = cfg.DEP(lambda c: f'...')")


_turns = itertools.count()


def next_turn() -> int:
    """A number behind all that were given before."""
    return next(_turns)


class _Dependency(Deferred, Generic[T]):
    """A value computed from others when the config is loaded.

    Args:
        func: called once with the node that the dependency is anchored to; returns the value.
        priority: dependencies with a smaller one are started earlier. What a dependency reads is always computed
            before it, so this matters for side effects only.
        rel: True: `func` gets the root of the tree in which the dependency was first put. False: always the whole
            config.
    """

    __slots__ = ("bound", "down", "func", "priority", "rel", "turn")

    def __init__(
        self,
        func: Callable[[Any], T],
        priority: int = 1,
        rel: bool = True,
        *,
        bound: Any = None,
        down: tuple[Hashable, ...] = (),
    ) -> None:
        if not callable(func):
            raise TypeError(f"{type(self).__name__} takes a function of the config, got {short_repr(func)}")
        self.func = func
        self.priority = priority
        self.rel = rel
        self.bound = bound
        self.down = down  # inside of a container: from where the slot of the container starts, the keys down
        self.turn = next_turn()  # the order of definition

    def __call__(self, cfg: Any) -> T:
        return self.func(cfg)

    def unbound(self, down: tuple[Hashable, ...] = ()) -> _Dependency[T]:
        """The same dependency without the node that it was made on; `down` leads there."""
        return type(self)(self.func, self.priority, self.rel, down=down)

    @classmethod
    def compute_item_lazy(cls, config: C) -> C:
        """Compute the dependencies of this kind in a config, in place; returns it.

        AlchemyCat's scripts call it after `parse_config`; `load_config` does both.
        """
        hooks.compute(config, only_params=issubclass(cls, _ParamDependencyType))
        return config

    def __repr__(self) -> str:
        return f"{type(self).__name__}({function_name(self.func)})"

    def __copy__(self) -> _Dependency[T]:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> _Dependency[T]:
        return self  # immutable; a deep copy of its closure would compute with another config

    def __reduce__(self) -> tuple[Any, ...]:
        return _dependency, (type(self), self.func, self.priority, self.rel, self.down)

    # In a class body: `@DEP def lr(self) -> float` declares a field whose value is computed; see `typed.py`.
    def __set_name__(self, owner: type, name: str) -> None:
        pass


def _dependency(kind: Any, func: Any, priority: int, rel: bool, down: tuple[Hashable, ...]) -> Any:
    return kind(func, priority, rel, down=down)


if TYPE_CHECKING:

    class _Decorator:
        """What `@DEP(priority=2)` decorates with; a class, as mypy solves no type variable of a returned function."""

        def __call__(self, func: Callable[[Any], T], /) -> T: ...

    # To a type checker the call gives the value that the dependency becomes, as `dataclasses.field()` does.
    class DEP(_Dependency[T]):
        """See `_Dependency`."""

        @overload
        def __new__(  # type: ignore[misc]  # returns what the dependency becomes, on purpose
            cls, func: Callable[[Any], T], priority: int = 1, rel: bool = True
        ) -> T: ...
        @overload
        def __new__(cls, *, priority: int, rel: bool = True) -> _Decorator: ...  # type: ignore[misc]  # as above
        @overload
        def __new__(cls, *, rel: bool) -> _Decorator: ...  # type: ignore[misc]  # as above
        def __new__(cls, *args: Any, **kwargs: Any) -> Any: ...

    class P_DEP(_Dependency[T]):
        """See `_Dependency`."""

        @overload
        def __new__(  # type: ignore[misc]  # as above
            cls, func: Callable[[Any], T], priority: int = 1, rel: bool = True
        ) -> T: ...
        @overload
        def __new__(cls, *, priority: int, rel: bool = True) -> _Decorator: ...  # type: ignore[misc]  # as above
        @overload
        def __new__(cls, *, rel: bool) -> _Decorator: ...  # type: ignore[misc]  # as above
        def __new__(cls, *args: Any, **kwargs: Any) -> Any: ...

else:

    class DEP(_Dependency):  # noqa: D101 - it takes its base's
        __doc__ = _Dependency.__doc__
        __slots__ = ()

        def __new__(cls, *args, **options):
            """`DEP(priority=2)` without a function is a decorator: `@DEP(priority=2)` over a method."""
            if args or not options or "func" in options:
                return super().__new__(cls)
            return functools.partial(cls, **options)

    class P_DEP(DEP):
        """A dependency that is computed when a grid makes a child: before other dependencies, and before it is saved.

        Args: see `DEP`.
        """

        __slots__ = ()


class _Unset:
    """The current value of a parameter outside a walk over the grid; None is a value like any other."""

    def __repr__(self) -> str:
        return "<not chosen>"


_UNSET = _Unset()
_orders = itertools.count()


_PARAM_ATTRIBUTES = frozenset(
    {"_current", "names", "optional_val", "order", "priority", "subject_to", "wants_config", "zip_with"}
)


class _Param(Deferred, Generic[T]):
    """A parameter to tune.

    Args:
        optional_values: what it can be; anything, None and dependencies included.
        subject_to: keeps a value when it returns something true; called with the value, or with the value and the
            config in which the values chosen so far stand.
        optional_value_names: one short name per value, for the table and the folder names.
        priority: parameters with a smaller one vary more slowly; by default they vary in the order of definition.
        zip_with: a parameter with as many values, with which this one moves: first with first, second with second.
    """

    def __init__(
        self,
        optional_values: Iterable[T],
        subject_to: Callable[..., object] | None = None,
        optional_value_names: Iterable[str] | None = None,
        priority: int | None = None,
        zip_with: object = None,
    ) -> None:
        if isinstance(optional_values, str) or not isinstance(optional_values, Iterable):
            raise TypeError(f"Param2Tune takes a list of values, got {short_repr(optional_values)}")
        self.optional_val: tuple[T, ...] = tuple(optional_values)
        self.names: tuple[str, ...] | None = None
        if optional_value_names is not None:
            self.names = tuple(str(name) for name in optional_value_names)
            if len(self.names) != len(self.optional_val):
                raise ValueError(
                    f"Param2Tune has {len(self.optional_val)} values and {len(self.names)} optional_value_names"
                )
        if not self.optional_val:
            raise ValueError("Param2Tune has no value to try")
        if subject_to is not None and not callable(subject_to):
            raise TypeError(f"subject_to must be a function of the value, got {short_repr(subject_to)}")
        if zip_with is not None and not isinstance(zip_with, _Param):
            raise TypeError(f"zip_with takes another Param2Tune, got {short_repr(zip_with)}")
        if zip_with is not None and len(zip_with.optional_val) != len(self.optional_val):
            raise ValueError(
                f"parameters that move together need as many values: {len(self.optional_val)} here, "
                f"{len(zip_with.optional_val)} in {zip_with!r}"
            )
        self.subject_to = subject_to
        self.zip_with = zip_with
        self.priority = priority
        self.wants_config = subject_to is not None and _takes_two(subject_to)
        self._current: T | _Unset = _UNSET
        self.order = next(_orders)  # of definition

    def __setattr__(self, name: str, value: Any) -> None:
        """What a value of it is to have cannot be set here: `cfg.opt = Param2Tune([...]); cfg.opt.lr = 1` is lost."""
        if name not in _PARAM_ATTRIBUTES and not name.startswith("__"):
            raise TuneError(
                f"{name!r} cannot be set in {short_repr(self)}, which stands for several values\n"
                f"  set {name!r} in each of them, or tune the key below: cfg.opt.{name} = Param2Tune([...])"
            )
        object.__setattr__(self, name, value)

    @property
    def cur_val(self) -> T:
        """The value chosen at this point of the walk over the grid.

        Raises:
            TuneError: no value is chosen yet.
        """
        if isinstance(self._current, _Unset):
            raise TuneError(
                f"the value of {self!r} is not chosen yet. Check if the former param call later param in its "
                "subject_to: a constraint sees only parameters that vary more slowly than its own"
            )
        return self._current

    def choose(self, value: T) -> None:
        """Make `value` the current one."""
        self._current = value

    def reset(self) -> None:
        """Forget the current value."""
        self._current = _UNSET

    def allows(self, value: T, cfg: object) -> bool:
        """Whether `subject_to` accepts the value; `cfg` is the config with the values chosen so far."""
        if self.subject_to is None:
            return True
        return bool(self.subject_to(value, cfg) if self.wants_config else self.subject_to(value))

    def __repr__(self) -> str:
        return f"Param2Tune({short_repr(list(self.optional_val), 60)})"


def _takes_two(func: Callable[..., object]) -> bool:
    """Whether `subject_to` wants the config too: its second parameter has no default of its own."""
    try:
        parameters = inspect.signature(func).parameters.values()
    except (TypeError, ValueError):  # a function in C without a signature
        return False
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) >= 2 and positional[1].default is inspect.Parameter.empty


if TYPE_CHECKING:

    class _Node(Protocol):
        """A config, which a file further up defines."""

        __one_parent__: ClassVar[bool]

    N = TypeVar("N", bound=_Node)

    # mypy takes the join of a list's items, not their union: of dicts with other types of values that is `object`.
    # The first two overloads are there for such lists; configs, which are dicts too, must not come out as dicts.
    class Param2Tune(_Param[T]):
        """See `_Param`."""

        @overload
        def __new__(  # type: ignore[misc]  # returns what the parameter becomes, on purpose
            cls,
            optional_values: Iterable[N],
            subject_to: None = None,
            optional_value_names: Iterable[str] | None = None,
            priority: int | None = None,
            zip_with: object = None,
        ) -> N: ...
        @overload
        def __new__(  # type: ignore[misc]  # as above
            cls,
            optional_values: Iterable[dict[str, Any]],
            subject_to: None = None,
            optional_value_names: Iterable[str] | None = None,
            priority: int | None = None,
            zip_with: object = None,
        ) -> dict[str, Any]: ...
        @overload
        def __new__(  # type: ignore[misc]  # as above
            cls,
            optional_values: Iterable[T],
            subject_to: Callable[[T], object] | None = None,
            optional_value_names: Iterable[str] | None = None,
            priority: int | None = None,
            zip_with: object = None,
        ) -> T: ...
        @overload
        def __new__(  # type: ignore[misc]  # as above
            cls,
            optional_values: Iterable[T],
            subject_to: Callable[[T, Any], object],
            optional_value_names: Iterable[str] | None = None,
            priority: int | None = None,
            zip_with: object = None,
        ) -> T: ...
        def __new__(cls, *args: Any, **kwargs: Any) -> Any: ...

else:

    class Param2Tune(_Param):  # noqa: D101 - it takes its base's
        __doc__ = _Param.__doc__

    # what Python says of a call that does not fit
    _Dependency.__init__.__qualname__ = "DEP.__init__"
    _Param.__init__.__qualname__ = "Param2Tune.__init__"


class Extend(Deferred, Generic[T]):
    """Appends to the inherited list instead of replacing it: `cfg.callbacks = Extend([Timer])`.

    Args:
        items: what to append. On an absent key they make the list; on a dependency they are appended to its result.
    """

    __slots__ = ("base", "items")

    if TYPE_CHECKING:  # no `__init__` beside it, which mypy would take instead
        items: tuple[T, ...]
        base: object

        def __new__(cls, items: Iterable[T]) -> list[T]: ...  # type: ignore[misc]  # what it becomes, on purpose

    else:

        def __init__(self, items, base=None):
            if isinstance(items, (str, bytes, dict)) or not isinstance(items, Iterable):
                raise TypeError(f"Extend takes a list of items to append, got {short_repr(items)}")
            self.items = tuple(items)
            self.base = base  # the dependency whose result is extended, if any

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __repr__(self) -> str:
        return f"Extend({list(self.items)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extend) and (other.items, other.base) == (self.items, self.base)

    __hash__ = None  # type: ignore[assignment]  # holds a list of anything

    def __reduce__(self) -> tuple[Any, ...]:
        return Extend, (self.items, self.base)


class _Drop(Deferred):
    """The type of `Drop`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Drop"

    def __reduce__(self) -> str:
        return "Drop"

    def __copy__(self) -> _Drop:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> _Drop:
        return self


Drop: Any = _Drop()
"""Assigned to a key, it removes the inherited one: `cfg.opt.ini.momentum = Drop`."""


def dependencies_in(value: object) -> Iterator[_Dependency[Any]]:
    """The dependencies that a value is or contains: in lists, tuples, sets, plain dicts, `Extend`, configs in those."""
    stack: list[Any] = [value]
    seen = set[int]()
    while stack:
        one = stack.pop()
        if isinstance(one, Dependency):
            yield one
        elif isinstance(one, Extend):
            stack += (one.base, *one.items)
        elif type(one) in _HOLDERS and id(one) not in seen:
            seen.add(id(one))
            stack.extend(one.values() if type(one) is dict else one)
        elif one is not value and getattr(type(one), "__one_parent__", False):
            stack.extend(dict.values(one))


_HOLDERS = (dict, list, tuple, set, frozenset)

_ParamDependencyType = cast("type[_Dependency[Any]]", P_DEP)
Dependency = cast("type[_Dependency[Any]]", DEP)  # what `isinstance` needs; to a checker DEP is a function
Parameter = cast("type[_Param[Any]]", Param2Tune)
Extension: Any = Extend
IL = DEP  # one by one: in `IL = ItemLazy = DEP` pyright sees no aliases
ItemLazy = DEP
PL = P_DEP
ParamLazy = P_DEP
