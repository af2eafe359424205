"""What a former run made of each config, and of which files: enough to leave out what has not changed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FOLDER = ".typedcat_cache"


@dataclass(frozen=True)
class Made:
    """What was made of a config.

    Attributes:
        description: what its stub says, as JSON: of most configs nobody wants to know again.
        opened: the config files that it consists of.
        paths: how users may write its path.
        digests: of the classes of its stub.
        modules: the user's own modules that its process had imported: those of this config, and maybe of others.
    """

    description: str
    opened: tuple[str, ...]
    paths: tuple[str, ...]
    digests: dict[str, str]
    modules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A stub as it was written.

    Attributes:
        elsewhere: the classes that other stubs define.
        text: the stub.
        root, merged: as in its description.
    """

    elsewhere: dict[str, str]
    text: str
    root: str
    merged: tuple[tuple[tuple[str, ...], str], ...]


@dataclass
class _Content:
    """What stands in the file."""

    version: str = ""
    modules: dict[str, str] = field(default_factory=dict)
    signatures: dict[str, dict[str, str]] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)


class Cache:
    """The results of the former run for one folder of stubs.

    A damaged or foreign file counts as none, and what cannot be written is made again by the next run.
    """

    def __init__(self, top: Path, out: Path) -> None:
        key = hashlib.sha1(os.fsencode(os.path.abspath(out)), usedforsecurity=False).hexdigest()[:12]
        self.file = top / FOLDER / f"stubs-{key}.json"
        self.digests: dict[str, str] = {}
        found = _read(self.file)
        same = found.version == _version()
        same = same and all(self.digest(file) == digest for file, digest in found.modules.items())
        self.content = found if same else _Content(_version())
        self.changed = False

    def digest(self, file: str) -> str:
        """The digest of the contents of a file; '' if it is not there."""
        if file not in self.digests:
            try:
                with open(file, "rb") as stream:
                    data = stream.read()
                self.digests[file] = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            except OSError:
                self.digests[file] = ""
        return self.digests[file]

    def is_fresh(self, name: str) -> bool:
        """Whether none of the files of a config has changed."""
        signature = self.content.signatures.get(name)
        return signature is not None and all(self.digest(file) == digest for file, digest in signature.items())

    def get(self, name: str) -> Made | None:
        """What was made of a config, by this run or a former one."""
        return self.content.made.get(name)

    def keep(self, name: str, made: Made) -> None:
        """Remember what was made."""
        self.changed = True
        self.content.made[name] = made
        self.content.written.pop(name, None)
        self.content.signatures[name] = {file: self.digest(file) for file in made.opened}
        self.content.modules.update((file, self.digest(file)) for file in made.modules)

    def written(self, name: str, elsewhere: dict[str, str]) -> Written | None:
        """The stub of a config, if it was written with the same classes left out."""
        found = self.content.written.get(name)
        return found if found is not None and found.elsewhere == elsewhere else None

    def keep_written(self, name: str, written: Written) -> None:
        """Remember a stub."""
        self.changed = True
        self.content.written[name] = written

    def forget(self, name: str) -> None:
        """Make it again next time."""
        self.changed = True
        for known in (self.content.made, self.content.written, self.content.signatures):
            known.pop(name, None)

    def save(self) -> None:
        """Write it for the next run, if there is anything new in it."""
        if not self.changed:
            return
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(exist_ok=True)
            (self.file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            partial = self.file.with_suffix(f".{os.getpid()}")
            partial.write_bytes(_adapter().dump_json(self.content))
            partial.replace(self.file)


def _read(file: Path) -> _Content:
    from pydantic import ValidationError

    try:
        return _adapter().validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return _Content()


@functools.cache
def _adapter() -> TypeAdapter[_Content]:
    from pydantic import TypeAdapter

    return TypeAdapter(_Content)


@functools.cache
def _version() -> str:
    """What the results depend on besides the files of the user: the interpreter, and this very code."""
    digest = hashlib.sha1(sys.version.encode(), usedforsecurity=False)
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
