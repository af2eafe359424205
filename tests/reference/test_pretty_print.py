"""'Pretty Print' and the other texts of a config."""

from __future__ import annotations

import math
from typing import Any

import pytest

from typedcat import ADict, Config

LEAVES = "# ------- ↓ LEAVES ↓ ------- #"


def execute(text: str, name: str) -> Any:
    found: dict[str, Any] = {}
    exec(text, {"Config": Config, "ADict": ADict}, found)
    return found[name]


def test_keys_separated_by_dots() -> None:
    cfg = Config()
    cfg.foo.bar.a = 1
    cfg.bar.foo.b = ["str1", "str2"]
    cfg.whole.override()
    assert str(cfg) == (
        "cfg = Config()\n"
        "cfg.whole.override(True)\n"
        "# ------- ↓ LEAVES ↓ ------- #\n"
        "cfg.foo.bar.a = 1\n"
        "cfg.bar.foo.b = ['str1', 'str2']"
    )


def test_executed_as_in_the_readme() -> None:
    cfg = Config()
    cfg.foo.bar.a = 1
    cfg.bar.foo.b = ["str1", "str2"]
    cfg.whole.override()
    l_dict: dict[str, Any] = {}
    exec(cfg.to_txt(prefix="new_cfg."), globals(), l_dict)
    assert l_dict["new_cfg"] == cfg
    assert l_dict["new_cfg"].whole.is_whole


def test_invalid_attribute_names() -> None:
    cfg = Config()
    cfg["Invalid Attribute Name"].foo = 10
    cfg.bar["def"] = {"a": 1, "b": 2}
    assert str(cfg) == (
        "cfg = Config()\n"
        "# ------- ↓ LEAVES ↓ ------- #\n"
        "cfg['Invalid Attribute Name'].foo = 10\n"
        "cfg.bar['def'] = {'a': 1, 'b': 2}"
    )
    assert execute(cfg.to_txt("cfg."), "cfg") == cfg


@pytest.mark.parametrize("prefix", ["new_cfg.", "new_cfg"])
def test_prefix_with_and_without_dot(prefix: str) -> None:
    assert Config(a=1).to_txt(prefix=prefix) == f"new_cfg = Config()\n{LEAVES}\nnew_cfg.a = 1"


def test_default_prefixes() -> None:
    assert Config(a=1).to_txt().startswith("cfg = Config()")
    assert ADict(a=1).to_txt() == f"dic = ADict()\n{LEAVES}\ndic.a = 1"


def test_an_adict_can_be_executed_too() -> None:
    tree = ADict({"a": [1, {"b": 2}], "c": {"d": {}}})
    tree.c.override()
    made = execute(tree.to_txt("t"), "t")
    assert made == tree
    assert type(made) is ADict
    assert made.c.is_whole


def test_an_empty_config() -> None:
    assert execute(str(Config()), "cfg") == {}


def test_str_and_print_are_the_same_and_have_no_colour(capsys: pytest.CaptureFixture[str]) -> None:
    cfg = Config(a=1)
    print(cfg)  # noqa: T201 - what is tested
    out = capsys.readouterr().out
    assert out == str(cfg) + "\n"
    assert "\x1b" not in out


def test_in_an_f_string() -> None:
    assert f"{Config(a=1)}" == str(Config(a=1))


def test_a_whole_root() -> None:
    cfg = Config(a=1)
    cfg.override()
    assert str(cfg).splitlines()[:2] == ["cfg = Config()", "cfg.override(True)"]
    assert execute(str(cfg), "cfg").is_whole


def test_empty_subtrees_survive() -> None:
    cfg = Config(a={}, b={"c": {}, "d": 1})
    made = execute(str(cfg), "cfg")
    assert made == cfg
    assert isinstance(made.a, Config)


def test_plain_dict_leaves_stay_leaves() -> None:
    cfg = Config()
    cfg.leaf = {"a": {"b": 1}}
    made = execute(str(cfg), "cfg")
    assert type(made.leaf) is dict
    assert made == cfg


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -1, 10**40, 1e-5, -0.0, 1 + 2j, "", "a'b", 'a"b', "a'b\"c", "line\nbreak", "back\\slash", "÷γ",
        b"bytes", (), (1,), [], [[]], {}, {"a": [1, (2, 3)]}, {1, 2}, frozenset({1}), set(), frozenset(), ...,
        list(range(200)), "x" * 500, {"k" * 60: ["v" * 60] * 3}, "word " * 60, {f"key{i}": i for i in range(50)},
        range(3), slice(1, 2),
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_every_built_in_leaf_survives(value: Any) -> None:
    cfg = Config()
    cfg.sub.value = value
    made = execute(str(cfg), "cfg")
    assert made.sub.value == value
    assert type(made.sub.value) is type(value)


@pytest.mark.parametrize("value", [math.inf, -math.inf, [math.inf], {"a": -math.inf}, (1.0, math.inf)])
def test_infinities_survive(value: Any) -> None:
    cfg = Config()
    cfg.value = value
    assert execute(str(cfg), "cfg").value == value


def test_nan_survives() -> None:
    cfg = Config(a=math.nan, b=[math.nan])
    made = execute(str(cfg), "cfg")
    assert math.isnan(made.a)
    assert math.isnan(made.b[0])


@pytest.mark.parametrize(
    "key",
    ["it's", 'say "hi"', "both ' and \"", "a.b", "", " ", "class", "def", "None", "1st", "a b", "ключ", "γ", "a\nb",
     "back\\slash", "items", "keys", "update", "freeze", "DEP", "to_txt", "__class__", "__init__", "_private",
     "__dunder__", "[x]", "x]", 1, 1.5, None, True, (1, 2), b"k"],
    ids=repr,
)  # fmt: skip
def test_every_key_survives(key: Any) -> None:
    cfg = Config()
    cfg[key] = 1
    cfg.sub[key].deeper[key] = "x"
    made = execute(str(cfg), "cfg")
    assert made == cfg
    assert made.to_dict() == {key: 1, "sub": {key: {"deeper": {key: "x"}}}}


def test_what_is_no_built_in_is_printed_as_its_repr() -> None:
    cfg = Config()
    cfg.cls = int
    cfg.func = len
    assert str(cfg).splitlines()[2:] == ["cfg.cls = <class 'int'>", "cfg.func = <built-in function len>"]


def test_a_subtree_by_its_own_name() -> None:
    cfg = Config(a={"b": {"c": 1}})
    assert cfg.a.to_txt(prefix="cfg.a.") == f"cfg.a = Config()\n{LEAVES}\ncfg.a.b.c = 1"


def test_a_missing_key_prints_as_nothing() -> None:
    assert str(Config().nothing) == f"cfg = Config()\n{LEAVES}"
    assert repr(Config().nothing) == "{}"


def test_colour_when_asked_for() -> None:
    assert "\x1b[" in Config(a=1).to_txt(color=True)


def test_notebooks_show_a_tree() -> None:
    html = Config(a={"b": "<script>"})._repr_html_()
    assert "<details" in html
    assert "<script>" not in html
