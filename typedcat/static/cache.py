"""What a former run made of each config, and of which files: enough to leave out what has not changed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .catalog import Entry

FOLDER = ".typedcat_cache"


@dataclass(frozen=True)
class Made:
    """What was made of a config.

    Attributes:
        stub: the text of its stub.
        entry: what the catalog says of it.
        files: the config files that it consists of.
        modules: the user's own modules that its process had imported: those of this config, and maybe of others.
    """

    stub: str
    entry: Entry
    files: tuple[str, ...]
    modules: tuple[str, ...] = ()


class Cache:
    """The results of the former run for one folder of stubs.

    A damaged or foreign file counts as none, and what cannot be written is made again by the next run.
    """

    def __init__(self, top: Path, out: Path) -> None:
        key = hashlib.sha1(os.fsencode(os.path.abspath(out)), usedforsecurity=False).hexdigest()[:12]
        self.file = top / FOLDER / f"stubs-{key}.json"
        self.digests: dict[str, str] = {}
        found = _read(self.file)
        same = found.get("version") == _version()
        self.made: dict[str, Made] = {}
        self.signatures: dict[str, dict[str, str]] = {}
        self.modules: dict[str, str] = found.get("modules", {}) if same else {}
        if same and all(self.digest(file) == digest for file, digest in self.modules.items()):
            self.made = {name: _made(one) for name, one in found["made"].items()}
            self.signatures = found["signatures"]
        else:
            self.modules = {}

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
        signature = self.signatures.get(name)
        return signature is not None and all(self.digest(file) == digest for file, digest in signature.items())

    def get(self, name: str) -> Made | None:
        """What was made of a config, by this run or a former one."""
        return self.made.get(name)

    def keep(self, name: str, made: Made) -> None:
        """Remember what was made."""
        self.made[name] = made
        self.signatures[name] = {file: self.digest(file) for file in made.files}
        self.modules.update((file, self.digest(file)) for file in made.modules)

    def forget(self, name: str) -> None:
        """Make it again next time."""
        self.made.pop(name, None)
        self.signatures.pop(name, None)

    def save(self) -> None:
        """Write it for the next run."""
        made = {name: asdict(one) | {"modules": ()} for name, one in self.made.items()}
        content = {"version": _version(), "modules": self.modules, "signatures": self.signatures, "made": made}
        with contextlib.suppress(OSError):
            self.file.parent.mkdir(exist_ok=True)
            (self.file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            partial = self.file.with_suffix(f".{os.getpid()}")
            partial.write_text(json.dumps(content), encoding="utf-8")
            partial.replace(self.file)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@functools.cache
def _version() -> str:
    """What the results depend on besides the files of the user: the interpreter, and this very code."""
    digest = hashlib.sha1(sys.version.encode(), usedforsecurity=False)
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _made(one: dict[str, Any]) -> Made:
    entry = one["entry"]
    merged = tuple((tuple(bases), text) for bases, text in entry["merged"])
    return Made(one["stub"], Entry(entry["module"], tuple(entry["paths"]), entry["root"], merged), tuple(one["files"]))
