"""What is said of calls and class bodies that cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from typedcat import DEP, Drop, Param2Tune, TypedConfig
from typedcat.errors import SchemaError


def test_an_argument_that_does_not_exist_names_what_was_called() -> None:
    call: Any
    for call, name in ((Param2Tune, "Param2Tune"), (DEP, "DEP")):
        with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) got an unexpected keyword argument 'names'$"):
            call([1, 2], names=["a", "b"])


def test_a_class_drops_nothing() -> None:
    class Base(TypedConfig):
        lr: float = 0.1

    with pytest.raises(SchemaError) as caught:
        type("Child", (Base,), {"lr": Drop})
    assert str(caught.value) == (
        "Child.lr = Drop has no type\n"
        "  a class has every field of its base; it is a config that drops a key: cfg.lr = Drop"
    )
