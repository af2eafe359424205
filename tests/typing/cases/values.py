"""Values that become others: each line marked `# reject` is an error in mypy --strict and in pyright, all others clean."""

import functools
from collections.abc import Callable
from typing import Any

from typedcat import DEP, IL, P_DEP, PL, Config, Extend, ItemLazy, Param2Tune, ParamLazy, TypedConfig
from typedcat.static.key import Closed, Key


def f(x: float) -> float:
    return x


def g(x: float, y: int) -> float:
    return x + y


class Loader(TypedConfig):
    size: int = 1


class Train(TypedConfig):
    lr: float = Param2Tune([1, 2])
    steps: list[int] = [1]
    rates: list[float] = Param2Tune([[1], [2.5]])
    hook: Callable[[float], float] = Param2Tune([f, lambda x: x])
    bad_hook: Callable[[float], float] = Param2Tune([f, lambda x, y: x])  # reject
    epochs: int = Param2Tune(["a"])  # reject
    loader: Loader = Param2Tune([Loader(), Loader(size=3)])
    other: Loader = Param2Tune([Config()])  # reject
    labels: dict[str, int] = Param2Tune([{"a": 3}])
    rate_of: dict[str, float] = Param2Tune([{"a": 3}])
    numbers: dict[int, int] = Param2Tune([{1: 3}])
    bad_numbers: dict[int, int] = Param2Tune([{1: "a"}])  # reject

    @DEP(priority=2)
    def twice(self) -> float:
        return self.lr * 2

    @P_DEP(rel=False)
    def broken(self) -> int:
        return self.epoch  # reject


train = Train()
train.steps = Extend([1])
train.steps = Extend(["a"])  # reject
rate: float = train.twice
text: str = train.twice  # reject
train.lr = IL(lambda c: c.lr)
train.lr = ItemLazy(lambda c: c.lr)
train.lr = PL(lambda c: c.lr)
train.lr = ParamLazy(lambda c: "a")  # reject
train.loader = train.Param2Tune([Loader(), Loader(size=3)])


class Sgd: ...


class Adam: ...


class Made(Closed):
    """As a stub has it."""

    lr: Key[float, float | None]
    cls: Key[type[Sgd] | type[Adam], type[Any] | None]
    steps: Key[list[int], list[Any] | tuple[Any, ...] | None]
    sub: Key[Config, Config | dict[str, Any] | None]


made = Made()
made.steps = Extend([4, 5])
made.sub = Param2Tune([{"a": 1}, {"b": "x"}])
made.sub = made.Param2Tune([{"a": 1}, {"b": {"c": 2}}])
made.sub = Param2Tune([Config(a=1), {"b": {"c": 2}}])
made.sub = Param2Tune([Config(a=1), None])
made.sub = Param2Tune([3, 4])  # reject
made.lr = Param2Tune([1, 2], subject_to=lambda v: v > 2)
made.lr = Param2Tune([1, 2], subject_to=lambda v, c: v > c.x)
made.lr = Param2Tune([1, None], priority=3)
made.lr = Param2Tune(range(3), None, ["a", "b", "c"])
made.lr = Param2Tune(["a"])  # reject
made.lr = Param2Tune(["a", 1])  # reject
made.cls = Param2Tune([Sgd, Adam])
made.cls = Param2Tune([Sgd, 3])  # reject
anything: Any = 3
made.lr = Param2Tune(anything)
made.lr = Param2Tune([anything, anything])
free = Config()
free.a = Param2Tune([1, "a"])
free.b.fn = Param2Tune([f, g, functools.partial(g, y=3)])
