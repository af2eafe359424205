"""`typedcat schema`: the JSON Schema of a config, with which editors check YAML and JSON; or a class for the config."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any

from ..errors import ProjectError, SchemaError, did_you_mean, short_path
from ..load.modules import run_config_file
from ..load.pipeline import parse_config
from ..load.project import find_project, locate
from ..load.validators import json_schema
from ..static.as_class import class_text, is_class_name
from ..tree.keys import suggest
from ..tree.merge import schema_of
from .common import Commands, add_command, aside
from .page import Page

_TEXT = """\
Print the JSON Schema of the schema that a config has to fit.

examples:
  typedcat schema configs/mnist/base/cfg.py -O schema.json     the schema of a config
  typedcat schema schema.py:Train                              a class in a file: TypedConfig, pydantic model,
  typedcat schema lab.schemas:Train                            dataclass or TypedDict; or in a module
  typedcat schema configs/mnist/base/cfg.py --as-class         Python: a TypedConfig class that declares the config

With it editors complete the keys of YAML and JSON configs, and mark what is wrong. In VS Code, with the extension
'YAML' (redhat.vscode-yaml), begin a YAML config with the path of the schema, counted from the config:
  # yaml-language-server: $schema=../../schema.json
In a JSON config VS Code takes it from "json.schemas" in the settings.

A class is for configs that have no schema yet. The config fits it; from then on the class is yours to edit.
"""
_CLASS = re.compile(r"(?P<home>.+):(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "schema", "print the JSON Schema of a config, for editors", _TEXT)
    parser.add_argument("config", metavar="CONFIG", help="a config, module:Class or file.py:Class")
    parser.add_argument(
        "--as-class", metavar="NAME", nargs="?", const="Train", type=_class_name,
        help="print Python instead: a class for a config without one, called NAME (default: Train)",
    )  # fmt: skip
    parser.add_argument("-O", "--output", metavar="FILE", type=Path, help="write to a file instead")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    named = _CLASS.fullmatch(args.config)
    if args.as_class is not None:
        if named:
            raise SchemaError(f"{args.config} is a class already\n  --as-class takes a config")
        with aside():
            return _written(args.output, _class_of_config(args), mode="x")
    with aside():
        schema = _class(named["home"], named["name"]) if named else _schema_of_config(args)
    return _written(args.output, json.dumps(json_schema(schema), indent=2, ensure_ascii=False) + "\n", mode="w")


def _written(file: Path | None, text: str, mode: str) -> Page:
    """The answer, or nothing if it goes to a file; the mode "x" overwrites none."""
    if file is None:
        return Page().add(text)
    try:
        with file.open(mode, encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        hint = "it may have been edited; name another file, or remove it first"
        raise ProjectError(f"{short_path(file)} exists already", hint) from error
    except OSError as error:
        raise ProjectError(f"cannot write {short_path(file)}: {error.strerror}") from error
    return Page()


def _class_name(text: str) -> str:
    if not is_class_name(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of a class; the config goes first: CONFIG --as-class")
    return text


def _class_of_config(args: argparse.Namespace) -> str:
    """The module that declares the keys of the config."""
    root = parse_config(args.config, args.experiments_root, args.config_root, create_rslt_dir=False)
    name = "" if args.as_class == "Train" else f" {args.as_class}"
    return class_text(root, args.as_class, f"typedcat schema {shlex.quote(args.config)} --as-class{name}")


def _schema_of_config(args: argparse.Namespace) -> Any:
    """What the config has to fit; its values need not fit yet."""
    root = parse_config(args.config, args.experiments_root, args.config_root, create_rslt_dir=False)
    schema = schema_of(root)
    if schema is None:
        raise SchemaError(
            f"{args.config} has no schema\n"
            "  give it one: cfg = Config(schema=...), or name a class: typedcat schema schema.py:Train"
        )
    return schema


def _class(home: str, name: str) -> Any:
    """The class `name` of a file or module."""
    if home.endswith(".py"):
        project = find_project()
        module = run_config_file(locate(home, project=project, what="Python"), import_root=project.root)
    else:
        try:
            module = importlib.import_module(home)
        except (Exception, SystemExit) as error:  # what the user's module raises can be anything
            raise SchemaError(f"cannot import '{home}': {type(error).__name__}: {error}") from error
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            close = did_you_mean(suggest(part, [one for one, value in vars(found).items() if isinstance(value, type)]))
            raise SchemaError(f"{home} has no '{name}'" + (f"\n  {close}" if close else ""))
        found = getattr(found, part)
    return found
