"""The public surface: what `from typedcat import ...` gives is what `__all__` says."""

from __future__ import annotations

import inspect
from types import ModuleType

import typedcat


def test_all_names_what_is_there() -> None:
    shown = {name for name, value in vars(typedcat).items() if name[0] != "_" and not isinstance(value, ModuleType)} - {
        "annotations",
        "TYPE_CHECKING",
        "Any",
    }
    assert shown | {"Cfg2Tune", "Cfg2TuneRunner", "load_runs", "record_run"} == set(typedcat.__all__)


def test_each_name_says_what_it_is() -> None:
    for name in typedcat.__all__:
        value = getattr(typedcat, name)
        assert inspect.getdoc(value if callable(value) else type(value)), name
