"""The closed list of names that are methods: a key of one of these names is an item only.

A name that is added here takes an attribute away from the users' keys: make it a function instead where you can.
"""

from __future__ import annotations

from typing import Any

import pytest

from typedcat import ADict, BaseConfig, Config, TypedConfig
from typedcat.errors import ReservedKeyError

OF_ADICT = [
    "branch_copy",
    "branches",
    "ckl",
    "clear",
    "copy",
    "deepcopy",
    "dict_update",
    "empty_leaf",
    "empty_tree",
    "freeze",
    "from_dict",
    "fromkeys",
    "get",
    "is_frozen",
    "is_whole",
    "items",
    "keys",
    "leaves",
    "named_branches",
    "named_branchs",
    "named_ckl",
    "origin",
    "override",
    "pop",
    "popitem",
    "set_func",
    "set_whole",
    "setdefault",
    "to_dict",
    "to_txt",
    "unfreeze",
    "update",
    "values",
]
OF_CONFIGS = [
    "DEP",
    "P_DEP",
    "Param2Tune",
    "find_root",
    "from_x_to_y",
    "get_attribute",
    "load",
    "parse",
    "save_json",
    "save_mmcv",
    "save_pkl",
    "save_py",
    "save_yaml",
    "set_DEP",
    "set_IL",
    "set_attribute",
    "to_model",
]


def public(cls: type) -> list[str]:
    return sorted(name for name in dir(cls) if not name.startswith("_"))


def test_the_lists() -> None:
    assert public(ADict) == sorted(OF_ADICT)
    assert public(BaseConfig) == sorted(OF_ADICT + OF_CONFIGS)
    assert public(Config) == public(BaseConfig)
    assert public(TypedConfig) == public(BaseConfig)


def test_other_names_with_one_underscore() -> None:
    names = {name for cls in (ADict, Config, TypedConfig) for name in dir(cls) if name.startswith("_")}
    assert {name for name in names if not (name.startswith("__") and name.endswith("__"))} == {"_repr_html_"}


@pytest.mark.parametrize("name", sorted(OF_ADICT + OF_CONFIGS))
def test_each_is_an_item_and_stays_a_method(name: str) -> None:
    cfg = Config()
    cfg[name] = 1
    cfg.sub[name].deep = 2
    assert cfg[name] == 1
    assert cfg.sub[name] == {"deep": 2}
    assert getattr(cfg, name) != 1
    with pytest.raises(ReservedKeyError, match=rf"cfg\['{name}'\]"):
        setattr(cfg, name, 3)
    assert cfg == {name: 1, "sub": {name: {"deep": 2}}}
    assert Config(cfg).copy() == cfg
    assert cfg.origin(f"sub.{name}.deep")[0].value == 2
    found: dict[str, Any] = {}
    exec(cfg.to_txt("made"), {"Config": Config}, found)
    assert found["made"] == cfg
    cfg.update({name: 5})
    assert cfg[name] == 5
    del cfg[name]
    assert name not in cfg


def test_the_library_breaks_on_no_key() -> None:
    data = {name: {name: name} for name in OF_ADICT + OF_CONFIGS}
    cfg = Config(data)
    assert cfg == data
    assert cfg.copy().freeze().to_dict() == data
    assert [name for name, _ in cfg.named_branches][1:] == list(data)
