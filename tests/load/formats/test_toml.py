"""TOML configs: the values of Python's parser, the line of each key, and mistakes with their place."""

from __future__ import annotations

import datetime
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcat import Cfg2Tune, Config, load_config
from typedcat.errors import ConfigFormatError
from typedcat.load.formats.toml_text import read_toml


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


TEXT = '''# a config
title = "x"   # not: key = 1
when = 2024-01-02T03:04:05Z
day = 2024-01-02

[opt]
lr = 1e-3
betas = [
  0.9,
  0.999, # last = 1
]
ini.eps = 1e-8
ini."weight decay" = 0
text = """
fake = 1
[opt.fake]
"""

[opt.sched]  # a table
inline = {steps = 3, deep = {er = 1}}
'literal key' = 'a # b = c'

[[layers]]
width = 1
[layers.act]
name = "relu"

[[layers]]
width = 2

[ "quoted" . table ]
z = true
'''


def toml(text: str | bytes) -> Any:
    Path("c.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_config("c.toml", create_rslt_dir=False)


def test_values_and_lines() -> None:
    cfg = toml(TEXT)
    assert cfg == tomllib.loads(TEXT)
    assert cfg.when == datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert cfg.layers == [{"width": 1, "act": {"name": "relu"}}, {"width": 2}]
    assert type(cfg.opt.sched) is Config
    assert read_toml(Path("c.toml")).lines == {
        ("title",): 2,
        ("when",): 3,
        ("day",): 4,
        ("opt",): 6,
        ("opt", "lr"): 7,
        ("opt", "betas"): 8,
        ("opt", "ini"): 12,
        ("opt", "ini", "eps"): 12,
        ("opt", "ini", "weight decay"): 13,
        ("opt", "text"): 14,
        ("opt", "sched"): 19,
        ("opt", "sched", "inline"): 20,
        ("opt", "sched", "inline", "steps"): 20,
        ("opt", "sched", "inline", "deep"): 20,
        ("opt", "sched", "inline", "deep", "er"): 20,
        ("opt", "sched", "literal key"): 21,
        ("layers",): 23,
        ("quoted",): 31,
        ("quoted", "table"): 31,
        ("quoted", "table", "z"): 32,
    }
    assert str(cfg.origin("opt.sched.inline.steps")[0]) == "c.toml:20"


@pytest.mark.parametrize("text", ["﻿a = 1\n", "a = 1\r\nb = 2\r\n", 'a = \'\'\'\n\'\'\'\nb = """x\\""""\n[c]\nd = 1'])
def test_odd_texts(text: str) -> None:
    plain = text.removeprefix("\ufeff")
    assert toml(text) == tomllib.loads(plain)
    lines = read_toml(Path("c.toml")).lines
    for (*_, key), number in lines.items():
        assert str(key) in plain.splitlines()[number - 1]


NAMES = st.text("ab-_1. é\"'#=[\n", min_size=1, max_size=4)
LEAVES = st.one_of(st.booleans(), st.integers(-(2**31), 2**31), st.text("ab\"'#=[]\\\n", max_size=5), st.floats(-9, 9))
TABLES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3), lambda inner: st.dictionaries(NAMES, inner | LEAVES, max_size=3)
)


def quoted(text: str) -> str:
    import json

    return json.dumps(text)


def written(table: dict[str, Any], path: tuple[str, ...] = ()) -> str:
    """TOML of nested tables, with all that looks like keys inside of strings."""
    lines = [f"[{'.'.join(map(quoted, path))}]"] if path else []
    below = []
    for key, value in table.items():
        if isinstance(value, dict):
            below.append(written(value, (*path, key)))
            continue
        if isinstance(value, str) and "\n" in value:
            body = value.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'{quoted(key)} = """\n{body}"""')
        else:
            lines.append(f"{quoted(key)} = {quoted(value) if isinstance(value, str) else str(value).lower()}")
    return "\n".join([*lines, *below])


@given(TABLES)
def test_random_tables(table: dict[str, Any]) -> None:
    text = f"{written(table)}\n# end"
    file = Path("r.toml")
    file.write_bytes(text.encode())
    document = read_toml(file)
    assert document.value == table
    split = text.split("\n")

    def check(node: dict[str, Any], path: tuple[str, ...]) -> None:
        for key, value in node.items():
            line = split[document.lines[*path, key] - 1]
            is_table = isinstance(value, dict)
            assert line.startswith("[" if is_table else f"{quoted(key)} = ")
            assert quoted(key) in line
            if is_table:
                check(value, (*path, key))

    check(document.value, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1\nb = null\n", "c.toml:2:5: not valid TOML: Invalid value\n  TOML has no null: leave the key out"),
        ("a = True\n", "c.toml:1:5: not valid TOML: Invalid value\n  in TOML it is true and false"),
        ("o = {n = adam}\n", "c.toml:1:10: not valid TOML: Invalid value\n  TOML strings stand in quotes"),
        ("a = adam\n", "c.toml:1:5: not valid TOML: Invalid value\n  TOML strings stand in quotes"),
        ("a = 1\na = 2\n", "c.toml:2:6: not valid TOML: Cannot overwrite a value"),
        ("[a]\nb = 1\n[a]\n", "c.toml:3:3: not valid TOML: Cannot declare ('a',) twice"),
        ("a = [1,\n", "c.toml:2: not valid TOML: Invalid value at the end of the file"),
        ("a: 1\n", "c.toml:1:2: not valid TOML: Expected '=' after a key in a key/value pair\n"
         "  TOML has `key = value`, with '='\n  it seems to be YAML: rename it to c.yaml"),
        ("  \n", "c.toml: the file is empty"),
        (b"a = '\xe9'\n", "c.toml:1: not valid UTF-8: byte 0xe9 at offset 5\n  save the file as UTF-8"),
    ],
)  # fmt: skip
def test_mistakes(text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigFormatError) as caught:
        toml(text)
    assert str(caught.value) == message


def test_absurd_files() -> None:
    for text in (f"a = {'[' * 100_000}{']' * 100_000}", f"a = {'9' * 10_000}"):
        with pytest.raises(ConfigFormatError, match=r"c.toml: not valid TOML: "):
            toml(text)


def test_inherited_mounted_tuned_and_without_the_ending() -> None:
    Path("base.toml").write_text("a = 1\n[b]\nc = 2\n")
    cfg = Config(caps="base")
    cfg.b.c = 3
    assert load_config(cfg, create_rslt_dir=False) == {"a": 1, "b": {"c": 3}}
    whole = Config(part=Config("base.toml"))
    assert load_config(whole, create_rslt_dir=False, overrides=["part.b.c=5"]).part.b.c == 5
    assert load_config(Cfg2Tune(caps="base.toml"), create_rslt_dir=False).b.c == 2


FILES: dict[str, tuple[bytes, str]] = {
    "json": (b'{"a": 1}', "it seems to be JSON: rename it to c.json"),
    "yaml": (b"a: 1\nb:\n  - 2\n", "it seems to be YAML: rename it to c.yaml"),
    "toml": (b'a = 1\n[b]\nc = "x"\n', "it seems to be TOML: rename it to c.toml"),
    "py": (b"from typedcat import Config\ncfg = Config()\n", "it seems to be Python: rename it to c.py"),
    "pkl": (b"\x80\x04}.", "it seems to be a pickle: rename it to c.pkl"),
    "ini": (
        b"[main]\na = b\nc : d e\n",
        "it seems to be an INI file, which typedcat does not read: write it as YAML or TOML",
    ),
    "zip": (
        b"PK\x03\x04abc",
        "it seems to be a zip archive, such as torch.save and np.savez write, which is no config",
    ),
}


@pytest.mark.parametrize("ending", ["yaml", "json", "toml", "py", "pkl"])
@pytest.mark.parametrize("content", FILES)
def test_a_file_with_the_ending_of_another_format(content: str, ending: str) -> None:
    data, hint = FILES[content]
    if content == ending or (content, ending) in (("json", "yaml"), ("ini", "toml")):
        return
    file = Path(f"c.{ending}")
    file.write_bytes(data)
    with pytest.raises(Exception, match=r"^c\.") as caught:
        load_config(file, create_rslt_dir=False)
    assert str(caught.value).startswith(f"c.{ending}:")
    assert str(caught.value).splitlines()[-1] == f"  {hint}"


@pytest.mark.parametrize(
    "text",
    [
        "from typedcat import TypedConfig\nclass Train(TypedConfig):\n    x: int = 1\n    y: = 2\n",
        "cfg = dict(a=1)\nraise ValueError('no')\n",
        "import nothing_of_that_name\n",
        "try:\n    x: 1\n",
    ],
)
def test_a_mistake_in_python_is_no_other_format(text: str) -> None:
    Path("c.py").write_text(text)
    with pytest.raises(Exception, match=r"c\.py") as caught:
        load_config("c.py", create_rslt_dir=False)
    assert "seems" not in str(caught.value)
