"""Loading: files to trees to configs that are inherited, computed, validated and frozen."""

from __future__ import annotations

from ..tree import pickling
from ..tree.hooks import hooks
from ..tree.typed import TypedConfig
from .convert import convert
from .formats.objects import as_mapping
from .inherit import inherit
from .modules import register_for_pickling
from .open import open_tree
from .pipeline import load_in_place, parse_in_place, to_model
from .resolve import resolve
from .save import save
from .validators import pydantic_core_schema

hooks.as_mapping = as_mapping
hooks.open_tree = open_tree
hooks.inherit = inherit
hooks.load = load_in_place
hooks.parse = parse_in_place
hooks.compute = resolve
hooks.to_model = to_model
hooks.save = save
hooks.convert = convert
TypedConfig.__get_pydantic_core_schema__ = classmethod(pydantic_core_schema)  # type: ignore[attr-defined]  # pydantic asks for it by this name
pickling.before_cloudpickle.append(register_for_pickling)
