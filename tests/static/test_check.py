"""`typedcat check`: what it finds, at which line, said once; and what it leaves alone."""

from __future__ import annotations

import enum
import json
import os
import pathlib
import shutil
import sys
import textwrap
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, Optional, Union

import pytest

from tests.cli.conftest import Answer, spawn, write
from typedcat import ADict, Config
from typedcat.cli import check as command
from typedcat.cli import main
from typedcat.static import run_mypy
from typedcat.static.argument_types import fits
from typedcat.static.check_config import check_configs
from typedcat.static.findings import Checked, Finding, united
from typedcat.static.near_miss import is_slip

PARTS = '''\
"""What the configs use."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

if TYPE_CHECKING:
    from decimal import Decimal as Tensor  # to mypy; torch takes it long


class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"


class Sgd:
    def __init__(self, params: list[Tensor], lr: float, momentum: float = 0.0) -> None: ...


class Adam:
    def __init__(self, params: list[Tensor], lr: float = 0.1, betas: tuple[float, float] = (0.9, 0.99)) -> None: ...


class Net:
    def __init__(
        self,
        width: int,
        depth: int = 3,
        act: Callable[[float], float] = abs,
        sizes: list[int] | None = None,
        kind: Literal["a", "b"] = "a",
        device: int = None,
        weight: Tensor | None = None,
        child: Any = None,
    ) -> None: ...


@dataclass
class Data:
    root: Path
    batch_size: int = 8
    names: Sequence[str] = ()
    mode: Mode = Mode.FAST
    options: Mapping[str, float] | None = None
    seed: InitVar[int] = 0


class Loose:
    def __init__(self, width: int = 1, **more: Any) -> None: ...


class Meta(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any: ...


class Made(metaclass=Meta): ...


class Model(BaseModel):
    width: int = Field(default=3, alias="w")
    depth: int = Field(default=3, validation_alias=AliasChoices("d", "deep"))
    model_config = ConfigDict(populate_by_name=True)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Converted(BaseModel):
    width: int

    @model_validator(mode="before")
    @classmethod
    def old(cls, values: Any) -> Any:
        return {"width": values["breadth"]}


class Initialized(BaseModel):
    width: int

    def __init__(self, **values: Any) -> None:
        super().__init__(width=values["breadth"])


@pydantic_dataclass
class Record:
    width: int = 3


class Heir(Record): ...


class Called(BaseModel):
    def __call__(self, width: int) -> None: ...


called = Called()


def on_device(func: Any) -> Any:
    @functools.wraps(func)
    def inner(*args: Any, device: str = "cpu", **more: Any) -> Any: ...
    return inner


@on_device
def build(width: int) -> int: ...


def power(x: float, by: int = 2) -> float: ...


class Flip:
    def __call__(self, image: Any, p: float = 0.5) -> Any: ...


square = functools.partial(power, by=2)
flip = Flip()
cached = functools.lru_cache(power)
'''

BASE = """\
from parts import Net, Sgd
from typedcat import Config, DEP
cfg = Config()
cfg.seed = 1
cfg.epochs = 10
cfg.model = "resnet"
cfg.net.cls = Net
cfg.net.ini.width = 64
cfg.opt.cls = Sgd
cfg.opt.ini.lr = cfg.DEP(lambda c: c.seed * 0.1)
cfg.opt.ini.momentum = 0.9
cfg.loader.batch_size = 8
cfg.loader.workers = 2
"""
CHILD = "from parts import *\nfrom typedcat import *\ncfg = Config(caps='base.py')\n"
PLAIN = "from parts import *\nfrom typedcat import *\nimport torch\ncfg = Config()\n"
TUNE = "from parts import *\nfrom typedcat import *\ncfg = Cfg2Tune(caps='base.py')\n"
SCHEMA = """\
from typing import Annotated
from pydantic import Field, SecretStr
from typedcat import TypedConfig
class Loader(TypedConfig):
    batch_size: Annotated[int, Field(gt=0)] = 128
class Train(TypedConfig):
    loader: Loader = Loader()
    epochs: int = 3
    name: str
"""


class Case(typing.NamedTuple):
    """Configs, and every line that the command writes about them; `@` stands for their folder."""

    files: dict[str, str]
    lines: list[str]


def one(text: str, *lines: str) -> Case:
    """A case with one Python config."""
    return Case({"cfg.py": text}, [f"@/cfg.py:{line}" for line in lines])


CASES: dict[str, Case] = {
    # -- files that do not load
    "syntax": one("cfg = Config(\n", "1: error: invalid syntax: '(' was never closed [load]"),
    "raises": one(
        "import parts\ncfg = {}\nparts.nothing\n",
        "3: error: AttributeError: module 'parts' has no attribute 'nothing' [load]",
    ),
    "exit": one(
        "import sys\ncfg = {}\nsys.exit(3)\n",
        "3: error: SystemExit: 3 [load]",
        "3: note: a config must not end the program: remove the call of exit()",
    ),
    "no_config": one("if False:\n    cfg = 1\n", "1: error: defines no 'cfg' [load]", "1: note: "),
    "other_name": Case(
        {
            "cfg.py": "from typedcat import Config\nconf = Config(a=1)\nn = 3\n",  # n: to MMCV that is a config
            "a/config.py": "conf = {'a': 1}\n",
            "b/config.py": "def f(conf):\n    return conf\n",  # a module like any other
            "c/cfg.py": "",
            "sub/lr.py": "import typedcat\n\nlr_config: object = typedcat.Cfg2Tune(lr=0.1)\n",
            "sub/used.py": "from typedcat import Config\nbase = Config(a=1)\n",
            "sub/listed.py": "from typedcat import Config\nbase = Config(a=1)\n",
            "sub/own.py": "from .used import base\nfrom . import (  # (all)\n    listed,\n)\n"
            "from typedcat import Config\ncfg = Config(base, listed.base)\n",
            "sub/other.py": "from other import Config\nbase = Config(a=1)\n",
            "sub/parts/__init__.py": "from typedcat import Config\nbase = Config(a=1)\n",
            "sub/parts/listed.py": "from . import base\nimport importlib\nimportlib.import_module('dynamic')\n",
            "sub/uses.py": "from .parts import base\nfrom typedcat import Config\ncfg = Config(base)\n",
            "sub/dynamic.py": "from typedcat import Config\nbase = Config(a=1)\n",
            "tests/conftest.py": "from typedcat import Config\ntree = Config(a=1)\n",
            "tests/test_it.py": "from typedcat import Config\ntree = Config(a=1)\ndef test_a(): pass\n",
            "train.py": "from typedcat import Config, load_config\nbase = Config(a=1)\nprint(load_config(base))\n",
            "script.py": "import typedcat\nbase = typedcat.Config(a=1)\ntypedcat.load_config(base)\n",
            "main.py": "from typedcat import Config\nbase = Config(a=1)\nif __name__ == '__main__':\n    print(base)\n",
        },
        [
            "@/a/config.py:1: error: defines no 'cfg' [load]",
            "@/a/config.py:1: note: is it 'conf'? Name the config 'cfg'",
            "@/c/cfg.py:1: error: defines no 'cfg' [load]",
            "@/c/cfg.py:1: note: ",
            "@/cfg.py:2: error: defines no 'cfg', so nothing loads this config [load]",
            "@/cfg.py:2: note: is it 'conf'? Name the config 'cfg'",
            "@/sub/lr.py:3: error: defines no 'cfg', so nothing loads this config [load]",
            "@/sub/lr.py:3: note: is it 'lr_config'? Name the config 'cfg'",
        ],
    ),
    "yaml": Case({"cfg.yaml": "a: 1\nb: [1, 2\nc: 3\n"}, ["@/cfg.yaml:3: error: not valid YAML: "]),
    "json": Case({"cfg.json": '{"a": 1,\n "b": x}\n'}, ["@/cfg.json:2: error: not valid JSON: "]),
    "missing_base": Case(
        {
            "cfg.py": "from typedcat import Config\ncfg = Config(caps=('base.py',\n    'bse.py'))\n",
            "child.py": "from typedcat import Config\ncfg = Config(caps='@/cfg.py')\n",
        },
        [
            "@/cfg.py:3: error: bse.py: no such base file; did you mean 'base.py'? [missing-base]",
            "@/cfg.py:3: note: looked for bse.py in <project>",
            "@/cfg.py:3: note: looked for @/bse.py in ",
            "@/cfg.py:3: note: in 2 configs: @/cfg.py, @/child.py",
        ],
    ),
    "circle": Case(
        {
            "a.py": "from typedcat import Config\ncfg = Config(caps='@/b.py')\n",
            "b.py": "from typedcat import Config\ncfg = Config(caps='@/a.py')\n",
        },
        [
            "@/a.py:1: error: configs name each other as bases: @/a.py -> @/b.py -> @/a.py [load]",
            "@/a.py:1: note: remove one of these caps",
            "@/b.py:1: error: configs name each other as bases: @/b.py -> @/a.py -> @/b.py [load]",
            "@/b.py:1: note: remove one of these caps",
        ],
    ),
    "not_loaded": one(
        CHILD + "cfg.twice = cfg.seed * 2\n",
        "4: error: seed is not known yet: ",
        *["4: note: "] * 3,
    ),
    # -- dependencies and schemas
    "dependencies": Case(
        {
            "cfg.py": CHILD + "cfg.a = cfg.DEP(lambda c: c.b)\ncfg.b = cfg.DEP(lambda c: c.a)\n"
            "cfg.c = cfg.DEP(lambda c: 1 / (c.seed - 1))\ncfg.d = cfg.DEP(lambda c: c.epohcs)\n",
            "child.py": "from typedcat import Config\ncfg = Config(caps='@/cfg.py')\ncfg.seed = 3\n",
        },
        [
            "@/cfg.py:4: error: dependencies form a cycle: a -> b -> a [dependency]",
            "@/cfg.py:4: note: a is set at @/cfg.py:4",
            "@/cfg.py:4: note: b is set at @/cfg.py:5",
            "@/cfg.py:4: note: in 2 configs: @/cfg.py, @/child.py",
            "@/cfg.py:6: error: c: the dependency raised ZeroDivisionError: division by zero [dependency]",
            "@/cfg.py:6: note: it read seed = 1, set at base.py:4",
            "@/cfg.py:7: error: d: the dependency reads 'epohcs', but there is no such key; did you mean 'epochs'? "
            "[dependency]",
            "@/cfg.py:7: note: when @/child.py is loaded",
        ],
    ),
    "schema": Case(
        {
            "base.py": "from schema import Train\nfrom typedcat import Config\ncfg = Config(schema=Train)\n"
            "cfg.loader.batch_size = 0\n",
            "a.py": "from typedcat import Config\ncfg = Config(caps='@/base.py')\ncfg.name = 'a'\n",
            "b.yaml": "name: 3\n",
            "b.py": "from typedcat import Config\ncfg = Config(caps=('@/base.py', '@/b.yaml'))\ncfg.epohcs = 3\n",
            "c.py": "from typedcat import Config\ncfg = Config(caps='@/base.py')\n",
        },
        [
            "@/b.py:3: error: epohcs: is an unknown key; did you mean 'epochs'? [validation]",
            "@/b.yaml:1: error: name: should be a valid string, got 3 [validation]",
            "@/b.yaml:1: note: when @/b.py is loaded",
            "@/base.py:4: error: loader.batch_size: should be greater than 0, got 0 [validation]",
            "@/base.py:4: note: overrides 128 (schema.py:5)",
            "@/base.py:4: note: in 4 configs: @/a.py, @/b.py, @/base.py and 1 more",
            "@/c.py:1: error: name: is required, and nothing has set it [validation]",
        ],
    ),
    # -- cls and ini
    "arguments": one(
        PLAIN + "cfg.net.cls = Net\ncfg.net.ini.widht = 1\ncfg.net.ini[3] = 1\ncfg.a.b.opt.cls = Sgd\n"
        "cfg.a.b.opt.ini = dict(momentum=0.9,\n                       lrr=0.1)\n",
        "6: error: net.ini.widht: Net takes no argument 'widht'; did you mean 'width' or 'weight'? [unknown-argument]",
        "7: error: net.ini[3]: Net takes no argument 3 [unknown-argument]",
        "9: error: a.b.opt.ini.lrr: Sgd takes no argument 'lrr'; did you mean 'lr'? [unknown-argument]",
    ),
    "containers": one(
        PLAIN + "cfg.nets = [Config(cls=Net, ini=Config(widht=3)),\n            {'cls': Net, 'ini': {'depht': 3}}]\n"
        "cfg.table = {'a': ({'cls': Flip, 'ini': {'x': 3}},)}\ncfg.opt = dict(cls=Sgd, ini=dict(lrr=1))\n"
        "cfg.net.cls = Net\ncfg.net.ini.child.cls = Net\ncfg.net.ini.child.ini.widht = 3\n"
        "cfg.loop = []\ncfg.loop.append(cfg['loop'])\n",
        "5: error: nets[0].ini.widht: Net takes no argument 'widht'; did you mean 'width' or 'weight'? "
        "[unknown-argument]",
        "5: error: nets[1].ini.depht: Net takes no argument 'depht'; did you mean 'depth'? [unknown-argument]",
        "7: error: table.a[0].ini.x: Flip takes no argument 'x' [unknown-argument]",
        "8: error: opt.ini.lrr: Sgd takes no argument 'lrr'; did you mean 'lr'? [unknown-argument]",
        "11: error: net.ini.child.ini.widht: Net takes no argument 'widht'; did you mean 'width' or 'weight'? "
        "[unknown-argument]",
    ),
    "callables": one(
        PLAIN
        + "".join(
            f"cfg.{name}.cls = {cls}\ncfg.{name}.ini = dict({arguments})\n"
            for name, cls, arguments in [
                ("loose", "Loose", "anything=1"),
                ("made", "Made", "anything=1"),
                ("c", "max", "anything=1"),
                ("builtin", "dict", "anything=1"),
                ("name", "'Net'", "anything=1"),
                ("no", "None", "anything=1"),
                ("computed", "cfg.DEP(lambda c: Sgd)", "lr=0.1"),
                ("wrapped", "build", "device='cuda', width=1"),
                ("cached", "cached", "anything=1"),
                ("model", "Model", "w='1', d=2"),
                ("by_name", "Model", "width='1', deep=2"),
                ("open", "Open", "anything=1"),
                ("converted", "Converted", "breadth=1"),
                ("initialized", "Initialized", "breadth=1"),
                ("record", "Record", "width='1'"),
                ("heir", "Heir", "width='1'"),
                ("called", "called", "width=1"),
                ("partial", "square", "x=1, by=3"),
                ("partial_class", "functools.partial(Sgd, lr=1)", "momentum=1"),
                ("init_var", "Data", "seed=3"),
                ("sgd", "torch.optim.SGD", "lr=0.1, momentum=1"),
                ("conv", "torch.nn.Conv2d", "in_channels=3, kernel_size=[3, 3], padding='same', dtype=torch.half"),
                ("cosine", "torch.optim.lr_scheduler.CosineAnnealingLR", "T_max=3"),
                ("loader", "torch.utils.data.DataLoader", "batch_size=3, shuffle=True, num_workers=2"),
            ]
        ),
    ),
    "wrong_callables": one(
        PLAIN + "cfg.a.cls = print\ncfg.a.ini.seep = ','\ncfg.b.cls = Model\ncfg.b.ini.wdth = 1\n"
        "cfg.c.cls = square\ncfg.c.ini.bye = 3\ncfg.d.cls = flip\ncfg.d.ini.prob = 3\ncfg.e.cls = Data\n"
        "cfg.e.ini.rot = 3\ncfg.f.cls = torch.optim.SGD\ncfg.f.ini.lrr = 3\ncfg.g.cls = Record\ncfg.g.ini.wide = 3\n"
        "cfg.h.cls = torch.utils.data.DataLoader\ncfg.h.ini.batch_size = '3'\n",
        "6: error: a.ini.seep: print takes no argument 'seep'; did you mean 'sep'? [unknown-argument]",
        "8: error: b.ini.wdth: Model takes no argument 'wdth'; did you mean 'width' or 'depth'? [unknown-argument]",
        "10: error: c.ini.bye: power takes no argument 'bye'; did you mean 'by'? [unknown-argument]",
        "12: error: d.ini.prob: Flip takes no argument 'prob' [unknown-argument]",
        "14: error: e.ini.rot: Data takes no argument 'rot'; did you mean 'root'? [unknown-argument]",
        "16: error: f.ini.lrr: SGD takes no argument 'lrr'; did you mean 'lr'? [unknown-argument]",
        "18: error: g.ini.wide: Record takes no argument 'wide'; did you mean 'width'? [unknown-argument]",
        "20: error: h.ini.batch_size: DataLoader takes int | None, got '3' [argument-type]",
    ),
    "inherited": Case(
        {
            "base.py": PLAIN + "cfg.opt.cls = Sgd\ncfg.opt.ini.lrr = 0.1\ncfg.opt.ini.momentum = 'no'\n",
            "child.py": "from typedcat import Config\ncfg = Config(caps='@/base.py')\ncfg.opt.ini.lr = 0.1\n",
            "other.py": "from parts import Adam\nfrom typedcat import *\ncfg = Config(caps='@/child.py')\n"
            "cfg.opt.cls = Adam\ncfg.opt.ini.momentum = Drop\n",
            "grandchild.yaml": "seed: 3\n",
        },
        [
            "@/base.py:6: error: opt.ini.lrr: Sgd takes no argument 'lrr'; did you mean 'lr'? [unknown-argument]",
            "@/base.py:6: note: in 3 configs: @/base.py, @/child.py, @/other.py",
            "@/base.py:7: error: opt.ini.momentum: Sgd takes float, got 'no' [argument-type]",
            "@/base.py:7: note: in 2 configs: @/base.py, @/child.py",
        ],
    ),
    "other_class": Case(
        {
            "adam.py": CHILD + "cfg.opt.cls = Adam\n",
            "child.py": "from typedcat import Config\ncfg = Config(caps='@/adam.py')\n",
            "mine.py": CHILD + "cfg.opt.cls = Adam\ncfg.opt.ini.momentum = Drop\ncfg.opt.ini.beta = 3\n",
        },
        [
            "@/adam.py:4: error: opt.ini.momentum: Adam takes no argument 'momentum' [unknown-argument]",
            "@/adam.py:4: note: it was set for another class, at base.py:11; assign Drop to it",
            "@/adam.py:4: note: in 2 configs: @/adam.py, @/child.py",
            "@/mine.py:6: error: opt.ini.beta: Adam takes no argument 'beta'; did you mean 'betas'? [unknown-argument]",
        ],
    ),
    "several_bases": Case(
        {
            "cfg.py": "from typedcat import Config\ncfg = Config(caps=('base.py', '@/patch.yaml', '@/patch.json'))\n",
            "patch.yaml": "opt:\n  ini:\n    # a comment\n    lrr: 0.1\nnet: {ini: {depth: 1e-3}}\n",
            "patch.json": '{"opt": {"ini": {\n  "momentum": "0.9"}}}\n',
        },
        [
            "@/patch.json:2: error: opt.ini.momentum: Sgd takes float, got '0.9' [argument-type]",
            "@/patch.json:2: note: cls is set at base.py:9",
            "@/patch.json:2: note: when @/cfg.py is loaded",
            "@/patch.yaml:4: error: opt.ini.lrr: Sgd takes no argument 'lrr'; did you mean 'lr'? [unknown-argument]",
            "@/patch.yaml:4: note: cls is set at base.py:9",
            "@/patch.yaml:4: note: when @/cfg.py is loaded",
            "@/patch.yaml:5: error: net.ini.depth: Net takes int, got '1e-3' [argument-type]",
            "@/patch.yaml:5: note: cls is set at base.py:7",
            "@/patch.yaml:5: note: YAML takes a number such as 1e-3 for text; it wants a point and a sign: 1.0e-3",
            "@/patch.yaml:5: note: when @/cfg.py is loaded",
        ],
    ),
    "mounted": Case(
        {
            "part.py": PLAIN + "cfg.opt.cls = Sgd\ncfg.opt.ini.lrr = 0.1\n",
            "a.py": "from typedcat import Config\ncfg = Config()\ncfg.x = Config('@/part.py')\ncfg.y.z = cfg.x\n",
            "b.py": "from typedcat import Config\ncfg = Config(caps='@/a.py')\n",
        },
        [
            "@/part.py:6: error: opt.ini.lrr: Sgd takes no argument 'lrr'; did you mean 'lr'? [unknown-argument]",
            "@/part.py:6: note: in 3 configs: @/a.py, @/b.py, @/part.py",
        ],
    ),
    "types": one(
        PLAIN + "cfg.net.cls = Net\ncfg.net.ini.width = 'wide'\ncfg.net.ini.depth = 0.5\ncfg.net.ini.act = 'relu'\n"
        "cfg.net.ini.sizes = [1, 'a']\ncfg.net.ini.kind = 'c'\ncfg.net.ini.device = 'cuda'\ncfg.net.ini.weight = 'x'\n"
        "cfg.data.cls = Data\ncfg.data.ini.root = 3\ncfg.data.ini.names = 3\ncfg.data.ini.mode = 'medium'\n"
        "cfg.data.ini.options = {'a': 'b'}\ncfg.data.ini.batch_size = cfg.DEP(lambda c: 'x')\n",
        "6: error: net.ini.width: Net takes int, got 'wide' [argument-type]",
        "7: error: net.ini.depth: Net takes int, got 0.5 [argument-type]",
        "8: error: net.ini.act: Net takes Callable[[float], float], got 'relu' [argument-type]",
        "9: error: net.ini.sizes: Net takes list[int] | None, got [1, 'a'] [argument-type]",
        "10: error: net.ini.kind: Net takes Literal['a', 'b'], got 'c' [argument-type]",
        "11: error: net.ini.device: Net takes int, got 'cuda' [argument-type]",
        "14: error: data.ini.root: Data takes Path, got 3 [argument-type]",
        "15: error: data.ini.names: Data takes Sequence[str], got 3 [argument-type]",
        "16: error: data.ini.mode: Data takes Mode, got 'medium' [argument-type]",
        "17: error: data.ini.options: Data takes Mapping[str, float] | None, got {'a': 'b'} [argument-type]",
        "18: error: data.ini.batch_size: Data takes int, got 'x' [argument-type]",
    ),
    "right_types": one(
        PLAIN + "cfg.net.cls = Net\ncfg.net.ini.width = True\ncfg.net.ini.act = max\ncfg.net.ini.sizes = (1, 2)\n"
        "cfg.net.ini.kind = 'b'\ncfg.net.ini.device = None\ncfg.net.ini.weight = torch.ones(3)\n"
        "cfg.data.cls = Data\ncfg.data.ini.root = 'data'\ncfg.data.ini.names = ['a']\ncfg.data.ini.mode = 'fast'\n"
        "cfg.data.ini.options.a = 1\ncfg.opt.cls = Adam\ncfg.opt.ini = dict(lr=1, betas=[0, 1], params=['all'])\n",
    ),
    "secret": one(
        PLAIN + "from typing import Any\nfrom pydantic import BaseModel, SecretStr\n"
        "class Hub(BaseModel):\n    token: SecretStr\n    n: int\n"
        "class Top(BaseModel):\n    cls: Any\n    ini: Hub\ndef login(token: int): ...\n"
        "cfg = Config(schema=Top)\ncfg.cls = login\ncfg.ini.token = 'hunter2'\ncfg.ini.n = 'x'\n",
        "17: error: ini.n: should be a valid integer, unable to parse string as an integer, got 'x' [validation]",
    ),
    # -- near misses
    "near_miss": one(
        CHILD + "cfg.epoch = 3\ncfg.modle = 'vit'\ncfg.loader.bach_size = 3\ncfg.seeed = 2\n",
        "4: error: epoch: no base has this key; did you mean 'epochs' (set at base.py:5)? [near-miss]",
        "5: error: modle: no base has this key; did you mean 'model' (set at base.py:6)? [near-miss]",
        "6: error: loader.bach_size: no base has this key; did you mean 'batch_size' (set at base.py:12)? [near-miss]",
        "7: error: seeed: no base has this key; did you mean 'seed' (set at base.py:4)? [near-miss]",
    ),
    "near_subtree": one(
        CHILD + "cfg.laoder.workers = 3\n",
        "4: error: laoder: no base has this key; did you mean 'loader' (set at base.py:12)? [near-miss]",
    ),
    "no_near_miss": Case(
        {
            "base.py": "from typedcat import Config\ncfg = Config()\ncfg.dim_x = cfg.layer1 = cfg.lr = cfg.step = 1\n"
            "cfg.model = 'a'\ncfg.gamma = 0.5\ncfg.heads.n = 3\ncfg.epochs = 3\n",
            "cfg.py": "from typedcat import Config\ncfg = Config(caps='@/base.py')\n"
            "cfg.dim_y = cfg.layer2 = cfg.lrs = cfg.stop = 1\ncfg.mode = 'b'\ncfg.gammas = [1]\ncfg.head = 3\n"
            "cfg.epoch = 3\ncfg.done = cfg.DEP(lambda c: c.epoch / c.epochs)\n",
            "own.py": "from typedcat import Config\ncfg = Config()\ncfg.epochs = 3\ncfg.epoch = 1\n",
        },
        [],
    ),
    "one_is_enough": one(
        CHILD + "cfg.opt.ini.momentun = 0.9\n",
        "4: error: opt.ini.momentun: Sgd takes no argument 'momentun'; did you mean 'momentum'? [unknown-argument]",
        "4: note: cls is set at base.py:9",
    ),
    # -- what others build on
    "addons": Case(
        {
            "ema.py": "from typedcat import *\ncfg = Config()\n"
            "cfg.ema.decay = DEP(lambda c: 1 - 1 / c.epochs, rel=False)\n",
            "drop.py": "from typedcat import *\ncfg = Config()\ncfg.opt.ini.momentum = Drop\ncfg.hooks = Extend([1])\n",
            "loader.yaml": "loader:\n  batch_size: 16\n",
            "typed.py": "from schema import Train\nfrom typedcat import Config\ncfg = Config(schema=Train)\n",
            "all.py": "from typedcat import Config\n"
            "cfg = Config('base.py', '@/ema.py', '@/drop.py', '@/loader.yaml')\n",
            "mount.py": "from typedcat import Config\ncfg = Config('base.py')\ncfg.extra = Config('@/ema.py')\n",
            "full.py": "from typedcat import Config\ncfg = Config('@/typed.py')\ncfg.name = 'a'\n",
        },
        [],
    ),
    "ignored": one(
        CHILD + "cfg.epoch = 3  # typedcat: ignore[near-miss]\ncfg.seeed = 3  # mine  # typedcat:ignore\n"
        "cfg.net.ini.depht = 3  # typedcat: ignore[near-miss, unknown-argument]\n"
        "cfg.net.ini.depth = 'x'  # typedcat: ignore[near-miss]\ncfg.modle = 'a'  # typedcat: ignored\n",
        "7: error: net.ini.depth: Net takes int, got 'x' [argument-type]",
        "7: note: cls is set at base.py:7",
        "8: error: modle: no base has this key; did you mean 'model' (set at base.py:6)? [near-miss]",
    ),
    # -- tune configs
    "tune": one(
        TUNE + "cfg.seed = Param2Tune([1, 2])\ncfg.opt.cls = Param2Tune([Sgd, Adam])\n"
        "cfg.inverse = cfg.DEP(lambda c: 1 / (c.seed - 2))\ncfg.epoch = 3\n"
        "cfg.net.ini.width = Param2Tune([1, 'wide', 0.5])\ncfg.net.ini.depht = 3\n",
        "5: error: opt.ini.momentum: Adam takes no argument 'momentum' [unknown-argument]",
        "5: note: it was set for another class, at base.py:11; assign Drop to it",
        "5: note: in 3 of 12 children: seed=1,cls=Adam,width=1; seed=1,cls=Adam,width=wide; seed=1,cls=Adam,width=0.5",
        "6: error: inverse: the dependency raised ZeroDivisionError: division by zero [dependency]",
        "6: note: it read seed = 2, set at @/cfg.py:4",
        "6: note: in 6 of 12 children: seed=2,cls=Sgd,width=1; seed=2,cls=Sgd,width=wide; seed=2,cls=Sgd,width=0.5 "
        "and 3 more",
        "7: error: epoch: no base has this key; did you mean 'epochs' (set at base.py:5)? [near-miss]",
        "8: error: net.ini.width: Net takes int, got 'wide' [argument-type]",
        "8: note: cls is set at base.py:7",
        "8: note: in 4 of 12 children: seed=1,cls=Sgd,width=wide; seed=1,cls=Sgd,width=0.5; seed=1,cls=Adam,width=wide "
        "and 1 more",
        "9: error: net.ini.depht: Net takes no argument 'depht'; did you mean 'depth'? [unknown-argument]",
        "9: note: cls is set at base.py:7",
        "9: note: in 6 of 12 children: seed=1,cls=Sgd,width=1; seed=1,cls=Sgd,width=wide; seed=1,cls=Sgd,width=0.5 "
        "and 3 more",
    ),
    "tune_all": one(
        TUNE + "cfg.seed = Param2Tune([1, 2])\ncfg.net.ini.depht = 3\n",
        "5: error: net.ini.depht: Net takes no argument 'depht'; did you mean 'depth'? [unknown-argument]",
        "5: note: cls is set at base.py:7",
    ),
    "tune_right": one(
        TUNE + "cfg.seed = Param2Tune([1, 2], subject_to=lambda v, c: v > 1)\n"
        "cfg.opt.ini.lr = Param2Tune([0.1, cfg.DEP(lambda c: c.seed * 0.1)])\n",
    ),
    "tune_constraint": one(
        TUNE + "cfg.seed = Param2Tune([1, 2], subject_to=lambda v: v / 0)\n",
        "4: error: seed, set at @/cfg.py:4: its subject_to cannot judge 1 [tune]",
        "4: note: ZeroDivisionError: division by zero",
    ),
    "tune_nothing": one(
        TUNE,
        "1: error: @/cfg.py has nothing to tune: ",
        "1: note: give a key several values: cfg.opt.ini.lr = Param2Tune([0.1, 0.01])",
    ),
    "tune_none_left": one(
        TUNE + "cfg.seed = Param2Tune([1, 2], subject_to=lambda v: False)\n",
        "1: error: @/cfg.py: the constraints (subject_to) leave no legal combination of values [tune]",
    ),
    "tune_parts": Case(
        {
            "sgd.py": "from parts import Sgd\nfrom typedcat import Config\ncfg = Config(cls=Sgd)\ncfg.ini.lr = 0.1\n",
            "adam.py": "from parts import Adam\nfrom typedcat import Config\ncfg = Config(cls=Adam)\ncfg.ini.lrr = 1\n",
            "cfg.py": "from typedcat import *\ncfg = Cfg2Tune()\n"
            "cfg.opt = Param2Tune([Config(caps='@/sgd.py'), Config(caps='@/adam.py')], None, ['sgd', 'adam'])\n",
        },
        [
            "@/adam.py:4: error: ini.lrr: Adam takes no argument 'lrr'; did you mean 'lr'? [unknown-argument]",
            "@/adam.py:4: note: in 2 configs: @/adam.py, @/cfg.py",
        ],
    ),
    "tune_schema": one(
        "from schema import Train\nfrom typedcat import *\ncfg = Cfg2Tune(schema=Train)\ncfg.name = 'a'\n"
        "cfg.epochs = Param2Tune([1, 'many'])\n",
        "5: error: epochs: should be a valid integer, unable to parse string as an integer, got 'many' [validation]",
        "5: note: overrides 3 (schema.py:8)",
    ),
    "tune_unknown": Case(
        {
            "base.py": "from schema import Train\nfrom typedcat import Config\ncfg = Config(schema=Train)\n"
            "cfg.name = 'a'\n",
            "cfg.py": "from typedcat import *\ncfg = Cfg2Tune(caps='@/base.py')\ncfg.epochs = 3\n"
            "cfg.epohcs = Param2Tune([1, 2])\n",
            "sub.py": "from typedcat import *\ncfg = Cfg2Tune(caps='@/base.py')\ncfg.epochs = 3\n"
            "cfg.loader.batch = Param2Tune([1, 2])\n",
        },
        [
            "@/cfg.py:4: error: epohcs: Train has no such key; did you mean 'epochs'? [validation]",
            "@/sub.py:4: error: loader.batch: Loader has no such key; did you mean 'batch_size'? [validation]",
        ],
    ),
    "tune_constraint_typo": one(
        TUNE + "cfg.seed = Param2Tune([1, 2])\n"
        "cfg.epochs = Param2Tune([1, 2], subject_to=lambda v, c: v * c.sede > 0)\n",
        "5: error: epochs, set at @/cfg.py:5: its subject_to cannot judge 1 [tune]",
        "5: note: sede: there is no such key, so * is not possible; did you mean 'seed'?",
        "5: note: it is called with the value, ",
    ),
    # -- settings
    "setting": Case(
        {
            "cap.py": "from typedcat import Config\ncfg = Config(\n    cap='base.py',\n)\n",
            "tune.py": "from typedcat import *\n"
            "cfg = Cfg2Tune(caps='base.py', seed=Param2Tune([1, 2]), repeat=2, volatil=['seed'])\ncfg.repeats = 3\n",
            "schema.py": "from schema import Train\nfrom typedcat import *\ncfg = Config(schema=Train, name='a')\n",
            "closed.py": "from typedcat import *\ncfg = Cfg2Tune(caps='@/schema.py', repeat=2, epohcs=3)\n"
            "cfg.epochs = Param2Tune([1, 2])\n",
            "volatile.py": "from typedcat import *\ncfg = Cfg2Tune(caps='base.py', repeats=2, seed_key='seed',\n"
            "              volatile=['loader.workers', 'batch_sise', 'other', 'model'])\n"
            "cfg.epochs = Param2Tune([1, 2])\n",
        },
        [
            "@/cap.py:2: error: cap: is a key like any other; did you mean the setting caps? "
            "Config(..., caps='base.py') [near-miss]",
            "@/closed.py:2: error: repeat: is a key like any other; did you mean the setting repeats? "
            "Cfg2Tune(..., repeats=2) [near-miss]",
            "@/closed.py:2: error: epohcs: is an unknown key; did you mean 'epochs'? [validation]",
            "@/tune.py:2: error: repeat: is a key like any other; did you mean the setting repeats? "
            "Cfg2Tune(..., repeats=2) [near-miss]",
            "@/tune.py:2: error: volatil: is a key like any other; did you mean the setting volatile? "
            "Cfg2Tune(..., volatile=['seed']) [near-miss]",
            "@/tune.py:3: error: repeats: is a key like any other; did you mean the setting repeats? "
            "Cfg2Tune(..., repeats=3) [near-miss]",
            "@/volatile.py:3: error: volatile: there is no key 'batch_sise'; did you mean 'batch_size'? [near-miss]",
        ],
    ),
    "no_setting": Case(
        {
            "cfg.py": "from typedcat import Config\ncfg = Config(repeats=2, scheme='dark', cap=3)\n"
            "cfg.cap = cfg.caps = 'base.py'\ncfg.schema = None\ncfg.sub = dict(cap=3)\n",
            "base.py": "from typedcat import Config\ncfg = Config()\ncfg.repeats = 3\ncfg.volatil = 3\n",
            "cap.yaml": "cap: base.py\nschema: null\n",
            "tune.py": "from typedcat import *\ncfg = Cfg2Tune(caps='@/base.py', volatil=2)\ncfg.repeats = 3\n"
            "cfg.better = 'acc'\n"
            "cfg.seed = Param2Tune([1, 2])\ncfg.repeat = 3  # typedcat: ignore[near-miss]\n",
        },
        [],
    ),
    # -- names of folders
    "lr=0.1, γ=2 x": one(
        CHILD + "cfg.epoch = 3\n",
        "4: error: epoch: no base has this key; did you mean 'epochs' (set at base.py:5)? [near-miss]",
    ),
    "class": one(
        CHILD + "cfg.net.ini.widht = 3\n",
        "4: error: net.ini.widht: Net takes no argument 'widht'; did you mean 'width' or 'weight'? [unknown-argument]",
        "4: note: cls is set at base.py:7",
    ),
}


def check(folder: Path, *arguments: str) -> Answer:
    """The command, in a process of its own."""
    done = spawn("check", *arguments, cwd=folder)
    return Answer(done.returncode, done.stdout, done.stderr)


def project(folder: Path, cases: Mapping[str, Case]) -> Path:
    """A project with what the cases use, and the configs of each case in a folder of its own."""
    write(folder, {"parts.py": PARTS, "schema.py": SCHEMA, "base.py": BASE, "pyproject.toml": "[tool.typedcat]\n"})
    for name, case in cases.items():
        write(
            folder / "configs" / name,
            {file: text.replace("@/", f"configs/{name}/") for file, text in case.files.items()},
        )
    return folder


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Every line that the command writes about the configs of all cases."""
    pytest.importorskip("torch")  # the cases import it
    folder = project(tmp_path_factory.mktemp("project"), CASES)
    answer = check(folder, "--no-mypy", "-j", "2")
    assert answer.code == 1, answer.err
    yield answer.out.replace(str(folder), "<project>").splitlines()


@pytest.mark.parametrize("name", CASES)
def test_findings(told: list[str], name: str) -> None:
    prefix = f"configs/{name}/"
    lines = [line for line in told if line.startswith(prefix)]
    wanted = [line.replace("@/", prefix) for line in CASES[name].lines]
    for line, text in zip(lines, wanted, strict=False):
        assert line == text or (text.endswith(" ") and line.startswith(text))
    assert len(lines) == len(wanted), "\n".join(lines)


# -- single rules


class Colour(enum.Enum):
    RED = "red"
    BLUE = 2


class Text(str):
    pass


UserId = NewType("UserId", int)
T = typing.TypeVar("T")
ANNOTATIONS: list[tuple[Any, list[Any], list[Any]]] = [  # (annotation, what fits, what does not)
    (int, [1, True, pathlib.Path(), object()], ["1", 0.5, 1.0, None, [1], 1j, int, len.__class__, lambda: 1, Config()]),
    (float, [1, 0.5, True, float("nan")], ["0.5", "1e-3", None, [0.5], 1j]),
    (complex, [1, 0.5, 1j], ["1", None]),
    (bool, [True, 1, 0], ["yes", 0.5, None, []]),
    (str, ["a", "", Text("a"), pathlib.Path(), Colour], [1, None, b"a", ["a"], int]),
    (bytes, [b"a"], ["a", 1]),
    (None, [None], [0, "", "None"]),
    (type(None), [None], [0]),
    (Any, [None, 1, "a", []], []),
    (object, [None, 1, "a", []], []),
    (T, [None, 1], []),
    (UserId, ["a", 1], []),
    ("int", ["a", 1], []),
    (3, ["a", 1], []),
    ([int], ["a", 1], []),
    (dict[str, int] | UserId, [{"a": "b"}], []),
    (Optional[int], [1, None], ["1", 0.5]),  # noqa: UP045 - as older code has it
    (Union[int, str], [1, "a"], [0.5, None]),  # noqa: UP007 - as older code has it
    (int | None, [1, None], ["1"]),
    (int | Text, ["a"], []),
    (Literal["a", 1, None], ["a", 1, None, True], ["b", 2, [1]]),
    (Annotated[int, "unit"], [1], ["1"]),
    (Colour, [Colour.RED, "red", "RED", 2, object()], ["green", 3, None]),
    (pathlib.Path, ["a", pathlib.Path()], [1, None, ["a"]]),
    (os.PathLike, ["a", pathlib.Path()], [1]),
    (str | os.PathLike[str], ["a", pathlib.Path()], [1]),
    (list, [[1], (1,), []], ["a", 1, {1}, {}, None]),
    (typing.List[int], [[1], (1, 2)], [["a"], "a"]),  # noqa: UP006 - as older code has it
    (list[int], [[1], (), [True], [object()]], [["a"], [1, "a"], [None], {1: 1}]),
    (list["Colour"], [["a"]], []),
    (tuple, [(1, "a"), [1]], ["a", 1]),
    (tuple[int, ...], [(1, 2), [1], ()], [("a",), [1, 0.5]]),
    (tuple[float, float], [(1, 2), [0.9, 0.99], (1,)], [("a", "b"), (1, None)]),
    (tuple[int], [(1, 2, 3)], [("a",)]),
    (Sequence[str], [["a"], ("a",), "ab", []], [[1], 1, {"a"}, {}]),
    (Sequence[Sequence[int]], [[[1], (2,)]], [[1], [["a"]]]),
    (set[str], [{"a"}, ["a"], frozenset()], [{1}, "a", {}]),
    (dict, [{}, {"a": 1}, Config(a=1), ADict(a=1)], [1, "a", []]),
    (dict[str, int], [{"a": 1}, Config(a=1)], [{"a": "b"}, {1: 1}, Config(a="b")]),
    (Mapping[str, list[int]], [{"a": [1]}], [{"a": 1}, [("a", [1])]]),
    (Iterable[int], [[1], {1}, {1: "a"}, (1,), range(3), "ab"], [1, None, ["a"], {"a": 1}]),
    (Callable, [len, int, lambda: 1, print], ["relu", 1, None, [len], Config(a=1)]),
    (Callable[[int], int], [len, int, Config(cls=int)], ["relu", 1]),
    (type[int], [int, "int"], []),
    (Iterator[int], [[1], 1], []),
    (int, [Config(cls=int), {"cls": int}], []),
]


@pytest.mark.parametrize(("annotation", "good", "bad"), ANNOTATIONS, ids=lambda item: str(item)[:40])
def test_what_fits_an_annotation(annotation: Any, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not fits(value, annotation)] == []
    assert [value for value in bad if fits(value, annotation)] == []


def test_values_of_numpy_and_torch_fit_anything() -> None:
    numpy, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    values = [numpy.float32(1), numpy.float64(1), numpy.int64(1), numpy.bool_(True), numpy.ones(3), torch.ones(3)]
    for annotation in (int, float, bool, list[int], tuple[float, ...]):
        assert all(fits(value, annotation) for value in values)


def test_a_long_list_costs_little() -> None:
    assert fits([1] * 10_000_000, list[int])


@pytest.mark.parametrize(
    ("name", "other", "wanted"),
    [
        ("epoch", "epochs", True),
        ("batch_size", "bacth_size", True),
        ("batch_size", "batchsize", True),
        ("momentum", "momentun", True),
        ("seed", "seeed", True),
        ("seed", "sede", True),
        ("lrr", "lr", True),
        ("loader", "laoder", True),
        ("mode", "model", False),
        ("path", "patch", False),
        ("step", "stop", False),
        ("stage", "state", False),
        ("batch", "patch", False),
        ("min_lr", "max_lr", False),
        ("dim_x", "dim_y", False),
        ("x_min", "y_min", False),
        ("layer1", "layer2", False),
        ("layer1", "layer11", False),
        ("fp16", "bf16", False),
        ("weight", "weights_only", False),
        ("a", "", False),
    ],
)
def test_slips(name: str, other: str, wanted: bool) -> None:
    assert is_slip(name, other) is wanted
    assert is_slip(other, name) is wanted


def test_the_finding_of_the_file_itself_stands_for_those_of_others() -> None:
    def finding(config: str, note: str) -> Finding:
        return Finding("b.py", 3, "dependency", f"a.lr: {note}", (note,), config)

    checked = [Checked(config, (finding(config, config),), frozenset({config})) for config in ("a.py", "b.py", "c.py")]
    assert united(checked) == [
        Finding("b.py", 3, "dependency", "a.lr: b.py", ("b.py", "in 3 configs: a.py, b.py, c.py"), "b.py")
    ]
    assert united(checked) == united(checked[1:] + checked[:1])


# -- the command


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one config in which nothing is wrong; the working directory."""
    monkeypatch.chdir(project(tmp_path, {"good": one(CHILD + "cfg.epochs = 3\n")}))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def test_all_is_well(small: Path) -> None:
    answer = check(small, "--no-mypy")
    assert answer == Answer(0, "No problems found (checked 1 config)\n", "")


def test_json(small: Path) -> None:
    write(small, {"configs/bad/cfg γ.py": CHILD + "cfg.opt.cls = Adam\ncfg.opt.ini.lrr = 3\n"})
    answer = check(small, "--no-mypy", "--format", "json")
    assert answer.code == 1
    assert answer.err == "Found 2 errors in 1 file (checked 2 configs)\n"
    assert json.loads(answer.out) == [
        {
            "file": "configs/bad/cfg γ.py",
            "line": 4,
            "severity": "error",
            "code": "unknown-argument",
            "message": "opt.ini.momentum: Adam takes no argument 'momentum'\n"
            "it was set for another class, at base.py:11; assign Drop to it",
            "config": "configs/bad/cfg γ.py",
        },
        {
            "file": "configs/bad/cfg γ.py",
            "line": 5,
            "severity": "error",
            "code": "unknown-argument",
            "message": "opt.ini.lrr: Adam takes no argument 'lrr'; did you mean 'lr'?",
            "config": "configs/bad/cfg γ.py",
        },
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/where"], "no/where does not exist"),
        (["empty"], "there are no configs in empty"),
        (["empty", "helpers"], "there are no configs in empty, helpers"),
    ],
)
def test_paths_without_configs(
    small: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    write(small, {"helpers/helper.py": "def f(cfg): ...\n"})
    (small / "empty").mkdir()
    assert main(["check", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"error: {said}\n" in captured.err


def test_a_config_of_another_name_is_found_where_nothing_else_is(small: Path) -> None:
    write(small, {"new/first.py": "from typedcat import Config\nconf = Config(a=1)\n"})
    for path in ("new", "new/first.py"):
        assert check(small, "--no-mypy", path).out.splitlines() == [
            "new/first.py:2: error: defines no 'cfg', so nothing loads this config [load]",
            "new/first.py:2: note: is it 'conf'? Name the config 'cfg'",
            "Found 1 error in 1 file (checked 1 config)",
        ]


def test_what_imports_a_config_may_lie_beside_what_is_checked(small: Path) -> None:
    write(small, {"configs/lab/common.py": "from typedcat import Config\ncommon = Config(a=1)\n"})
    assert check(small, "--no-mypy", "configs/lab").code == 1
    write(small, {"configs/a/cfg.py": "from typedcat import Config\nfrom ..lab.common import common\ncfg = common\n"})
    assert check(small, "--no-mypy", "configs").code == 0
    write(small, {"configs/lab/cfg.py": "from typedcat import Config\ncfg = Config(a=1)\n"})
    assert check(small, "--no-mypy", "configs/lab").code == 0


def test_no_config_root(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(small / "configs")
    assert main(["check"]) == 2
    assert capsys.readouterr().err == (
        f"error: configs does not exist: it is looked for in {small}\n"
        "  go to the folder of your project, or name a folder: typedcat check path/to/configs\n"
    )


def test_the_config_root_of_the_project(small: Path) -> None:
    write(small, {"pyproject.toml": "[tool.typedcat]\nconfig_root = 'experiments/configs'\n"})
    write(small, {"experiments/configs/a/cfg.py": "from typedcat import Config\ncfg = Config(a=1)\n"})
    (small / "deep/er").mkdir(parents=True)
    assert check(small / "deep/er", "--no-mypy").out == "No problems found (checked 1 config)\n"


BAD = {
    "hangs": "import time\ntime.sleep(50)\n",
    "dies": "import os\nos._exit(7)\n",
    "raises": "raise RuntimeError('γ')\n",
    "prints": "import os\nprint('I print')\nos.system('echo so does a process')\n",
    "reads": "input()\n",
    "chdir": "import os\nos.chdir('/')\n",
}


@pytest.mark.slow
def test_what_configs_do_to_their_process(small: Path) -> None:
    (small / "pyproject.toml").unlink()
    write(small, {f"configs/{name}/cfg.py": f"{text}cfg = {{}}\n" for name, text in BAD.items()})
    answer = check(small, "--no-mypy", "--timeout", "3", "-j", "1")
    assert answer.code == 1
    assert answer.out.splitlines() == [
        "configs/dies/cfg.py:1: error: the process that read it died with exit code 7 [load]",
        "configs/hangs/cfg.py:1: error: it took more than 3 s [load]",
        "configs/raises/cfg.py:1: error: RuntimeError: γ [load]",
        "configs/reads/cfg.py:1: error: EOFError: EOF when reading a line [load]",
        "Found 4 errors in 4 files (checked 7 configs)",
    ]
    assert sorted(answer.err.splitlines()) == ["I print", "so does a process"]


@pytest.mark.slow
def test_the_same_answer_however_many_processes(tmp_path: Path, told: list[str]) -> None:
    project(tmp_path, CASES)
    assert check(tmp_path, "--no-mypy", "-j", "1").out.replace(str(tmp_path), "<project>").splitlines() == told


@pytest.mark.slow
def test_an_addon_alone(tmp_path: Path) -> None:
    project(tmp_path, {"addons": CASES["addons"]})
    write(tmp_path, {"configs/unused.py": "from typedcat import *\ncfg = Config()\ncfg.a = DEP(lambda c: c.b)\n"})
    names = [f"configs/addons/{name}.py" for name in ("ema", "drop", "typed")]
    assert check(tmp_path, "--no-mypy", *names).out == "No problems found (checked 3 configs)\n"
    assert check(tmp_path, "--no-mypy", *names, "configs/unused.py").out.splitlines() == [
        "configs/unused.py:3: error: a: the dependency reads 'b', but there is no such key [dependency]",
        "configs/unused.py:3: note: it may be absent? c.get('b') and 'b' in c ask for it",
        "Found 1 error in 1 file (checked 4 configs)",
    ]


def test_without_mypy(small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(run_mypy, "find_spec", lambda name: None)
    assert main(["check"]) == 0
    assert capsys.readouterr().out == (
        "mypy is not installed, so types were not checked: pip install 'typedcat[check]'\n"
        "No problems found (checked 1 config)\n"
    )
    assert main(["check", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "[]\n"
    assert captured.err.startswith("mypy is not installed")


@pytest.mark.slow
def test_findings_are_told_even_if_mypy_cannot_run(small: Path) -> None:
    write(small, {"configs/bad/cfg.py": CHILD + "cfg.epoch = 3\n", "mypy.ini": "[mypy]\nplugins = no_such_plugin\n"})
    answer = check(small)
    assert answer.code == 2
    assert "configs/bad/cfg.py:4: error: epoch: no base has this key" in answer.out
    assert "no_such_plugin" in answer.out + answer.err


def test_progress(small: Path) -> None:
    seen: list[tuple[int, int]] = []
    write(small, {f"configs/{i}/cfg.py": "cfg = {}" for i in range(3)})
    configs = sorted((small / "configs").rglob("cfg.py"))
    checked = check_configs(configs, command.children, jobs=1, progress=lambda done, all_: seen.append((done, all_)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [Path(one.config) for one in checked] == configs


# -- types

TYPED = {
    "configs/base/cfg.py": BASE + "def scale(x: float) -> float:\n    return x * 2\n",
    "configs/base/more.py": "def more(x: int) -> int:\n    return 'a'\n",  # no config: not checked
    "configs/a,b=2 γ/cfg.py": """\
        from ..base.cfg import scale
        from ..base.more import more
        from .near import near
        from typedcat import Config
        cfg = Config(caps="configs/base/cfg.py")
        def use() -> None:
            more("x")
            scale(near).upper()
        count: int = "a"  # type: ignore[assignment]
        """,
    "configs/a,b=2 γ/near.py": "near = 3\n",
    "configs/class/2x.y/cfg.py": """\
        from typedcat_catalog import Config
        from configs.base.cfg import scale
        cfg = Config(caps="configs/base/cfg.py")
        cfg.seed = round(scale(3))
        def use() -> None:
            cfg.seeed = 3
            cfg.seed = "one"
            scale(x=3).upper()  # of a config that is imported by its name, only the config is known
        """,
    "configs/told/cfg.py": """\
        from typedcat_catalog import Config
        cfg = Config(caps="configs/base/cfg.py")
        cfg.epoch = 3
        cfg.net.ini.width = "wide"
        """,
    "configs/new/cfg.py": """\
        from typedcat_catalog import Config
        cfg = Config(caps="configs/base/cfg.py")
        cfg.loader.betas = (0.9, 0.99)
        cfg.ema.decay, cfg.x["y z"] = 0.9, 3
        print(cfg.opt.nothing)
        def use(rates: dict[object, int]) -> None:
            rates[cfg.opt.none] = 3
        """,
    "configs/of_schema/cfg.py": """\
        from typedcat import Config
        from schema import Train
        cfg = Config(schema=Train)
        cfg.name = "a"
        def use() -> None:
            cfg.loader.workers = 3
        """,
    "configs/broken/cfg.py": "from typedcat import Config\ncfg = Config(\n",
    "configs/of_broken/cfg.py": "from typedcat_catalog import Config\ncfg = Config(caps='configs/broken/cfg.py')\n",
    "configs/data.yaml": "a: 1\n",
    "outside.py": "from typedcat import Config\ncfg = Config(a=1)\nx: int = 'a'\n",
}


@pytest.mark.slow
def test_types(tmp_path: Path) -> None:
    project(tmp_path, {})
    write(tmp_path, {name: textwrap.dedent(text) for name, text in TYPED.items()})
    answer = check(tmp_path, "configs", "outside.py")
    assert answer.out.splitlines() == [
        'configs/a,b=2 γ/cfg.py:7: error: Argument 1 to "more" has incompatible type "str"; expected "int" [arg-type]',
        'configs/a,b=2 γ/cfg.py:8: error: "float" has no attribute "upper" [attr-defined]',
        "configs/broken/cfg.py:2: error: invalid syntax: '(' was never closed [load]",
        "configs/broken/cfg.py:2: note: in 2 configs: configs/broken/cfg.py, configs/of_broken/cfg.py",
        'configs/class/2x.y/cfg.py:6: error: "Cfg" has no attribute "seeed"; maybe "seed"? [attr-defined]',
        'configs/class/2x.y/cfg.py:6: note: on purpose: cfg["seeed"] = ...',
        'configs/class/2x.y/cfg.py:7: error: Incompatible types in assignment (expression has type "str", variable has '
        'type "float | None") [assignment]',
        'configs/new/cfg.py:3: error: "CfgLoader" has no attribute "betas" [attr-defined]',
        'configs/new/cfg.py:3: note: on purpose: cfg.loader["betas"] = ...',
        'configs/new/cfg.py:4: error: "Cfg" has no attribute "ema" [attr-defined]',
        'configs/new/cfg.py:4: note: on purpose: cfg["ema"].decay = ...',
        'configs/new/cfg.py:4: error: "Cfg" has no attribute "x" [attr-defined]',
        """configs/new/cfg.py:4: note: on purpose: cfg["x"]['y z'] = ...""",
        'configs/new/cfg.py:5: error: "CfgOpt" has no attribute "nothing" [attr-defined]',
        'configs/new/cfg.py:7: error: "CfgOpt" has no attribute "none" [attr-defined]',
        'configs/of_schema/cfg.py:6: error: "Loader" has no attribute "workers" [attr-defined]',
        "configs/told/cfg.py:3: error: epoch: no base has this key; did you mean 'epochs' (set at "
        "configs/base/cfg.py:5)? [near-miss]",
        "configs/told/cfg.py:4: error: net.ini.width: Net takes int, got 'wide' [argument-type]",
        "configs/told/cfg.py:4: note: cls is set at configs/base/cfg.py:7",
        'outside.py:3: error: Incompatible types in assignment (expression has type "str", variable has type "int") '
        "[assignment]",
        "Found 14 errors in 7 files (checked 10 configs)",
    ]
    found = json.loads(check(tmp_path, "--format", "json", "configs/class").out)
    assert [(one["line"], one["code"]) for one in found] == [(6, "attr-defined"), (7, "assignment")]
    assert found[0]["message"] == ('"Cfg" has no attribute "seeed"; maybe "seed"?\non purpose: cfg["seeed"] = ...')
