"""Tests of reading YAML, JSON and pickles."""

from __future__ import annotations

import datetime
import itertools
import json
import math
import os
import pickle
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from typedcat.errors import ConfigContentError, ConfigFileError, ConfigFormatError, ConfigNotFoundError
from typedcat.load.formats import builder, documents
from typedcat.load.formats.builder import Document
from typedcat.load.formats.documents import read_bytes, read_pickle
from typedcat.load.formats.json_text import read_json
from typedcat.load.formats.yaml_text import parse_scalar, read_yaml

Reader = Callable[[Path], Document]


@pytest.fixture(autouse=True)
def working_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def yaml_of(text: str | bytes) -> Document:
    Path("c.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(Path("c.yaml"))


def json_of(text: str | bytes) -> Document:
    Path("c.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_json(Path("c.json"))


def message_of(read: Callable[[str | bytes], Document], text: str | bytes) -> str:
    with pytest.raises(ConfigFormatError) as caught:
        read(text)
    return str(caught.value)


class TestYaml:
    def test_values_and_lines(self) -> None:
        document = yaml_of(
            "# a config\nopt:\n  cls: Adam\n  ini: {lr: 0.1,\n        betas: [0.9, {deep: 1}]}\n\n1: yes\n~: null\n"
        )
        assert document.value == {
            "opt": {"cls": "Adam", "ini": {"lr": 0.1, "betas": [0.9, {"deep": 1}]}},
            1: True,
            None: None,
        }
        assert document.lines == {
            ("opt",): 2,
            ("opt", "cls"): 3,
            ("opt", "ini"): 4,
            ("opt", "ini", "lr"): 4,
            ("opt", "ini", "betas"): 5,
            (1,): 7,
            (None,): 8,
        }
        assert document.path == Path("c.yaml")

    @pytest.mark.parametrize(
        "text",
        [
            "a: 1e-3\nb: 1.0e-3\nc: 0x1f\nd: 0o7\ne: 1_000\nf: .inf\ng: 12:30\nh: 010",
            "a: 2024-01-02\nb: 2024-01-02 03:04:05\nc: !!binary aGk=\nd: !!str 1\ne: ! 1\nf: '1'\ng: !!float 3",
            "a: !!set {x, y}\nb: !!omap [x: 1, y: 2]\nc: !!pairs [x: 1, x: 2]\nd: !!seq [1]\ne: !!map {x: 1}",
            "a: |\n  line\n  line\nb: >-\n  folded\n  text\nc: ''\nd:\ne: []\nf: {}",
            "%YAML 1.1\n---\na: 1\n...\n",
            "? a\n: 1\n? 2024-01-02\n: 2\n'<<': 3",
            "'': 1\n'a b.c': γ=10\n\"\\u00e9\": \U0001f600",
        ],
    )
    def test_values_are_what_the_safe_loader_makes(self, text: str) -> None:
        assert yaml_of(text).value == yaml.safe_load(text)

    def test_what_the_safe_loader_cannot_read_but_means_something(self) -> None:
        assert yaml_of("a: =\nb: <<").value == {"a": "=", "b": "<<"}

    @pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "utf-16"])
    def test_encodings_and_line_ends(self, encode: str) -> None:
        document = yaml_of("a: 1\r\n\r\nb: γ\r\n".encode(encode))
        assert document.value == {"a": 1, "b": "γ"}
        assert document.lines == {("a",): 1, ("b",): 3}

    def test_each_alias_is_a_copy(self) -> None:
        value = yaml_of("a: &a {x: [1, {y: 2}]}\nb: *a\nc: [*a, *a]\n*k : 1".replace("*k : 1", "d: 1")).value
        nodes = [value["a"], value["b"], *value["c"]]
        assert all(node == {"x": [1, {"y": 2}]} for node in nodes)
        assert len({id(node) for node in nodes} | {id(node["x"]) for node in nodes}) == 8
        assert len({id(node["x"][1]) for node in nodes}) == 4

    def test_a_scalar_alias_may_be_a_key(self) -> None:
        assert yaml_of("a: &name x\n*name : 1").value == {"a": "x", "x": 1}

    def test_aliased_keys_have_the_line_where_they_stand(self) -> None:
        assert yaml_of("a: &a\n  x: 1\nb: *a\nc:\n  <<: *a\n").lines == {
            ("a",): 1,
            ("a", "x"): 2,
            ("b",): 3,
            ("b", "x"): 2,
            ("c",): 4,
            ("c", "x"): 2,
        }

    @pytest.mark.parametrize(
        "text",
        [
            "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3, z: 4}",
            "a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}",
            "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b, z: 3}",
            "b:\n  <<: {x: 1}\n  y: 2",
            "b: {<<: []}",
        ],
    )
    def test_merge_keys(self, text: str) -> None:
        value, wanted = yaml_of(text).value, yaml.safe_load(text)
        assert value == wanted
        assert [list(node) for node in value.values()] == [list(node) for node in wanted.values()]

    def test_several_merge_keys(self) -> None:  # PyYAML's order of the keys differs between its versions
        text = "a: &a {x: 1, y: 2}\nb: &b {x: 5, z: 6}\nc: {<<: [*a, *b], z: 7}"
        merged = yaml_of(text).value["c"]
        assert merged == yaml.safe_load(text)["c"]
        assert list(merged) == ["x", "y", "z"]

    def test_a_long_chain_of_merges(self) -> None:
        text = "k0: &k0 {x0: 0}\n" + "".join(f"k{i}: &k{i} {{<<: *k{i - 1}, x: {i}}}\n" for i in range(1, 900))
        assert yaml_of(text).value["k899"] == {"x0": 0, "x": 899}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: 1\nb: [1, 2\n", "c.yaml:3:1: not valid YAML: did not find expected ',' or ']', "
             "while parsing a flow sequence from line 2 on"),
            ("a: b: c", "c.yaml:1:5: not valid YAML: mapping values are not allowed in this context\n"
             "  put a value that has ': ' in it in quotes, or check the indentation"),
            ("a:\n\t- 1", "c.yaml:2:1: not valid YAML: found character that cannot start any token, while scanning "
             "for the next token from line 2 on\n  YAML is indented with spaces: replace the tab"),
            ("a: @b", "c.yaml:1:4: not valid YAML: found character that cannot start any token, while scanning for "
             "the next token from line 1 on\n  a value cannot begin with '@': put it in quotes"),
            ("a: 1\n  b: 2\nc: 3", "c.yaml:2:4: not valid YAML: mapping values are not allowed in this context\n"
             "  put a value that has ': ' in it in quotes, or check the indentation"),
            ("a: 1\n- b", "c.yaml:2:1: not valid YAML: did not find expected key, while parsing a block mapping from "
             "line 1 on\n  check the indentation of this line and of the one before it"),
            ("a: 1\nb: !!python/object/apply:os.system [ls]", "c.yaml:2:4: the tag !!python/object/apply:os.system is "
             "not known: YAML configs are data, they make no Python objects and never run anything\n"
             "  write what needs Python in a .py config"),
            ("a: !!int [1]", "c.yaml:1:4: the tag !!int does not fit what it stands before"),
            ("a: !!map x", "c.yaml:1:4: the tag !!map does not fit what it stands before"),
            ("a: !!omap [{x: 1, y: 2}]", "c.yaml:1: each item here has to be one `key: value`"),
            ("a: !!int x", "c.yaml:1:4: 'x' is not a valid int\n  put it in quotes if it is text"),
            ("a: 2020-99-99", "c.yaml:1:4: '2020-99-99' is not a valid timestamp\n  put it in quotes if it is text"),
            ("a: !!timestamp foo", "c.yaml:1:4: 'foo' is not a valid timestamp\n  put it in quotes if it is text"),
            ("a: !!binary é", "c.yaml:1:4: 'é' is not a valid binary\n  put it in quotes if it is text"),
            ("a: 1\nb:\n  x: 1\n  y: 2\n  x: 3", "c.yaml:5: duplicate key 'x', first on line 3"),
            ("1: a\nb: 2\ntrue: c", "c.yaml:3: duplicate key True, first on line 1\n"
             "  in YAML yes and on are True, no and off are False: put quotes around what is text"),
            ("yes: 1\non: 2", "c.yaml:2: duplicate key True, first on line 1\n"
             "  in YAML yes and on are True, no and off are False: put quotes around what is text"),
            ("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a", "c.yaml:4: duplicate key '<<', first on line 3\n"
             "  merge several as <<: [*a, *b]"),
            ("a: &a {x: 1}\nb:\n  <<: *a\n  y: 1\n  y: 2", "c.yaml:5: duplicate key 'y', first on line 4"),
            ("b: {<<: 3}", "c.yaml:1: '<<' takes a mapping or a list of them, not the value 3"),
            ("? [a, b]\n: 1", "c.yaml:1: a list cannot be a key\n  put the key in quotes"),
            ("? {a: b}\n: 1", "c.yaml:1: a mapping cannot be a key\n  put the key in quotes"),
            ("a: &a [1]\n? *a\n: 1", "c.yaml:2: a list cannot be a key\n  put the key in quotes"),
            ("a: *b", "c.yaml:1: there is no anchor &b before the alias *b"),
            ("a: &a 1\nb: &a 2", "c.yaml:2: the anchor &a is already on line 1"),
            ("a: &a\n  b: [*a]", "c.yaml:2: the alias *a lies inside of its own anchor &a, so it would never end"),
            ("a: 1\n---\nb: 2", "c.yaml:3: a second document begins here; a config file has one"),
            ("a: é\nb: \x00", "c.yaml:2: character 0x00 at offset 9: control characters are not allowed"),
            (b"a: 1\nb: caf\xe9", "c.yaml:2: not valid UTF-8: byte 0xe9 at offset 11\n  save the file as UTF-8"),
            (b"\xff\xfea", "c.yaml:1: not valid UTF-16: byte 0x61 at offset 2\n  save the file as UTF-8"),
            ("", "c.yaml: the file is empty"),
            (" \n\n", "c.yaml: the file is empty"),
            ("# nothing\n", "c.yaml: the file is empty"),
        ],
    )  # fmt: skip
    def test_errors(self, text: str | bytes, message: str) -> None:
        assert message_of(yaml_of, text) == message

    @pytest.mark.parametrize(
        "tag", ["!foo", "!!python/object:x.Y", "!!python/name:os.system", "!<x:y>", "!!js/function"]
    )
    @pytest.mark.parametrize("value", ["x", "[1]", "{a: 1}"])
    def test_no_tag_makes_anything(self, tag: str, value: str) -> None:
        assert "YAML configs are data" in message_of(yaml_of, f"a: {tag} {value}")

    def test_constructors_that_a_program_adds_do_not_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(yaml.SafeLoader, "yaml_constructors", {**yaml.SafeLoader.yaml_constructors})
        yaml.add_constructor("!foo", lambda loader, node: 1, Loader=yaml.SafeLoader)
        assert "YAML configs are data" in message_of(yaml_of, "a: !foo 1")

    @pytest.mark.parametrize(
        ("text", "found"),
        [("- 1", "a list"), ("hello", "the value 'hello'"), ("null", "empty"), ("!!set {a}", "a set")],
    )
    def test_the_top_level_is_a_mapping(self, text: str, found: str) -> None:
        with pytest.raises(ConfigContentError, match=f"c.yaml:1: the top level is {found}, a config has keys there"):
            yaml_of(text)

    def test_a_billion_laughs_are_counted_before_they_expand(self) -> None:
        levels = "abcdefghij"
        lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
        lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in itertools.pairwise(levels)]
        message = message_of(yaml_of, "\n".join(lines))
        assert message == "c.yaml:6: the aliases up to here expand to more than 1,000,000 values"

    def test_aliases_within_the_limit_and_one_beyond(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(builder, "MAX_ALIASED", 8)
        text = "a: &a [1, 2, 3]\nb: *a\nc: *a\n"
        assert yaml_of(text).value["c"] == [1, 2, 3]
        assert message_of(yaml_of, text + "d: *a").startswith("c.yaml:4: the aliases up to here")

    def test_a_merge_bomb_is_counted_too(self) -> None:
        lines = ["k0: &k0 {" + ", ".join(f"x{i}: 1" for i in range(1000)) + "}"]
        lines += [f"k{i}: &k{i} {{<<: [{', '.join([f'*k{i - 1}'] * 100)}]}}" for i in range(1, 9)]
        assert "expand to more than" in message_of(yaml_of, "\n".join(lines))

    @pytest.mark.slow
    @pytest.mark.parametrize("block", [True, False])
    def test_3000_levels(self, block: bool) -> None:
        depth = 3000
        if block:
            text = "\n".join(" " * level + "a:" for level in range(depth)) + " 1"
        else:
            text = "{a: " * depth + "1" + "}" * depth
        document = yaml_of(text)
        value: Any = document.value
        levels = 0
        while isinstance(value, dict):
            value, levels = value["a"], levels + 1
        assert (value, levels) == (1, depth)
        assert document.lines[("a",) * depth] == (depth if block else 1)

    @pytest.mark.slow
    @pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
    def test_absurd_depth_is_an_error(self, opening: str) -> None:
        assert "nested more than 10,000 levels deep" in message_of(yaml_of, "a:\n " + opening * 20_000)

    def test_paths_of_keys_stay_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(builder, "MAX_PATH_PARTS", 5)
        document = yaml_of("a: {b: {c: {d: {e: 1}}}}")
        assert document.value == {"a": {"b": {"c": {"d": {"e": 1}}}}}
        assert document.lines == {("a",): 1, ("a", "b"): 1, ("a", "b", "c"): 1}

    @pytest.mark.slow
    def test_200000_keys(self) -> None:
        document = yaml_of("".join(f"k{i}: {i}\n" for i in range(200_000)))
        assert len(document.value) == 200_000
        assert document.lines[("k199999",)] == 200_000

    def test_without_the_c_parser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
        assert yaml_of("a: {b: [1, é]}").value == {"a": {"b": [1, "é"]}}
        assert message_of(yaml_of, "a: 1\nb: \x00").startswith("c.yaml:2: character 0x00 at offset 8")
        assert message_of(yaml_of, "a: b: c").startswith("c.yaml:1:5: not valid YAML: mapping values are not allowed")


class TestOverrideValues:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("0.1", 0.1),
            ("1e-3", 0.001),
            ("-1E5", -1e5),
            (".5e2", 50.0),
            ("[1, 1e-3, a]", [1, 0.001, "a"]),
            ("{a: 1e2, b: null}", {"a": 100.0, "b": None}),
            ("{http://x: 1, 'a:b':2, \"c:d\": '{e:1}'}", {"http://x": 1, "a:b": 2, "c:d": "{e:1}"}),
            ("[a:1, {b:2}, '{c:3}']", ["a:1", {"b": 2}, "{c:3}"]),
            ("x{a:1}", "x{a:1}"),
            ("{a: b:c, d: }", {"a": "b:c", "d": None}),
            ("null", None),
            ("", None),
            ("true", True),
            ("'1e-3'", "1e-3"),
            ("!!str 1e-3", "1e-3"),
            ("1e-3x", "1e-3x"),
            ("resnet18", "resnet18"),
            ("a#b", "a#b"),
            ("'#1'", "#1"),
            ("γ", "γ"),
            ("2024-01-02", datetime.date(2024, 1, 2)),
        ],
    )
    def test_values(self, text: str, value: Any) -> None:
        parsed = parse_scalar(text)
        assert parsed == value
        assert type(parsed) is type(value)

    @pytest.mark.parametrize(
        "text",
        [
            "{a:1}",
            "{a:1,b:2.5}",
            "{a: 1,b:x}",
            "{a:{b:{c:1e-3}},d:[1,{e:true}]}",
            "{a:'x, y:z',b:'w'}",
            "{_target_:torch.optim.SGD,lr:-1e-3}",
            "{a:b:c}",
            "{a:x y}",
            "{a :1}",
            "{a:'${b:c,d}',e:1}",
            "[{a:1},{b:[]}]",
            "{}",
        ],
    )
    def test_dicts_of_hydra(self, text: str) -> None:
        parser = pytest.importorskip("hydra.core.override_parser.overrides_parser").OverridesParser.create()
        there = parser.parse_override(f"k={text}").value()
        assert parse_scalar(text) == there

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[1, 2", "did not find expected ',' or ']'"),
            ("{a:'x, y", "while scanning|unexpected end"),
            ("@b", "a value cannot begin with '@': put it in quotes"),
            ("*a", "no anchor"),
            ("!!python/name:os.system x", "YAML configs are data"),
            ("{a: 1, a: 2}", "duplicate key 'a'"),
            ("a # b", "begins a comment"),
            ("#1", "begins a comment"),
            ("...", "empty|did not find"),
            ("a\0b", "control characters"),
            ("a\udcffb", "character|octet"),
        ],
    )
    def test_errors(self, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            parse_scalar(text)


class TestJson:
    def test_values_and_lines(self) -> None:
        document = json_of('{\n "opt": {"cls": "Adam",\n  "ini": {"lr": 1e-3}},\n\n "l": [1, {"deep": 1}]\n}\n')
        assert document.value == {"opt": {"cls": "Adam", "ini": {"lr": 0.001}}, "l": [1, {"deep": 1}]}
        assert document.lines == {("opt",): 2, ("opt", "cls"): 2, ("opt", "ini"): 3, ("opt", "ini", "lr"): 3, ("l",): 5}

    @pytest.mark.parametrize(
        "text",
        [
            '{"a": [0, -0, -1, 1.5, 1e5, 1E-5, -0.0, 123456789012345678901234567890]}',
            '{"a": [true, false, null, Infinity, -Infinity], "<<": {}, "": []}',
            '{"a": "\\u00e9\\n\\"\\\\\\/ \\ud83d\\ude00", "\\u0062": "é😀", "c": "a//b#c\x7f"}',
            ' \r\n\t{ "a" : [ [ ] , { } ] } \r\n',
        ],
    )
    def test_values_are_what_the_json_module_makes(self, text: str) -> None:
        assert json_of(text).value == json.loads(text)

    def test_nan(self) -> None:
        assert math.isnan(json_of('{"a": NaN}').value["a"])

    def test_encodings(self) -> None:
        assert json_of('\ufeff{"a": "é"}').value == {"a": "é"}
        assert json_of('{"a": "é"}'.encode("utf-16")).value == {"a": "é"}

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"a": 1,\n "b": 2,\n "a": 3}', "c.json:3: duplicate key 'a', first on line 1"),
            ('{"a": 1,}', "c.json:1:9: not valid JSON: a key in double quotes is wanted here, not '}'\n"
             "  JSON has no comma after the last item: remove the one before it"),
            ('{"a": [1,\n]}', "c.json:2:1: not valid JSON: a value is wanted here, not ']'\n"
             "  JSON has no comma after the last item: remove the one before it"),
            ("{'a': 1}", "c.json:1:2: not valid JSON: a key in double quotes or '}' is wanted here, not \"'a': 1}\"\n"
             "  JSON strings stand in double quotes"),
            ('{"a": True}', "c.json:1:7: not valid JSON: a value is wanted here, not 'True}'\n"
             "  in JSON it is true, false and null"),
            ('{\n// note\n"a": 1}', "c.json:2:1: not valid JSON: a key in double quotes or '}' is wanted here, "
             "not '// note'\n  JSON has no comments; YAML has"),
            ('{"a" 1}', "c.json:1:6: not valid JSON: ':' is wanted here, not '1'"),
            ('{"a": 1 "b": 2}', "c.json:1:9: not valid JSON: ',' or '}' is wanted here, not '\"b\"'"),
            ('{"a": [1, 2}', "c.json:1:12: not valid JSON: ',' or ']' is wanted here, not '}'"),
            ('{"a": 1', "c.json:1:8: not valid JSON: the text ends where ',' or '}' is wanted"),
            ('{"a"', "c.json:1:5: not valid JSON: the text ends where ':' is wanted"),
            ('{"a": "x\n"}', "c.json:1:7: not valid JSON: a string that does not end on its line, or has a control "
             "character in it"),
            ('{"a": "\\x"}', "c.json:1:7: not valid JSON: '\"\\\\x\"': Invalid \\escape"),
            ('{"a": 01}', "c.json:1:7: not valid JSON: a value is wanted here, not '01}'"),
            ('{"a": 1.}', "c.json:1:7: not valid JSON: a value is wanted here, not '1.}'"),
            ('{"a": 1} {}', "c.json:1:10: not valid JSON: the end of the text is wanted here, not '{'"),
            ('{"a": 1} x', "c.json:1:10: not valid JSON: the end of the text is wanted here, not 'x'"),
            ('{1: 2}', "c.json:1:2: not valid JSON: a key in double quotes or '}' is wanted here, not '1'"),
            ('{"a": }', "c.json:1:7: not valid JSON: a value is wanted here, not '}'\n"
             "  JSON has no comma after the last item: remove the one before it"),
            ('{"a": \0}', "c.json:1:7: not valid JSON: a value is wanted here, not '\\x00}'"),
            (b'{"a": "\xe9"}', "c.json:1: not valid UTF-8: byte 0xe9 at offset 7\n  save the file as UTF-8"),
            ("", "c.json: the file is empty"),
            ("\n", "c.json: the file is empty"),
        ],
    )  # fmt: skip
    def test_errors(self, text: str | bytes, message: str) -> None:
        assert message_of(json_of, text) == message

    def test_an_integer_of_too_many_digits(self) -> None:
        assert "Exceeds the limit" in message_of(json_of, '{"a": ' + "1" * 5000 + "}")
        assert "is not a valid int" in message_of(yaml_of, "a: " + "1" * 5000)

    @pytest.mark.parametrize(("text", "found"), [("[1]", "a list"), ("3", "the value 3"), ("null", "empty")])
    def test_the_top_level_is_an_object(self, text: str, found: str) -> None:
        with pytest.raises(ConfigContentError, match=f"c.json:1: the top level is {found}, a config has keys there"):
            json_of(text)

    @pytest.mark.slow
    @pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
    def test_3000_levels(self, opening: str, closing: str) -> None:
        value: Any = json_of('{"a":' + opening * 3000 + "1" + closing * 3000 + "}").value["a"]
        levels = 0
        while isinstance(value, dict | list):
            value = value["a"] if isinstance(value, dict) else value[0]
            levels += 1
        assert (value, levels) == (1, 3000)

    @pytest.mark.slow
    def test_absurd_depth_is_an_error(self) -> None:
        assert "nested more than 10,000 levels deep" in message_of(json_of, '{"a":' * 1_000_000)

    @pytest.mark.slow
    def test_200000_keys(self) -> None:
        document = json_of("{\n" + ",\n".join(f'"k{i}": {i}' for i in range(200_000)) + "}")
        assert len(document.value) == 200_000
        assert document.lines[("k199999",)] == 200_001


class Renamed:
    """Pickled by the tests, then gone or changed."""


class TestPickle:
    def test_what_was_pickled(self) -> None:
        Path("c.pkl").write_bytes(pickle.dumps({"a": [1, 2]}))
        assert read_pickle(Path("c.pkl")) == {"a": [1, 2]}

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "c.pkl: the file is empty"),
            (pickle.dumps({"a": list(range(100))})[:40], "c.pkl: not a whole pickle: .*\n  write the file again"),
            (pickle.dumps({"a": 1})[:-1], "c.pkl: not a whole pickle"),
            (b"cfg = {}\n", "c.pkl: not a whole pickle|c.pkl: cannot be unpickled"),
            (b"\x80\x7f.", "c.pkl: cannot be unpickled: ValueError: unsupported pickle protocol: 127"),
            (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "c.pkl: "),
            (b"cnot_a_module_xyz\nName\n.", "c.pkl: the pickle needs not_a_module_xyz: No module .*\n  install it"),
            (b"cjson\nNoSuchName\n.", "c.pkl: the pickle needs a name that its module does not have: .*NoSuchName"),
            (b"cbuiltins\nint\n(S'x'\ntR.", "c.pkl: cannot be unpickled: ValueError: invalid literal for int"),
        ],
    )
    def test_errors(self, data: bytes, message: str) -> None:
        Path("c.pkl").write_bytes(data)
        with pytest.raises(ConfigFormatError, match=message) as caught:
            read_pickle(Path("c.pkl"))
        if data:
            assert caught.value.__cause__ is not None

    def test_a_class_that_was_renamed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module = ModuleType("lab_renamed")
        monkeypatch.setattr(module, "Renamed", Renamed, raising=False)
        monkeypatch.setattr(Renamed, "__module__", "lab_renamed")
        monkeypatch.setitem(sys.modules, "lab_renamed", module)
        Path("c.pkl").write_bytes(pickle.dumps(Renamed()))
        monkeypatch.delattr(module, "Renamed")
        with pytest.raises(
            ConfigFormatError, match=r"(?s)Renamed.*it was renamed or removed since the file was written"
        ):
            read_pickle(Path("c.pkl"))

    def test_a_large_pickle_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(documents, "MAX_BYTES", 10)
        Path("c.pkl").write_bytes(pickle.dumps(b"x" * 100))
        assert read_pickle(Path("c.pkl")) == b"x" * 100


class TestFiles:
    @pytest.mark.parametrize("read", [read_yaml, read_json, read_pickle, read_bytes])
    def test_only_regular_files_are_read(self, read: Callable[[Path], object], tmp_path: Path) -> None:
        with pytest.raises(ConfigNotFoundError, match=r"missing: no such file"):
            read(Path("missing"))
        with pytest.raises(ConfigFileError, match=r"is a directory, not a config file"):
            read(tmp_path)
        with pytest.raises(ConfigFileError, match=r"cannot be read"):
            read(Path("a\0b"))
        with pytest.raises(ConfigFileError, match=r"/dev/null: is a pipe, socket or device"):
            read(Path("/dev/null"))

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_pipe_does_not_hang(self) -> None:
        os.mkfifo("pipe.yaml")
        with pytest.raises(
            ConfigFileError, match=r"pipe.yaml: is a pipe, socket or device; only regular files are read"
        ):
            read_yaml(Path("pipe.yaml"))

    @pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs unix sockets")
    def test_a_socket(self) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("sock.json")
            with pytest.raises(ConfigFileError, match=r"is a pipe, socket or device"):
                read_json(Path("sock.json"))

    @pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
    def test_no_permission(self) -> None:
        Path("c.yaml").write_text("a: 1")
        os.chmod("c.yaml", 0)
        with pytest.raises(ConfigFileError, match=r"c.yaml: cannot be read: Permission denied"):
            read_yaml(Path("c.yaml"))

    def test_a_loop_of_links(self) -> None:
        os.symlink("b.yaml", "a.yaml")
        os.symlink("a.yaml", "b.yaml")
        with pytest.raises(ConfigFileError, match=r"a.yaml: cannot be read: Too many levels of symbolic links"):
            read_yaml(Path("a.yaml"))

    def test_a_file_that_vanishes_between_looking_and_opening(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("c.yaml").write_text("a: 1")
        status = os.stat("c.yaml")
        Path("c.yaml").unlink()
        monkeypatch.setattr("typedcat.load.formats.documents.os.stat", lambda *args, **kwargs: status)
        with pytest.raises(ConfigNotFoundError, match=r"c.yaml: no such file"):
            read_yaml(Path("c.yaml"))

    def test_a_huge_file(self) -> None:
        with open("c.yaml", "wb") as file:
            file.truncate(64 * 1024 * 1024 + 1)
        with pytest.raises(ConfigFileError, match=r"c.yaml: is larger than 64 MiB, which no config is"):
            read_yaml(Path("c.yaml"))
