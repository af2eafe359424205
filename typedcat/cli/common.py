"""What the commands share: their options, loading, and finding a key."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from ..console import status
from ..errors import MissingKeyError, ProjectError, short_path
from ..load.import_path import make_importable
from ..load.pipeline import load_config
from ..load.project import find_project
from ..load.schema_fields import MASK, annotation_at, fields_at, is_secret_type
from ..tree.config import BaseConfig
from ..tree.keys import ROOT, format_path, parse_path, suggest
from ..tree.node import path_to
from ..tree.origin import Origin, history
from ..tree.text import leaf_text
from ..tree.walk import named_branches, named_leaves
from .page import on_terminal

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
AFTER_DASHES = "after_dashes"  # the positional argument of a command that passes on what stands after `--`
_MOST_NAMES = 12  # that an error lists
_CONFIG_HELP = (
    "a .py, .yaml, .yml, .json, .toml or .pkl config; relative to the project root, or to the working directory"
)


# -- options


def add_plain_command(commands: Commands, name: str, summary: str, text: str) -> argparse.ArgumentParser:
    """A parser for one command that loads no single config."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=text.partition("\n\n")[0],
        epilog=text.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--traceback", action="store_true", help="show the traceback of an error as well")
    return parser


def add_command(commands: Commands, name: str, summary: str, text: str) -> argparse.ArgumentParser:
    """A parser for one command, with the options of loading."""
    parser = add_plain_command(commands, name, summary, text)
    group = parser.add_argument_group("how configs are loaded")
    group.add_argument("--experiments-root", metavar="DIR", help="the folder of all results (default: the project's)")
    group.add_argument("--config-root", metavar="DIR", help="the folder that results mirror (default: the project's)")
    group.add_argument("--strict", action="store_true", help="reading an absent key is an error, also in their code")
    return parser


def add_jobs(parser: argparse.ArgumentParser, longest_s: float) -> None:
    """The options of commands that read many configs."""
    parser.add_argument("-j", "--jobs", metavar="N", type=int, default=0, help="processes (default: one per core)")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=float, default=longest_s, help="for each config (default: %(default)g)"
    )


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None] | None]:
    """A function to call with what is done and what there is; None where nobody looks at a terminal."""
    if not on_terminal(error=True):
        yield None
        return
    from rich.progress import Progress

    with Progress(console=status(), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def add_config(parser: argparse.ArgumentParser, name: str = "config") -> None:
    """The argument that names a config."""
    parser.add_argument(name, metavar=name.upper(), help=_CONFIG_HELP)


def add_overrides(parser: argparse.ArgumentParser, note: str = "") -> None:
    """The option `-o`."""
    parser.add_argument(
        "-o", "--override", metavar="KEY=VALUE", action="append", default=[], dest="overrides",
        help="set a key, as YAML; +KEY=VALUE adds a new one, ~KEY removes one, KEY=@package.Name imports; may be "
        "repeated" + note,
    )  # fmt: skip


# -- loading


def load(name: str, args: argparse.Namespace) -> BaseConfig:
    """The config that the user named, loaded as their script would, but without a result folder."""
    with aside():
        return load_config(
            name,
            args.experiments_root,
            args.config_root,
            create_rslt_dir=False,
            strict=args.strict,
            overrides=args.overrides,
        )


def aside() -> contextlib.redirect_stdout[TextIO]:
    """While the user's code runs, what it prints goes to standard error: answers may be piped."""
    return contextlib.redirect_stdout(sys.stderr)


def own_configs(command: str) -> Path:
    """The folder of all configs of the project that the user works in.

    Raises:
        ProjectError: there is none, most likely as they are in another folder.
    """
    project = find_project()
    root = project.configs
    if not root.exists():
        raise ProjectError(
            f"{short_path(root)} does not exist: it is looked for in {project.root}",
            f"go to the folder of your project, or name a folder: typedcat {command} path/to/configs",
        )
    return root


def extend_import_path() -> None:
    """Make the user's own modules importable, as `python -m` and `python train.py` do."""
    here = os.getcwd()
    if not sys.flags.safe_path and not {"", here} & set(sys.path):
        sys.path.insert(0, here)
    make_importable(find_project().root)


# -- finding


@dataclass(frozen=True)
class Found:
    """A key of a config.

    Attributes:
        keys: its path.
        value: what stands there.
        slot: the part of the path that lies in the tree; the rest leads into a list or a plain dict.
    """

    keys: tuple[Hashable, ...]
    value: Any
    slot: tuple[Hashable, ...]

    @property
    def path(self) -> str:
        """The path as a user would type it."""
        return format_path(self.keys)


def find(root: BaseConfig, text: str | None) -> Found:
    """The key that the user asked for; the whole config if they named none.

    Raises:
        MissingKeyError: there is no such key.
    """
    if not text:
        return Found((), root, ())
    try:
        keys = parse_path(text)
    except ValueError as error:
        raise MissingKeyError(text, "is not a path of keys such as opt.ini.lr or bar['x.y'].z") from error
    if keys[0] == ROOT and ROOT not in root:  # as it stands in what `show` prints
        keys = keys[1:]
    value: Any = root
    slot: tuple[Hashable, ...] = ()
    for i, key in enumerate(keys):
        if isinstance(value, BaseConfig):
            slot = keys[: i + 1]
        try:
            value = _item(value, key)
        except (KeyError, IndexError, TypeError):
            raise _missing(root, text, keys, i, value) from None
    return Found(keys, value, slot)


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, (list, tuple)) and type(key) is int:
        return value[key]
    if isinstance(value, dict) and dict.__contains__(value, key):
        return dict.__getitem__(value, key)
    raise KeyError(key)


def _missing(root: BaseConfig, text: str, keys: tuple[Hashable, ...], at: int, holder: Any) -> MissingKeyError:
    if "=" in text:
        return MissingKeyError(text, f"there is no such key; to override one write -o {text!r}")
    if not isinstance(holder, (dict, list, tuple)):
        return MissingKeyError(
            text, f"there is nothing below {format_path(keys[:at])}, it is a value of type {type(holder).__name__}"
        )
    names = list(dict.keys(holder)) if isinstance(holder, dict) else []
    found = [format_path((*keys[:at], name, *keys[at + 1 :])) for name in suggest(keys[at], names)]
    found = found or _elsewhere(root, keys[-1])
    there = "" if found or not 0 < len(names) <= _MOST_NAMES else f"; keys there: {', '.join(map(str, names))}"
    return MissingKeyError(text, f"there is no such key{there}", found)


def _elsewhere(root: BaseConfig, key: Hashable) -> list[str]:
    """Paths under which the same name stands in another place."""
    leaves = (path for path, (_, name, _) in named_leaves(root) if name == key)
    subtrees = (path for path, node in named_branches(root) if path and node.__key__ == key)
    return [*leaves, *subtrees][:2]


# -- values as text


def counted(number: int, what: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def is_secret(root: BaseConfig, keys: tuple[Hashable, ...], value: Any) -> bool:
    """Whether a value must not be shown: it, or what its key is declared as, is one of pydantic's secrets."""
    if value is None:
        return False
    return hasattr(type(value), "get_secret_value") or is_secret_type(annotation_at(root, keys))


def leaves(root: BaseConfig, top: BaseConfig | None = None) -> Iterable[tuple[tuple[Hashable, ...], Any]]:
    """(keys from the root, value) of every leaf and every empty subtree, at or below `top`."""
    start = root if top is None else top
    for _, (node, key, value) in named_leaves(start):
        yield (*path_to(node), key), value
    for _, node in named_branches(start):
        if not dict.__len__(node):
            yield path_to(node), node


def text_of(root: BaseConfig, keys: tuple[Hashable, ...], value: Any) -> str:
    """A value as Python, as `show` prints it; a secret masked."""
    if isinstance(value, BaseConfig):
        return "Config()"
    return repr(MASK) if is_secret(root, keys, value) else leaf_text(value)


def value_at(root: BaseConfig, keys: tuple[Hashable, ...]) -> Any:
    """What stands in the tree at `keys`."""
    value: Any = root
    for key in keys:
        value = dict.__getitem__(value, key)
    return value


def story(root: BaseConfig, keys: tuple[Hashable, ...]) -> tuple[Origin, ...]:
    """Who set the value at `keys`, newest first; () where nobody is known."""
    if not keys:
        return ()
    holder = value_at(root, keys[:-1])
    return tuple(history(holder.__origins__.get(keys[-1]), dict.__getitem__(holder, keys[-1])))


_HOW = {"default": "default", "point": "chosen by the tuner", "folder": "mirrors the place of the config"}


def place_text(origin: Origin, computed: bool = False) -> str:
    """Where a value was set, and how if it was not simply written there."""
    notes = [str(origin), _HOW.get(origin.how, ""), "computed" if computed else ""]
    return ", ".join(note for note in notes if note)


def declared_at(root: BaseConfig, keys: tuple[Hashable, ...]) -> Any:
    """The `SchemaField` that declares a key, or None."""
    fields = fields_at(root, keys[:-1]) if keys else None
    return fields.get(str(keys[-1])) if fields is not None else None
