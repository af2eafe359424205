"""Merging and inheritance against a simple recursive model, with random trees."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from typedcat import ADict, Config, load_config

from .strategies import Sub, assert_sound, dicts, flags_of, sub_of, subs

few_keys = st.sampled_from(["a", "b", "items", "x y", 1])
trees = subs(few_keys)
plain_trees = dicts(st.sampled_from(["a", "b", "items", "x y", "γ"]))


def config(model: Sub) -> Config:
    return model.build(Config())


def expected(*models: Sub) -> Sub:
    result = models[0].copy()
    for model in models[1:]:
        result.merge(model)
    return result


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(trees, trees)
def test_update(one: Sub, two: Sub) -> None:
    cfg, other = config(one), config(two)
    cfg.update(other)
    want = expected(one, two)
    assert cfg == want.plain()
    assert repr(cfg) == repr(want.plain())
    assert flags_of(cfg) == want.flags()
    assert other == two.plain(), "what is merged in stays as it was"
    assert_sound(cfg)
    assert_sound(other)


@settings(max_examples=80, deadline=None)
@given(trees, trees)
def test_incremental_update_overwrites_nothing(one: Sub, two: Sub) -> None:
    cfg = config(one)
    before = dict(cfg.named_ckl)
    cfg.dict_update(config(two), incremental=True)
    after = dict(cfg.named_ckl)
    for name, (_, _, value) in before.items():
        assert after[name][2] is value
    assert_sound(cfg)


@settings(max_examples=80, deadline=None)
@given(trees, trees)
def test_or_changes_neither(one: Sub, two: Sub) -> None:
    left, right = config(one), config(two)
    assert left | right == expected(one, two).plain()
    assert left == one.plain()
    assert right == two.plain()
    assert two.plain() | left == expected(sub_of(two.plain()), one).plain()


@settings(max_examples=80, deadline=None)
@given(st.lists(plain_trees, min_size=1, max_size=4))
@pytest.mark.parametrize("kind", [Config, ADict])
def test_constructor_of_several_mappings(kind: Any, sources: list[dict[Any, Any]]) -> None:
    made = kind(*sources)
    want = expected(*map(sub_of, sources)).plain()
    assert made == want
    assert repr(made) == repr(want)
    assert_sound(made)


@settings(max_examples=60, deadline=None)
@given(st.lists(trees, min_size=1, max_size=4))
def test_bases_in_memory(models: list[Sub]) -> None:
    *bases, own = models
    cfg = Config(caps=[config(base) for base in bases])
    own.build(cfg)
    loaded = load_config(cfg, create_rslt_dir=False)
    assert loaded == expected(*models).plain()
    assert flags_of(loaded) - {()} == expected(*models).flags() - {()}
    assert_sound(loaded)


@settings(max_examples=40, deadline=None)
@given(st.lists(trees, min_size=2, max_size=5))
def test_a_chain_of_python_files(models: list[Sub]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = None
        for i, model in enumerate(models):
            cfg = model.build(Config(caps=[str(path)] if path else []))
            path = Path(folder) / f"c{i}.py"
            path.write_text(f"from typedcat import Config\n{cfg}\n", encoding="utf-8")
        assert path is not None
        loaded = load_config(path, config_root=folder, create_rslt_dir=False).unfreeze()
        del loaded["rslt_dir"]
        assert loaded == expected(*models).plain()
        assert_sound(loaded)


json_values: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), st.text(max_size=6)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
json_keys = st.one_of(st.sampled_from(["a", "b", "c", "items", "x y"]), st.text(max_size=4))
json_trees = st.dictionaries(
    json_keys, st.recursive(json_values, lambda inner: st.dictionaries(json_keys, inner, max_size=3), max_leaves=8)
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(json_trees, min_size=1, max_size=4), st.sampled_from(["yaml", "json"]))
def test_bases_in_data_formats(sources: list[dict[Any, Any]], ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        caps = []
        for i, source in enumerate(sources):
            path = Path(folder) / f"c{i}.{ending}"
            text = yaml.safe_dump(source) if ending == "yaml" else json.dumps(source)
            path.write_text(text, encoding="utf-8")
            caps.append(str(path))
        loaded = load_config(Config(caps=caps), create_rslt_dir=False)
        want = expected(*map(sub_of, sources)).plain()
        want.pop("rslt_dir", None)
        assert loaded == want
        assert_sound(loaded)
