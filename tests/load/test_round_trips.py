"""What is saved reads back as it was: by typedcat, and by the libraries whose formats these are."""

from __future__ import annotations

import collections
import datetime
import enum
import functools
import json
import math
import operator
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from typedcat import Config, load_config
from typedcat.errors import SaveError

NUMBERS_ELSEWHERE = ["1e-3", "1E5", "-2e+7", "1_0e3", ".5e-1", "12:30", "0o17", "0x1f", "1_000", "1.", ".inf", "nan"]
WORDS = ["yes", "No", "null", "~", "true", "=", "<<", "-", "?", "2024-01-02", "2024-01-02 03:04:05", "", " a ", "---"]
MARKS = ["a: b", "a #b", "#", "'", '"', "{", "[x", "&a", "*a", "!x", "%", "@", "`", "|", ">", "a\n", "\n a\n\n b", "\t"]
ENDS = ["\x85", "\u2028", "\ufeff", "\x00", "\x7f", "\ufffe", "\U0001f600", "γ", "x" * 200, "a  b " * 40, "\\", "\r\n"]
texts = st.one_of(st.text(max_size=12), st.sampled_from([*NUMBERS_ELSEWHERE, *WORDS, *MARKS, *ENDS]))
INTERPOLATIONS = [
    "${x}",
    r"\${x}",
    r"\\${x}",
    "$${x}",
    "${",
    "a ${x.y} \\ ${oc.env:HOME}",
    r"c:\${d}",
    "${${x}}",
    "$x",
    "}",
]
numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
plain_scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
all_numbers = st.one_of(plain_scalars, st.floats())
TAKEN = ("rslt_dir", "defaults", "_base_", "_BASE_")  # what readers take for more than data
names = (texts | st.sampled_from(["A", "MODEL", "B_2"])).filter(lambda name: name not in TAKEN)
minutes = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda m: datetime.timezone(datetime.timedelta(minutes=m)))
times = st.one_of(st.dates(), st.datetimes(), st.datetimes(timezones=minutes))


def trees(keys: st.SearchStrategy[Any], leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
    """Nested dicts with lists, in which further dicts and lists may lie."""
    values = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )
    return st.dictionaries(keys, values, max_size=4)


def exact(value: Any) -> Any:
    """Something that is equal only for values that are the same, of the same types, in the same order."""
    if isinstance(value, dict):
        return dict, [(exact(key), exact(item)) for key, item in dict.items(value)]
    if isinstance(value, (list, tuple)):
        return type(value), [exact(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(map(repr, value))
    if isinstance(value, datetime.datetime):
        return datetime.datetime, value, value.utcoffset()
    if callable(value) and not isinstance(value, functools.partial):
        return value
    return type(value), repr(value)


def not_yacs(data: dict[Any, Any]) -> dict[Any, Any]:
    """With a key that keeps readers from taking it for a config of yacs, whose texts may be values."""
    in_capitals = all(isinstance(key, str) and key.isupper() for key in data)
    return data | {"lower": 0} if in_capitals else data


def assert_loads(file: Path, data: Any) -> None:
    loaded = load_config(file, create_rslt_dir=False).to_dict()
    loaded.pop("rslt_dir", None)
    assert exact(plainly(loaded)) == exact(data)


def plainly(value: Any) -> Any:
    """Subtrees in lists as dicts."""
    if isinstance(value, dict):
        return {key: plainly(item) for key, item in dict.items(value)}
    return [plainly(item) for item in value] if type(value) is list else value


def kind(value: Any) -> str:
    return type(value).__name__


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved")


class TestYaml:
    @pytest.mark.slow
    @settings(deadline=None)
    @given(trees(names | numbers | st.none() | st.booleans(), all_numbers | st.binary(max_size=4) | times))
    @example({text: text for text in [*NUMBERS_ELSEWHERE, *WORDS, *MARKS, *ENDS]})
    @example({"s": {1, "x", None, 2.5}, "empty": set(), "t": {"a": []}, "long " * 30: 1})
    def test_any_data(self, folder: Path, data: dict[Any, Any]) -> None:
        file = Config(data := not_yacs(data)).save_yaml(folder / "any.yaml")
        assert_loads(file, data)
        if "${" not in repr(data):
            assert exact(yaml.safe_load(file.read_text("utf-8"))) == exact(data)

    @pytest.mark.slow
    @settings(deadline=None)
    @given(trees(names.filter(lambda key: key != "???") | st.integers(), all_numbers | st.binary(max_size=4)))
    @example({text: text for text in [*NUMBERS_ELSEWHERE, *WORDS, *MARKS, *ENDS, *INTERPOLATIONS]})
    def test_omegaconf_reads_the_same(self, folder: Path, data: dict[Any, Any]) -> None:
        omegaconf = pytest.importorskip("omegaconf")
        file = Config(data := not_yacs(data)).save_yaml(folder / "omegaconf.yaml")
        read = omegaconf.OmegaConf.to_container(omegaconf.OmegaConf.load(file), resolve=True)
        assert exact(read) == exact(data)

    @pytest.mark.parametrize("text", INTERPOLATIONS)
    def test_a_text_is_no_interpolation(self, folder: Path, text: str) -> None:
        data = {"x": {"y": 1}, "a": text, "b": [text, {"c": text}], text: 1}
        assert_loads(Config(data).save_yaml(folder / "text.yaml"), data)

    @pytest.mark.slow
    @settings(deadline=None)
    @given(st.text(alphabet="\\${}x", max_size=12))
    def test_backslashes_before_one(self, folder: Path, text: str) -> None:
        omegaconf = pytest.importorskip("omegaconf")
        file = Config(a=text, x=1).save_yaml(folder / "backslashes.yaml")
        assert_loads(file, {"a": text, "x": 1})
        assert omegaconf.OmegaConf.load(file).a == text

    def test_other_readers_see_the_backslash(self, folder: Path) -> None:
        file = Config(a="${x}").save_yaml(folder / "other.yaml")
        assert yaml.safe_load(file.read_text()) == {"a": r"\${x}"}

    @pytest.mark.slow
    @settings(deadline=None)
    @given(trees(names, all_numbers))
    def test_yacs_reads_the_same(self, folder: Path, data: dict[Any, Any]) -> None:
        yacs = pytest.importorskip("yacs.config")
        if "${" in repr(data):
            return
        file = Config(data := not_yacs(data)).save_yaml(folder / "yacs.yaml")
        with file.open(encoding="utf-8") as stream:
            assert exact(plainly(yacs.CfgNode.load_cfg(stream))) == exact(data)

    def test_yacs_merges_it(self, folder: Path) -> None:
        yacs = pytest.importorskip("yacs.config")
        data = {"MODEL": {"NAME": "resnet", "DEPTH": 50}, "LR": 0.1, "STEPS": [1, 2], "ON": True}
        node = yacs.CfgNode({"MODEL": {"NAME": "vgg", "DEPTH": 1}, "LR": 1.0, "STEPS": (), "ON": False})
        node.merge_from_file(str(Config(data).save_yaml(folder / "merge.yaml")))
        assert node == data | {"STEPS": (1, 2)}

    def test_tuples_become_lists_and_text_subclasses_text(self, folder: Path) -> None:
        data = {"t": (1, (2, [3])), "p": Path("a/b"), "o": collections.OrderedDict(a=1), "e": Mode.FAST, Mode.FAST: 1}
        wanted = {"t": [1, [2, [3]]], "p": "a/b", "o": {"a": 1}, "e": "fast", "fast": 1}
        assert_loads(Config(data).save_yaml(folder / "other.yaml"), wanted)
        assert_loads(Config(data).save_json(folder / "other.json"), wanted)


class Mode(str, enum.Enum):  # noqa: UP042 - what people write, and whose str() is not its text
    FAST = "fast"


class Color(enum.Enum):
    RED = 1


class Perm(enum.Flag):
    R = 1
    W = 2


class Priority(enum.IntEnum):
    HIGH = 3


@pytest.mark.slow
@settings(deadline=None)
@given(trees(names, plain_scalars))
@example({text: text for text in [*NUMBERS_ELSEWHERE, *WORDS, *MARKS, *ENDS, *INTERPOLATIONS]})
@example({"big": 10**300, "small": 5e-324, "minus": -0.0})
def test_json(folder: Path, data: dict[str, Any]) -> None:
    file = Config(data).save_json(folder / "any.json")
    assert_loads(file, data)
    assert exact(json.loads(file.read_text("utf-8"))) == exact(data)


OBJECTS: list[Any] = [
    Color.RED, Mode.FAST, Priority.HIGH, Perm.R | Perm.W, dict, int, collections.OrderedDict, math.floor, operator.add,
    random.Random, dict.fromkeys, functools.partial(int, base=2), functools.partial(dict, **{"a b": 1, "class": [2]}),
    Path("a/b c"), range(1, 9, 2), slice(1, None), ...,
    list[int], 1j, complex("nan+infj"), float("inf"), float("-inf"), float("nan"), -0.0, 10**5000, -(2**20_000),
    b"\x00'\"", bytearray(b"x"), datetime.timedelta(1, 2, 3), datetime.time(1, 2, tzinfo=datetime.UTC), "\udc80",
    "\ud83d\ude00", datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(seconds=30))),
]  # fmt: skip
hashable = st.one_of(all_numbers, texts, times, st.binary(max_size=4), st.sampled_from([Color.RED, Perm.R, dict]))
python_keys = st.one_of(hashable, st.tuples(hashable, hashable)).filter(
    lambda key: key != "rslt_dir" and "nan" not in repr(key)
)
python_leaves = st.one_of(
    hashable,
    st.tuples(hashable, hashable),
    st.sets(st.integers(), max_size=3),
    st.frozensets(st.integers(), max_size=3),
    st.sampled_from([value for value in OBJECTS if not isinstance(value, int)]),
)


def executed(file: Path) -> Any:
    names: dict[str, Any] = {}
    exec(file.read_text("utf-8"), names)
    return names["cfg"]


class TestPython:
    @pytest.mark.slow
    @settings(deadline=None)
    @given(trees(python_keys, python_leaves))
    def test_any_data(self, folder: Path, data: dict[Any, Any]) -> None:
        file = Config(data).save_py(folder / "any.py")
        assert exact(executed(file)) == exact(data)

    @pytest.mark.parametrize("value", OBJECTS, ids=kind)
    def test_objects(self, folder: Path, value: Any) -> None:
        file = Config(a=value, b=[value, {"c": value}]).save_py(folder / "object.py")
        assert_same(executed(file), value)
        assert_same(load_config(file, create_rslt_dir=False), value)

    @pytest.mark.parametrize(
        "key",
        [Color.RED, Mode.FAST, Priority.HIGH, Perm.R | Perm.W, dict, (1, dict), (Color.RED, ("x", None)), b"k", 1.5,
         float("inf"), datetime.date(2020, 1, 2), frozenset({1}), True, None, ..., "\udc80", math.floor],
        ids=kind,
    )  # fmt: skip
    def test_keys(self, folder: Path, key: Any) -> None:
        cfg = Config({key: 1, "sub": {key: {"x": [{key: Config({key: 2})}]}}})
        for again in (executed(cfg.save_py(folder / "key.py")), load_config(folder / "key.py", create_rslt_dir=False)):
            assert again[key] == 1
            assert next(iter(again.sub)) == key
            assert type(next(iter(again.sub))) is type(key)
            assert again.sub[key].x[0][key][key] == 2

    @pytest.mark.parametrize("key", ["µ", "ﬁ", "ª", "x²".replace("²", "ⁿ"), "γ", "é", "e\u0301"])
    def test_names_that_python_spells_in_another_way(self, folder: Path, key: str) -> None:
        cfg = Config({key: {key: 1}})
        assert list(executed(cfg.save_py(folder / "name.py"))) == [key]  # as an attribute 'µ' would be another letter
        names: dict[str, Any] = {"Config": Config}
        exec(cfg.to_txt(), names)
        assert names["cfg"] == cfg

    def test_a_key_whose_class_derives_from_str(self, folder: Path) -> None:
        class Name(str):
            def __str__(self) -> str:
                return "another"

        for save in (Config.save_py, Config.save_yaml, Config.save_json):
            file = save(Config({Name("name"): {Name("x y"): 1}}), folder / f"name.{save.__name__[5:]}")
            assert_loads(file, {"name": {"x y": 1}})

    def test_keys_without_a_text(self, folder: Path) -> None:
        with pytest.raises(SaveError) as caught:
            Config({Local(): 1, "sub": {Local(): {"a": lambda: 1}}, math.nan: {"b": 1}}).save_py(folder / "none.py")
        assert len(caught.value.problems) == 4


mmcv_keys = st.sampled_from(["a", "B", "lr_2", "γ", "µ", "items", "x y", "1", "it's", "class"])
mmcv_leaves = st.one_of(
    plain_scalars, st.tuples(plain_scalars, texts), st.sampled_from([dict, collections.OrderedDict])
)


@pytest.mark.slow
@settings(deadline=None)
@given(trees(mmcv_keys, mmcv_leaves))
@example({"a": {"x": "{{ _base_.x }}", "y": ["{{ fileDirname }}", "$ENV", "{{$HOME:x}}"]}})
def test_mmcv(folder: Path, data: dict[str, Any]) -> None:
    mmengine = pytest.importorskip("mmengine")
    tops = {key: value for key, value in data.items() if key.isidentifier() and key not in ("class", "µ", "items")}
    file = Config(tops).save_mmcv(folder / "any_mmcv.py")
    read = mmengine.Config.fromfile(str(file))
    assert list(read.to_dict()) == list(tops)
    assert exact(plainly({key: built(read[key]) for key in tops})) == exact(tops)
    assert_loads(file, tops)


def built(value: Any) -> Any:
    """What mmengine imports lazily, as it is."""
    if isinstance(value, dict):
        return {key: built(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(built(item) for item in value)
    return value.build() if type(value).__name__ in ("LazyObject", "LazyAttr") else value


class Local:
    def __repr__(self) -> str:
        return "Local()"


def assert_same(cfg: Any, value: Any) -> None:
    for found in (cfg.a, cfg.b[0], cfg.b[1]["c"]):
        if isinstance(value, functools.partial):
            assert (found.func, found.args, found.keywords) == (value.func, value.args, value.keywords)
        elif isinstance(value, int) and not isinstance(value, enum.Enum):
            assert found == value  # too long for repr
        else:
            assert exact(found) == exact(value)


class TestRefusals:
    """One error lists every key, and the file is not touched."""

    @pytest.mark.parametrize(
        ("save", "value", "reason"),
        [
            (Config.save_json, float("nan"), "JSON has no nan"),
            (Config.save_json, float("-inf"), "JSON has no -inf"),
            (Config.save_json, b"x", "has no text, being of type bytes"),
            (Config.save_json, datetime.date(2020, 1, 1), "being of type date"),
            (Config.save_json, {1}, "being of type set"),
            (Config.save_json, "\udc80", r"has '\\udc80' in it"),
            (Config.save_yaml, "\udc80", r"has '\\udc80' in it"),
            (Config.save_json, 10**5000, "has more digits"),
            (Config.save_yaml, 10**5000, "has more digits"),
            (Config.save_yaml, OBJECTS[-1], "no time zones with seconds"),
            (Config.save_yaml, {(1, 2)}, "a YAML set holds"),
            (Config.save_yaml, {"\udc80"}, "in it"),
            (Config.save_yaml, 1j, "being of type complex"),
            (Config.save_yaml, dict, "builtins.dict is Python code"),
            (Config.save_yaml, Color.RED, "being of type Color"),
        ],
        ids=lambda value: getattr(value, "__name__", type(value).__name__),
    )
    def test_values(self, folder: Path, save: Callable[..., Path], value: Any, reason: str) -> None:
        file = folder / "refused"
        file.write_text("old")
        with pytest.raises(SaveError, match=reason) as caught:
            save(Config(a=value, b=Config(c=[0, {"d": value}]), e="fine"), file)
        assert [key for key, _ in caught.value.problems] == ["a", "b.c[1].d"]
        assert file.read_text() == "old"

    def test_what_readers_take_for_more_than_data(self, folder: Path) -> None:
        cfg = Config({"_BASE_": "x.yaml", "_base_": [], "defaults": ["_self_", {"db": "mysql"}], "f": dict})
        with pytest.raises(SaveError) as caught:
            cfg.save_yaml(folder / "more.yaml")
        assert [key for key, _ in caught.value.problems] == ["f", "_BASE_", "_base_", "defaults"]
        with pytest.raises(SaveError) as caught:
            cfg.save_json(folder / "more.json")
        assert [key for key, _ in caught.value.problems] == ["f", "_BASE_", "_base_"]
        below = {"a": {"_BASE_": "x", "defaults": ["y"]}, "defaults": [1, 2]}
        assert_loads(Config(below).save_yaml(folder / "below.yaml"), below)

    def test_texts_that_yacs_takes_for_values(self, folder: Path) -> None:
        lists = ["None", "1e-3", "(1, 2)", "fine", "1", None, [1, 2]]
        data: dict[str, Any] = {"A": "(1, 2)", "B": {"c": "None", "d": "[1]", "e": "1, 2", "f": "1", "g": lists}}
        with pytest.raises(SaveError) as caught:
            Config(data).save_yaml(folder / "yacs.yaml")
        assert [key for key, _ in caught.value.problems] == ["A", "B.c", "B.d", "B.e"]
        data["lower"] = 1
        assert_loads(Config(data).save_yaml(folder / "yacs.yaml"), data)
        data = {"B": {"f": "1", "fine": "1,x", "g": lists}}
        assert_loads(Config(data).save_yaml(folder / "yacs.yaml"), data)

    @pytest.mark.parametrize("key", [1, None, True, 1.5, b"k", (1, 2), "\udc80", Color.RED], ids=kind)
    def test_keys_of_json(self, folder: Path, key: Any) -> None:
        with pytest.raises(SaveError) as caught:
            Config({key: 1, "s": [{key: 2}]}).save_json(folder / "no.json")
        assert len(caught.value.problems) == 2

    @pytest.mark.parametrize("key", [b"k", (1, 2), "\udc80", Color.RED, Priority.HIGH], ids=kind)
    def test_keys_of_yaml(self, folder: Path, key: Any) -> None:
        with pytest.raises(SaveError) as caught:
            Config({key: 1, "s": [{key: 2}]}).save_yaml(folder / "no.yaml")
        assert len(caught.value.problems) == 2


def test_saving_changes_nothing(folder: Path) -> None:
    cfg = Config({"a": (1, 2), "b": {"c": [1, {"d": {1}}]}, Mode.FAST: 1})
    before = repr(cfg)
    for _ in range(2):
        cfg.save_yaml(folder / "same.yaml")
        cfg.save_py(folder / "same.py")
        cfg.freeze()
    assert repr(cfg) == before
