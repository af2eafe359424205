"""Digests: the same for the same config in every process, another one after any change; the hash of the user's code."""

from __future__ import annotations

import collections
import datetime
import enum
import functools
import io
import json
import math
import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, SecretStr

from typedcat import ADict, Cfg2Tune, Config, TypedConfig, load_config
from typedcat.errors import DigestError, TuneError
from typedcat.tune.digest.digest import code_hash, config_digest


def loaded(**values: Any) -> Any:
    return load_config(Config(values), create_rslt_dir=False)


def digest(value: Any) -> str:
    cfg = Config()
    cfg.key = value
    return config_digest(cfg)


# -- other processes

VALUES = """
    import collections, datetime, enum, functools, math, pathlib, random, re
    import numpy as np
    from dataclasses import dataclass, field
    from pydantic import BaseModel, SecretStr
    from typedcat import Config, TypedConfig
    from library import Caching
    from .helpers import grow

    SCALE = {"a", "b", "c", "d"}

    class Color(enum.Enum):
        RED = 1

    class Flags(enum.Flag):
        A = enum.auto()
        B = enum.auto()

    @dataclass
    class Data:
        names: set = field(default_factory=lambda: {"x", "y", "z", "w"})
        n: int = 3

    class Model(BaseModel):
        lr: float = 0.1
        tags: set[str] = {"p", "q", "r", "s"}

    class Slots:
        __slots__ = ("a", "b")
        def __init__(self):
            self.a, self.b = 1, {"k", "l", "m"}

    class Plain:
        def __init__(self):
            self.me = self
            self.tags = frozenset("abcdefg")
        def method(self, x):
            return x

    class Tagged(set):
        pass

    def named(x, *, by=("u", {"v"})):
        return x in SCALE

    def around(*, k=2):
        def factorial(n):
            return n * factorial(n - 1) if n else k
        return lambda x: factorial(x) + grow(x)

    ring = [1]
    ring.append(ring)
    used = Caching()
    used.computed
    cfg = Config()
    cfg.tree.deep.x = {1, 2, "three", (4,), frozenset("abc")}
    cfg.color = Color.RED
    cfg.flags = Flags.A | Flags.B
    cfg.data = Data()
    cfg.model = Model()
    cfg.slots = Slots()
    cfg.plain = Plain()
    cfg.computed = used
    cfg.tagged = Tagged("abcdef")
    cfg.bound = cfg.plain.method
    cfg.named = named
    cfg.cls = Data
    cfg.factorial = around()
    cfg.lam = lambda x, y=SCALE: x in {"r", "s", "t"} and named(x)
    cfg.comprehension = lambda n: [i for i in range(n) if i in SCALE]
    cfg.partial = functools.partial(named, by={"a", "b", "c"})
    cfg.ring = ring
    cfg.path = pathlib.Path("data") / "x"
    cfg.secret = SecretStr("hunter")
    cfg.many = {"s": {"a", "b"}, "l": [Data(), {"t": ({"u", "v"},)}]}
    cfg.array = np.arange(6.0).reshape(2, 3)
    cfg.objects = np.array([{"a", "b"}, None], dtype=object)
    cfg.scalar = np.float32(0.5)
    cfg.dtype = np.dtype([("a", "f4"), ("b", "i8")])
    cfg.random = np.random.default_rng(0)
    cfg.state = random.Random(3)
    cfg.pattern = re.compile("a+", re.I)
    cfg.time = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    cfg.counter = collections.Counter("abracadabra")
    cfg.default = collections.defaultdict(set, a={"x", "y", "z"})
    cfg.builtin = "abc".join
    cfg.descriptor = str.upper
    cfg.module = math
    cfg.alias = dict[str, int]
    cfg.union = int | str
    cfg.dependency = cfg.DEP(lambda c: lambda x: x + len(c.many))
    cfg.sub.f = cfg.sub.DEP(lambda c: lambda x: c.y + x)
    cfg.sub.y = 1
    cfg.log = cfg.DEP(lambda c: c.rslt_dir + "/log")
    cfg.logs = cfg.DEP(lambda c: [pathlib.Path(c.rslt_dir, "log")])
    cfg.same = [ring, ring, cfg.plain]
    cfg.here = lambda: __file__
"""
HELPERS = "def grow(x):\n    return x * FACTOR\n\nFACTOR = 3\n"
LIBRARY = """
    import functools

    class Caching:
        @functools.cached_property
        def computed(self):
            return id(self)
"""
PRINT = """
    import json, sys
    from typedcat import Config, load_config
    from typedcat.tune.digest.digest import config_digest
    cfg = load_config(sys.argv[1], create_rslt_dir=False)
    if sys.argv[2:]:
        cfg.save_pkl(sys.argv[2])
    one = {key: Config({key: value, "rslt_dir": cfg.rslt_dir}) for key, value in cfg.items() if key != "rslt_dir"}
    print(json.dumps({"all": config_digest(cfg), **{key: config_digest(tree) for key, tree in one.items()}}))
"""


def project(folder: Path, before: str = "") -> Path:
    """A project with a config of all kinds of values."""
    (folder / "configs" / "base").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[tool.typedcat]\nconfig_root = 'configs'\nexperiments_root = 'exp'\n")
    (folder / "configs" / "base" / "cfg.py").write_text(before + textwrap.dedent(VALUES))
    (folder / "configs" / "base" / "helpers.py").write_text(before + HELPERS)
    (folder / "library.py").write_text(before + textwrap.dedent(LIBRARY))
    return folder


def digests(folder: Path, *arguments: str, seed: int, cwd: Path | None = None) -> dict[str, str]:
    """The digests that another process finds, by key."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(PRINT), *arguments],
        cwd=folder if cwd is None else cwd,
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_another_process_folder_hash_seed_and_line_find_the_same_digest(tmp_path: Path) -> None:
    one, two = project(tmp_path / "one"), project(tmp_path / "t w.o" / "deeper", "# a comment\n\n\n")
    first = digests(one, "configs/base/cfg.py", str(tmp_path / "saved.pkl"), seed=1)
    assert digests(two, "configs/base/cfg.py", seed=2) == first
    assert digests(two, str(two / "configs/base/cfg.py"), seed=3, cwd=tmp_path) == first
    assert digests(two, str(tmp_path / "saved.pkl"), seed=4) == first  # what it defines comes by value
    assert len(set(first.values())) == len(first)


def by_key(folder: Path) -> dict[str, str]:
    """The digests of the values of a project's config, found in this process."""
    cfg = load_config(folder / "configs/base/cfg.py", create_rslt_dir=False)
    one = {key: Config({key: value, "rslt_dir": cfg.rslt_dir}) for key, value in cfg.items() if key != "rslt_dir"}
    return {"all": config_digest(cfg), **{key: config_digest(tree) for key, tree in one.items()}}


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("FACTOR = 3", "FACTOR = 4", {"factorial"}),
        ("return x * FACTOR", "return x + FACTOR", {"factorial"}),
        ('SCALE = {"a"', 'SCALE = {"A"', {"named", "lam", "partial", "comprehension"}),
        ("return x in SCALE", "return x not in SCALE", {"named", "lam", "partial"}),
        ("def around(*, k=2)", "def around(*, k=3)", {"factorial"}),
        ("    return x\n", "    return -x\n", {"plain", "bound", "same"}),
        ("Data:\n    names", "Data:\n    extra = 1\n    names", {"data", "cls", "many"}),
        ("experiments_root = 'exp'", "experiments_root = 'other/place'", set()),
    ],
)
def test_what_a_config_file_defines_counts_where_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, changed: set[str]
) -> None:
    monkeypatch.syspath_prepend(tmp_path / "one")
    one, two = project(tmp_path / "one"), project(tmp_path / "two")
    files = [*two.glob("configs/base/*.py"), two / "pyproject.toml"]
    assert sum(file.read_text().count(old) for file in files) == 1
    for file in files:
        file.write_text(file.read_text().replace(old, new))
    before, after = (by_key(folder) for folder in (one, two))
    everywhere = {"all", "dependency"} if changed else set()  # one that closes over the whole config
    assert {key for key in before if before[key] != after[key]} == changed | everywhere


def test_one_more_value_to_try_changes_no_other_child(tmp_path: Path) -> None:
    found = set()
    for values in ("[1, 2]", "[1, 2, 3]"):
        file = tmp_path / f"{values}.py"
        file.write_text(
            "from typedcat import Cfg2Tune, Param2Tune\n"
            f"cfg = Cfg2Tune(rslt_dir='exp/x', lr=Param2Tune({values}))\n"
            "cfg.f = lambda x: x * cfg.scale\n"
            "cfg.scale = 3\n"
        )
        first = next(iter(Cfg2Tune.load_cfg2tune(file, config_root=str(tmp_path)).get_cfgs()))
        found.add(config_digest(load_config(first, create_rslt_dir=False)))
    assert len(found) == 1


# -- what counts and what does not


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Level(enum.IntEnum):
    LOW = 1


class Name(str, enum.Enum):  # noqa: UP042 - as people write them
    A = "a"


@dataclass
class Point:
    x: int
    y: Any = None


@dataclass
class Other:
    x: int
    y: Any = None


class Model(BaseModel):
    x: int = 0


class Text(str):
    pass


Pair = collections.namedtuple("Pair", "x y")


def closing(value: Any) -> Callable[[], Any]:
    return lambda: value


nan = float("nan")
DIFFERENT: list[Any] = [
    *(None, True, False, 1, 0, -1, 1.0, 0.0, -0.0, 1j, complex(0, -1), complex(-0.0, 1), 2**200),
    *(nan, math.inf, -math.inf, "1", "", "a", "None", b"1", b"", bytearray(b"1"), "\ud800", Text("a"), ...),
    *([], (), {}, set(), frozenset(), [1], (1,), {1}, frozenset({1}), {1: None}, {"1": None}, {True: None}),
    *([1, 2], [2, 1], [[1], 2], [1, [2]], [[1, 2]], ["ab"], ["a", "b"], [1, "2"], [1, 2.0], (1, (2,)), [None], [[]]),
    *({"a": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"a": {"b": 2}}, collections.OrderedDict(a=1)),
    *(range(3), range(0, 3, 2), range(4), slice(3), slice(0, 3), Decimal(1), Decimal("1.0")),
    *(
        Path("a"),
        Path("a/b"),
        PurePath("a"),
        Color.RED,
        Color.BLUE,
        Level.LOW,
        Color,
        Level,
        int,
        float,
        Point,
        Other,
        Model,
    ),
    *(Point(1), Point(2), Other(1), Point(1, [Point(1)]), Point(1, (1,)), Model(), Model(x=1)),
    *(Pair(1, 2), (1, 2), Pair(2, 1), len, max, "a".join, "b".join, str.upper, [].append, Point(1).__eq__),
    *(Model.model_validate, os.path.join, os, math, functools.partial(max, 1), functools.partial(max, 2)),
    *(functools.partial(max, key=len), functools.partial(min, 1)),
    *(lambda: 1, lambda: 2, lambda: 1.0, lambda: True, lambda x: 1, lambda *x: 1, lambda x, /: 1, lambda *, x: 1),
    *(lambda x=1: x, lambda x=2: x, lambda *, x=1: x, lambda *, x=2: x, lambda x: x.a, lambda x: x.b),
    *(lambda: len, lambda: max, closing(1), closing(2), closing([1]), closing(closing(1)), closing(len)),
    *(closing(Config(a=1)), closing(Config(a=2)), lambda: (i for i in "a"), lambda: (i for i in "b")),
    *(lambda: [i + i for i in "a"], lambda x: x in {1, 2}, lambda x: x in {1, 3}, SecretStr("a"), SecretStr("b")),
    *(Config(), Config(a=1), Config(a=Config()), ADict(), ADict(a=1), [Config(a=1)]),
    *(datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2), datetime.timedelta(1), datetime.UTC, datetime.time(1)),
    *(re.compile("a"), re.compile("a", re.I), re.compile(b"a"), list[int], list[str], dict[str, int]),
    *(int | str, int | None, np.zeros(2), np.zeros(3), np.zeros((1, 2)), np.zeros(2, "f4"), np.zeros(2, "i8")),
    *(np.array([-0.0, 0.0]), np.array(["a"]), np.zeros(2, ">f8"), np.array([None, 1])),
    *(np.float64(1), np.float32(1), np.int64(1), np.bool_(True), np.dtype("f4"), np.dtype("f8")),
    *(np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.array([(1, 2.0)], dtype=[("a", "i4"), ("c", "f8")])),
    *(np.random.default_rng(0), np.random.default_rng(1), np.ma.array([1, 2], mask=[False, True])),
]


def test_any_two_different_values_have_different_digests() -> None:
    found: dict[str, Any] = {}
    for value in DIFFERENT:
        one = digest(value)
        assert one not in found, f"{value!r} and {found[one]!r}"
        found[one] = value


@pytest.mark.parametrize(
    ("one", "same"),
    [
        (nan, -float("nan")),
        ({3, 1, 2}, {1, 2, 3}),
        ({"a", ("b", 1), frozenset("xyz")}, {frozenset("zyx"), ("b", 1), "a"}),
        (Point(1, {"a", "b"}), Point(1, {"b", "a"})),
        ([1, 2], [1, 2]),
        (np.zeros((2, 3)), np.zeros((2, 3), order="F")),
        (lambda x: x * 2, lambda x: x * 2),
        (closing(closing(3)), closing(closing(3))),
        (Config(a=1, b=2), Config(b=2, a=1)),
        (["ab", "ab"], ["".join("ab"), "".join(["a", "b"])]),
        ([(1, 2), (1, 2)], [tuple(range(1, 3)), tuple(range(1, 3))]),
        ([[1], [1]], [[1]] * 2),
        ([re.compile("a"), re.compile("a")], [re.compile("a")] * 2),
        (functools.partial(print, end=""), functools.partial(print, end="")),
    ],
)
def test_equal_values_have_the_same_digest(one: Any, same: Any) -> None:
    assert digest(one) == digest(same)


def test_neither_the_order_of_keys_nor_the_class_of_a_tree_counts() -> None:
    class Train(TypedConfig):
        lr: float = 0.1
        opt: Config = Config()

    class Opt(TypedConfig):
        a: int
        b: int

    one = loaded(lr=0.1, opt={"a": 1, "b": 2})
    assert config_digest(one) == config_digest(loaded(opt={"b": 2, "a": 1}, lr=0.1))
    assert config_digest(one) == config_digest(load_config(Config(opt=one.opt), schema=Train, create_rslt_dir=False))
    assert config_digest(one.opt) == config_digest(Opt(a=1, b=2))
    assert config_digest(Config({1: "a", "1": "b", (2, 3): "c"})) == config_digest(
        Config({(2, 3): "c", "1": "b", 1: "a"})
    )


def test_a_subtree_that_is_there_is_not_one_that_is_not() -> None:
    trees: list[dict[str, Any]] = [{}, {"a": {}}, {"a": None}, {"a": {"a": {}}}]
    assert len({config_digest(loaded(**tree)) for tree in trees}) == 4


def test_a_key_is_what_its_type_is() -> None:
    enums = config_digest(Config({Name.A: 1}))
    assert config_digest(Config({"a": 1})) != enums
    assert config_digest(Config({Name.A: 1})) == enums


def test_keys_and_values_do_not_run_into_each_other() -> None:
    trees: list[dict[str, Any]] = [
        {"a": {"b": 1}, "c": 2},
        {"a": {"b": 1, "c": 2}},
        {"a": {}, "b": 1, "c": 2},
        {"a": "b", "c": "d"},
        {"a": "bs1:c", "d": ""},
        {"a.b": 1, "c": 2},
    ]
    assert len({config_digest(loaded(**tree)) for tree in trees}) == len(trees)


def test_the_result_folder_and_the_roots_do_not_count() -> None:
    one = loaded(a=1, rslt_dir="exp/a", config_root="configs", sub={"rslt_dir": "x"})
    assert config_digest(one) == config_digest(loaded(a=1, rslt_dir="/else/b,a=1", sub={"rslt_dir": "x"}))
    assert config_digest(one) != config_digest(loaded(a=1, rslt_dir="exp/a", sub={"rslt_dir": "y"}))


def test_texts_count_from_the_result_folder() -> None:
    def run(folder: str, log: str) -> Any:
        return config_digest(loaded(rslt_dir=folder, log=log, files=[Path(log) / "x"], d={"a": (log,)}))

    assert run("exp/a", "exp/a/log") == run("/data/exp/b", "/data/exp/b/log")
    assert run("exp/a/", "exp/a/log") == run("exp/b", os.path.abspath("exp/b/log"))
    assert run("exp/a", "exp/a") == run("exp/b", "exp/b")
    assert run("exp/a", "exp/a/log") != run("exp/a", "exp/a/logs")
    assert run("exp/a", "exp/abc") != run("exp/b", "exp/bbc")
    assert run("exp/a", "/log") != run("exp/a", "exp/a/log")
    assert run("out", "out/log") != run("put", "put/log")  # may be any word


class TestVolatile:
    def test_names_and_paths(self) -> None:
        def run(names: Any = (), workers: int = 4, lr: float = 0.1, seed: int = 1) -> str:
            loader = {"ini": {"num_workers": workers, "bs": 1}, "kwargs": 1}
            cfg = Config(loader=loader, opt={"lr": lr}, aux={"lr": 1.0}, seed=seed)
            cfg.plain = {"num_workers": workers, "deep": [{"num_workers": workers}]}
            return config_digest(cfg, names)

        assert run() != run(workers=8)
        assert run(["num_workers"]) == run(["num_workers"], workers=8)
        assert run(["num_workers"]) != run()
        assert run(["loader.ini.num_workers"]) != run(["loader.ini.num_workers"], workers=8)
        assert run(["opt.lr"]) == run({"opt.lr"}, lr=0.3)
        assert run(["opt.lr"]) != run(["lr"])
        assert run(["aux.lr"]) != run(["aux.lr"], lr=0.3)
        assert run(["loader", "plain"]) == run(("loader", "plain"), workers=8)
        assert run(["opt", "seed"]) == run(["opt", "seed"], lr=0.3, seed=2)
        assert run(["not_there"]) == run()
        assert config_digest(Config({"a": 1, "b": 2, 3: 4}), ["a"]) == config_digest(Config({3: 4, "b": 2}))
        everything = ["loader.ini.num_workers", "plain.num_workers", "plain.deep[0].num_workers"]
        assert run(everything) == run(everything, workers=8)

    def test_what_cannot_be_digested_may_be_volatile(self) -> None:
        cfg = loaded(a=1, lock=threading.Lock())
        assert config_digest(cfg, ["lock"]) == config_digest(loaded(a=1))

    def test_mistakes(self) -> None:
        with pytest.raises(TuneError, match=r"write \['num_workers'\]"):
            config_digest(loaded(a=1), "num_workers")
        with pytest.raises(TuneError, match=r"'a\.\.b' is not a path"):
            config_digest(loaded(a=1), ["a..b"])


# -- what has no digest


class Refuses:
    def __reduce__(self) -> Any:
        raise KeyError("not me")


def test_everything_without_a_digest_is_named_at_once(tmp_path: Path) -> None:
    lock = threading.Lock()
    with open(tmp_path / "file", "w") as file:
        cfg = Config(a={"file": file, "ok": 1}, lock=lock, gen=(i for i in "ab"), refuses=Refuses())
        cfg.closure = closing(lock)
        cfg.plain = {"hooks": [1, {"h": lock}], "more": (lock,)}
        cfg.obj = Point(1, [lock])
        cfg.name = repr(closing)
        cfg.bound = Point(1, lock).__eq__
        cfg.view = memoryview(b"")
        cfg.queue = [io.StringIO("fine"), threading.local()]
        with pytest.raises(DigestError) as caught:
            config_digest(cfg)
    keys = [key for key, _ in caught.value.problems]
    assert sorted(keys) == sorted([
        "a.file", "lock", "gen", "refuses", "closure", "plain.hooks[1].h", "plain.more[0]", "obj", "name", "bound",
        "view", "queue[1]",
    ])  # fmt: skip
    assert isinstance(caught.value, TypeError)
    for part in ("a TextIOWrapper", "KeyError('not me')", "memory address", "volatile"):
        assert part in str(caught.value)


def test_secrets_count_and_are_not_told() -> None:
    assert digest(SecretStr("hunterX")) != digest(SecretStr("hunterY"))
    with pytest.raises(DigestError) as caught:
        digest([SecretStr("hunterX at 0x7f0000000000>"), threading.Lock()])
    assert "hunterX" not in str(caught.value)


# -- graphs


def test_recursive_containers() -> None:
    def ring(*values: Any) -> list[Any]:
        made = list(values)
        made.append(made)
        return made

    assert digest(ring(1)) == digest(ring(1))
    assert digest(ring(1)) != digest(ring(2))
    assert digest(ring(1)) != digest([1, ring(1)])
    table: dict[str, Any] = {}
    table["me"] = {"again": table}
    assert digest(table) != digest({"me": {"again": {}}})


def test_a_config_in_a_list_of_its_own() -> None:
    cfg = Config(a=1)
    cfg.all = [cfg.a]
    cfg.all.append(closing(cfg))
    assert config_digest(cfg) == config_digest(cfg)


def test_a_tangle_of_objects_takes_no_time() -> None:
    points = [Point(i) for i in range(200)]
    for point in points:
        point.y = points
    assert digest(points[0]) != digest(points[1])


def test_deep_trees_and_too_deep_values() -> None:
    cfg = Config()
    at: Any = cfg
    for _ in range(1_000):
        at.x = Config()
        at = at.x
    at.y = 1
    first = config_digest(cfg)
    at.y = 2
    assert config_digest(cfg) != first
    deep = Point(1)
    for _ in range(100_000):
        deep = Point(1, deep)
    cfg.more.deep = deep
    cfg.more.lock = threading.Lock()
    with pytest.raises(DigestError, match=r"more\.deep: it is nested too deeply") as caught:
        config_digest(cfg)
    assert [key for key, _ in caught.value.problems] == ["more.deep", "more.lock"]


@pytest.mark.slow
def test_tensors() -> None:
    torch = pytest.importorskip("torch")
    values: list[Any] = [
        torch.zeros(2),
        torch.ones(2),
        torch.zeros(2, dtype=torch.bfloat16),
        torch.zeros(1, 2),
        torch.zeros(2, requires_grad=True),
        torch.nn.Parameter(torch.zeros(2)),
        torch.tensor(1),
        torch.tensor([]),
        torch.tensor([1j]).conj(),
        torch.tensor([1j]),
        torch.float32,
        torch.float64,
        torch.device("cpu"),
        torch.Size([2]),
        torch.nn.Linear(1, 1, bias=False).requires_grad_(False),
        torch.nn.functional.relu,
        torch.relu,
        torch.optim.Adam,
    ]
    found = [digest(value) for value in values]
    assert len(set(found)) == len(found)
    assert digest(torch.arange(6).reshape(2, 3).T) == digest(torch.arange(6).reshape(2, 3).T.contiguous())
    assert digest({"a": torch.zeros(2)}) == digest({"a": torch.zeros(2).clone()})
    with pytest.raises(DigestError, match="a tensor whose numbers cannot be read"):
        digest(torch.zeros(2).to_sparse())
    with pytest.raises(DigestError, match="a tensor whose numbers cannot be read"):
        digest(torch.zeros(2, device="meta"))


def test_it_is_fast_enough_for_ten_thousand_children() -> None:
    import time

    cfg = Config()
    for i in range(10):
        cfg[f"part{i}"].update(lr=0.1, name="adam", steps=[1, 2])
    config_digest(cfg)
    start = time.process_time()
    for _ in range(100):
        config_digest(cfg)
    assert (time.process_time() - start) / 100 < 1e-3  # it takes less than a tenth of that on an idle machine


# -- the user's own code


def tree(root: Path, **files: str) -> Path:
    for name, text in files.items():
        file = root / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".py").write_text(text)
    return root


class TestCodeHash:
    def test_what_is_code(self, tmp_path: Path) -> None:
        root = tree(tmp_path, train="a", pkg__model="b", configs__base__cfg="c")
        (root / "pyproject.toml").write_text("[tool.typedcat]\nconfig_root = 'configs'\nexperiments_root = 'exp'\n")
        first = code_hash(root)
        assert re.fullmatch("[0-9a-f]{12}", first)
        tree(root, configs__base__cfg="d", exp__a__snapshot="x", _hidden="", runs__x__code="y")
        (root / "_hidden.py").rename(root / "pkg" / "notes.txt")
        for folder in (".venv/lib", ".git/hooks", "env/site-packages/x", "node_modules/x", "pkg/__pycache__", "venv/x"):
            (root / folder).mkdir(parents=True)
            (root / folder / "a.py").write_text("z")
        (root / "venv" / "pyvenv.cfg").write_text("")
        assert code_hash(root, without=["runs"]) == first
        assert code_hash(root, without=[root / "runs"]) == first
        assert code_hash(root) != first
        os.symlink(root, root / "loop")
        assert code_hash(root, without=["runs"]) == first

    def test_changes(self, tmp_path: Path) -> None:
        root = tree(tmp_path / "a", train="aaa", pkg__model="bbb")
        found = [code_hash(root)]
        for change in (
            lambda: tree(root, train="aab"),
            lambda: tree(root, new=""),
            lambda: (root / "pkg" / "model.py").rename(root / "pkg" / "models.py"),
            (root / "new.py").unlink,
        ):
            change()
            os.utime(root / "train.py", ns=(1, len(found)))
            found.append(code_hash(root))
        assert len(set(found)) == len(found)
        (root / "train.py").touch()
        assert code_hash(root) == found[-1]

    def test_another_checkout(self, tmp_path: Path) -> None:
        one, two = (tree(tmp_path / name, train="a", pkg__model="b") for name in ("one", "two"))
        assert code_hash(one) == code_hash(two)
        assert code_hash(one / "pkg") != code_hash(one)
        assert code_hash(tmp_path / "empty") == code_hash(tmp_path / "nowhere")

    def test_code_of_ones_own_elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(tmp_path / "lab")
        root = tree(tmp_path / "root", train="a")
        tree(tmp_path / "lab", lab_pkg____init__="", lab_pkg__x="a", lab_module="b")
        found = {code_hash(root), code_hash(root, ["lab_pkg"]), code_hash(root, ["lab_pkg", "lab_module"])}
        tree(tmp_path / "lab", lab_pkg__x="changed")
        found |= {code_hash(root, ["lab_pkg"]), code_hash(root, ["lab_module", "lab_pkg"])}
        assert len(found) == 5
        assert "lab_module" not in sys.modules
        with pytest.raises(TuneError, match="no module 'lab_pkgg'"):
            code_hash(root, ["lab_pkgg"])
