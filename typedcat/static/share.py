"""Classes that several stubs would define alike are defined once: what a child inherits unchanged is its base's.

It keeps a stub as small as what its config changes, which is what checkers take time for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from .describe import Attribute, Description, StubClass
from .names import module_name
from .spell import Spelled

_LOCAL = re.compile(r"\{:(\w+)\}")

Digests = dict[str, str]
"""The digest of each class that a stub may share, by its name there."""

Elsewhere = dict[str, str]
"""The reference `{module:Name}` that takes the place of a class of a stub, by its name there."""


def digests(description: Description) -> Digests:
    """Digests of the classes of a stub, what they refer to included; a subtree comes after the class that holds it."""
    known: dict[str, str] = dict(description.protocols)
    for made in reversed(description.classes):
        text = _said(repr((made.bases, made.attributes, made.hidden, made.methods, made.inner)), known)
        known[made.name] = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    # a schema that the file defines has a name of its own
    return {made.name: known[made.name] for made in description.classes if made.derived or not made.bases}


def elsewhere(stubs: Iterable[tuple[str, int, Digests]]) -> dict[str, Elsewhere]:
    """Which classes of which stub another one defines.

    Args:
        stubs: (config, number of files that it consists of, digests); what consists of fewer files comes first, so that
            bases define, and children refer.
    """
    owners: dict[str, str] = {}
    found: dict[str, Elsewhere] = {}
    for config, _, own in sorted(stubs, key=lambda stub: (stub[1], stub[0])):
        module = module_name(config)
        found[config] = {}
        for name, digest in own.items():
            here = f"{{{module}:{name}}}"
            owner = owners.setdefault(digest, here)
            if owner != here:
                found[config][name] = owner
    return found


def without(description: Description, names: Elsewhere) -> Description:
    """The description without the classes that another stub defines, and with references in their place."""
    if not names:
        return description
    classes = tuple(_renamed(made, names) for made in description.classes if made.name not in names)
    used = {name for made in classes for name in _LOCAL.findall(repr(made))}
    return replace(
        description,
        root=_said(description.root, names),
        classes=classes,
        protocols=tuple(protocol for protocol in description.protocols if protocol[0] in used),
        merged=tuple((bases, _said(text, names)) for bases, text in description.merged),
    )


def _said(text: str, names: Mapping[str, str]) -> str:
    return _LOCAL.sub(lambda found: names.get(found[1], found[0]), text)


def _renamed(made: StubClass, names: Mapping[str, str]) -> StubClass:
    return replace(made, attributes=tuple(_renamed_key(one, names) for one in made.attributes))


def _renamed_key(one: Attribute, names: Mapping[str, str]) -> Attribute:
    type_ = one.type
    return replace(one, type=Spelled(_said(type_.read, names), _said(type_.write, names), type_.why))
