"""What methods of a config ask of the layers above; they put their functions here when they are imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import TypedcatError


class Hooks:
    """The functions of `typedcat.load` behind `Config('path')`, `cfg.load()`, `cfg.save_py()` and `cfg.to_model()`."""

    as_mapping: Callable[..., Any]
    open_tree: Callable[..., Any]
    inherit: Callable[..., Any]
    load: Callable[..., Any]
    parse: Callable[..., Any]
    compute: Callable[..., Any]
    to_model: Callable[..., Any]
    save: Callable[..., Any]
    convert: Callable[..., Any]

    def __getattr__(self, name: str) -> Any:
        raise TypedcatError(f"{name} needs the loading layer: import typedcat, not one of its inner modules")


hooks = Hooks()
