"""The entry point of the command: options in, an exit code out, errors told so that a person can act on them."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shlex
import sys
import traceback

from ..errors import TypedcatError
from . import check, convert, diff, explain, graph, init, runs, schema, show, stubs, tune
from .common import AFTER_DASHES, extend_import_path
from .page import ERROR, Page

_TEXT = """\
examples:
  typedcat show configs/mnist/base/cfg.py              the config as a run gets it
  typedcat explain configs/mnist/base/cfg.py opt.lr    where a value comes from
  typedcat diff configs/a/cfg.py configs/b/cfg.py      what differs, and who set it
  typedcat graph configs/mnist/base/cfg.py             the dependencies, as a Mermaid flowchart
  typedcat schema configs/mnist/base/cfg.py            a JSON Schema, for completion in YAML configs
  typedcat convert configs/mnist/base/cfg.py cfg.yaml  the same config in another format
  typedcat stubs                                       type stubs for every config, for editors and checkers
  typedcat init                                        the settings with which they find the stubs
  typedcat check                                       what is wrong with them, before anything runs
  typedcat tune configs/tune/lr/cfg.py --script train.py --metrics eval.json
  typedcat runs configs/tune/lr/cfg.py                 what has become of its runs
  typedcat best configs/tune/lr/cfg.py acc             the config of the best one
  typedcat show --help                                 all about one command

exit code: 0 done, 1 the configs differ (diff) or have faults, 2 an error, 130 interrupted.
"""
_INTERRUPTED = 130  # as shells report what SIGINT has ended
_BROKEN_PIPE = 141  # and what SIGPIPE has
_BUG = "unexpected {name}: this is a bug in typedcat, unless the last lines of the traceback are your own code"


def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: its arguments; by default those of the process.

    Returns:
        The exit code: 0 done, 1 the configs differ, 2 an error, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that has no 'γ' is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _main(argv)
        sys.stdout.flush()
    except BrokenPipeError:  # `typedcat show cfg.py | head`
        _silence_stdout()
        return _BROKEN_PIPE
    except OSError as error:  # a full disk; what commands raise has become an answer already
        _silence_stdout()
        Page().line(("error: ", ERROR), f"cannot write the answer: {error.strerror}").write(error=True)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _main(argv: list[str] | None) -> int:
    try:
        args = _parsed(sys.argv[1:] if argv is None else argv)
    except SystemExit as error:  # argparse has said why, or shown the help
        return error.code if isinstance(error.code, int) else 2
    page = _answer(args)
    page.write(error=page.code == 2)
    return page.code


def _answer(args: argparse.Namespace) -> Page:
    try:
        extend_import_path()
        page: Page = args.run(args)
    except TypedcatError as error:
        return _error(error, args.traceback)
    except Exception as error:  # noqa: BLE001 - the last resort, which hides nothing
        name = type(error).__name__
        return (
            Page(code=2)
            .add("".join(traceback.format_exception(error)))
            .line(("error: ", ERROR), _BUG.format(name=name))
        )
    return page


def _error(error: TypedcatError, with_traceback: bool) -> Page:
    page = Page(code=2)
    if with_traceback:
        page.add("".join(traceback.format_exception(error))).add("\n")
    page.line(("error: ", ERROR), str(error))
    for note in getattr(error, "__notes__", ()):
        page.line("  ", note.strip())
    return page


def _silence_stdout() -> None:
    """Nobody reads any more; without this the interpreter complains when it flushes at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# -- options


def _parsed(argv: list[str]) -> argparse.Namespace:
    """The options; `typedcat show cfg.py -o lr=1 KEY` is fine, which argparse allows without subcommands only."""
    parser, commands = _parser()
    if not argv or argv[0] not in commands:
        return parser.parse_args(argv)
    command, own = commands[argv[0]], argv[1:]
    if command.get_default(AFTER_DASHES) is None:
        return command.parse_intermixed_args(own)
    dashes = own.index("--") if "--" in own else len(own)
    args = command.parse_intermixed_args(own[:dashes])
    if stray := getattr(args, AFTER_DASHES):  # `--timeout 2 h`, `-p lr=1, 2`
        command.error(f"unrecognized arguments: {shlex.join(stray)}; what the script is to get stands after --")
    setattr(args, AFTER_DASHES, own[dashes + 1 :])
    return args


class _Version(argparse.Action):
    """Prints the version; it stands in the package, which is above all rooms."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        Page().line(f"typedcat {vars(sys.modules[__name__.partition('.')[0]])['__version__']}").write()
        parser.exit()


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of the command, and those of its subcommands."""
    parser = argparse.ArgumentParser(
        prog="typedcat",
        description="See what configs are: their values, where these come from, and how configs differ.",
        epilog=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (show, explain, diff, graph, schema, convert, stubs, check, init, tune, runs):
        command.add(commands)
    return parser, commands.choices
