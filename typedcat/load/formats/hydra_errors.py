"""The errors for what Hydra cannot compose: with the file and line, and what to do."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import ConfigContentError, ConfigFileError, OverrideError, TypedcatError, short_path
from ...tree.keys import suggest
from .builder import Document, KeyPath
from .hydra_files import chosen_from, is_part
from .omegaconf_texts import Refuse, put_dependencies
from .yaml_text import parse_scalar, read_yaml

__all__ = ["group_of", "refusal", "refuser"]


def refuser(document: Document) -> Refuse:
    """The error for a value of a document."""

    def refuse(at: KeyPath, reason: str, hint: str) -> TypedcatError:
        known = next((at[:n] for n in range(len(at), 0, -1) if at[:n] in document.lines), at)
        file = document.files.get(known, document.path)
        return ConfigContentError(file, reason, document.lines.get(known), hints=[hint])

    return refuse


def group_of(text: str) -> str:
    """What an override names before the '='."""
    return text.partition("=")[0].strip().lstrip("+~")


def refusal(error: Exception, path: Path, choices: list[str]) -> Exception:
    """The error for what Hydra, or what it calls, has raised."""
    import yaml
    from hydra.errors import HydraException, MissingConfigException, OverrideParseException
    from omegaconf.errors import GrammarParseError, OmegaConfBaseException

    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        file = path if mark is None else Path(mark.name)
        try:
            read_yaml(file)
        except ConfigFileError as refused:
            return refused
        return ConfigContentError(file, f"not valid YAML: {error.problem}", None if mark is None else mark.line + 1)
    if str(error).startswith("Config group override must be"):
        return _no_text(choices) or error
    if not isinstance(error, (HydraException, OmegaConfBaseException)):
        return error
    if isinstance(error.__cause__ or error, GrammarParseError) and (ours := _first_unparsable(path.parent)):
        return ours
    reason = " ".join(str(error.__cause__ or error).split()) if not str(error) else _first_lines(str(error))
    if isinstance(error, OverrideParseException):
        return OverrideError(error.override, f"Hydra cannot read it: {reason}")
    suggestions: list[str] = []
    missing = ""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        missing = str(error.missing_cfg_file)
        group, _, option = missing.rpartition("/")
        suggestions = [*suggest(option, error.options or ())] or [*(error.options or ())][:5]
        for text in choices:
            if text.partition("=")[2].strip() == option:
                return OverrideError(text, f"there is no {option} in the group '{group}'", suggestions)
    elif twice := _chosen_twice(reason, choices):
        return twice
    elif blamed := [text for text in choices if text in reason or f"'{group_of(text)}'" in reason]:
        return OverrideError(blamed[0], f"Hydra cannot apply it: {reason}")
    file, line = _entry(error, reason, path)
    hints = [f"there is: {', '.join(suggestions)}" if suggestions else "", _hint(path, missing, bool(suggestions))]
    return ConfigContentError(file, f"Hydra cannot compose it: {reason}", line, hints=hints)


def _no_text(choices: list[str]) -> OverrideError | None:
    """The error for the first choice whose option is no text: `db=null`, `db=1`."""
    for text in choices:
        option = text.partition("=")[2].strip()
        if not isinstance(value := parse_scalar(option), (str, list)):
            hint = (
                f"to choose none write ~{group_of(text)}" if value is None else f"write {group_of(text)}=\"'{option}'\""
            )
            return OverrideError(
                text, f"'{group_of(text)}' is a config group, whose options are names of files", hint=hint
            )
    return None


def _chosen_twice(reason: str, choices: list[str]) -> OverrideError | None:
    """The error for `+db=mysql` where the defaults list chooses an option of that group already."""
    found = re.match(r"Multiple values for (\S+)\. |(\S+) appears more than once", reason)
    for text in choices:
        if found is not None and text.startswith("+") and group_of(text) == (found[1] or found[2]):
            hint = f"write {text.lstrip('+')}, without the +"
            return OverrideError(text, f"the defaults list chooses an option of '{group_of(text)}' already", hint=hint)
    return None


def _first_unparsable(folder: Path) -> ConfigContentError | None:
    """The error for the first interpolation that cannot be parsed, of all files that Hydra may have read."""
    for file in sorted(folder.rglob("*.yaml")):
        try:
            document = read_yaml(file)
            put_dependencies(document.value, refuser(document))
        except ConfigFileError as error:
            if isinstance(error, ConfigContentError) and isinstance(error.__cause__, Exception):
                return error
    return None


def _first_lines(text: str) -> str:
    """The message without the lists of options and places that follow it."""
    return " ".join(re.split(r"\n\s*(?:Available options|Config search path)", text)[0].split())


def _entry(error: Exception, reason: str, path: Path) -> tuple[Path, int | None]:
    """The file and line of the entry of a defaults list that a message is about."""
    named = re.search(r"In '([^']+)'", reason)
    file = path.parent / f"{named[1]}.yaml" if named else path
    if not file.is_file():
        return path, None
    name = str(getattr(error, "missing_cfg_file", None) or "").rpartition("/")[2]
    words = [name] if name else re.findall(r"'([^']+)'", reason.replace(named[0], "") if named else reason)
    for word in words:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line.partition(" #")[0]):
                return file, number
    return file, None


def _hint(path: Path, missing: str, options: bool) -> str:
    """A way out where a part of a config is taken for the whole, or something has to be there before Hydra finds it."""
    group, _, option = missing.rpartition("/")
    if group.startswith("hydra/"):
        return f"a plugin of Hydra has it, which is not installed here: {_plugin(group, option)}"
    if (above := chosen_from(path)) and (is_part(path) or not above[1].startswith("+")):
        return f"it is an option of a config group: load {short_path(above[0])}, with overrides=['{above[1]}']"
    if missing and not options:
        return "if it is a structured config, import the module that registers it in the ConfigStore before"
    return ""


def _plugin(group: str, option: str) -> str:
    """The package of a plugin, after the names that they have: hydra-optuna-sweeper, hydra-submitit-launcher."""
    kind = group.rpartition("/")[2]
    name = option.partition("_")[0]
    return f"pip install hydra-{name}-{kind}" if kind in ("sweeper", "launcher") else f"pip install hydra-{name}"
