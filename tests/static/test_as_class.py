"""`typedcat schema CONFIG --as-class`: a class that accepts the config it was made from, and that checkers accept."""

from __future__ import annotations

import functools
import importlib
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.conftest import listing, spawn, write
from tests.conftest import Snapshot
from tests.tree.strategies import dicts, leaves
from typedcat import BaseConfig, Cfg2Tune, Config, TypedConfig, load_config, parse_config
from typedcat.errors import SchemaError
from typedcat.static.as_class import class_text
from typedcat.tree.values import Deferred, Parameter

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
THINGS = '''\
"""What the configs use."""

import enum
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Color(enum.Enum):
    RED = 1


@dataclass
class Point:
    x: int = 0


class Module:
    pass


class _Hidden(Module):
    pass


class Net(_Hidden):
    pass


class Wide(Net):
    pass


class Loader(Generic[T]):
    pass


def relu(x: float) -> float:
    return max(x, 0.0)


def make(n: int, **options: Any) -> int:
    return n
'''
VALUES = """\
import collections
import datetime
import functools
import math
import pathlib

from things import Color, Loader, Net, Point, Wide, make, relu
from typedcat import Config


class Local(Net):
    pass


cfg = Config()
cfg.inf, cfg.minus_inf, cfg.nan = float("inf"), float("-inf"), float("nan")
cfg.numbers = [1, 2.5, True, None, float("nan")]
cfg.small = -1e-5
cfg.big = 10**30
cfg.cplx = 1 - 2j
cfg.none = None
cfg.text = 'it\\'s "x"\\n{a:b}'
cfg.long_text = "y" * 106
cfg.raw = b"a'b"
cfg.nested = [[1], [2.0, "a"], [], (1, "a"), ()]
cfg.names = {"b", "a", "c", "d"}
cfg.frozen = frozenset({"b", "a"})
cfg.many = tuple(range(8))
cfg.table = {"lr": 1, "steps": [1, 2], "by": {1: None}}
cfg.wide = {f"key_{i}": ["z" * 40, i] for i in range(4)}
cfg.ordered = collections.OrderedDict(a=1)
cfg.queue = collections.deque([1, 2])
cfg.path, cfg.pure = pathlib.Path("a/b"), pathlib.PurePosixPath("c")
cfg.day = datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc)
cfg.color, cfg.colors = Color.RED, [Color.RED]
cfg.point = Point(3)
cfg.net.cls = Wide
cfg.net.local = Local
cfg.net.builtin = dict
cfg.net.loader = Loader
cfg.net.error = ValueError
cfg.net.act = relu
cfg.net.sin = math.sin
cfg.net.of = lambda x: x
cfg.net.part = functools.partial(make, 1, b=[2])
cfg.net.module = math
cfg.configs = [Config(a=1), {"b": 2}]
"""
SHADOWS = """\
import datetime

import things
from typedcat import Config, DEP

cfg = Config()
cfg.int, cfg.type, cfg.float, cfg.list = 1, "sgd", float("inf"), [1]
cfg.things.cls, cfg.things.things = things.Net, things.Wide
cfg.datetime.datetime = datetime.date(2020, 1, 1)
cfg.Config.Any.Callable.x = things.relu
cfg.Config.TypedConfig.empty = Config()
cfg.none.x = cfg.true.x = cfg.exception.x = cfg._1.x = cfg.a_b.x = cfg.aB.x = cfg.Train.x = None
cfg.γ.ini.x, cfg.δ.ini.x = 1, True
cfg.ini.ini.ini.x = "x"
cfg.match, cfg.self, cfg.cfg = 1, 2, 3
cfg.rate = DEP(lambda c: c.int / 2)
"""
ODD = """\
from typedcat import Config

cfg = Config()
cfg.fine.a = 1
cfg.odd["a b"] = 1
cfg.odd["class"], cfg.odd["items"], cfg.odd[3], cfg.odd["__x"] = 1, 2, 3, 4
cfg.folded["\\ufb01"] = 5
cfg.odd.below.c = [1, "a"]
cfg.odd.empty = Config()
cfg.whole.override()
cfg.whole.x = 1
cfg.folder.rslt_dir = 3
cfg.named.rslt_dir = "x"
cfg.empty = Config()
"""
COMPUTED = """\
import things
from typedcat import DEP, Config

cfg = Config()
cfg.epochs, cfg.bs, cfg.on = 30, 128, True
cfg.opt.lr = DEP(lambda c: c.bs / 128 * 0.01)
cfg.opt.cls = DEP(lambda c: things.Wide if c.on else things.Net)
cfg.warm = cfg.DEP(lambda c: round(0.1 * c.epochs))
cfg.main = DEP(lambda c: max(1, c.epochs - c.warm))
cfg.log.every = 2
cfg.log.keep = cfg.log.DEP(lambda c: 3 * c.every)
cfg.square = cfg.DEP(lambda c: c.bs ** 2)
cfg.listed = [DEP(lambda c: c.bs), 1.5]
cfg.made = DEP(lambda c: Config(a=c.bs))
cfg.far = cfg.DEP(lambda c: len(c.named.names))
cfg.named.names = ["a"]
cfg.odd_one = cfg.DEP(lambda c, /: 2 * c.bs)
cfg.any_more = cfg.DEP(lambda c, *others: 2 * c.bs)


@cfg.set_DEP()
def steps(c):
    \"\"\"How many.\"\"\"
    return c.epochs * 60_000 // c.bs


@cfg.set_DEP(rel=False)
def longer(c):
    n = c.epochs
    return n + 1
"""
SECRET = """\
from pydantic import SecretStr
from typedcat import Config

cfg = Config()
cfg.login.user = "me"
cfg.login.token = SecretStr("hunter2")
cfg.login.others = [SecretStr("hunter2")]
cfg.odd["a b"] = SecretStr("hunter2")
"""
PARTLY = """\
from schemas import Loader, Opt
from pydantic import BaseModel
from typedcat import Config


class Model(BaseModel):
    depth: int = 3


cfg = Config()
cfg.loader = Config(schema=Loader)
cfg.opt = Config(schema=Opt)
cfg.opt.lr = 0.5
cfg.model = Config(schema=Model)
cfg.epochs = 3
"""
SCHEMAS = '''\
"""Classes of subtrees."""

from typedcat import TypedConfig


class Loader(TypedConfig):
    batch_size: int = 3


class Opt(TypedConfig):
    lr: float
'''
CHILD = """\
from typedcat import Config, Drop, Extend

cfg = Config(caps="configs/computed.py")
cfg.bs = 256
cfg.opt.cls = Drop
cfg.listed = Extend([2])
cfg.more = Extend(["a"])
"""
TUNE = """\
import things
from typedcat import Cfg2Tune, Config, Param2Tune

cfg = Cfg2Tune(caps="configs/computed.py")
cfg.bs = Param2Tune([64, 128])
cfg.opt.cls = Param2Tune([things.Net, things.Wide])
cfg.opt.eps = Param2Tune([None, 1, 0.5])
cfg.sched = Param2Tune([Config(a=1), Config(b=2)])
cfg.opt.decay = cfg.P_DEP(lambda c: c.bs / 1000)
cfg.opt.half = cfg.DEP(lambda c: c.bs // 2)
"""
ARRAYS = """\
import re
import numpy as np
from typedcat import Config

cfg = Config()
cfg.half, cfg.single, cfg.count, cfg.on = np.float64(0.5), np.float32(0.5), np.int64(3), np.bool_(True)
cfg.mean, cfg.means = np.array([0.1, 0.2]), [np.array([1]), np.zeros((2, 2))]
cfg.kind, cfg.cls = np.dtype("float32"), np.float32
cfg.pattern, cfg.raw = re.compile("a"), re.compile(b"a")
cfg.mixed, cfg.more = [1, 2.5], {"a": 1, "b": 0.5}
"""
NAMES = """\
import datetime
import enum
import json
import things
from others import Net as OtherNet
from others import Sub, dumps
from typedcat import Config, DEP

cfg = Config()
cfg.i.x = cfg.o.x = cfg.l.x = 1
cfg.one.cls, cfg.two.cls, cfg.two.Net = things.Net, OtherNet, 3
cfg.two.other = OtherNet
cfg.first, cfg.second = json.dumps, dumps
cfg.modes, cfg.mode = [Sub.Mode.TRAIN, None], Sub.Mode["a b"]
cfg.flags = Sub.Flags.A | Sub.Flags.B
cfg.day, cfg.time = datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)
cfg.sched.epochs = 3
cfg.sched.warm = cfg.DEP(lambda c: round(0.1 * c.sched.epochs))
cfg.sched.ini.n = cfg.sched.DEP(lambda c: c.ini.m + 1)
cfg.sched.ini.m = 4
cfg.sched.all = DEP(lambda c: c.sched.epochs + c.i.x)
cfg.sched.whole = DEP(lambda c: len(c.sched))


@cfg.sched.set_DEP()
def main(c):
    return c.sched.epochs - c.sched.warm
"""
OTHERS = """\
import enum


class Net:
    pass


class Sub:
    class Mode(enum.Enum):
        TRAIN = 1
        vars()["a b"] = 2

    class Flags(enum.Flag):
        A = 1
        B = 2


def dumps() -> None:
    pass
"""
YAML = (
    "lr: 1e-3\nopt: {betas: [0.9, 0.99], name: null, 'a b': 1}\nsteps: [1, 2.0, x]\ndeep: {a: {b: {c: 2020-01-02}}}\n"
)
FILES: dict[str, str | bytes] = {
    "things.py": THINGS,
    "schemas.py": SCHEMAS,
    "others.py": OTHERS,
    "configs/arrays.py": ARRAYS,
    "configs/names.py": NAMES,
    "configs/values.py": VALUES,
    "configs/shadows.py": SHADOWS,
    "configs/odd.py": ODD,
    "configs/computed.py": COMPUTED,
    "configs/child.py": CHILD,
    "configs/tune.py": TUNE,
    "configs/secret.py": SECRET,
    "configs/partly.py": PARTLY,
    "configs/data.yaml": YAML,
    "configs/data.json": '{"a": {"b": [1, {"c": null}], "items": 1}, "n": 1e3}',
    "configs/empty.py": "from typedcat import Config\ncfg = Config()\n",
}
CONFIGS = [name for name in FILES if name.startswith("configs/")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with configs of all kinds, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    write(tmp_path, FILES)
    paths, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


_numbers = itertools.count()


def run_text(text: str, name: str = "Train") -> type[TypedConfig]:
    """The class that a generated module defines, as importing it gives it."""
    module = ModuleType(f"generated_{next(_numbers)}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, "generated.py", "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules[module.__name__]
    made: type[TypedConfig] = getattr(module, name)
    return made


def same(one: Any, other: Any) -> bool:
    """Whether two loads of a config gave the same, NaNs and types included; not those of numbers and subtrees."""
    if isinstance(one, BaseConfig) and isinstance(other, BaseConfig):
        return list(dict.keys(one)) == list(dict.keys(other)) and all(
            map(same, dict.values(one), dict.values(other))
        )  # fmt: skip
    if type(one) is not type(other):
        return {type(one), type(other)} == {int, float} and bool(one == other)  # of mixed numbers
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, Parameter):
        return same(one.optional_val, other.optional_val)
    if isinstance(one, functools.partial):
        return same([one.func, one.args, one.keywords], [other.func, other.args, other.keywords])
    if isinstance(one, Deferred):
        return repr(one) == repr(other)
    if hasattr(one, "dtype"):
        return repr(one) == repr(other)
    if hasattr(one, "__qualname__"):  # those of the config file are made anew by each run
        return bool(one.__qualname__ == other.__qualname__)
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - NaN


def load(config: Any, schema: type[TypedConfig] | None = None) -> Any:
    if schema is None:
        return load_config(config, create_rslt_dir=False)
    return load_config(config, schema=schema, create_rslt_dir=False)


def text_of(config: str) -> str:
    return class_text(parse_config(config, create_rslt_dir=False))


# -- the classes accept the config


GOOD = st.sampled_from(
    ["a", "b", "opt", "ini", "a_b", "int", "type", "list", "Train", "Any", "Config", "γ", "_x", "self"]
)
below = st.one_of(dicts(GOOD), dicts())


@settings(deadline=None)  # the first example imports pydantic
@given(st.dictionaries(GOOD, st.one_of(leaves, below), max_size=5))
def test_a_config_fits_the_class_made_from_it(data: dict[str, Any]) -> None:
    cfg = Config(data)
    text = class_text(cfg)
    loaded = load(cfg, run_text(text))
    assert type(loaded).__name__ == "Train"
    assert same(loaded, load(cfg))
    assert same(cfg, Config(data))
    assert class_text(Config(data)) == text


@given(st.dictionaries(GOOD, st.one_of(leaves, dicts(GOOD)), max_size=5))
def test_the_defaults_are_the_values(data: dict[str, Any]) -> None:
    made = run_text(class_text(Config(data)))
    defaults = load(Config(schema=made))
    for key, value in load(Config(data)).items():
        assert same(defaults[key], value) or "any" in str(made.__fields__[key].annotation).lower()


@pytest.mark.parametrize("config", CONFIGS)
def test_a_file_fits_the_class_made_from_it(config: str, project: Path) -> None:
    text = text_of(config)
    loaded = load(config, run_text(text))
    assert same(loaded, load(config))
    assert loaded.is_frozen
    assert "hunter2" not in text
    assert text_of(config) == text


@pytest.mark.parametrize("config", CONFIGS)
def test_the_class_is_closed(config: str, project: Path) -> None:
    kind = "Cfg2Tune" if "tune" in config else "Config"
    write(project, {"child.py": f"import typedcat\ncfg = typedcat.{kind}(caps={config!r})\ncfg.epoch_s = 1\n"})
    with pytest.raises(ValueError, match="epoch_s: is an unknown key"):
        load("child.py", run_text(text_of(config)))


def test_another_config_may_take_another_class_and_function(project: Path) -> None:
    child = "from things import Module, make\nfrom typedcat import Config\ncfg = Config(caps='configs/values.py')\n"
    write(project, {"child.py": child + "cfg.net.cls = Module\ncfg.net.act = make\n"})
    assert load("child.py", run_text(text_of("configs/values.py"))).net.cls.__name__ == "Module"


def test_a_method_computes_what_the_config_computes(project: Path) -> None:
    made = run_text(text_of("configs/computed.py"))
    methods = {name for name, field in made.__fields__.items() if isinstance(field.default, Deferred)}
    assert methods == {"warm", "main", "steps"}
    opt = {"lr": 1.0, "cls": importlib.import_module("things").Net}
    cfg = load(
        Config(
            {"opt": opt, "square": 1, "listed": [1], "made": {}, "far": 1, "longer": 1, "odd_one": 1, "any_more": 1},
            schema=made,
        )
    )
    assert (cfg.warm, cfg.main, cfg.steps, cfg.log.keep) == (3, 27, 14062, 6)


def test_the_children_of_a_grid_fit_the_class(project: Path) -> None:
    write(project, {"made.py": text_of("configs/tune.py")})
    child = (
        "from made import Train\nfrom typedcat import Cfg2Tune\ncfg = Cfg2Tune(schema=Train, caps='configs/tune.py')\n"
    )
    write(project, {"configs/typed.py": child})
    children = [load(one) for one in Cfg2Tune.get_cfgs(Cfg2Tune.load_cfg2tune("configs/typed.py"))]
    assert {type(one).__name__ for one in children} == {"Train"}
    points = {(one.bs, one.opt.half, one.opt.eps) for one in children}
    assert points == {(bs, bs // 2, eps) for bs in (64, 128) for eps in (None, 1, 0.5)}


# -- the text


def test_snapshot(project: Path, snapshot: Snapshot) -> None:
    config = """\
from things import Net, Wide, relu
from typedcat import DEP, Config

cfg = Config()
cfg.seed = 0
cfg.dt.cls, cfg.dt.root = Wide, "data"
cfg.loader.ini.batch_size = 128
cfg.loader.ini.transforms = ["flip", "crop"]
cfg.model.cls = Net
cfg.model.ini.act = relu
cfg.model.ini.norm = None
cfg.model.ini.init = lambda w: w
cfg.opt.name = "sgd"
cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01)
cfg.opt.ini.betas = (0.9, 0.999)
cfg.sched.epochs = 30
cfg.sched.warm_epochs = cfg.sched.DEP(lambda c: round(0.1 * c.epochs))
cfg.labels["class 0"] = "cat"
cfg.extra = Config()
"""
    write(project, {"configs/base/cfg.py": config})
    done = spawn("schema", "configs/base/cfg.py", "--as-class", cwd=project)
    assert done.stderr == ""
    snapshot("static/as_class", done.stdout)


def test_snapshot_of_arrays(project: Path, snapshot: Snapshot) -> None:
    snapshot("static/as_class_arrays", text_of("configs/arrays.py"))


def test_snapshot_of_names(project: Path, snapshot: Snapshot) -> None:
    snapshot("static/as_class_names", text_of("configs/names.py"))


def test_names_of_classes() -> None:
    cfg = Config({"opt": {"ini": {"x": 1}}, "sched": {"warm": {"ini": {"x": 1}}}, "loader": {"x": 1}})
    names = re.findall(r"class (\w+)", class_text(cfg, "Lab"))
    assert names == ["OptIni", "Opt", "WarmIni", "Warm", "Sched", "Loader", "Lab"]


def test_the_text_does_not_depend_on_the_process(project: Path) -> None:
    texts = set()
    for seed in "12":
        code = "from typedcat.cli import main; main(['schema', 'configs/values.py', '--as-class'])"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=project,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        texts.add(done.stdout)
    assert len(texts) == 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_checkers_and_ruff_accept_the_text(project: Path) -> None:
    for config in CONFIGS:
        name = config.removeprefix("configs/").replace(".", "_")
        (project / f"made_{name}.py").write_text(text_of(config), encoding="utf-8")
    files = sorted(path.name for path in project.glob("made_*.py"))
    assert len(files) == len(CONFIGS)
    for command in (
        ["mypy", "--strict", "--config-file=", "--cache-dir", ".cache", *files],
        ["pyright", "--pythonpath", sys.executable, *files],
        ["ruff", "format", "--isolated", "--line-length", "120", "--check", *files],
        ["ruff", "check", "--isolated", "--line-length", "120", "--select", "E,F,I,W,D100", *files],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=project, capture_output=True, text=True, timeout=250, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


# -- the examples


COMPARE = """\
import sys
from generated import Train
from typedcat import load_config

config = sys.argv[1]
typed = load_config(config, schema=Train, create_rslt_dir=False)
assert isinstance(typed, Train)
assert typed == load_config(config, create_rslt_dir=False)
"""


def untyped_digits(root: Path) -> None:
    """The example of scikit-learn's digits as it would be without its schema."""
    file = root / "configs/digits/base/cfg.py"
    text = file.read_text(encoding="utf-8").replace("schema=Train", "").replace("from schema import Train\n", "")
    text = text.replace("c: Train", "c: Config")
    text += "cfg.sched.main_epochs = cfg.DEP(lambda c: c.sched.epochs - c.sched.warm_epochs)\n"
    file.write_text(text, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "torch_digits"])
@pytest.mark.timeout(300)
def test_examples(name: str, tmp_path: Path) -> None:
    if name == "torch_digits":
        pytest.importorskip("torch")
    root = tmp_path / name
    shutil.copytree(EXAMPLES / name, root, ignore=shutil.ignore_patterns("stubs", "experiment", ".*", "__pycache__"))
    if name == "digits":
        untyped_digits(root)
    config = "configs/digits/base/cfg.py" if name == "digits" else "configs/net/base/cfg.py"
    done = spawn("schema", config, "--as-class", "-O", "generated.py", cwd=root)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for command in (
        ["-c", COMPARE, config],
        ["-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", "generated.py"],
    ):
        ran = subprocess.run(
            [sys.executable, *command], cwd=root, capture_output=True, text=True, timeout=110, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


# -- what cannot be done


BAD: dict[str, tuple[str, str]] = {
    "typed": (
        "from schemas import Opt\nfrom typedcat import Config\ncfg = Config(schema=Opt)\n",
        "bad.py is typed already: its schema is Opt",
    ),
    "odd keys": (
        "from typedcat import Config\ncfg = Config()\ncfg['a b'] = cfg['items'] = cfg[3] = cfg.a = 1\n",
        "bad.py: no class can declare cfg['a b'], cfg['items'], cfg[3]: a field is a name that is neither",
    ),
    "a folder that is no text": (
        "import pathlib\nfrom typedcat import Config\ncfg = Config()\ncfg.rslt_dir = pathlib.Path('x')\n",
        "bad.py: rslt_dir is of type PosixPath, and in every TypedConfig it is a str",
    ),
    "a broken dependency": (
        "from typedcat import Config, DEP\ncfg = Config()\ncfg.a = DEP(lambda c: c.bb)\ncfg.b = 1\n",
        "a: ",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refusals(name: str, project: Path) -> None:
    text, message = BAD[name]
    write(project, {"bad.py": text})
    with pytest.raises((SchemaError, RuntimeError)) as caught:
        text_of("bad.py")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["class", "a b", "", "3", "None", "__x"])
def test_names_that_no_class_has(name: str) -> None:
    with pytest.raises(SchemaError, match="cannot be the name of a class"):
        class_text(Config(a=1), name)


def test_deep_trees_stay_open_where_they_are_deep() -> None:
    cfg = Config()
    at: Any = cfg
    for _ in range(1000):
        at.a = Config()
        at = at.a
    at.x = 1
    text = class_text(cfg)
    assert text.count("class ") < 60
    assert load(cfg, run_text(text)) == load(cfg)


# -- the command


def test_a_file_is_not_overwritten(project: Path) -> None:
    command = ("schema", "configs/odd.py", "--as-class", "Lab", "-O", "lab.py")
    before = listing(project)
    assert spawn(*command, cwd=project).returncode == 0
    assert listing(project) == {*before, "lab.py"}
    assert "class Lab(TypedConfig):" in (project / "lab.py").read_text(encoding="utf-8")
    again = spawn(*command, cwd=project)
    assert (
        again.stderr
        == "error: lab.py exists already\n  it may have been edited; name another file, or remove it first\n"
    )
    assert again.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("schemas.py:Opt", "--as-class"), "error: schemas.py:Opt is a class already"),
        (("--as-class", "configs/odd.py"), "is no name of a class; the config goes first: CONFIG --as-class"),
        (
            ("configs/partly.py", "--as-class", "-O", "no/x.py"),
            "error: cannot write no/x.py: No such file or directory",
        ),
    ],
)
def test_the_command_says_what_is_wrong(arguments: tuple[str, ...], message: str, project: Path) -> None:
    done = spawn("schema", *arguments, cwd=project)
    assert message in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
