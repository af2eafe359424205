"""Keys and paths: which names can be attributes, how a path is written and read, what a misspelt key may have meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Hashable, Iterable
from difflib import get_close_matches
from keyword import iskeyword
from unicodedata import normalize

Key = Hashable
ROOT = "cfg"  # how messages call the root of a tree

_PLAIN = re.compile(r"\.?([^.\[\]]+)")
_BRACKET = re.compile(r"\[('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\[\]'\"]+)\]")


def is_attribute_name(key: object) -> bool:
    """Whether `tree.<key>` is valid Python, and reads this very key: of 'µ' and the like Python makes other letters."""
    if not isinstance(key, str) or not key.isidentifier() or iskeyword(key):
        return False
    return key.isascii() or normalize("NFKC", key) == key


def is_protocol_name(name: str) -> bool:
    """Whether Python, numpy, torch or a notebook probes for this attribute; such a name is never created by reading."""
    return (name[:2] == "__" and name[-2:] == "__") or name.startswith(("_repr_", "_ipython_"))


def join(prefix: str, key: object, methods: Container[str] = ()) -> str:
    """`prefix` and one more key, as it would be typed: `a` + `b` -> `a.b`, `a` + `x y` -> `a['x y']`.

    Args:
        prefix: the path so far.
        key: the key.
        methods: names that are methods there, so that the key has to be written as an item to run as Python.
    """
    name = str(key)
    if is_attribute_name(key) and not is_protocol_name(name) and name not in methods:
        return f"{prefix}.{name}" if prefix else name
    return f"{prefix}[{key!r}]"


def format_path(keys: Iterable[object]) -> str:
    """The keys as one path; '' for none."""
    path = ""
    for key in keys:
        path = join(path, key)
    return path


def parse_path(path: str) -> tuple[Key, ...]:
    """The keys of a path such as `opt.ini.lr`, `bar['x.y'].z` or `steps[3]`; the inverse of `format_path`.

    Raises:
        ValueError: the text is not a path.
    """
    keys: list[Key] = []
    position = 0
    while position < len(path):
        if bracket := _BRACKET.match(path, position):
            keys.append(_literal(bracket[1]))
            position = bracket.end()
        elif (plain := _PLAIN.match(path, position)) and (position > 0) == (path[position] == "."):
            keys.append(plain[1])
            position = plain.end()
        else:
            raise ValueError(f"{path!r} is not a path of keys such as opt.ini.lr or bar['x.y'].z")
    if not keys:
        raise ValueError("the path of a key is empty")
    return tuple(keys)


def _literal(text: str) -> Key:
    try:
        value = ast.literal_eval(text)
        hash(value)
    except (ValueError, SyntaxError, TypeError):
        return text
    return value  # type: ignore[no-any-return]  # hashable, as just tried


def suggest(key: object, known: Iterable[object], limit: int = 2) -> tuple[str, ...]:
    """Names out of `known` that `key` may have meant, best first."""
    if not isinstance(key, str):
        return ()
    names = {name.lower(): name for name in known if isinstance(name, str) and name != key}
    return tuple(names[name] for name in get_close_matches(key.lower(), names, n=limit, cutoff=0.6))
