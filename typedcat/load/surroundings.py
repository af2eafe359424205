"""What a run runs in: the command, the code as git knows it, Python and its packages, the machine, the environment."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import getpass
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .git_state import GitState, git_state
from .project import find_project
from .schema_fields import MASK

_PREFIXES = (
    *("CUDA_", "NVIDIA_", "NCCL_", "GLOO_", "SLURM_", "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "PYTHON", "TORCH"),
    *("PYTORCH_", "JAX_", "XLA_", "HF_", "RANK", "LOCAL_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
    *("MASTER_", "CONDA_", "VIRTUAL_ENV", "HOSTNAME", "TYPEDCAT_"),
)  # fmt: skip
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "AUTH", "JWT", "COOKIE")
# What ends like this: 'tokenizer' and 'n_tokens' are no secrets.
_SECRET_OPTION = re.compile(
    r"(^|[._-])(password|passwd|passphrase|secret|token|credentials?|((api|access|secret|private)[_-]?)key)$", re.I
)
_PASSWORD_IN_URL = re.compile(r"(\w://[^/@\s:]*:)[^/@\s]+@")
_HEADER = re.compile(r"^(Name|Version):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)


@dataclass(frozen=True)
class Surroundings:
    """What the runs of one process, or of one sweep, run in. It can be pickled, and holds nothing secret that its name
    gives away; what only a config knows to be secret is masked when a record is written.

    Attributes:
        started: when this was found out.
        command: `sys.argv`.
        cwd, root: the working directory, and the root of the project.
        python, executable: the version of Python and where it is.
        platform, host, user: of the machine; '' where the system does not say.
        gpus: the names of the machine's GPUs; empty unless torch is in use.
        git: the code.
        environment: the variables that training depends on.
        packages: the version of each installed distribution, by its name.
    """

    started: str = ""
    command: tuple[str, ...] = ()
    cwd: str = ""
    root: str = ""
    python: str = ""
    executable: str = ""
    platform: str = ""
    host: str = ""
    user: str = ""
    gpus: tuple[str, ...] = ()
    git: GitState = field(default_factory=GitState)
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def now(cls, root: str | os.PathLike[str] | None = None) -> Surroundings:
        """Find them out.

        Args:
            root: the folder whose code runs; by default the root of the project of the working directory.

        Returns:
            What could be found out; that something could not is no error.

        Raises:
            ProjectError: see `find_project`.
        """
        place = find_project().root if root is None else Path(os.path.abspath(root))
        code = git_state(place)
        command = tuple(_without_secrets(sys.argv))
        return cls(command=command, root=str(place), git=code, packages=dict(sorted(packages()))).here()

    def here(self) -> Surroundings:
        """The same for this process, perhaps on another machine: code, command and packages stay, the rest is new."""
        return dataclasses.replace(
            self,
            started=local_time(),
            cwd=_working_dir(),
            python=platform.python_version(),
            executable=sys.executable or "",
            platform=platform.platform(),
            host=platform.node(),
            user=_user(),
            gpus=_gpus(),
            environment=environment(os.environ),
        )


def local_time() -> str:
    """The time, as ISO 8601 with the offset of the time zone."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Of environment variables those that training depends on, without secrets."""
    return {
        name: MASK if has_secret_name(name) else without_password(value)
        for name, value in sorted(variables.items())
        if name.startswith(_PREFIXES)
    }


def has_secret_name(name: str) -> bool:
    """Whether a name says that what it names is secret."""
    return any(word in name.upper() for word in _SECRET_WORDS)


def without_password(text: str) -> str:
    """A text without the passwords in its URLs."""
    return _PASSWORD_IN_URL.sub(rf"\1{MASK}@", text)


def _without_secrets(command: Iterable[str]) -> Iterator[str]:
    """The arguments; of `--api-key=x`, `--api-key x` and `login.token=x` without the value."""
    before = ""
    for argument in command:
        name, equals, _ = argument.partition("=")
        if before.startswith("-") and _SECRET_OPTION.search(before):
            yield MASK
        elif equals and _SECRET_OPTION.search(name):
            yield f"{name}={MASK}"
        else:
            yield without_password(argument)
        before = argument


def packages() -> Iterable[tuple[str, str]]:
    """(name, version) of the installed distributions; of two with one name, the one that is imported."""
    found: dict[str, tuple[str, str]] = {}
    for name, version in _distributions():
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), (name, version))
    return found.values()


def _distributions() -> Iterator[tuple[str, str]]:
    """In the order of `sys.path`. Only the two lines are read: parsing all of the metadata takes ten times as long."""
    from importlib import metadata

    for distribution in metadata.distributions():
        try:
            text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        except (OSError, UnicodeDecodeError):
            continue
        header = dict(_HEADER.findall(text.partition("\n\n")[0]))
        if header.get("Name"):
            yield header["Name"], header.get("Version", "")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without an entry for the user
        return ""


def _working_dir() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _gpus() -> tuple[str, ...]:
    """The names of the GPUs, from the driver: asking torch would make a context on one of them, and forking unsafe."""
    if "torch" not in sys.modules:
        return ()
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no GPU, or no driver
        return ()
    try:
        return tuple(map(_gpu_name, range(pynvml.nvmlDeviceGetCount())))
    except pynvml.NVMLError:
        return ()
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _gpu_name(index: int) -> str:
    import pynvml

    name: Any = pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(index))
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)


__all__ = ["Surroundings", "environment", "has_secret_name", "local_time", "packages", "without_password"]
