"""Names of git tags for configs: a tag is `exp/` and the path of the config, escaped where git refuses it.

The whole path stands in the name, file included: no two configs share a tag, even if they lie in different folders of
configs; no tag is a folder of another one (git keeps tags as files, so that `a` and `a/b` exclude each other, while a
config `a/cfg.py` and a config `a/b/cfg.py` do not); and no tag is the path of a file, which git would call ambiguous.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

PREFIX = "exp/"

# What `git check-ref-format` refuses, and '%', which begins an escape. Bytes that are no UTF-8 are escaped as well, so
# that every tag can be typed.
_REFUSED = re.compile(
    r"""
      [\x00-\x20\x7f~^:?*\[\\%]
    | [\ud800-\udfff]
    | (?<![^/])\.      # at the beginning of a part of the path
    | (?<=\.)\.        # after another one
    | \.(?=lock(?:/|\Z))
    | \.(?=\Z)
    | (?<=@)\{
    """,
    re.VERBOSE,
)


def tag_of(path: str) -> str:
    """The tag of a config.

    Args:
        path: where it lies, counted from the root of the repository, with '/' between the parts.
    """
    return PREFIX + _REFUSED.sub(lambda found: _escaped(found[0]), path)


def config_of(tag: str) -> str:
    """The path of the config that a tag of `tag_of` belongs to.

    Raises:
        ValueError: it is no such tag.
    """
    path = unquote_to_bytes(tag.removeprefix(PREFIX)).decode("utf-8", "surrogateescape")
    if tag != tag_of(path):
        raise ValueError(f"{tag!r} is not the tag of a config: those begin with {PREFIX!r}")
    return path


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))


__all__ = ["PREFIX", "config_of", "tag_of"]
