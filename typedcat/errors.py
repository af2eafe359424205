"""Every exception that typedcat raises on purpose; each is also the built-in that it specialises.

TypedcatError
├── ConfigFileError                    a file could not be used; has `path`, `line`, `column`, `reason`
│   ├── ConfigNotFoundError            (FileNotFoundError) no such file; has `tried`
│   ├── ConfigFormatError              (ValueError) the text is not valid YAML, JSON, pickle, UTF-8 ...
│   ├── ConfigCodeError                (RuntimeError) a `.py` config raised or does not compile; the cause is chained
│   └── ConfigContentError             (ValueError) the file is fine, what it defines is not a config
├── ConfigObjectError                  (ValueError) an object of another library that cannot become a config
├── InheritanceError                   (ValueError) cycles of caps, classes that do not fit together
├── MissingKeyError                    (KeyError, AttributeError) a key that had to be there is not
├── MissingValueError                  (TypeError) a value was needed and an absent key was used as one
├── NotLoadedError                     (RuntimeError, TypeError) an inherited value was used before loading
├── ReservedKeyError                   (AttributeError) an attribute name that belongs to a method
├── FrozenError                        (RuntimeError, KeyError) a write into a frozen tree
├── MountError                         (ValueError) a subtree or dependency cannot live where it was put
├── DependencyError                    (RuntimeError) a DEP raised; the cause is chained
│   └── DependencyCycleError           DEPs that wait for each other
├── InterpolationError                 (ValueError) `${...}` that has no value
├── MandatoryValueError                (ValueError) `???` that nothing has set; has `unset`
├── OverrideError                      (ValueError) `key=value` that does not fit the config
├── SchemaError                        (TypeError) a schema class that is declared wrongly
├── ValidationError                    (ValueError) values that do not fit the schema, all of them at once
├── LikenessError                      (ValueError) a config that lacks what the one has that it has to be like
├── ProjectError                       (ValueError) roots and result folders that contradict each other
├── SaveError                          (ValueError) values that the target format cannot express
├── TuneError                          (RuntimeError) a grid or a runner that cannot be run
│   ├── LedgerError                    a ledger that cannot be read or written; has `path`
│   ├── HeldError                      another runner is at work in the result folder; has `holder`
│   └── GpuError                       GPUs that cannot be had: no driver, too few, no locks
├── DigestError                        (TypeError) values that are not the same in another process
├── EnvError                           (ValueError) an environment for training that cannot be set up; has `argument`
├── MissingExtraError                  (ImportError) an optional library is not installed
└── NoCounterpartError                 (ImportError) a part of AlchemyCat that is not here; has `part`
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import Any, TypeVar

__all__ = [
    "ConfigCodeError",
    "ConfigContentError",
    "ConfigFileError",
    "ConfigFormatError",
    "ConfigNotFoundError",
    "ConfigObjectError",
    "DependencyCycleError",
    "DependencyError",
    "DigestError",
    "EnvError",
    "FrozenError",
    "GpuError",
    "InheritanceError",
    "InterpolationError",
    "LikenessError",
    "MandatoryValueError",
    "MissingExtraError",
    "MissingKeyError",
    "MissingValueError",
    "MountError",
    "NoCounterpartError",
    "NotLoadedError",
    "OverrideError",
    "Problem",
    "ProjectError",
    "ReservedKeyError",
    "SaveError",
    "SchemaError",
    "TuneError",
    "TypedcatError",
    "Unlike",
    "ValidationError",
    "readable",
    "short_path",
    "short_repr",
]


def short_path(path: str | os.PathLike[str]) -> str:
    """The path as a user would type it: relative to the working directory when it lies inside, else as it is."""
    text = os.fspath(path)
    if not os.path.isabs(text):
        return text
    try:
        relative = os.path.relpath(text)
    except (ValueError, OSError):  # another drive on Windows; a working directory that was removed
        return text
    return text if relative.startswith(os.pardir) else relative


_RUN_OF_A_FILE = re.compile(r"_typedcat_[\w/\\:%~-]*\.(?:((?:(?!_typedcat_)[^\n'\"<>])+?)@\d+\b)?")


def readable(text: str) -> str:
    """The text with `configs.base.cfg` for the module names under which config files run."""
    return _RUN_OF_A_FILE.sub(lambda found: found[1] or "", text) if "_typedcat_" in text else text


def short_repr(value: object, limit: int = 80) -> str:
    """`repr(value)` on one line, cut to `limit` characters."""
    try:
        text = repr(value)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken __repr__ must not hide what it is part of
        text = f"<{type(value).__name__} whose repr() raised {type(error).__name__}>"
    text = readable(" ".join(text.split()))
    return text if len(text) <= limit else text[: limit - 3] + "..."


def as_config(mapping: Mapping[Any, Any], limit: int = 60) -> str:
    """The call that makes a subtree of a mapping: `Config(lr=0.1)`."""
    if all(isinstance(key, str) and key.isidentifier() and not iskeyword(key) for key in mapping):
        text = ", ".join(f"{key}={short_repr(value, limit)}" for key, value in mapping.items())
    else:
        text = short_repr(dict(mapping), limit)
    return f"Config({text})" if len(text) <= limit else "Config({...})"


def _with_hints(message: str, *hints: str) -> str:
    return "\n".join([message, *(f"  {hint}" for hint in hints if hint)])


def did_you_mean(suggestions: Sequence[str]) -> str:
    """`did you mean 'a' or 'b'?`, or '' without suggestions."""
    return f"did you mean {' or '.join(repr(name) for name in suggestions)}?" if suggestions else ""


class TypedcatError(Exception):
    """Base of all; `str()` gives the message as written, whichever built-in is mixed in."""

    message: str

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.__dict__)


def _rebuild(cls: type[TypedcatError], message: str, fields: dict[str, Any]) -> TypedcatError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    error.__dict__.update(fields)
    return error


class ConfigFileError(TypedcatError):
    """A config file cannot be used.

    Args:
        path: the file.
        reason: what is wrong with it.
        line, column: where in the file, counted from 1; None when the whole file is meant.
        hints: ways out, one line each.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        reason: str,
        line: int | None = None,
        column: int | None = None,
        hints: Iterable[str] = (),
    ) -> None:
        self.path = Path(path)
        self.reason = reason
        self.line = line
        self.column = column
        self.hints = tuple(hints)
        place = ":".join([short_path(path), *(str(n) for n in (line, column) if n is not None)])
        super().__init__(_with_hints(f"{place}: {reason}", *self.hints))


class ConfigNotFoundError(ConfigFileError, FileNotFoundError):
    """There is no such config file. `tried`: the places that were looked at."""

    def __init__(
        self, path: str | os.PathLike[str], reason: str, tried: Iterable[Path] = (), hints: Iterable[str] = ()
    ) -> None:
        self.tried = tuple(tried)
        super().__init__(path, reason, hints=[*map(_looked_for, self.tried), *hints])


def _looked_for(place: Path) -> str:
    short = short_path(place)  # of the working directory people think last
    return f"looked for {short}" if os.path.isabs(short) else f"looked for {short} in {os.getcwd()}"


class ConfigFormatError(ConfigFileError, ValueError):
    """The text of a config file is not what its ending promises."""


class ConfigCodeError(ConfigFileError, RuntimeError):
    """A `.py` config does not compile or raised while it ran; `__cause__` is the original exception."""


class ConfigContentError(ConfigFileError, ValueError):
    """A config file that runs but does not define a config."""


class ConfigObjectError(TypedcatError, ValueError):
    """An object of another library cannot become a config. `kind`: its class; `key`: the path of the value at fault."""

    def __init__(self, kind: str, key: str, reason: str) -> None:
        self.kind = kind
        self.key = key
        self.reason = reason
        super().__init__(f"a {kind} cannot become a config: {f'{key} ' if key else 'it '}{reason}")


class InheritanceError(TypedcatError, ValueError):
    """Configs that cannot inherit from each other. `chain`: the files or classes involved, in order."""

    def __init__(self, message: str, chain: Iterable[str] = ()) -> None:
        self.chain = tuple(chain)
        super().__init__(message)


class MissingKeyError(TypedcatError, KeyError, AttributeError):
    """A key that had to be there is not.

    Args:
        key: the full path of the key.
        reason: why its absence is an error here.
        suggestions: keys that are there and look similar.
    """

    def __init__(self, key: str, reason: str, suggestions: Sequence[str] = ()) -> None:
        self.key = key
        self.reason = reason
        self.suggestions = tuple(suggestions)
        super().__init__(_with_hints(f"{key}: {reason}", did_you_mean(suggestions)))


class MissingValueError(TypedcatError, TypeError):
    """An absent key (or a subtree) was used where a value is needed."""

    def __init__(self, key: str, use: str, reason: str, suggestions: Sequence[str] = ()) -> None:
        self.key = key
        self.use = use
        self.suggestions = tuple(suggestions)
        super().__init__(_with_hints(f"{key}: {reason}, so {use} is not possible", did_you_mean(suggestions)))


class NotLoadedError(TypedcatError, RuntimeError, TypeError):
    """A value that may come from a base was used before the bases were loaded.

    Args:
        key: the full path of the key that was read.
        use: what was tried with it.
    """

    def __init__(self, key: str, use: str) -> None:
        self.key = key
        self.use = use
        super().__init__(
            _with_hints(
                f"{key} is not known yet: this config inherits, and its bases are read by load_config, so {use} is "
                "not possible here",
                f"compute it when the config is loaded: cfg.other_key = cfg.DEP(lambda c: ... c.{_tail(key)} ...)",
                "an inherited list is appended to by Extend([...]), an inherited key is removed by Drop",
                f"or read it from the base itself: load_config('base.py', create_rslt_dir=False).{_tail(key)}",
            )
        )


def _tail(key: str) -> str:
    return key.removeprefix("cfg.")


class ReservedKeyError(TypedcatError, AttributeError):
    """An attribute was assigned whose name belongs to a method of the tree."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        super().__init__(f"'{name}' is a method of {kind}; as a key it is written and read as cfg[{name!r}]")


class FrozenError(TypedcatError, RuntimeError, KeyError):
    """A frozen tree was to be changed. Both RuntimeError (AlchemyCat) and KeyError (addict)."""

    def __init__(self, key: str, action: str) -> None:
        self.key = key
        self.action = action
        way_out = "call cfg.unfreeze() first; what was computed from it stays as it is, unlike with overrides="
        super().__init__(_with_hints(f"{key}: cannot {action}, the config is frozen", way_out))


class MountError(TypedcatError, ValueError):
    """A subtree or a dependency was put where it cannot live."""

    def __init__(self, key: str, reason: str, hint: str = "") -> None:
        self.key = key
        self.reason = reason
        super().__init__(_with_hints(f"{key}: {reason}", hint))


_MOST_OTHERS = 5

E = TypeVar("E", bound=TypedcatError)


def together(errors: Sequence[E]) -> E:
    """The first of several errors, with a note on each of the others; what is one error more than once counts once."""
    first, *others = {id(one): one for one in errors}.values()
    for other in others[:_MOST_OTHERS]:
        first.add_note("  also: " + str(other).partition("\n")[0])
    if len(others) > _MOST_OTHERS:
        first.add_note(f"  and {len(others) - _MOST_OTHERS} more")
    return first


class DependencyError(TypedcatError, RuntimeError):
    """A dependency could not be computed; the original exception is `__cause__`.

    Args:
        key: the full path of the dependency.
        place: `file:line` that set it.
        reason: what went wrong.
        hint: a way out.
    """

    def __init__(self, key: str, place: str, reason: str, hint: str = "") -> None:
        self.key = key
        self.place = place
        self.reason = reason
        super().__init__(_with_hints(f"{key}: the dependency set at {place} {reason}", hint))


class DependencyCycleError(DependencyError):
    """Dependencies that wait for each other. `cycle`: (key, place) of each, the first not repeated."""

    def __init__(self, cycle: Sequence[tuple[str, str]]) -> None:
        self.cycle = tuple(cycle)
        first = self.cycle[0]
        arrow = " -> ".join([*(key for key, _ in self.cycle), first[0]])
        TypedcatError.__init__(
            self,
            _with_hints(
                f"dependencies form a cycle: {arrow}",
                *(f"{key} is set at {at}" for key, at in self.cycle),
                "it took the place of the value that it reads: keep that one under another key"
                if len(self.cycle) == 1
                else "",
            ),
        )
        self.key, self.place = first
        self.reason = "is part of a cycle"


class InterpolationError(TypedcatError, ValueError):
    """An interpolation of OmegaConf (`${...}`) has no value."""


class MandatoryValueError(TypedcatError, ValueError):
    """Values that have to be set, and are not, such as `???` in a YAML config. `unset`: (key, where it says so)."""

    def __init__(self, source: str, unset: Sequence[tuple[str, str]]) -> None:
        self.source = source
        self.unset = tuple(unset)
        values = "a value that is" if len(unset) == 1 else f"{len(unset)} values that are"
        lines = (f"{key} ({at})" for key, at in self.unset)
        way_out = (
            f"set it in a config that inherits, or by an override: -o {self.unset[0][0]}=... (null if nothing reads it)"
        )
        super().__init__(_with_hints(f"{source} has {values} mandatory and not set", *lines, way_out))


class OverrideError(TypedcatError, ValueError):
    """An override (`key=value`) that cannot be applied. `what`: what it is called, '-p' in an ad-hoc grid."""

    def __init__(
        self, override: str, reason: str, suggestions: Sequence[str] = (), hint: str = "", what: str = "override"
    ) -> None:
        self.override = override
        self.reason = reason
        self.suggestions = tuple(suggestions)
        super().__init__(_with_hints(f"{what} {override!r}: {reason}", did_you_mean(suggestions), hint))


class SchemaError(TypedcatError, TypeError):
    """A schema that is declared wrongly, or is no schema at all."""


@dataclass(frozen=True)
class Problem:
    """One value that does not fit the schema.

    Attributes:
        key: the full path of the key.
        value: what stands there (None when it is absent).
        expected: what the schema wants, in words.
        place: `file:line` that set it; '' when nothing did.
        code: a short name of the kind of problem (pydantic's `type`, or 'unknown_key', 'missing', 'conflict').
        overrode: what the value overrode, `value (file:line)` each, newest first.
        suggestions: similar names that would be right.
        hint: a way out.
    """

    key: str
    value: object
    expected: str
    place: str
    code: str
    overrode: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        got = "" if self.code in ("missing", "unknown_key", "conflict") else f", got {short_repr(self.value)}"
        lines = [f"{self.key}: {self.expected}{got}"]
        if self.place:
            lines.append(f"    set {'by' if self.place.startswith('override ') else 'at'} {self.place}")
        lines += [f"    overrides {step}" for step in self.overrode]
        if self.suggestions:
            lines.append(f"    {did_you_mean(self.suggestions)}")
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


class ValidationError(TypedcatError, ValueError):
    """Values that do not fit the schema, all of them at once.

    Args:
        source: the config (its file, or 'config').
        schema: name of the schema class.
        problems: one `Problem` each.
    """

    def __init__(self, source: str, schema: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.schema = schema
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{source}: {count} problem{'s' if count > 1 else ''} against {schema}"
        super().__init__("\n".join([head, *("  " + str(p).replace("\n", "\n  ") for p in self.problems)]))


@dataclass(frozen=True)
class Unlike:
    """A value that is of another kind than in the config that it has to be like.

    Attributes:
        key: its path.
        got: what kind of value it is.
        wanted: what kind the other config has.
        where: the file and line that set it, or ''.
    """

    key: str
    got: str
    wanted: str
    where: str = ""

    def __str__(self) -> str:
        at = f" (set at {self.where})" if self.where else ""
        return f"{self.key}: should be {self.wanted}, got {self.got}{at}"


class LikenessError(TypedcatError, ValueError):
    """A config does not have what another one has, which it has to be like.

    Attributes:
        missing: the paths of the keys that it lacks.
        unlike: the values that are of another kind.
    """

    def __init__(self, source: str, like: str, missing: Sequence[str], unlike: Sequence[Unlike] = ()) -> None:
        self.source = source
        self.like = like
        self.missing = tuple(missing)
        self.unlike = tuple(unlike)
        keys = "a key" if len(missing) == 1 else f"{len(missing)} keys"
        values = "a value" if len(unlike) == 1 else f"{len(unlike)} values"
        what = f"lacks {keys} of" if missing else f"has {values} of another kind than"
        names = f": {', '.join(missing)}" if missing else ""
        head = f"{source} {what} {like}, which it has to be like{names}"
        super().__init__(_with_hints(head, *map(str, unlike)))


class ProjectError(TypedcatError, ValueError):
    """Roots, config paths and result folders that contradict each other."""

    def __init__(self, reason: str, hint: str = "") -> None:
        self.reason = reason
        super().__init__(_with_hints(reason, hint))


class SaveError(TypedcatError, ValueError):
    """Values that the target format cannot express. `problems`: (key, reason) each."""

    def __init__(self, target: str, problems: Sequence[tuple[str, str]], hint: str = "") -> None:
        self.target = target
        self.problems = tuple(problems)
        lines = (f"{key}: {reason}" for key, reason in self.problems)
        super().__init__(_with_hints(f"{target} cannot express {len(problems)} value(s)", *lines, hint))


class TuneError(TypedcatError, RuntimeError):
    """A grid or a runner that cannot be run."""


class LedgerError(TuneError):
    """A ledger that cannot be read or written. `path`: the file."""

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        self.path = path
        self.reason = reason
        super().__init__(_with_hints(f"the ledger {short_path(path)}: {reason}", hint))


class HeldError(TuneError):
    """A result folder in which another runner is at work. `holder`: what is known about it."""

    def __init__(self, folder: str, holder: str) -> None:
        self.folder = folder
        self.holder = holder
        super().__init__(
            _with_hints(
                f"{short_path(folder)} is being worked on by {holder}",
                "wait for it, end it, or use another result folder; `typedcat runs` shows how far it is",
            )
        )


class GpuError(TuneError):
    """GPUs that cannot be had, now and later: there is no driver, there are too few, or they cannot be locked."""


class DigestError(TypedcatError, TypeError):
    """Values that are not the same in another process. `problems`: (key, reason) each."""

    def __init__(self, source: str, problems: Sequence[tuple[str, str]]) -> None:
        self.source = source
        self.problems = tuple(problems)
        lines = (f"{key}: {reason}" for key, reason in self.problems)
        hints = (
            "a key that makes no difference to the result can be marked as volatile",
            "else keep in the config what it is made from, and make it in the training code",
        )
        head = f"{source}: whether a run was done cannot be told, as {len(self.problems)} value(s) have no digest"
        super().__init__(_with_hints(head, *lines, *hints))


class EnvError(TypedcatError, ValueError):
    """An environment for training that cannot be set up. `argument`: the one of `init_env` that asks for it."""

    def __init__(self, argument: str, reason: str, hint: str = "") -> None:
        self.argument = argument
        self.reason = reason
        super().__init__(_with_hints(f"init_env: {argument}: {reason}", hint))


class MissingExtraError(TypedcatError, ImportError):
    """An optional library is not installed. `extra`: what to install, as in `pip install typedcat[extra]`."""

    def __init__(self, purpose: str, module: str, extra: str) -> None:
        self.module = module
        self.extra = extra
        super().__init__(f"{purpose} needs the package '{module}': pip install 'typedcat[{extra}]'")


class NoCounterpartError(TypedcatError, ImportError):
    """Code written for AlchemyCat imports something of it that is not here. `part`: the module, or what is in it.

    AlchemyCat is a library for computer vision as well; typedcat takes the place of its config system.
    """

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(_no_counterpart(part))


class NoCounterpartNameError(TypedcatError, AttributeError):
    """The same where an attribute of a module is read, which `hasattr` and others take for a question."""

    def __init__(self, part: str) -> None:
        self.part = part
        super().__init__(_no_counterpart(part))


def _no_counterpart(part: str) -> str:
    return _with_hints(
        f"{part} is no part of the config system of AlchemyCat, which is what typedcat provides",
        "pip install alchemy-cat brings the rest of it; config files still get its config system from here, as do "
        "scripts that import from typedcat",
    )
