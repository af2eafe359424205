"""`python -m typedcat.from_x_to_y --x X --y Y`: `typedcat convert` as AlchemyCat calls it; it overwrites."""

from __future__ import annotations

import argparse
import sys

from .cli import main
from .load.convert import ENDINGS


def arguments(argv: list[str] | None = None) -> list[str]:
    """The arguments of the command `typedcat` that do the same."""
    parser = argparse.ArgumentParser(prog="python -m typedcat.from_x_to_y", description=__doc__)
    parser.add_argument("--x", metavar="X", required=True, help="a config of any format")
    parser.add_argument("--y", metavar="Y", required=True, help="the file to write")
    parser.add_argument("--y_type", choices=list(ENDINGS), help="(default: what the ending says; alchemy-cat for .py)")
    given = parser.parse_args(argv)
    kind = [] if given.y_type is None else [f"--to={given.y_type}"]
    x, y = (f"./{name}" if name.startswith("-") else name for name in (given.x, given.y))  # else taken for options
    return ["convert", "--force", *kind, x, y]


if __name__ == "__main__":
    sys.exit(main(arguments()))
