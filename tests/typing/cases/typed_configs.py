"""User code with closed configs: each line marked `# reject` is an error in mypy --strict and in pyright, all others clean."""

import sys
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from typedcat import DEP, P_DEP, BaseConfig, Config, Param2Tune, TypedConfig, inherit, load_config


class Adam:
    def __init__(self, lr: float = 0.1) -> None: ...


class Loader(TypedConfig):
    batch_size: Annotated[int, Field(gt=0)] = 128
    num_workers: int = 2


class Opt(TypedConfig):
    cls: type[Adam] = Adam
    hook: Callable[[float], float] | None = None


class Train(TypedConfig):
    seed: int
    loader: Loader = Loader()
    opt: Opt = Opt()
    epochs: int = 30
    lr: float = DEP(lambda c: c.loader.batch_size / 128 * 0.01)

    @DEP
    def steps(self) -> int:
        return self.epochs * self.loader.batch_size

    @DEP
    def broken(self) -> int:
        return self.epoch  # reject


cfg = load_config(sys.argv[1], schema=Train)
steps: int = cfg.steps
rate: float = cfg.lr
text: str = cfg.lr  # reject
print(cfg.loader.batch_siz)  # reject
cfg.loader.batch_size = 64
cfg.loader.batch_size = "64"  # reject
cfg.loadr.batch_size = 64  # reject
cfg.opt.cls = Adam
cfg.opt.cls = int  # reject
cfg.opt.hook = lambda x: x * 2
cfg.opt.hook = lambda x, y: x  # reject
cfg.loader = Loader(batch_size=1)
cfg.loader = Opt()  # reject
Train(seed=1, loader=Loader(num_workers=0))
Train(loader=Loader())  # reject
Train(seed=1, sed=2)  # reject

cfg.lr = cfg.DEP(lambda c: c.loader.batch_size * 0.1)
cfg.lr = cfg.DEP(lambda c: c.loader.batch_siz * 0.1)  # reject
cfg.lr = cfg.DEP(lambda c: str(c.epochs))  # reject
cfg.lr = cfg.P_DEP(lambda c: c.epochs * 0.1)
cfg.lr = P_DEP(lambda c: c.epochs * 0.1)
cfg.epochs = Param2Tune([1, 2])
cfg.epochs = Param2Tune(["a"])  # reject
cfg.epochs = Param2Tune([1, 2], subject_to=lambda v: v > 1)
cfg.epochs = Param2Tune([1, 2], subject_to=lambda v, c: v < c.loader.batch_size)
cfg.epochs = cfg.Param2Tune([1, 2], subject_to=lambda v: v > 1)
cfg.epochs = cfg.Param2Tune([1, 2], subject_to=lambda v, c: v < c.loader.batch_size)
cfg.epochs = cfg.Param2Tune([1, 2], subject_to=lambda v, c: v < c.loader.batch_siz)  # reject

same: Train = cfg.copy()
same = cfg.unfreeze()
same = cfg.load()
other: Loader = cfg.copy()  # reject
any_config: BaseConfig = cfg

child = Config(schema=Train, caps="base.py")
child.epochs = 3
child.epochs = "3"  # reject
print(child.rslt_dir.upper())

heir = inherit("base.py", schema=Train)
heir.epochs = 3
heir.epochs = "3"  # reject
inherit("base.py", "patch.py").any.thing = 1
inherit(3)  # reject

free = Config(caps="base.py")
free.any.thing = 1
free.lr = free.DEP(lambda c: c.any.thing * 2)
loaded = load_config("base.py")
loaded.any.thing = 1
for name, value in loaded.items():
    print(name, value)
print(dict(**loaded.any))
