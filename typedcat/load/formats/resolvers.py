"""What `${name:arguments}` gives: OmegaConf's own resolvers, Hydra's, and those that a program registers."""

from __future__ import annotations

import inspect
import os
import string
import sys
import warnings
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ...errors import InterpolationError, MissingKeyError
from ...tree.config import BaseConfig
from ...tree.copying import to_dict
from ...tree.keys import format_path
from ...tree.node import root_of
from ...tree.values import Dependency, dependencies_in
from .extras import needed

__all__ = ["Asker", "as_omegaconf", "call_resolver"]

_NOTHING: Any = object()
_OF_HYDRA = ("now", "python_version")  # registered when Hydra starts
_SPECIAL = ("pass_root", "pass_parent", "pass_node")  # a function takes `_root_`, `_parent_`, `_node_`
_caches: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()  # of resolvers, one per loading of a config


class Asker(Protocol):
    """The interpolation that asks, while it is computed."""

    @property
    def text(self) -> str: ...
    @property
    def at(self) -> tuple[Any, ...]: ...
    @property
    def top(self) -> BaseConfig: ...
    @property
    def hydra(self) -> Mapping[str, Any] | None: ...
    def find(self, name: str) -> Any: ...
    def parsed(self, text: str) -> Any: ...


def call_resolver(asker: Asker, name: str, args: tuple[Any, ...], args_str: tuple[str, ...]) -> Any:
    """The value of a resolver.

    Args:
        asker: the interpolation.
        name: of the resolver: 'oc.env'.
        args: its arguments, computed.
        args_str: the same as texts.

    Raises:
        InterpolationError: there is no such resolver, or it has no value.
    """
    if (own := _OWN.get(name)) is not None:
        return own(asker, *args)
    from omegaconf import OmegaConf

    if name in _OF_HYDRA and not OmegaConf.has_resolver(name):
        needed("hydra.core.utils", "hydra", f"{asker.text!r}").setup_globals()
    resolver = OmegaConf._get_resolver(name)
    if resolver is None:
        raise InterpolationError(
            f"{asker.text!r} names the resolver '{name}', which nobody has registered\n  {_other_way(name, args_str)}"
        )
    return resolver(*_around(asker, resolver), args, args_str)


def _other_way(name: str, args: tuple[str, ...]) -> str:
    """What to write instead of a resolver that is not there: `${env:HOME}` of old, `${TAG:-latest}` of a shell."""
    if name == "env":
        return f"write ${{oc.env:{','.join(args)}}}"
    if name.isupper():
        default = f",{args[0].lstrip('-=?+')}" if args and args[0] else ""
        return f"if it is an environment variable write ${{oc.env:{name}{default}}}"
    return f"call OmegaConf.register_new_resolver('{name}', ...) before the config is loaded"


def as_omegaconf(value: Any) -> Any:
    """A container as one of OmegaConf's, which is what resolvers and texts get."""
    if isinstance(value, BaseConfig):
        value = to_dict(value)
    if type(value) in (dict, list, tuple):
        from omegaconf import OmegaConf

        return OmegaConf.create(value, flags={"allow_objects": True})
    return value


# -- what a registered function may ask for


def _around(asker: Asker, resolver: Callable[..., Any]) -> tuple[Any, Any, Any]:
    """The root, the parent and the node that OmegaConf's wrapper of a function wants.

    Most functions take none of them; then the root is there for the cache that it holds.
    """
    wants = inspect.getclosurevars(resolver).nonlocals
    if any(wants.get(name, True) for name in _SPECIAL):
        return _snapshot(asker)
    from omegaconf import OmegaConf

    root = root_of(asker.top)
    run = root.__extra__.resolver if root.__extra__ is not None else None
    if run is None:
        return OmegaConf.create(), None, None
    if run not in _caches:
        _caches[run] = OmegaConf.create()
    return _caches[run], None, None


def _snapshot(asker: Asker) -> tuple[Any, Any, Any]:
    """The config as OmegaConf's: its interpolations as they are written, other dependencies computed."""
    from omegaconf import OmegaConf

    root = OmegaConf.create(_written(asker.top), flags={"allow_objects": True})
    parent: Any = root
    for key in asker.at[:-1]:
        parent = parent._get_node(key)
    return root, parent, parent._get_node(asker.at[-1])


def _written(value: Any) -> Any:
    if isinstance(value, Dependency):
        return getattr(value.func, "text", "???")
    if isinstance(value, BaseConfig):
        return {key: _written(_as_written(value, key)) for key in dict.keys(value)}
    if type(value) is dict:
        return {key: _written(item) for key, item in value.items()}
    return [_written(item) for item in value] if type(value) in (list, tuple) else value


def _as_written(node: BaseConfig, key: Any) -> Any:
    value = dict.__getitem__(node, key)
    own = all(hasattr(one.func, "text") for one in dependencies_in(value))
    return value if own else node[key]


# -- OmegaConf's own, which look things up


def _env(asker: Asker, name: str, default: Any = _NOTHING) -> str | None:
    if (value := os.environ.get(name)) is not None:
        return value
    if default is _NOTHING:
        raise InterpolationError(
            f"the environment variable {name} is not set\n  set it, or write a default: ${{oc.env:{name},...}}"
        )
    return None if default is None else str(default)


def _select(asker: Asker, key: str, default: Any = None) -> Any:
    try:
        return as_omegaconf(asker.find(key))
    except (MissingKeyError, InterpolationError):
        return as_omegaconf(default)


def _decode(asker: Asker, text: str | None) -> Any:
    if not isinstance(text, (str, type(None))):
        raise InterpolationError(f"oc.decode takes a text or null, got {text!r}")
    return None if text is None else asker.parsed(text)


def _create(asker: Asker, value: Any) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.create(value)


def _deprecated(
    asker: Asker, key: str, message: str = "'$OLD_KEY' is deprecated. Change your code and config to use '$NEW_KEY'"
) -> Any:
    value = asker.find(key)
    shown = string.Template(message).safe_substitute(OLD_KEY=format_path(asker.at), NEW_KEY=key)
    warnings.warn(shown, UserWarning, stacklevel=2)
    return as_omegaconf(value)


def _mapping(asker: Asker, key: str) -> Mapping[Any, Any]:
    value = asker.find(key)
    if not isinstance(value, Mapping):
        raise InterpolationError(f"{asker.text!r}: '{key}' has no keys, it is {value!r:.80}")
    return value


def _keys(asker: Asker, key: str) -> Any:
    return as_omegaconf(list(_mapping(asker, key).keys()))


def _values(asker: Asker, key: str) -> Any:
    values = _mapping(asker, key).values()
    return as_omegaconf([to_dict(one) if isinstance(one, BaseConfig) else one for one in values])


# -- Hydra's own, which tells about the job


def _hydra(asker: Asker, path: str) -> Any:
    """What Hydra knows of its job, or what stands for it here: the result folder is what Hydra calls the output_dir."""
    hydra_config = sys.modules.get("hydra.core.hydra_config")
    if hydra_config is not None and hydra_config.HydraConfig.initialized():
        return _of_hydra(asker, path, hydra_config.HydraConfig.get())
    if path == "runtime.cwd":
        return os.getcwd()
    if path == "runtime.output_dir":
        root: Any = root_of(asker.top)
        if "rslt_dir" in root:
            return os.path.abspath(root["rslt_dir"])
        raise InterpolationError(
            f"{asker.text!r} is the result folder, and this config has none\n"
            "  set cfg.rslt_dir, or pass rslt_dir=... or config_root=... to load_config"
        )
    from omegaconf import OmegaConf

    return _of_hydra(asker, path, OmegaConf.create({"hydra": asker.hydra or {}}).hydra)


def _of_hydra(asker: Asker, path: str, facts: Any) -> Any:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        value = OmegaConf.select(facts, path, throw_on_missing=True, default=_NOTHING)
    except OmegaConfBaseException:
        value = _NOTHING
    if value is _NOTHING:
        raise InterpolationError(
            f"{asker.text!r} is known only while Hydra itself runs the job\n"
            f"  give the key a value of its own, or override it: -o {format_path(asker.at)}=..."
        )
    return value


_OWN: dict[str, Callable[..., Any]] = {
    "oc.create": _create,
    "oc.decode": _decode,
    "oc.deprecated": _deprecated,
    "oc.dict.keys": _keys,
    "oc.dict.values": _values,
    "oc.env": _env,
    "oc.select": _select,
    "hydra": _hydra,
}
