"""`typedcat convert`: a config of any format as a file of another."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import ProjectError, short_path
from ..load.convert import ENDINGS, convert, format_of
from .common import Commands, add_command, add_config, add_overrides, aside
from .page import NEW, Page

_TEXT = """\
Write the loaded form of a config to a file of the same or of another format: nothing is inherited, all is computed.

examples:
  typedcat convert configs/mnist/base/cfg.py mnist.yaml        the ending says which format
  typedcat convert configs/voc.yaml configs/voc/cfg.py         a .py config, to go on with
  typedcat convert configs/voc.yaml voc_mm.py --to mmcv        for mmengine and what is built on it
  typedcat convert configs/mnist/base/cfg.py mnist.json -o sched.epochs=2

Formats: typedcat (or alchemy-cat; .py), mmcv (.py), yaml (.yaml, .yml), json (.json), pkl (.pkl). What a format cannot
express is an error that lists all such keys, and nothing is written. The result folder is left out unless the config
sets it itself. In YAML the text '${' is written as '\\${', which typedcat and OmegaConf read as '${' again.

exit code: 0 done, 2 an error.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "convert", "write a config as a file of another format", _TEXT)
    add_config(parser)
    parser.add_argument("file", metavar="FILE", type=Path, help="what to write; relative to the working directory")
    parser.add_argument(
        "--to", metavar="FORMAT", choices=list(ENDINGS), help=f"{', '.join(ENDINGS)} (default: what the ending says)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the file if it is there")
    add_overrides(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    kind = format_of(args.file, args.to)
    if args.file.exists() and not args.force:
        raise ProjectError(f"{short_path(args.file)} exists already", "--force overwrites it")
    with aside():
        convert(
            args.config, args.file, kind, overrides=args.overrides, experiments_root=args.experiments_root,
            config_root=args.config_root, strict=args.strict,
        )  # fmt: skip
    return Page().line(("wrote ", NEW), f"{short_path(args.file)} ({kind})")
