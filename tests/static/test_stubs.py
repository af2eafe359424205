"""`typedcat stubs`: what the stubs say, what both checkers make of them, and what is made again after a change."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import typedcat
from tests.conftest import Snapshot
from typedcat.static.catalog import catalog_text
from typedcat.static.packages import package_stubs

WriteFile = Callable[[str, str], Path]

PROJECT = {
    "things.py": """\
        import enum
        class Sgd:
            def __init__(self, lr: float, momentum: float = 0.0) -> None: ...
        class Adam:
            def __init__(self, lr: float, betas: tuple[float, float] = (0.9, 0.999)) -> None: ...
        class Flip:
            p: float = 0.5
        class Mode(enum.Enum):
            FAST = 1
            SLOW = 2
        def scale(x: float, by: int = 2) -> float:
            return x * by
        """,
    "schema.py": """\
        from typing import Annotated
        from pydantic import BaseModel, Field
        from typedcat import TypedConfig
        class Loader(TypedConfig):
            batch_size: Annotated[int, Field(gt=0)] = 128
        class Train(TypedConfig):
            loader: Loader = Loader()
            epochs: int = 3
        class OptModel(BaseModel):
            lr: float = 0.1
            name: str = "sgd"
        class TrainModel(BaseModel):
            opt: OptModel = OptModel()
            steps: list[int] = []
        """,
    "configs/base/cfg.py": """\
        from pathlib import Path
        from things import Flip, Mode, Sgd, scale
        from typedcat import Config, DEP
        cfg = Config()
        cfg.seed = 1
        cfg.ratio = 0.5
        cfg.flag = True
        cfg.name = "base"
        cfg.nothing = None
        cfg.empty = []
        cfg.steps = [1, 2]
        cfg.mixed = [1, "a"]
        cfg.pair = (1, "a")
        cfg.table = {"a": [0.5]}
        cfg.tags = {"x"}
        cfg.path = Path("data")
        cfg.mode = Mode.FAST
        cfg.flip = Flip()
        cfg.fn = scale
        cfg.key = lambda x: x
        cfg.opt.cls = Sgd
        cfg.opt.ini.lr = DEP(lambda c: c.seed * 0.1)
        cfg.sched.warm = cfg.DEP(lambda c: round(c.ratio))
        cfg.type = "classifier"
        cfg.int = 3
        cfg["not a name"] = 1
        cfg["class"].weight = 2
        cfg["items"] = 5
        cfg.off.override()
        """,
    "configs/base,2xbs/cfg.py": """\
        from typedcat import Config
        cfg = Config(caps="configs/base/cfg.py")
        cfg.seed = 2
        cfg.ema.decay = 0.9
        """,
    "configs/patch.yaml": "opt:\n  momentum: 0.9\nratio: 1\n",
    "configs/patched/cfg.py": """\
        from typedcat import Config
        cfg = Config(caps=("configs/base/cfg.py", "configs/patch.yaml"))
        """,
    "configs/addon.py": """\
        from typedcat import Config, DEP
        cfg = Config()
        cfg.width = 3
        cfg.of_the_whole = DEP(lambda c: c.seed * 2, rel=False)
        """,
    "configs/composed/cfg.py": """\
        from typedcat import Config
        cfg = Config("configs/base/cfg.py")
        cfg.model = Config("configs/addon.py")
        """,
    "configs/typed/cfg.py": """\
        from schema import Train
        from typedcat import Config
        cfg = Config(schema=Train)
        """,
    "configs/local/cfg.py": """\
        from typedcat import DEP, Config, TypedConfig
        class Inner(TypedConfig):
            width: int = 3
        class Local(TypedConfig):
            inner: Inner = Inner()
            @DEP
            def twice(self) -> int:
                return self.inner.width * 2
            def area(self, height: int) -> int:
                return self.inner.width * height
        class Net: ...
        cfg = Config(schema=Local)
        """,
    "configs/model/cfg.py": """\
        from schema import TrainModel
        from typedcat import Config
        cfg = Config(schema=TrainModel)
        cfg.opt.lr = 1
        """,
    "configs/tune/cfg.py": """\
        from things import Adam, Sgd
        from typedcat import Cfg2Tune, Config, Param2Tune
        cfg = Cfg2Tune(caps="configs/base/cfg.py")
        cfg.seed = Param2Tune([1, 2])
        cfg.opt.cls = Param2Tune([Sgd, Adam])
        cfg.name = Param2Tune(["a", None])
        cfg.sub = Param2Tune([None, Config(a=1)])
        """,
    "configs/helpers.py": "def helper() -> int:\n    return 1\n",
}

USE = """\
import sys
from typing import assert_type

from configs.helpers import helper
from things import Adam, Flip, Mode, Sgd
from typedcat import BaseConfig, Param2Tune
from typedcat import Config as AnyConfig
from typedcat_catalog import Cfg2Tune, Config, inherit, load_config

base = load_config("configs/base/cfg.py", create_rslt_dir=False)
assert_type(base.seed, int)
assert_type(base.ratio, float)
assert_type(base.flag, bool)
assert_type(base.name, str)
assert_type(base.steps, list[int])
assert_type(base.pair, tuple[int, str])
assert_type(base.table, dict[str, list[float]])
assert_type(base.tags, set[str])
assert_type(base.mode, Mode)
assert_type(base.flip, Flip)
assert_type(base.opt.cls, type[Sgd])
assert_type(base.opt.ini.lr, float)
assert_type(base.sched.warm, int)
assert_type(base.type, str)
assert_type(base.int, int)
assert_type(helper(), int)
base.nothing.upper()  # reject
base.empty.append(object())
base.mixed[0].upper()  # reject
print(base.path.name, base.fn(1.0, by=3), base.key(3), base.off.anything, base["not a name"], base["class"].weight)
base.fn("a")  # reject
base.fn(1.0, bye=3)  # reject
base.opt.cls(**base.opt.ini)
base.opt.cls(lr=0.1, momentum=0.5)
base.opt.cls(lrr=0.1)  # reject
base.seeed  # reject
base.opt.ini.lrr  # reject
base.opt.inii.lr = 1  # reject
text: str = base.seed  # reject

child = Config(caps="configs/base/cfg.py")
child.seed = 0.5
child.seed = "a"  # reject
child.seed = None
child.ratio = 1
child.flag = "yes"  # reject
child.opt.cls = Adam
child.opt.cls = "adam"  # reject
child.fn = lambda x: x
child.fn = 3  # reject
child.steps = [0.5]
child.steps = (1,)
child.steps = 3  # reject
child.flip = object()
child.nothing = 3
child.opt = {"cls": Adam}
child.sched = Config("configs/addon.py")
child.sched.warm = Param2Tune([1, 2])
child.sched.warm = Param2Tune(["a"])  # reject
child.opt.ini.lr = child.DEP(lambda c: c.seed * 0.1)
child.opt.ini.lr = child.DEP(lambda c: c.sed * 0.1)  # reject
child.opt.ini.lr = child.opt.DEP(lambda o: o.ini.lr)
child.loader.batch_size = 3  # reject
child["loader"] = Config(batch_size=3)
child["ema"].decay = 0.9
child.opt.ini.override()

grown = load_config("configs/base,2xbs/cfg.py")
assert_type(grown.ema.decay, float)
assert_type(grown.opt.ini.lr, float)
base.ema  # reject
patched = load_config("configs/patched/cfg.py")
assert_type(patched.ratio, int)
assert_type(patched.opt.momentum, float)
assert_type(patched.opt.cls, type[Sgd])
merged = Config(caps=("configs/base/cfg.py", "configs/patch.yaml"))
merged.opt.momentum = 0.5
merged.opt.momentun = 0.5  # reject
inherit("configs/base/cfg.py", "configs/patch.yaml").opt.momentun = 1  # reject
inherit("configs/base/cfg.py").opt.ini.lr = 1
assert_type(load_config("configs/patch.yaml").opt.momentum, float)
assert_type(load_config("configs/composed/cfg.py").model.width, int)

known = load_config(sys.argv[1], like="configs/base/cfg.py")
assert_type(known.seed, int)
known.seeed  # reject
free = load_config(sys.argv[1])
print(free.any.thing)

typed = load_config("configs/typed/cfg.py")
assert_type(typed.loader.batch_size, int)
typed.loader.batch_size = 0.5  # reject
local = load_config("configs/local/cfg.py")
assert_type(local.twice, int)
assert_type(local.area(3), int)
local.inner.widht  # reject
model = load_config("configs/model/cfg.py")
assert_type(model.opt.lr, float)
model.opt.name = 3  # reject
model.opt.nam  # reject

tune = Cfg2Tune(caps="configs/base/cfg.py")
tune.seed = Param2Tune([1, 2])
tune.seed = Param2Tune(["a"])  # reject
swept = load_config("configs/tune/cfg.py")
assert_type(swept.seed, int)
assert_type(swept.opt.cls, type[Adam] | type[Sgd])
swept.name.upper()  # reject
if swept.sub is not None:
    assert_type(swept.sub.a, int)


def train(cfg: AnyConfig) -> BaseConfig:
    return cfg.copy()


train(base)
train(grown.opt)
same = base.copy()
assert_type(same.seed, int)
for key, value in base.items():
    print(key, value)
print({**base.opt.ini}, base.rslt_dir.upper())
"""


# Two packages on the way to configs, and values and ways of composing that not every project has.
COMPOSED = {
    "things.py": PROJECT["things.py"],
    "schema.py": PROJECT["schema.py"],
    "configs/__init__.py": """\
        from . import base as base_package, helpers
        from .helpers import (  # on several lines
            helper,
        )
        from things import (
            Flip,
            Sgd,
        )
        import os, json as j
        VERSION = "1.0"
        def size(x: int) -> int:
            return x
        """,
    "configs/helpers.py": "def helper() -> int:\n    return 1\n",
    "configs/base/__init__.py": "from ..helpers import helper as deep\n",
    "configs/base/cfg.py": """\
        import collections
        import functools
        import re
        from typing import ForwardRef, Optional, TypeVar
        from things import Flip, Sgd, scale
        from typedcat import Config
        cfg = Config()
        cfg.lr = 0.1
        cfg.ints = [1, 2]
        cfg.fn = scale
        cfg.opt.cls = Sgd
        cfg.opt.ini.lr = 0.1
        cfg.sched.epochs = 3
        cfg.union = int | None
        cfg.alias = list[int]
        cfg.optional = Optional[int]
        cfg.variable = TypeVar("X")
        cfg.forward = ForwardRef("int")
        cfg.pattern = re.compile("a")
        cfg.ordered = collections.OrderedDict
        cfg.part = functools.partial(scale, by=2)
        cfg.made = functools.partial(Flip)
        cfg.layers = [Config(kind="conv", width=3), Config(kind="conv", width=4), Config(kind="pool", stride=2.0)]
        cfg.named = {"a": Config(width=3)}
        cfg.many = [Config({f"key{i}": i}) for i in range(9)]
        cfg.nested = [Config(inner=[Config(x=1)], sub=Config(y="a"))]
        """,
    "configs/warm.py": "from typedcat import Config\ncfg = Config(main_epochs=3)\n",
    "configs/typed.py": "from schema import Train\nfrom typedcat import Config\ncfg = Config(schema=Train)\n",
    "configs/both.py": """\
        from typedcat import Config
        cfg = Config(caps=["configs/base/cfg.py", "configs/warm.py"])
        """,
    "configs/three.py": """\
        from typedcat import Config
        cfg = Config(caps=["configs/base/cfg.py", "configs/warm.py", "configs/third.py"])
        """,
    "configs/third.py": "from typedcat import Config\ncfg = Config(third=3)\n",
}

USE_COMPOSED = """\
import collections
import functools
import re
import sys
from typing import Any, assert_type

import configs
from configs import VERSION, Flip, base_package, helper, helpers, size
from configs.helpers import helper as same
from schema import Train
from things import Sgd
from typedcat import DEP, IL, PL, Extend, ItemLazy, Param2Tune, ParamLazy
from typedcat import Config as AnyConfig
from typedcat_catalog import Cfg2Tune, Config, inherit, load_config

assert_type(helper(), int)
assert_type(same(), int)
assert_type(size(1), int)
text: str = VERSION
assert_type(helpers.helper(), int)
assert_type(base_package.deep(), int)
assert_type(Flip().p, float)
configs.nothing  # reject

base = load_config("configs/base/cfg.py")
assert_type(base.lr, float)
print(base.union, base.alias, base.optional, base.variable, base.forward)
assert_type(base.pattern, re.Pattern[str])
assert_type(base.ordered, type[collections.OrderedDict[Any, Any]])
assert_type(base.part, functools.partial[float])
assert_type(base.made, functools.partial[Flip])
for layer in base.layers:
    layer.kind.upper()
    layer.kinds  # reject
assert_type(base.named["a"].width, int)
print(base.many[0].anything)
assert_type(base.nested[0].inner[0].x, int)
base.nested[0].sub.z  # reject

child = Config(caps="configs/base/cfg.py")
child.ints = Extend([4, 5])
child.union = str
child.layers = [{"kind": "conv"}]
child.layers = Extend([Config(kind="conv")])
child.lr = IL(lambda c: c.lr)
child.lr = ItemLazy(lambda c: c.lr)
child.lr = PL(lambda c: c.lr)
child.lr = ParamLazy(lambda c: "a")  # reject


def one(x: float) -> float:
    return x


def two(x: float, y: int) -> float:
    return x + y


child.fn = Param2Tune([one, two])
child.fn = child.Param2Tune([one, two])
child.fn = Param2Tune([one, 3])  # reject
child.opt.ini = Param2Tune([{"lr": 1}, {"lr": "a"}])
child.opt.ini = Param2Tune([Config(lr=1), None])
child.opt.ini = Param2Tune([3, 4])  # reject
warm = Config("configs/warm.py")
warm.main_epochs = 4
warm.main_epoch = 4  # reject
child.sched = warm

for single in (Config(caps=["configs/base/cfg.py"]), Config(caps=("configs/base/cfg.py",)), Config(caps=base)):
    single.lr = 1
    single.lrr = 1  # reject
again = Config(base)
again.lrr = 1  # reject
inherit(base).lrr  # reject
load_config(child).lrr  # reject
typed = Config(caps=load_config("configs/typed.py"))
assert_type(typed, Train)
Config(caps=Train()).epoch  # reject
Config(caps=AnyConfig()).any.thing = 1
Config(AnyConfig(), a=3).any.thing = 1
Config({"a": 1}).any.thing = 1
both = Config(caps=["configs/base/cfg.py", "configs/warm.py"])
both.main_epochs = both.lr = 1
both.main_epoch = 1  # reject
both.third = 1  # reject
three = Config(caps=["configs/warm.py", "configs/third.py", "configs/base/cfg.py"])
three.third = three.main_epochs = 1
three.thirds = 1  # reject
Config(caps=("configs/base/cfg.py", "configs/warm.py")).main_epoch  # reject

tune = Cfg2Tune(caps="configs/base/cfg.py")
tune.lr = Param2Tune([0.1, 1])
tune.lrr = 1  # reject
print(next(tune.get_cfgs()), tune.param_combs, tune.ordered_params2tune, tune.dump_cfgs())
tune.opt.ini.lrr = 1  # reject
swept = Cfg2Tune(caps=["configs/base/cfg.py", "configs/warm.py"], repeats=3)
swept.main_epochs = DEP(lambda c: 3)
print(swept.param_combs, swept.man_epochs)  # reject
typed_tune = Cfg2Tune(caps="configs/typed.py")
print(typed_tune.param_combs, typed_tune.epochs)
typed_tune.epoch  # reject
Cfg2Tune(schema=Train).epoch  # reject
Cfg2Tune(caps=sys.argv[1]).any.thing = Cfg2Tune().param_combs
"""


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write_file(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    return write_file


@pytest.fixture
def project(write: WriteFile, tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        write(name, text)
    return tmp_path


def stubs(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and the answer of the command."""
    command = [sys.executable, "-P", "-m", "typedcat", "stubs", "-j", "1", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110, check=False)
    return done.returncode, done.stdout + done.stderr


def rejected(text: str) -> set[int]:
    return {number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# reject")}


def check_with_both(folder: Path, write: WriteFile, text: str, paths: str = "stubs") -> None:
    """A file that uses the configs of a project has errors in the lines that say so, and in no others."""
    code, answer = stubs(folder)
    assert code == 0, answer
    write("use.py", text)
    options = "strict = True\nnamespace_packages = True\nexplicit_package_bases = True"
    write("mypy.ini", f"[mypy]\nmypy_path = {paths}\n{options}")
    write(
        "pyrightconfig.json", json.dumps({"stubPath": "stubs", "include": ["use.py"], "reportUnusedExpression": False})
    )
    python = [sys.executable, "-m"]
    for command in ([*python, "mypy", "use.py"], [*python, "pyright", "--pythonpath", sys.executable]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110, check=False)
        found = {int(line) for line in re.findall(r"use\.py:(\d+):(?:\d+ -)? error", done.stdout)}
        assert found == rejected(text), done.stdout + done.stderr


@pytest.mark.slow
def test_both_checkers_know_every_config(project: Path, write: WriteFile) -> None:
    check_with_both(project, write, USE)


@pytest.mark.slow
def test_both_checkers_know_what_is_composed(write: WriteFile, tmp_path: Path) -> None:
    for name, text in COMPOSED.items():
        write(name, text)
    check_with_both(tmp_path, write, USE_COMPOSED)
    text = (tmp_path / "stubs/configs/base/cfg.pyi").read_text("utf-8")
    assert re.findall(r"class (CfgLayersItem\w*)", text) == ["CfgLayersItem", "CfgLayersItem2"]


SRC_LAYOUT = {
    "pyproject.toml": '[tool.typedcat]\nconfig_root = "src/pkg/conf"\n',
    "src/pkg/__init__.py": "from .model import Net as Net\nVERSION = '1'\n",
    "src/pkg/model.py": "class Net:\n    width: int = 3\n",
    "src/pkg/conf/__init__.py": "from ..model import Net as Net\n",
    "src/pkg/conf/base/cfg.py": "from typedcat import Config\ncfg = Config(lr=0.1)\n",
}

USE_SRC_LAYOUT = """\
from typing import assert_type

from pkg import Net, VERSION
from pkg.conf import Net as same
from typedcat_catalog import load_config

cfg = load_config("src/pkg/conf/base/cfg.py")
assert_type(cfg.lr, float)
cfg.lrr  # reject
assert_type(Net().width, int)
assert_type(same().width, int)
VERSION.upper()
"""


@pytest.mark.slow
def test_a_package_that_is_imported_by_another_name_than_its_path(write: WriteFile, tmp_path: Path) -> None:
    for name, text in SRC_LAYOUT.items():
        write(name, text)
    check_with_both(tmp_path, write, USE_SRC_LAYOUT, "stubs:src")


def test_stubs_of_packages_come_and_go(write: WriteFile, tmp_path: Path) -> None:
    write("configs/base/cfg.py", "from typedcat import Config\ncfg = Config()\n")
    package = write("configs/base/__init__.py", "")
    write("configs/__init__.py", "def broken(")
    mine = write("stubs/other/__init__.pyi", "")
    assert stubs(tmp_path) == (0, "stubs: 1 config, 4 written, 0 removed\n")
    made = tmp_path / "stubs/configs/base/__init__.pyi"
    assert made.read_text("utf-8").startswith("# Made by `typedcat stubs`")
    assert "def __getattr__" in (tmp_path / "stubs/configs/__init__.pyi").read_text("utf-8")
    package.write_text("X = 1\n")
    assert stubs(tmp_path, "--check") == (
        1, "out of date stubs/configs/base/__init__.pyi\nstubs: 1 config, out of date: run typedcat stubs\n"
    )  # fmt: skip
    assert stubs(tmp_path)[0] == 0
    assert made.read_text("utf-8").endswith("X = 1\n")
    package.unlink()
    assert stubs(tmp_path) == (0, "stubs: 1 config, 0 written, 1 removed\n")
    assert not made.exists()
    assert mine.exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from .a import x", "from p.q.a import x as x"),
        ("from ..a import x as y, z", "from p.a import x as _y; y = _y; from p.a import z as z"),
        ("from ... import x", "pass"),
        ("from . import a", "import p.q.a as _a; a = _a"),
        ("from .a import *", "from p.q.a import *"),
        ("import os, os.path, json as j", "import os as os; import os.path; import json as _j; j = _j"),
        ("from __future__ import annotations", "from __future__ import annotations"),
        ("try:\n    import a; b = 'ä'  # c\nexcept E:\n    from a import (\n        b\n    )\nelse: import d",
         "try:\n    import a as a; b = 'ä'  # c\nexcept E:\n    from a import b as b\nelse: import d as d"),
        ("if 'ä': from a import b; c = 1\ndef f():\n    import x",
         "if 'ä': from a import b as b; c = 1\ndef f():\n    import x"),
    ],
)  # fmt: skip
def test_what_a_package_imports_can_be_imported_from_its_stub(
    write: WriteFile, tmp_path: Path, source: str, said: str
) -> None:
    write("p/__init__.py", "")
    file = tmp_path / "p/q/__init__.py"
    file.parent.mkdir()
    file.write_text(source, encoding="utf-8")
    assert package_stubs(["p/q/cfg.py"], tmp_path)["p/q/__init__.pyi"].split("\n", 2)[2] == said


@pytest.mark.slow
def test_check_knows_the_types_in_packages(write: WriteFile, tmp_path: Path) -> None:
    write("configs/__init__.py", "")
    write("configs/base/__init__.py", "")
    write("configs/base/cfg.py", "from typedcat import Config\ncfg = Config(lr=0.1)\n")
    write("configs/child/cfg.py", "from typedcat_catalog import Config\ncfg = Config(caps='configs/base/cfg.py')\n"
          "cfg.lr = 'a'\n")  # fmt: skip
    command = [sys.executable, "-P", "-m", "typedcat", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert "configs/child/cfg.py:3: error" in done.stdout, done.stdout + done.stderr


def test_a_config_that_is_more_than_typedcat_can_describe(write: WriteFile, tmp_path: Path) -> None:
    write("configs/a/cfg.py", """\
        from typedcat import Config
        class Meta(type):
            def __getattribute__(cls, name):
                if name == "__parameters__":
                    raise RuntimeError("no\\nway")
                return super().__getattribute__(name)
        class Odd(metaclass=Meta): ...
        cfg = Config(odd=Odd())
        """)  # fmt: skip
    write("configs/b/cfg.py", "from typedcat import Config\ncfg = Config(lr=0.1)\n")
    code, answer = stubs(tmp_path)
    assert code == 1
    assert "error: configs/a/cfg.py: its types cannot be told: RuntimeError: no way\n" in answer
    assert "cfg: Any  # it cannot be read: its types" in (tmp_path / "stubs/configs/a/cfg.pyi").read_text("utf-8")
    assert "lr: Key[float" in (tmp_path / "stubs/configs/b/cfg.pyi").read_text("utf-8")


def test_stubs_lie_in_the_project_wherever_the_command_is_run(write: WriteFile, tmp_path: Path) -> None:
    write("pyproject.toml", "[tool.typedcat]\n")
    write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config(lr=0.1)\n")
    code, answer = stubs(tmp_path / "configs/a")
    assert (code, answer) == (0, f"{tmp_path / 'stubs'}: 1 config, 2 written, 0 removed\n")
    assert stubs(tmp_path, "--check") == (0, "stubs: 1 config, all up to date\n")
    assert not (tmp_path / "configs/a/stubs").exists()


def test_the_line_of_a_slip_in_a_config_is_told(write: WriteFile, tmp_path: Path) -> None:
    write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config()\ncfg.epochs = cfg.log + 1\n")
    code, answer = stubs(tmp_path)
    assert code == 1
    assert (
        "error: configs/a/cfg.py: log: there is no such key, so + is not possible\n  while running configs/a/cfg.py:3\n"
    ) in answer


def test_the_catalog_has_all_names() -> None:
    text = catalog_text([])
    exported = re.findall(r"(\w+) as \1\b", text) + re.findall(r"^(?:class|def) ([A-Za-z]\w*)", text, re.MULTILINE)
    assert set(exported) == set(typedcat.__all__)


@pytest.mark.slow
def test_the_stubs_themselves_are_clean(project: Path) -> None:
    stubs(project)
    for file in (project / "stubs").rglob("*.pyi"):
        if file.name != "typedcat_catalog.pyi":  # whose overloads overlap on purpose
            file.write_text(file.read_text("utf-8").replace("# mypy: ignore-errors\n", ""), "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--namespace-packages"]
    env = {**os.environ, "MYPYPATH": f"stubs:{project}"}
    modules = [
        arg for file in sorted((project / "stubs").rglob("*.pyi")) if file.name != "typedcat_catalog.pyi"
        for arg in ("-m", file.relative_to(project / "stubs").with_suffix("").as_posix().replace("/", "."))
    ]  # fmt: skip
    done = subprocess.run(
        [*command, "--explicit-package-bases", *modules],
        cwd=project, env=env, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_a_stub_says(project: Path, snapshot: Snapshot) -> None:
    stubs(project)
    for name in ("base/cfg", "base_u2c_2xbs/cfg", "tune/cfg", "local/cfg", "model/cfg", "addon"):
        text = (project / "stubs/configs" / f"{name}.pyi").read_text("utf-8")
        snapshot(f"static/stubs/{name.replace('/', '_')}", text)


@pytest.mark.slow
def test_the_same_bytes_every_time(project: Path) -> None:
    stubs(project)
    before = {file: file.read_bytes() for file in (project / "stubs").rglob("*.pyi")}
    stubs(project, "-o", "others", "-j", "3")
    assert {file.relative_to(project / "stubs"): data for file, data in before.items()} == {
        file.relative_to(project / "others"): file.read_bytes() for file in (project / "others").rglob("*.pyi")
    }


@pytest.mark.slow
def test_only_what_has_changed(project: Path, write: WriteFile) -> None:
    stubs(project)
    files = {file: file.stat().st_mtime_ns for file in (project / "stubs").rglob("*.pyi")}
    write("configs/base,2xbs/cfg.py", PROJECT["configs/base,2xbs/cfg.py"] + "\n        cfg.more = 'x'\n")
    code, answer = stubs(project)
    assert (code, answer) == (0, "stubs: 10 configs, 1 written, 0 removed\n")
    changed = [file for file, at in files.items() if file.stat().st_mtime_ns != at]
    assert [file.relative_to(project / "stubs").as_posix() for file in changed] == ["configs/base_u2c_2xbs/cfg.pyi"]
    assert "more: Key[str" in changed[0].read_text("utf-8")


@pytest.mark.slow
def test_a_module_of_the_user_is_a_part_of_its_configs(project: Path, write: WriteFile) -> None:
    stubs(project)
    write("things.py", PROJECT["things.py"].replace("by: int = 2", "by: str = ''"))
    _, answer = stubs(project)
    assert "0 written" not in answer
    assert "by: str" in (project / "stubs/configs/base/cfg.pyi").read_text("utf-8")


@pytest.mark.slow
def test_check(project: Path) -> None:
    code, answer = stubs(project, "--check")
    assert code == 1
    assert "out of date stubs/configs/base/cfg.pyi\n" in answer
    assert not (project / "stubs").exists()
    stubs(project)
    assert stubs(project, "--check") == (0, "stubs: 10 configs, all up to date\n")
    (project / "configs/patch.yaml").unlink()
    (project / "configs/patched/cfg.py").unlink()
    code, answer = stubs(project, "--check")
    assert code == 1
    assert "without a config stubs/configs/patch_u2e_yaml.pyi\n" in answer
    assert stubs(project)[0] == 0
    assert not (project / "stubs/configs/patched").exists()


def test_files_of_others_stay(project: Path, write: WriteFile) -> None:
    mine = write("stubs/mine/thing.pyi", "x: int")
    stubs(project)
    assert mine.read_text() == "x: int"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("cfg = Config(", "configs/bad/cfg.py:2:13: invalid syntax: '(' was never closed"),
        ("cfg = Config(caps='configs/bse/cfg.py')", "configs/bse/cfg.py: no such base file"),
        ("import no_such_module\ncfg = Config()", "configs/bad/cfg.py:2: ModuleNotFoundError: No module named"),
        (
            "import os\nos._exit(7)\ncfg = Config()",
            "cfg.py: the process that read it died with exit code 7",
        ),
        ("import time\ntime.sleep(60)\ncfg = Config()", "configs/bad/cfg.py: it took more than 3 s"),
    ],
)
def test_a_broken_config_does_not_stop_the_others(project: Path, write: WriteFile, body: str, said: str) -> None:
    write("configs/bad/cfg.py", f"from typedcat import Config\n{body}\n")
    code, answer = stubs(project, "--timeout", "3")
    assert code == 1
    assert said in answer
    assert "11 configs" in answer
    assert "1 cannot be read" in answer
    assert "cfg: Any" in (project / "stubs/configs/bad/cfg.pyi").read_text("utf-8")
    assert "seed: Key[" in (project / "stubs/configs/base/cfg.pyi").read_text("utf-8")
    write("configs/bad/cfg.py", "from typedcat import Config\ncfg = Config(a=1)")
    assert stubs(project)[0] == 0
    assert "a: Key[int" in (project / "stubs/configs/bad/cfg.pyi").read_text("utf-8")


@pytest.mark.slow
def test_secrets_are_in_no_stub(write: WriteFile, tmp_path: Path) -> None:
    write("schema.py", "from pydantic import SecretStr\nfrom typedcat import TypedConfig\n"
          "class Train(TypedConfig):\n    token: SecretStr = SecretStr('x')\n    name: str = ''")  # fmt: skip
    write("configs/a/cfg.py", "from pydantic import BaseModel, SecretStr\nfrom typedcat import Config\n"
          "class M(BaseModel):\n    token: SecretStr\ncfg = Config(schema=M)\ncfg.token = 'hunter2'")  # fmt: skip
    write("configs/b/cfg.py", "from pydantic import SecretStr\nfrom typedcat import Config\n"
          "cfg = Config()\ncfg.token = SecretStr('hunter2')")  # fmt: skip
    assert stubs(tmp_path)[0] == 0
    for file in (tmp_path / "stubs").rglob("*.pyi"):
        assert "hunter2" not in file.read_text("utf-8")


@pytest.mark.slow
def test_watch(project: Path, write: WriteFile) -> None:
    command = [sys.executable, "-P", "-m", "typedcat", "stubs", "-j", "1", "--watch"]
    with subprocess.Popen(command, cwd=project, stderr=subprocess.DEVNULL) as process:
        try:
            stub = project / "stubs/configs/base/cfg.pyi"
            wait_for(lambda: stub.exists() and "seed" in stub.read_text("utf-8"))
            write("configs/base/cfg.py", PROJECT["configs/base/cfg.py"] + "\n        cfg.brand_new = 1\n")
            wait_for(lambda: "brand_new" in stub.read_text("utf-8"))
        finally:
            process.terminate()


def wait_for(ready: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 3}'])
def test_a_damaged_cache_counts_as_none(project: Path, damage: str) -> None:
    stubs(project)
    for file in (project / ".typedcat_cache").glob("*.json"):
        file.write_text(damage)
    assert stubs(project) == (0, "stubs: 10 configs, 0 written, 0 removed\n")
