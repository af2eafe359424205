"""Values of overrides, held against what they replace."""

from __future__ import annotations

import enum
import os
from collections import OrderedDict
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from typedcat import Config, Param2Tune, TypedConfig, load_config
from typedcat.errors import OverrideError, ValidationError


class Colour(enum.Enum):
    RED = "red"


class Anything(TypedConfig):
    size: tuple[int, int] = (1, 2)
    text: str = "a"
    maybe: str | None = "a"
    either: tuple[int, ...] | str = (1,)
    ini: Config = Config()
    cls: type = OrderedDict


def tree() -> Any:
    cfg = Config(size=(10, 10), steps=[1, 2], lr=0.1, flip=True, name="a", none=None, cls=OrderedDict)
    cfg.path, cfg.colour, cfg.plain = Path("a"), Colour.RED, [{"a": 1}, (1, 2)]
    cfg.opt = Config(lr=0.1, ini={"a": 1})
    cfg.empty = Config()
    cfg.double = cfg.DEP(lambda c: 2)
    return cfg


def load(*overrides: str) -> Any:
    return load_config(tree(), overrides=overrides, create_rslt_dir=False)


def message(*overrides: str, cfg: Any = None) -> str:
    with pytest.raises(OverrideError) as caught:
        load_config(tree() if cfg is None else cfg, overrides=overrides, create_rslt_dir=False)
    return str(caught.value)


# -- texts


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("size=(32,32)", (32, 32)),
        ("size=(64,)", (64,)),
        ("size=()", ()),
        ("size=1e-3, 2", (0.001, 2)),
        ("steps=(1, 'a')", (1, "a")),
        ("plain[1]=(3, [4])", (3, [4])),
        ("size=[32, 32]", [32, 32]),
        ("size='(32,32)'", "(32,32)"),
        ("size=!!str (32,32)", "(32,32)"),
        ("size=null", None),
        ("size=3", 3),
    ],
)
def test_a_tuple_as_python_writes_it(override: str, value: Any) -> None:
    cfg = load(override)
    found = cfg.plain[1] if "plain" in override else cfg[override.partition("=")[0]]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("size=(32,", "'(32,' would be text, where (10, 10) stands\n  a list is written [1, 2]; text is quoted: "),
        ("size=32 32", "'32 32' would be text, where (10, 10) stands\n  a list is written [1, 2]; text is quoted: "),
        ("lr=(1,2)", "'(1,2)' would be text, where 0.1 stands\n"
         "  a list is written [1, 2]; text is quoted: \"lr='(1,2)'\""),
        ("lr=0.01;0.02", "'0.01;0.02' would be text, where 0.1 stands"),
        ("flip=Treu", "'Treu' would be text, where True stands\n  YAML writes it true or false; text is quoted: "),
        ("flip=f", "'f' would be text, where True stands\n  YAML writes it true or false; text is quoted: "),
        ("flip=Y", "'Y' would be text, where True stands"),
        ("lr=10:30", "'10:30' would be text, where 0.1 stands"),
        ("name=None", "'None' would be text, where 'a' stands\n  YAML writes it null; text is quoted: "),
        ("none=None", "'None' would be text\n  YAML writes it null; text is quoted: "),
        ("none=-inf", "'-inf' would be text\n  YAML writes it -.inf; text is quoted: "),
        ("+new=None", "'None' would be text\n  YAML writes it null; text is quoted: \"+new='None'\""),
        ("nwe=None", "there is no key 'nwe'"),
        ("path=None", "'None' would be text, where "),
        ("steps=[1, None]", "'None' inside of it would be text\n  YAML writes it null; text is quoted"),
        ("+new={a:None,b:1}", "'None' inside of it would be text"),
        ("double=None", "'None' would be text, where "),
        ("plain.0.a=1;2", "'1;2' would be text, where 1 stands\n  text is quoted: \"plain[0].a='1;2'\""),
        ("lr=None", "'None' would be text, where 0.1 stands\n  YAML writes it null; text is quoted: \"lr='None'\""),
        ("lr=-inf", "'-inf' would be text, where 0.1 stands\n  YAML writes it -.inf; text is quoted: "),
        ("cls=collections.deque", "'collections.deque' would be text, where <class 'collections.OrderedDict'> stands\n"
         "  a class is imported: cls=@collections.deque; text is quoted: "),
    ],
)  # fmt: skip
def test_text_in_the_place_of_something_else(override: str, said: str) -> None:
    assert f"override {override!r}: {said}" in message(override)


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("name=(1, 2)", "(1, 2)"),
        ("none=(1, 2)", "(1, 2)"),
        ("+new=(1, 2)", "(1, 2)"),
        ("lr='1;2'", "1;2"),
        ("lr=auto", "auto"),
        ("lr=16-mixed", "16-mixed"),
        ("flip=warn", "warn"),
        ("steps=auto", "auto"),
        ("name=10:30", "10:30"),
        ("none=-1:02:03.5", "-1:02:03.5"),
        ("name=2024-01-01", "2024-01-01"),
        ("none=2024-01-01", date(2024, 1, 1)),
        ("name='None'", "None"),
        ("steps=['[None]', \"None\", NoneType]", ["[None]", "None", "NoneType"]),
        ("steps=(None, 1)", (None, 1)),
        ("name=inf", "inf"),
        ("path=b", "b"),
        ("colour=blue", "blue"),
        ("double=text", "text"),
        ("cls=@collections.deque", __import__("collections").deque),
        ("lr=", None),
    ],
)
def test_texts_that_are_meant(override: str, value: Any) -> None:
    assert load(override)[override.partition("=")[0].lstrip("+")] == value


def test_a_parameter_is_no_number() -> None:
    cfg = Config(lr=Param2Tune([1, 2]))
    assert load_config(cfg, overrides=["lr=fast"], create_rslt_dir=False).lr == "fast"


def test_a_schema_says_what_fits() -> None:
    def typed(*overrides: str) -> Any:
        return load_config(Config(schema=Anything), overrides=overrides, create_rslt_dir=False)

    assert typed("size=(32, 32)").size == (32, 32)
    assert typed("size=[32, 32]").size == (32, 32)
    assert typed("text=(1, 2)").text == "(1, 2)"
    assert typed("either=(1, 2)").either == "(1, 2)"
    assert typed("text=None").text == "None"
    with pytest.raises(OverrideError, match=r"'None' would be text, where 'a' stands\n  YAML writes it null"):
        typed("maybe=None")
    with pytest.raises(ValidationError, match=r"size: should be a valid tuple"):
        typed("size=many")
    with pytest.raises(OverrideError, match=r"'1;2' would be text, where 1 stands"):
        load_config(Anything(ini=Config(a=1)), overrides=["ini.a=1;2"], create_rslt_dir=False)


# -- subtrees


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("opt=1", "1 would replace 'opt' and all that is below it"),
        ("opt=", "nothing would replace 'opt' and all that is below it"),
        ("opt.ini=", "nothing would replace 'opt.ini' and all that is below it"),
        ("opt=adam", "'adam' would replace 'opt' and all that is below it"),
        ("opt=[1, 2]", "[1, 2] would replace 'opt' and all that is below it"),
    ],
)
def test_a_subtree_is_not_replaced_by_a_value(override: str, said: str) -> None:
    name = override.partition("=")[0]
    assert message(override) == (
        f"override {override!r}: {said}\n"
        f"  name a key below it, or write {name}={{...}}; ~{name} removes it, {name}=null makes it None"
    )


def test_a_plain_dict_is_not_replaced_either() -> None:
    assert message("plain[0]=5") == (
        "override 'plain[0]=5': 5 would replace 'plain[0]' and all that is below it\n"
        "  name a key below it, or write plain[0]={...}; plain[0]=null makes it None"
    )
    assert load("plain[0]={b: 1}").plain[0] == {"b": 1}


def test_what_replaces_a_subtree_on_purpose() -> None:
    assert load("opt=null").opt is None
    assert load("opt=~").opt is None
    assert load("opt=@collections.deque").opt.__name__ == "deque"
    assert load("opt={lr: 2}").opt == {"lr": 2, "ini": {"a": 1}}
    assert load("empty=1").empty == 1
    assert "opt" not in load("~opt")


# -- what messages suggest


def test_an_unknown_key_in_a_mapping() -> None:
    assert message("opt.ini={C: 3}") == (
        "override 'opt.ini={C: 3}': there is no key 'opt.ini.C'\n  to add it on purpose write +opt.ini={C: 3}"
    )
    assert "did you mean 'opt.ini'?" in message("ini={a: 3}")
    assert "did you mean 'lr' or 'opt.lr'?" in message("empty={lr: 3}")


@pytest.mark.parametrize("value", ["[a,", "{a: 1,", "[[1], (2", "[a, '[b]'"])
def test_brackets_that_a_shell_has_cut(value: str) -> None:
    assert message(f"steps={value}").endswith(
        "\n  its brackets are not closed; in a shell put all of it in quotes: -o 'steps=[a, b]'"
    )


def test_arguments_of_a_wrong_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("configs").mkdir()
    Path("configs/cfg.yaml").write_text("a: 1\n")
    for argument, said in (
        ("config_root", "config_root is a path, got 3"),
        ("experiments_root", "experiments_root is a path, got 3"),
        ("rslt_dir", "rslt_dir is a path, got 3"),
        ("overrides", "overrides is a list of strings, got 3"),
    ):
        arguments: Any = {argument: 3}
        with pytest.raises(TypeError) as caught:
            load_config("configs/cfg.yaml", **arguments)
        assert str(caught.value) == said
    assert os.listdir() == ["configs"]


# -- hints of schemas


def test_a_class_that_is_given_as_text() -> None:
    with pytest.raises(ValidationError) as caught:
        load_config(Anything(), overrides=["cls=collections.deque"], create_rslt_dir=False)
    assert "got 'collections.deque'\n" in str(caught.value)
    assert "\n      write cls=@collections.deque to import it" in str(caught.value)
    with pytest.raises(ValidationError) as caught:
        load_config(Anything(), overrides=["cls=deque"], create_rslt_dir=False)
    assert "write" not in str(caught.value)


@pytest.mark.parametrize("ini", [{"a": 1}, {"a b": 1}])
def test_a_dict_that_is_given_for_a_subtree(ini: Any) -> None:
    made: Any = Anything()
    made.ini = ini
    with pytest.raises(ValidationError) as caught:
        load_config(made, create_rslt_dir=False)
    written = "Config(a=1)" if "a" in ini else "Config({'a b': 1})"
    assert f"\n      a dict that is assigned is one value; a subtree is written {written}" in str(caught.value)
