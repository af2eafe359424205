"""Writing configs: Python that runs, pickles, and YAML or JSON of what those formats can express."""

from __future__ import annotations

import datetime
import enum
import json
import math
import os
import pickle
import re
import tempfile
from pathlib import Path, PurePath
from typing import Any

from ..errors import SaveError, short_repr
from ..tree.config import BaseConfig
from ..tree.copying import branch_copy, to_dict
from ..tree.keys import join
from ..tree.pickling import dumps
from .declared_types import slot_types
from .pipeline import loaded
from .python_text import SECRET, import_path, py_text, too_deep, why_not
from .secrets import masked

_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
_YAML_ONLY = (bytes, datetime.date, datetime.datetime)


def save(cfg: BaseConfig, file: str | os.PathLike[str], target: str, *, save_copy: bool = True) -> Path:
    """Write a config; nothing in memory changes, and the file is there whole or not at all.

    Args:
        cfg: the config, or a subtree.
        file: where to; folders are made.
        target: 'py', 'pkl', 'yaml' or 'json'.
        save_copy: of a pickle: whether it is of an unfrozen copy.

    Raises:
        SaveError: values that the format cannot express, all of them.
    """
    path = Path(file)
    if target == "pkl":
        data = _pickled(branch_copy(cfg) if save_copy else cfg)
    elif target == "py":
        data = py_text(cfg).encode()
    else:
        data = (yaml_text(cfg) if target == "yaml" else json_text(cfg)).encode()
    write_whole(path, data)
    return path


def _pickled(cfg: BaseConfig) -> bytes:
    try:
        return pickle.dumps(cfg)  # plain data needs no cloudpickle, which takes twice as long; what does brings it in
    except Exception as error:  # what a user's __reduce__ raises can be anything
        problems = [(name, reason) for name, (_, _, value) in cfg.named_ckl if (reason := _why_no_pickle(value))]
        raise SaveError("a pickle", problems or [("cfg", f"{type(error).__name__}: {error}")]) from error


def _why_no_pickle(value: Any) -> str:
    try:
        dumps(value)
    except Exception as error:  # noqa: BLE001 - as above
        return f"{type(error).__name__}: {error}"
    return ""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# -- YAML and JSON


def yaml_text(cfg: BaseConfig, *, lenient: bool = False) -> str:
    """The loaded form of a config as YAML; see `plain`."""
    return dump(plain(cfg, "YAML", lenient), "YAML")


def json_text(cfg: BaseConfig, *, lenient: bool = False) -> str:
    """The loaded form of a config as JSON; see `plain`."""
    return dump(plain(cfg, "JSON", lenient), "JSON")


def dump(data: Any, target: str) -> str:
    """Plain data, or a part of it, as text of a data format."""
    try:
        if target == "JSON":
            return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        import yaml

        text: str = yaml.dump(data, Dumper=_yaml_dumper(), sort_keys=False, allow_unicode=True)
        return text.removesuffix("...\n") if text.endswith("\n...\n") else text  # PyYAML puts it after a scalar
    except RecursionError as error:
        raise too_deep(target) from error


def _yaml_dumper() -> Any:
    """PyYAML's, which quotes what YAML takes for the end of a line: left alone it writes that as it is."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _LINE_ENDS.search(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, represent)
    return Dumper


def plain(cfg: BaseConfig, target: str, lenient: bool) -> Any:
    """The loaded form of a config in the values of a data format; tuples become lists.

    Args:
        cfg: the config; it is loaded first (a copy) if it inherits or has dependencies.
        target: the format, for the message.
        lenient: show what cannot be expressed (classes as `@import.path`, else the repr) instead of refusing.

    Raises:
        SaveError: values that the format cannot express, all of them.
    """
    cfg = loaded(cfg)
    converter = _Plain(cfg, target, lenient)
    try:
        data = converter.tree()
    except RecursionError as error:
        raise too_deep(target) from error
    if converter.problems:
        raise SaveError(target, converter.problems, "save_py imports classes and functions; save_pkl can hold anything")
    return data


class _Plain:
    """Converts values to those of a data format, noting what has no such form."""

    def __init__(self, cfg: BaseConfig, target: str, lenient: bool) -> None:
        self.cfg = cfg
        self.target = target
        self.lenient = lenient
        self.problems: list[tuple[str, str]] = []

    def tree(self) -> dict[Any, Any]:
        """The tree as plain dicts, its leaves converted."""
        plain = to_dict(self.cfg)
        work: list[tuple[Any, dict[Any, Any], str]] = [(self.cfg, plain, "")]
        for node, data, path in work:
            for key, value in list(data.items()):
                at = join(path, key)
                if isinstance(held := dict.__getitem__(node, key), BaseConfig):
                    work.append((held, value, at))
                else:
                    shown = masked(value, slot_types(node, key))
                    data[key] = self.convert(value, at) if shown is value else self.refuse(shown, at, SECRET)
                if (name := self.key(key, at)) is not key:
                    data[name] = data.pop(key)
        return plain

    def convert(self, value: Any, path: str) -> Any:
        if isinstance(value, float) and not math.isfinite(value) and self.target == "JSON":
            return self.refuse(value, path, f"JSON has no {value}")
        if type(value) in (str, int, float, bool, type(None)) or (self.target == "YAML" and type(value) in _YAML_ONLY):
            return value
        if isinstance(value, BaseConfig):
            return self.convert(to_dict(value), path)
        if isinstance(value, dict):
            return {self.key(k, join(path, k)): self.convert(v, join(path, k)) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.convert(item, join(path, i)) for i, item in enumerate(value)]
        if type(value) is set and self.target == "YAML":
            return {self.convert(item, path) for item in value}
        if isinstance(value, PurePath):
            return str(value)
        for kind in (str, bool, int, float):
            if isinstance(value, kind):  # a subclass, such as a str enum
                return self.convert(value.value if isinstance(value, enum.Enum) else kind(value), path)
        if (name := import_path(value)) is not None:
            shown = "@" + name.replace(":", ".")
            return self.refuse(shown, path, f"{shown[1:]} is Python code")
        return self.refuse(value, path, why_not(value))

    def key(self, key: Any, path: str) -> Any:
        if type(key) is str or (self.target == "YAML" and type(key) in (int, float, bool, type(None))):
            return key
        if not isinstance(key, str):
            self.refuse(key, path, f"{self.target} has no {type(key).__name__} keys")
        return str(key)

    def refuse(self, value: Any, path: str, reason: str) -> Any:
        if not self.lenient:
            self.problems.append((path, reason))
        return value if isinstance(value, str) else short_repr(value, 200)
