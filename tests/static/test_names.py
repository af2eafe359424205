"""Names of stubs: identifiers that lead back to the names of files and folders."""

from __future__ import annotations

from keyword import iskeyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcat.static.names import config_path, demangled, mangled, module_name, stub_path

PARTS = st.text(min_size=1, max_size=12).filter(lambda name: "/" not in name and name not in (".", ".."))
TRICKY = st.text(alphabet="_u25fc,.a", min_size=1, max_size=10).filter(lambda name: name not in (".", ".."))


@given(st.one_of(PARTS, TRICKY))
def test_every_name_becomes_an_identifier_and_comes_back(name: str) -> None:
    made = mangled(name)
    assert made.isidentifier()
    assert not iskeyword(made)
    assert demangled(made) == name


@given(st.one_of(PARTS, TRICKY), st.one_of(PARTS, TRICKY))
def test_names_stay_apart(one: str, other: str) -> None:
    assert (mangled(one) == mangled(other)) == (one == other)


@pytest.mark.parametrize("name", ["base", "model_unet", "γ", "_private", "__init__"])
def test_an_identifier_stays_as_it_is(name: str) -> None:
    assert mangled(name) == name


@pytest.mark.parametrize(
    ("config", "stub"),
    [
        ("configs/mnist/base/cfg.py", "configs/mnist/base/cfg.pyi"),
        ("configs/base,2xbs/cfg.py", "configs/base_u2c_2xbs/cfg.pyi"),
        ("configs/10 epoch/cfg.yaml", "configs/_u31_0_u20_epoch/cfg_u2e_yaml.pyi"),
        ("configs/import/cfg.json", "configs/_u69_mport/cfg_u2e_json.pyi"),
    ],
)
def test_paths(config: str, stub: str) -> None:
    assert stub_path(config) == stub
    assert module_name(config) == stub.removesuffix(".pyi").replace("/", ".")
    assert config_path(stub) == config
