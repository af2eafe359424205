"""A git repository: its commits, what they change, and its tags."""

from __future__ import annotations

import os
import posixpath
import subprocess
from dataclasses import dataclass

from ...errors import ProjectError, short_path

# A program that git starts, such as a hook, finds these set for the repository of that hook.
_OF_ANOTHER_REPOSITORY = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH", "GIT_NAMESPACE",
)  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A git repository, asked from one of its folders.

    Attributes:
        folder: that folder.
        prefix: its path from the root of the repository, with a '/' at its end; '' at the root.
    """

    folder: str
    prefix: str

    def inside(self, path: str) -> str:
        """The path of something from the root of the repository; '' is the root.

        Args:
            path: the same from the folder, or an absolute path.

        Raises:
            ProjectError: it lies outside.
        """
        if os.path.isabs(path):
            path = os.path.relpath(os.path.realpath(path), os.path.realpath(self.folder))
        found = posixpath.normpath(posixpath.join(self.prefix, path.replace(os.sep, "/")))
        if found == ".." or found.startswith("../"):
            raise ProjectError(f"{path} lies outside of the repository of {short_path(self.folder)}")
        return "" if found == "." else found

    def commit(self, name: str) -> str:
        """The hash of the commit that a name means.

        Raises:
            ProjectError: there is none.
        """
        found = "" if name.startswith("-") else self.found_commit(name)
        if not found:
            raise ProjectError(
                f"there is no commit {name!r} in the repository of {short_path(self.folder)}",
                "`git log --oneline` shows those that are there; of an ambiguous hash more digits are needed",
            )
        return found

    def found_commit(self, name: str) -> str:
        """The hash of the commit that a name means; '' if there is none."""
        code, output, _ = _git(self.folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return "" if code else output.strip()

    def changed_files(self, commit: str) -> list[str]:
        """The files that a commit has added or changed, against its first parent; renamed ones are new."""
        parents = self.ask("rev-list", "--parents", "-n", "1", commit).split()[1:]
        revisions = [parents[0], commit] if parents else ["--root", commit]
        options = ("-r", "-z", "--no-commit-id", "--name-only", "--no-renames", "--diff-filter=d")
        return [name for name in self.ask("diff-tree", *options, *revisions, "--").split("\0") if name]

    def holds(self, commit: str, path: str) -> bool:
        """Whether there is a file in a commit."""
        return not _git(self.folder, "cat-file", "-e", f"{commit}:{path}")[0]

    def tagged(self, tag: str) -> str:
        """The hash of the commit that a tag is at; '' if there is no such tag."""
        return self.found_commit(f"refs/tags/{tag}")

    def tag(self, tag: str, commit: str) -> None:
        """Make a tag (a plain one, without a message); one that is there is not moved.

        Raises:
            ProjectError: git refuses.
        """
        self.ask("update-ref", f"refs/tags/{tag}", commit, "")  # '': it must not be there, also at this very moment

    def ask(self, *arguments: str) -> str:
        """What git answers.

        Raises:
            ProjectError: it refuses.
        """
        code, output, errors = _git(self.folder, *arguments)
        if code:
            raise ProjectError(f"git {arguments[0]} failed in {short_path(self.folder)}: {errors.strip()}")
        return output


def repository_of(folder: str) -> Repository:
    """The repository that a folder lies in.

    Raises:
        ProjectError: there is no such folder, no git, or no repository.
    """
    if not os.path.isdir(folder):
        raise ProjectError(f"{short_path(folder)} is no folder", "-r takes a folder of a git repository")
    code, prefix, errors = _git(folder, "rev-parse", "--show-prefix")
    if code:
        raise ProjectError(f"{short_path(folder)} is in no git repository that git can use: {errors.strip()}")
    return Repository(folder, prefix.removesuffix("\n"))


def _git(folder: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of git.

    Raises:
        ProjectError: there is no git.
    """
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env={**kept, "LC_ALL": "C"}, stdin=subprocess.DEVNULL,
            capture_output=True, check=False,
        )  # fmt: skip
    except OSError as error:
        raise ProjectError(
            f"git cannot be run: {error.strerror or error}", "is it installed, and on the PATH?"
        ) from None
    return done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr)


__all__ = ["Repository", "repository_of"]
