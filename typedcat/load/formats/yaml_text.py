"""Reads YAML as data: one mapping, the line of every key, and nothing that could run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typedcat.load.formats.builder import Document, DocumentBuilder, DocumentFault
from typedcat.load.formats.documents import decode, read_bytes
from typedcat.load.formats.expression import evaluate

if TYPE_CHECKING:
    import yaml

__all__ = ["Mandatory", "parse_scalar", "read_yaml"]

_STANDARD = "tag:yaml.org,2002:"
_MAPPING_SHAPES = {"map": "dict", "set": "set"}
_SEQUENCE_SHAPES = {"seq": "list", "omap": "pairs", "pairs": "pairs", "python/tuple": "tuple"}  # which is data, too
_EXPRESSION = f"{_STANDARD}python/object/apply:eval"  # of detectron2: a list of one text
_STANDARD_NAMES = {"str", "int", "float", "bool", "null", "binary", "timestamp", *_MAPPING_SHAPES, *_SEQUENCE_SHAPES}
# YAML 1.1, and so PyYAML, wants a point and a sign: 1.0e-3. Nobody who types lr=1e-3 means a string.
_EXPONENT_FLOAT = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)[eE][-+]?\d+")
_FLOW_PARTS = re.compile(r"""'(?:[^']|'')*'|"(?:\\.|[^"\\])*"|\$\{|[{}\[\],:]|[^'"${}\[\],:]+|.""", re.DOTALL)
_COLON_LATER = re.compile(r"""[^'"{}\[\],]*:(?:\s|$)|\s""")  # the one that YAML takes for the end of a key
_TAB_HINT = "YAML is indented with spaces: replace the tab"
_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*\$\{")
_MANDATORY = "???"
# what only Hydra's files have, and those of other libraries over OmegaConf
_OF_HYDRA = re.compile(r"^(?:#[ \t]*@package\b|hydra[ \t]*:|(?:[ \t]*-)*[ \t]*_(?:target|component)_:)", re.MULTILINE)

ScalarReader = Callable[["yaml.ScalarEvent"], tuple[Any, bool]]


class Mandatory(str):
    """OmegaConf's `???`: a value that somebody else has to set."""

    __slots__ = ()


def read_yaml(path: Path) -> Document:
    """A YAML file as plain data.

    Scalars are what PyYAML's safe loader makes of them, so `1e-3` is a string; it is a float in a file with what only
    Hydra's have (`# @package`, `hydra:`, `_target_:`). In a file with an interpolation (`${`) or a mandatory value
    (`???`, without quotes) they are what OmegaConf makes of them: there `1e-3` is a float, a date is text, and `???` in
    quotes is mandatory as well. Merge keys (`<<`) work; every alias becomes a copy of its own. Of Python there are
    tuples (`!!python/tuple`) and the arithmetic of `!!python/object/apply:eval`, which is worked out, not run.

    Raises:
        ConfigFileError: the file cannot be read.
        ConfigFormatError: it is not valid YAML, asks for Python objects, has duplicate keys, several documents, or
            aliases that expand without bound, or is empty.
        ConfigContentError: its top level is no mapping.
    """
    text = decode(path, read_bytes(path))
    try:
        value, lines = _built_as_meant(text).finish()
    except DocumentFault as fault:
        raise fault.at(path) from fault.__cause__
    return Document(path, value, lines)


def _built_as_meant(text: str) -> DocumentBuilder:
    """The text by the rules of YAML, or by those of OmegaConf if it has something that only OmegaConf knows."""
    read = _scalar_reader(exponent_floats=_OF_HYDRA.search(text) is not None)
    if "${" not in text and _MANDATORY not in text:
        return _build(text, read)
    of_omegaconf = False

    def watch(event: yaml.ScalarEvent) -> tuple[Any, bool]:
        nonlocal of_omegaconf
        of_omegaconf = of_omegaconf or _is_mandatory(event) or _INTERPOLATION.search(event.value) is not None
        return read(event)

    builder = _build(text, watch)
    return _build(text, _scalar_reader(omegaconf=True)) if of_omegaconf else builder


def _is_mandatory(event: yaml.ScalarEvent) -> bool:
    return bool(event.value == _MANDATORY and event.implicit[0])


def parse_scalar(text: str) -> Any:
    """The value that an override `key=text` means: YAML, in which `1e-3` is a float, and `{a:1}` is `{a: 1}`.

    Numbers to the base 60 are text: nobody who types `time=10:30` means 630.

    Args:
        text: what stands after the '='; '' is None.

    Returns:
        A scalar, list or dict.

    Raises:
        ValueError: it is not valid YAML, asks for Python objects, or has a comment in it.
    """
    if not text.strip():
        return None
    if re.search(r"(?:^|\s)#", text) and not re.search("[\"']", text):
        raise ValueError("' #' begins a comment in YAML: put the text in quotes")
    try:
        value, _ = _build(_spaced(text), _scalar_reader(exponent_floats=True, base_60=False)).finish(
            document_is_mapping=False
        )
    except DocumentFault as fault:
        hint = f" ({fault.hint})" if fault.hint else ""
        raise ValueError(f"{fault.reason}{hint}") from fault.__cause__
    return value


def _spaced(text: str) -> str:
    """With a space after each colon behind a key in `{ }`: Hydra's overrides need none, to YAML `a:1` is one text."""
    if "{" not in text or text.lstrip()[0] not in "{[":
        return text
    parts: list[str] = []
    inside: list[str] = []
    at_key = False
    for found in _FLOW_PARTS.finditer(text):
        part = found[0]
        if part in ("{", "[", "${"):
            inside.append(part)
        elif part in ("}", "]"):
            del inside[-1:]
        elif part == ":" and at_key:
            at_key = False
            part = ":" if _COLON_LATER.match(text, found.end()) else ": "
        if part in ("{", ",", "${"):
            at_key = inside[-1:] == ["{"]
        parts.append(part)
    return "".join(parts)


def _build(text: str, read_scalar: ScalarReader) -> DocumentBuilder:
    """Feeds the parser's events to a builder; neither recurses."""
    import yaml

    data = text.encode("utf-8", "surrogatepass")  # bytes, so that both parsers mean the same by a position
    try:
        try:
            return _fed(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader), read_scalar)
        except yaml.MarkedYAMLError as error:
            if "nesting depth" not in (error.problem or ""):
                raise
        # libyaml from 0.2.6 on stops at 1,000 levels; the parser in Python is slow, and goes on
        return _fed(data, yaml.SafeLoader, read_scalar)
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(error, text) from error
    except yaml.reader.ReaderError as error:
        line = data.count(b"\n", 0, error.position) + 1
        code = ord(error.character) if isinstance(error.character, str) else error.character
        raise DocumentFault(f"character 0x{code:02x} at offset {error.position}: {error.reason}", line) from error


def _fed(data: bytes, loader: Any, read_scalar: ScalarReader) -> DocumentBuilder:
    import yaml

    builder = DocumentBuilder()
    events = yaml.parse(data, Loader=loader)
    for event in events:
        if isinstance(event, yaml.SequenceStartEvent) and event.tag == _EXPRESSION:
            _feed_value(builder, _evaluated(event, events), _place(event)[0], event.anchor)
        else:
            _feed(builder, event, read_scalar)
    return builder


def _evaluated(start: yaml.SequenceStartEvent, events: Iterator[yaml.Event]) -> Any:
    """The value of the one expression in a list that has the tag for it; the events up to its end are taken."""
    import yaml

    inside = next(events), next(events)
    if not (isinstance(inside[0], yaml.ScalarEvent) and isinstance(inside[1], yaml.SequenceEndEvent)):
        raise _tag_fault(_EXPRESSION, start)
    try:
        return evaluate(inside[0].value)
    except ValueError as error:
        hint = "YAML configs are data: write the value itself, or what needs Python in a .py config"
        raise DocumentFault(f"the expression {error}", *_place(inside[0]), hint) from error


def _feed_value(builder: DocumentBuilder, value: Any, line: int, anchor: str | None = None) -> None:
    if not isinstance(value, (list, tuple)):
        builder.scalar(value, line, anchor=anchor)
        return
    builder.open_sequence(line, shape="tuple" if isinstance(value, tuple) else "list", anchor=anchor)
    for item in value:
        _feed_value(builder, item, line)
    builder.close()


def _feed(builder: DocumentBuilder, event: yaml.Event, read_scalar: ScalarReader) -> None:
    import yaml

    line, _ = _place(event)
    if isinstance(event, yaml.ScalarEvent):
        value, merges = read_scalar(event)
        builder.scalar(value, line, anchor=event.anchor, merges=merges)
    elif isinstance(event, yaml.AliasEvent):
        builder.alias(event.anchor or "", line)
    elif isinstance(event, yaml.MappingStartEvent):
        builder.open_mapping(line, shape=_shape(event, "map", _MAPPING_SHAPES), anchor=event.anchor)
    elif isinstance(event, yaml.SequenceStartEvent):
        builder.open_sequence(line, shape=_shape(event, "seq", _SEQUENCE_SHAPES), anchor=event.anchor)
    elif isinstance(event, yaml.CollectionEndEvent):
        builder.close()


def _shape(event: yaml.CollectionStartEvent, default: str, shapes: dict[str, str]) -> str:
    tag = event.tag
    name = default if tag is None or tag == "!" else tag.removeprefix(_STANDARD)
    if name not in shapes:
        raise _tag_fault(tag or "", event)
    return shapes[name]


def _scalar_reader(exponent_floats: bool = False, omegaconf: bool = False, base_60: bool = True) -> ScalarReader:
    """A function from a scalar event to its value, and whether it is the `<<` of a merge."""
    import yaml

    resolve: Callable[..., str] = yaml.resolver.Resolver().resolve
    constructor = yaml.constructor.SafeConstructor()
    # the tables of the base classes: what a program adds to SafeLoader does not change what a config means
    makers = {tag: maker for tag, maker in constructor.yaml_constructors.items() if tag is not None}
    plain_text = {f"{_STANDARD}str", f"{_STANDARD}value", f"{_STANDARD}merge"}
    numbers = {f"{_STANDARD}int", f"{_STANDARD}float"}

    def read(event: yaml.ScalarEvent) -> tuple[Any, bool]:
        tag, text = event.tag, event.value
        if tag is None or tag == "!":
            tag = resolve(yaml.ScalarNode, text, event.implicit)
            if omegaconf and tag == f"{_STANDARD}timestamp":
                return text, False
            if not base_60 and ":" in text and tag in numbers:
                return text, False
        if tag in plain_text:
            if omegaconf and text == _MANDATORY:
                return Mandatory(text), False
            if (exponent_floats or omegaconf) and event.implicit[0] and _EXPONENT_FLOAT.fullmatch(text):
                return float(text), False
            return text, tag.endswith(":merge")
        name = tag.removeprefix(_STANDARD)
        if tag not in makers or name in _MAPPING_SHAPES or name in _SEQUENCE_SHAPES:
            raise _tag_fault(tag, event)
        try:
            return makers[tag](constructor, yaml.ScalarNode(tag, text)), False
        except (ValueError, IndexError, AttributeError, KeyError, OverflowError, yaml.YAMLError) as error:
            reason = f"{text!r:.80} is not a valid {name}"
            raise DocumentFault(reason, *_place(event), "put it in quotes if it is text") from error

    return read


def _tag_fault(tag: str, event: yaml.Event) -> DocumentFault:
    shown = tag.replace(_STANDARD, "!!")
    if tag.removeprefix(_STANDARD) in _STANDARD_NAMES:
        return DocumentFault(f"the tag {shown} does not fit what it stands before", *_place(event))
    return DocumentFault(
        f"the tag {shown} is not known: YAML configs are data, they make no Python objects and never run anything",
        *_place(event),
        hint="write what needs Python in a .py config",
    )


def _place(event: yaml.Event) -> tuple[int, int]:
    """The line and column where an event begins, counted from 1."""
    mark = event.start_mark
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _syntax_fault(error: yaml.MarkedYAMLError, text: str) -> DocumentFault:
    """PyYAML's complaint with its place, and a way out for the usual slips."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return DocumentFault(f"not valid YAML: {error.problem}")
    begun = f", {error.context} from line {error.context_mark.line + 1} on" if error.context_mark else ""
    reason = f"not valid YAML: {error.problem}{begun if error.context else ''}"
    return DocumentFault(reason, mark.line + 1, mark.column + 1, _way_out(error.problem or "", text, mark))


def _way_out(problem: str, text: str, mark: yaml.Mark) -> str:
    line = next(iter(text.splitlines()[mark.line : mark.line + 1]), "")
    character = line[mark.column : mark.column + 1]
    if character == "\t" or "tab character" in problem:
        return _TAB_HINT
    if "cannot start any token" in problem:
        return f"a value cannot begin with {character!r}: put it in quotes"
    if "mapping values are not allowed" in problem:
        return "put a value that has ': ' in it in quotes, or check the indentation"
    if "${" in line and "expected ','" in problem:
        return "inside of [ ] and { } put ${...} in quotes"
    if "expected key" in problem or "block end" in problem:
        return "check the indentation of this line and of the one before it"
    return ""
