"""Tags a commit with the configs that a commit has added or changed, so that their experiments can be repeated.

Whoever has the config and the code that ran it can run it again: `git checkout exp/configs/mnist/base/cfg.py`.
"""

from __future__ import annotations

import argparse
import io
import sys

from ...console import status, write
from ...errors import ProjectError, TypedcatError
from .exp_tags import tag_of
from .repository import Repository, repository_of

_TEXT = """\
examples, each after `python -m typedcat.torch_tools.scripts.tag_exps`:
                              the configs of the last commit, at the last commit
  -s 1a2b3c4 -a 1a2b3c4       those of another commit, at that commit
  --yes --dry-run             what would be tagged

The tag of configs/mnist/base/cfg.py is exp/configs/mnist/base/cfg.py; what git allows in no tag is escaped as in URLs,
a space as %20. `git tag -l 'exp/*'` lists them. A tag that is there is never moved. Of a merge the configs count that
it brought into its first parent.

exit code: 0 done, 1 a config could not be tagged (its tag is at another commit, or it is not in the commit to tag),
2 an error, 130 interrupted.
"""
_INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run the script.

    Args:
        argv: its arguments; by default those of the process.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that has no 'γ', or a name that is no text
            stream.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(argv)
    try:
        return tag_exps(args)
    except TypedcatError as error:
        status().print(f"error: {error}", markup=False, highlight=False, emoji=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        status().print("\ninterrupted; the tags made so far stay", markup=False, highlight=False)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    summary, _, _ = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m typedcat.torch_tools.scripts.tag_exps", description=summary, epilog=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("-r", "--repo", metavar="DIR", default=".", help="a folder of the repository (default: the working directory)")
    add("-s", "--show", metavar="COMMIT", default="HEAD", help="whose configs (default: %(default)s)")
    add("-a", "--at", metavar="COMMIT", default="HEAD", help="which commit to tag (default: %(default)s)")
    add("-c", "--config_dir", metavar="DIR", default="configs", help="counted from --repo (default: %(default)s)")
    add("-n", "--config_name", metavar="NAME", default="cfg.py", help="of the config files (default: %(default)s)")
    add(
        "-k", "--skip_tagged", metavar="0|1", type=int, default=0, choices=(0, 1),
        help="1: a config whose tag is at another commit is passed over, and the exit code is 0 (default: 0)",
    )  # fmt: skip
    add("-y", "--yes", action="store_true", help="tag all, without asking")
    add("--dry-run", action="store_true", help="make no tag, only tell")
    return parser


def tag_exps(args: argparse.Namespace) -> int:
    """List the configs and tag those that are wanted; returns the exit code.

    Raises:
        ProjectError: no repository, no such commit or folder, or nobody answers.
    """
    repository = repository_of(args.repo)
    show, at = repository.commit(args.show), repository.commit(args.at)
    folder = repository.inside(args.config_dir)
    if folder and not repository.holds(show, folder):
        hint = "-c names the folder of the configs, counted from --repo"
        raise ProjectError(f"there is no folder {_shown(folder)} in commit {_named(args.show, show)}", hint)
    configs = [path for path in repository.changed_files(show) if _is_config(path, folder, args.config_name)]
    where = f"below {_shown(folder)}" if folder else "in the repository"
    write(f"commit {_named(args.show, show)} adds or changes {len(configs)} {args.config_name} {where}")
    left = 0
    for number, path in enumerate(configs, start=1):
        write(f"[{number}/{len(configs)}] {_shown(path)}")
        left += not _tagged(repository, path, at, args)
    return 1 if left else 0


def _is_config(path: str, folder: str, name: str) -> bool:
    head, _, last = path.rpartition("/")
    return last == name and (not folder or f"{head}/".startswith(f"{folder}/"))


def _tagged(repository: Repository, path: str, at: str, args: argparse.Namespace) -> bool:
    """Tag a config, if it is wanted; returns whether nothing is wrong with it."""
    tag, commit = tag_of(path), _named(args.at, at)
    if there := repository.tagged(tag):
        if there == at:
            write(f"  is tagged already: {tag}")
            return True
        write(f"  not tagged: {tag} is at another commit, {there[:12]}; `git tag -d '{tag}'` removes it")
        return bool(args.skip_tagged)
    if not repository.holds(at, path):
        write(f"  not tagged: it is not in commit {commit}")
        return False
    if args.dry_run:
        write(f"  would be tagged: {tag} at {commit}")
        return True
    if args.yes or _wanted(f"  tag {tag} at {commit}? [y/n]: "):
        repository.tag(tag, at)
        write(f"  tagged: {tag}")
    else:
        write("  not tagged")
    return True


def _wanted(question: str) -> bool:
    """What the user answers.

    Raises:
        ProjectError: there is no answer, as standard input is at its end, or closed.
    """
    answers = {"y": True, "yes": True, "n": False, "no": False}
    while True:
        try:
            answer = input(question).strip().lower()
        except (EOFError, RuntimeError) as error:  # the second where a stream was closed before Python has started
            write("")
            state = "at its end" if isinstance(error, EOFError) else "closed"
            raise ProjectError(f"nobody answers: standard input is {state}", "--yes tags all, without asking") from None
        if answer in answers:
            return answers[answer]
        write("  y (yes) or n (no)")


def _named(name: str, commit: str) -> str:
    """A commit, as it was asked for and what that is."""
    return commit[:12] if commit.startswith(name) else f"{commit[:12]} ({name})"


def _shown(path: str) -> str:
    """A path on one line of a terminal."""
    return path if path.isprintable() else repr(path)


if __name__ == "__main__":
    sys.exit(main())
