"""The printed form of random trees runs back to an equal tree; so do saved files."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from typedcat import ADict, Config, load_config

from .strategies import Sub, assert_sound, dicts, flags_of, leaves, scalars, subs

literals = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner),
        st.tuples(inner, inner),
        st.dictionaries(st.one_of(st.text(max_size=40), st.integers()), inner, max_size=4),
    ),
    max_leaves=20,
)


def run(text: str, name: str = "cfg") -> Any:
    found: dict[str, Any] = {}
    exec(text, {"Config": Config, "ADict": ADict}, found)
    return found[name]


@settings(max_examples=200, deadline=None)
@given(subs())
@example(Sub({"items": Sub({"update": Sub({"freeze": 1})}), "__class__": Sub({"__x__": 2})}))
@example(Sub({"a": Sub({}, whole=True), "keys": Sub({}, whole=True)}, whole=True))
def test_a_config_runs_back(model: Sub) -> None:
    cfg = model.build(Config())
    made = run(str(cfg))
    assert made == cfg
    assert flags_of(made) == model.flags()
    assert made.to_dict() == model.plain()
    assert_sound(made)


@settings(max_examples=100, deadline=None)
@given(dicts())
def test_an_adict_runs_back(data: dict[Any, Any]) -> None:
    made = run(ADict(data).to_txt("tree"), "tree")
    assert type(made) is ADict
    assert made == data


@settings(max_examples=200, deadline=None)
@given(literals)
def test_every_literal_runs_back(value: Any) -> None:
    cfg = Config()
    cfg.value = value
    made = run(str(cfg)).value
    assert made == value
    assert repr(made) == repr(value)
    assert type(made) is type(value)


@pytest.mark.parametrize("value", [math.nan, [math.nan], {"a": (math.nan, math.inf)}, complex(math.inf, 1)])
def test_numbers_without_literals(value: Any) -> None:
    cfg = Config()
    cfg.value = value
    assert repr(run(str(cfg)).value) == repr(value)


@settings(max_examples=60, deadline=None)
@given(subs())
def test_save_py(model: Sub) -> None:
    cfg = model.build(Config())
    with tempfile.TemporaryDirectory() as folder:
        loaded = load_config(cfg.save_py(Path(folder) / "cfg.py"), config_root=folder, create_rslt_dir=False)
    assert {k: v for k, v in loaded.to_dict().items() if k != "rslt_dir"} == cfg


@settings(max_examples=60, deadline=None)
@given(dicts(st.one_of(st.text(max_size=5), st.sampled_from(["items", "a.b", "'", "null", "1", "yes", "~"]))))
def test_repr_and_json(data: dict[Any, Any]) -> None:
    cfg = Config(data)
    assert repr(cfg) == repr(data)
    assert json.dumps(cfg, default=repr) == json.dumps(data, default=repr)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=5), leaves, max_size=4))
def test_notebook_text_escapes(data: dict[Any, Any]) -> None:
    html = Config(data)._repr_html_()
    assert html.count("<div") == html.count("</div>")
    assert "<script" not in html


texts = st.one_of(
    st.text(max_size=12),
    st.text(alphabet=" \t\n\r\x00\x07\x85\xa0\u2028\u2029\ufeff:#-'\"\\&*!|>%@`{}[],?", max_size=6),
    st.sampled_from(
        [
            "1e5",
            "1e-3",
            "1_000",
            "0x10",
            "0o7",
            "010",
            "1:30",
            "yes",
            "No",
            "on",
            "~",
            "null",
            "true",
            "<<",
            "=",
            ".inf",
            "-.INF",
            ".nan",
            "2024-01-01",
            "2024-01-01 10:00:00",
            "@x",
            "%x",
            "- a",
            "a: b",
            "# c",
            "---",
            "...",
            "+1",
            "1.",
            ".5",
            "1e",
            "é",
            "wait...",
            "...\n",
            "a\n...\n",
            "nan",
            "Infinity",
            "12:30:45.5",
        ]
    ),
)
data_values: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.dictionaries(texts, data_values, max_size=3), st.sampled_from(["yaml", "json"]))
def test_data_formats_are_read_back_as_they_were_written(data: dict[str, Any], ending: str) -> None:
    if ending == "json":
        data = json.loads(json.dumps(data).replace("NaN", "0").replace("-Infinity", "0").replace("Infinity", "0"))
    data.pop("rslt_dir", None)
    data["small"] = 1  # where all keys are in capitals, YAML is read as yacs reads it: tests/load/formats/test_yacs.py
    cfg = Config(data)
    with tempfile.TemporaryDirectory() as folder:
        file = getattr(cfg, f"save_{ending}")(Path(folder) / f"cfg.{ending}")
        loaded = load_config(file, config_root=folder, create_rslt_dir=False).unfreeze()
    del loaded.rslt_dir
    assert repr(loaded) == repr(cfg)


@pytest.mark.parametrize("text", ["wait...", "...", "a\n...\n", "\x85", "\u2028", "x\x85y"])
def test_texts_that_yaml_could_take_for_something_else(text: str, tmp_path: Path) -> None:
    cfg = Config(key=text, lst=[text])
    cfg[text] = text
    loaded = load_config(cfg.save_yaml(tmp_path / "cfg.yaml"), config_root=tmp_path, create_rslt_dir=False)
    assert loaded.copy() == cfg | {"rslt_dir": loaded.rslt_dir}


@pytest.mark.parametrize("value", [math.inf, [-math.inf], complex(math.inf, 1)])
def test_numbers_without_literals_in_saved_files(value: Any, tmp_path: Path) -> None:
    loaded = load_config(Config(a=value).save_py(tmp_path / "cfg.py"), config_root=tmp_path, create_rslt_dir=False)
    assert loaded.a == value
