"""What OmegaConf and Hydra make of YAML: `defaults:` lists are composed by Hydra itself, `${...}` is computed later."""

from __future__ import annotations

import contextlib
import contextvars
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import ConfigContentError, ConfigFileError, OverrideError, short_path
from .builder import Document, KeyPath
from .extras import needed
from .hydra_errors import group_of, refusal, refuser
from .hydra_files import has_defaults
from .omegaconf_texts import put_dependencies
from .yaml_text import read_yaml

__all__ = ["choosing", "understood"]

_FACTS = ("job", "mode", "overrides", "run", "runtime", "sweep", "verbose")  # what `${hydra:...}` may ask for
_SETTINGS = {*_FACTS, "callbacks", "env", "help", "hydra_help", "hydra_logging", "job_logging", "launcher"} | {
    "output_subdir", "searchpath", "sweeper",
}  # fmt: skip


class Choices:
    """Overrides, and which of them have chosen the option of a config group: `db=postgresql`."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self.texts = texts
        self.taken: list[str] = []


_choices: contextvars.ContextVar[Choices | None] = contextvars.ContextVar("choices", default=None)


@contextlib.contextmanager
def choosing(overrides: Any) -> Iterator[list[str]]:
    """While it is entered, Hydra gets those overrides that choose the option of a group; the list it gives has them."""
    texts = overrides if isinstance(overrides, (list, tuple)) else ()
    choices = Choices(tuple(text for text in texts if isinstance(text, str)))
    token = _choices.set(choices)
    try:
        yield choices.taken
    finally:
        _choices.reset(token)


def understood(document: Document) -> Document:
    """A YAML document with what OmegaConf and Hydra make of it; any other one as it is.

    Raises:
        MissingExtraError: it needs one of them, which is not installed.
        ConfigFileError: Hydra cannot compose it, or an interpolation cannot be parsed.
        OverrideError: the option that an override chooses is not there.
    """
    facts: Mapping[str, Any] | None = None
    if has_defaults(document.value):
        document, facts = _compose(document.path, "has a defaults list")
    elif chosen := _chosen_beside(document.path):
        document, facts = _compose(document.path, f"gets {chosen}, which chooses an option of a config group, and that")
    elif _has_settings(document.value):
        facts = _without_settings(document)
    put_dependencies(document.value, refuser(document), hydra=facts, mandatory=facts is not None)
    return document


def _has_settings(value: Mapping[Any, Any]) -> bool:
    """Whether a document says under `hydra` how Hydra shall run it; Hydra takes that key out of the config."""
    settings = value.get("hydra")
    return isinstance(settings, dict) and bool(settings) and settings.keys() <= _SETTINGS


def _without_settings(document: Document) -> Mapping[str, Any]:
    """Take what is for Hydra out of a document that there is nothing to compose of; what it knows of the job."""
    settings = document.value.pop("hydra")
    given, name = settings.get("job"), document.path.stem
    job = {"name": name, "config_name": name, **(given if isinstance(given, dict) else {})}
    return {**settings, "job": job}


# -- composing


def _compose(path: Path, why: str) -> tuple[Document, dict[str, Any]]:
    needed("hydra", "hydra", f"{short_path(path)} {why}{'' if why.endswith('that') else ', which'}")
    if path.suffix != ".yaml":
        raise ConfigContentError(
            path, f"Hydra composes files that end in .yaml, not in {path.suffix}", hints=["rename it"]
        )
    with _hydra_of(path) as loader:
        choices = _chosen(loader)
        try:
            value, facts, defaults = _composed(path.stem, choices, loader)
        except Exception as error:
            raise refusal(error, path, choices) from error
    return _with_places(path, value, defaults), facts


def _composed(name: str, choices: list[str], loader: Any) -> tuple[dict[Any, Any], dict[str, Any], list[Any]]:
    """The composed config as plain data, interpolations as texts; what Hydra knows of the job; what it is made of."""
    from hydra import compose
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    config = compose(name, overrides=choices, return_hydra_config=True)
    defaults = loader.compute_defaults_list(name, choices, RunMode.RUN).defaults
    value: Any = OmegaConf.to_container(config, resolve=False)
    facts = value.pop("hydra")
    return value, {key: facts[key] for key in _FACTS if key in facts}, defaults


@contextlib.contextmanager
def _hydra_of(path: Path) -> Iterator[Any]:
    """Hydra over the folder of a config; what the program itself has of Hydra is put back afterwards."""
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.singleton import Singleton
    from hydra.core.utils import JobRuntime
    from hydra.version import VersionBase

    base, job, instances = VersionBase.instance(), JobRuntime.instance(), Singleton._instances
    version, name, running = base.getbase(), job.get("name"), instances.pop(GlobalHydra, None)
    try:
        with warnings.catch_warnings(), initialize_config_dir(str(path.parent), path.stem, version_base=None):
            warnings.filterwarnings("ignore", "(?s).*Defaults list is missing `_self_`")  # advice about Hydra 1.0
            yield GlobalHydra.instance().config_loader()
    finally:
        base.version_base = version
        job.set("name", name)
        if running is not None:
            instances[GlobalHydra] = running


def _chosen(loader: Any) -> list[str]:
    """The overrides that are for Hydra: those of its settings, and those that choose the option of a group."""
    choices = _choices.get()
    if choices is None:
        return []
    mine = []
    for text in choices.texts:
        if group_of(text).startswith("hydra."):
            _refuse_folder(text)
            mine.append(text)
            continue
        name, equals, option = text.partition("=")
        group = group_of(text).partition("@")[0]
        if (equals or name.startswith("~")) and not option.lstrip().startswith("{") and _is_group(group, loader):
            if "," in option and not option.lstrip().startswith("["):
                hint = "choose one; a sweep over them is a Cfg2Tune whose caps are a Param2Tune"
                raise OverrideError(text, "chooses several options, as for a sweep of Hydra", hint=hint)
            mine.append(text)
    choices.taken += [text for text in mine if text not in choices.taken]
    return mine


def _refuse_folder(text: str) -> None:
    """An error for the override of a folder of Hydra, which nothing is written to."""
    if group_of(text).startswith(("hydra.run.", "hydra.sweep.")):
        hint = "override rslt_dir, or pass rslt_dir=... to load_config"
        raise OverrideError(text, "sets a folder of Hydra, which makes none here", hint=hint)


def _chosen_beside(path: Path) -> str:
    """An override `+db=mysql` that names a file in a folder beside a config with no defaults list; '' if none does."""
    choices = _choices.get()
    for text in choices.texts if choices is not None else ():
        group, option = group_of(text).partition("@")[0], text.partition("=")[2].strip()
        if text.startswith("+") and group and option and (path.parent / group / f"{option}.yaml").is_file():
            return repr(text)
    return ""


def _is_group(name: str, loader: Any) -> bool:
    return bool(name) and bool(loader.get_group_options(name))


# -- where values are set


def _with_places(path: Path, value: dict[Any, Any], defaults: list[Any]) -> Document:
    """The composed document, each key with the file and line that set it last."""
    lines: dict[KeyPath, int] = {}
    files: dict[KeyPath, Path] = {}
    for part in defaults:
        file = path.parent / f"{part.config_path}.yaml"
        if part.config_path is None or not file.is_file():
            continue
        prefix = tuple(part.package.split(".")) if part.package else ()
        for length in range(1, len(prefix) + 1):
            files.setdefault(prefix[:length], file)
        for at, line in _lines_of(file).items():
            lines[(*prefix, *at)], files[(*prefix, *at)] = line, file
    return Document(path, value, lines, files)


def _lines_of(file: Path) -> dict[KeyPath, int]:
    try:
        return read_yaml(file).lines
    except ConfigFileError:  # OmegaConf reads a few things that a config of typedcat cannot have
        return {}
