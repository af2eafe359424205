"""Validation of a resolved tree against its schemas: every problem at once, coerced leaves written back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

from ..errors import Problem, SchemaError, short_repr
from ..tree.config import BaseConfig
from ..tree.copying import to_dict
from ..tree.merge import schema_of
from ..tree.node import plain_class, raw_set
from ..tree.typed import TypedConfig, become, fill
from ..tree.values import Parameter
from .model_defaults import as_mapping
from .problems import problems_of, refusal, unknown_keys, unknown_yet
from .resolve import resolve, unresolved
from .schema_fields import annotation_below, declared_nodes, fields_of, is_schema, nested_schema, outermost
from .validators import KEEP_NODES, NO_SCHEMA, Fit, adapter, settled

M = TypeVar("M")
Leaf = tuple[Any, Hashable, Any]


def validate(root: BaseConfig, *, source: str = "") -> None:
    """Check the values of a tree against the schemas of its nodes; coerced leaves are written back.

    What is not known yet (dependencies and parameters of a tune config) is left out.

    Args:
        root: the tree; unless all of it is right, it does not change.
        source: what the message calls it, if not the file that it was read from.

    Raises:
        ValidationError: with every problem of the tree.
    """
    checked = outermost(root)
    if not checked:  # there is no schema in the whole tree
        return
    outcomes = [_check(node) for node in checked]
    problems = [problem for _, found in outcomes for problem in found]
    problems += check_parameters(root)
    if problems:
        raise refusal(root, problems, source)
    known = {id(node) for node, _ in declared_nodes(root) if plain_class(node).__typed__}
    for node, (made, _) in zip(checked, outcomes, strict=True):
        _write_back(node, made)
    if any(plain_class(node).__typed__ and id(node) not in known for node, _ in declared_nodes(root)):
        _complete_late(root, source)


def _complete_late(root: BaseConfig, source: str) -> None:
    """What only validation could tell the class of (a member of a union) gets its defaults now."""
    fill(root)
    late = unresolved(root)
    if late and not any(unknown_yet(value) and isinstance(value, Parameter) for _, value in late):
        resolve(root)
    validate(root, source=source)


def _check(node: BaseConfig) -> tuple[Any, list[Problem]]:
    """What pydantic makes of a node, and what it finds wrong."""
    from pydantic import ValidationError as PydanticError

    schema = schema_of(node)
    if not is_schema(schema):
        raise SchemaError(f"{short_repr(schema)} {NO_SCHEMA}")
    problems = unknown_keys(node, schema)
    try:
        made = adapter(schema).validate_python(model_input(node, schema), context=KEEP_NODES)
    except PydanticError as error:
        known = {problem.key for problem in problems}
        found = problems_of(node, schema, error.errors(include_url=False))
        return None, [*problems, *(problem for problem in found if problem.key not in known)]
    return made, problems


def model_input(node: BaseConfig, declared: Any) -> Any:
    """What pydantic is given of a node: the node if it is typed, else a dict with the keys that the model wants."""
    schema = nested_schema(declared)
    if plain_class(node).__typed__ and (schema is None or issubclass(schema, TypedConfig)):
        return node
    if declared is None:
        return to_dict(node)
    fields = fields_of(schema) if schema is not None else {}
    plain = {}
    for key, value in dict.items(node):
        if key == "rslt_dir" and schema is not None and node.__parent__ is None and key not in fields:
            continue
        field = fields.get(key) if isinstance(key, str) else None
        inner = schema_of(value) if isinstance(value, BaseConfig) else None
        name = field.alias if field is not None and field.alias and key == field.name else key
        below = annotation_below(declared, key) or inner
        plain[name] = model_input(value, below) if isinstance(value, BaseConfig) else value
    return plain


# -- leaves by themselves


def coerce_leaves(root: BaseConfig) -> list[Leaf]:
    """Coerce each declared leaf by itself, so that dependencies read values of the declared types.

    Args:
        root: a tree before its dependencies are computed. What does not fit stays, for `validate` to report.

    Returns:
        What was there before, for `restore_leaves`.
    """
    before: list[Leaf] = []
    work = list(declared_nodes(root))
    for node, declared in work:
        for key, value in list(dict.items(node)):
            work += [pair for item in _nodes_in(value) for pair in declared_nodes(item)]
            annotation = annotation_below(declared, key)
            if annotation is None or isinstance(value, BaseConfig) or unknown_yet(value) or type(value) is annotation:
                continue
            new, _ = _coerced(node, declared, key, value, annotation)
            if not _same(value, new):
                before.append((node, key, (value, new)))
                raw_set(node, key, new)
    return before


def _nodes_in(value: Any) -> list[BaseConfig]:
    """The configs that a plain list or dict contains."""
    items = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return [item for item in items if isinstance(item, BaseConfig)]


def restore_leaves(before: Iterable[Leaf]) -> None:
    """Undo `coerce_leaves`: `validate` coerces again, and a validator that changes its value must see it once."""
    for node, key, (old, new) in before:
        if dict.get(node, key) is new:
            raw_set(node, key, old)


def check_parameters(root: BaseConfig) -> list[Problem]:
    """The values of each `Param2Tune`, against the type of the key that it stands for; coerced ones are kept."""
    problems: list[Problem] = []
    for node, declared in declared_nodes(root):
        for key, value in dict.items(node):
            annotation = annotation_below(declared, key) if isinstance(value, Parameter) else None
            if annotation is not None:
                problems += _check_parameter(node, declared, key, value, annotation)
    return problems


def _check_parameter(node: Any, declared: Any, key: Hashable, value: Any, annotation: Any) -> list[Problem]:
    problems: list[Problem] = []
    options = []
    for option in value.optional_val:
        new, found = option, list[Problem]()
        if not (unknown_yet(option) or isinstance(option, BaseConfig)):
            new, found = _coerced(node, declared, key, option, annotation)
        problems += found
        options.append(option if _same(option, new) else new)
    value.optional_val = tuple(options)
    return problems


def _coerced(node: Any, declared: Any, key: Hashable, value: Any, annotation: Any) -> tuple[Any, list[Problem]]:
    from pydantic import ValidationError as PydanticError

    try:
        return settled(adapter(annotation).validate_python(value)), []
    except PydanticError as error:
        held = dict.__getitem__(node, key)
        dict.__setitem__(node, key, value)  # so that the place of the error is looked for in this value
        try:
            errors = [{**one, "loc": (key, *one["loc"])} for one in error.errors(include_url=False)]
            return value, problems_of(node, declared, errors)
        finally:
            dict.__setitem__(node, key, held)


# -- writing back


def _write_back(top: Any, result: Any) -> None:
    """Put the leaves that pydantic coerced into the tree; nodes and unchanged leaves stay the objects they are."""
    work = [(top, result)]
    for node, made in work:
        if isinstance(made, Fit):
            if plain_class(node) is not made.cls:
                become(node, made.cls)
            made = made.made
        values = as_mapping(made)
        if not isinstance(values, dict):  # a validator made something of its own; the tree stays what it was
            continue
        for key, value in list(dict.items(node)):
            if key not in values or values[key] is value:
                continue
            if isinstance(value, BaseConfig):
                work.append((value, values[key]))
            elif not _same(value, new := settled(values[key])):
                raw_set(node, key, new)


def _same(value: Any, new: Any) -> bool:
    """Whether a validated value says no more than the one it came from."""
    if value is new:
        return True
    if type(value) is not type(new):
        return False
    if isinstance(value, (list, tuple)):
        return len(value) == len(new) and all(map(_same, value, new))
    if isinstance(value, dict):
        return dict.keys(value) == dict.keys(new) and all(_same(item, new[key]) for key, item in dict.items(value))
    if isinstance(value, (str, int, float, bool, bytes, complex, set, frozenset)):
        return bool(value == new)
    return False


def model_of(tree: BaseConfig, model: type[M]) -> M:
    """An instance of a pydantic model, dataclass or TypedDict with the values of a loaded tree.

    Raises:
        ValidationError: the values do not fit.
    """
    from pydantic import ValidationError as PydanticError

    schema: Any = model
    problems = unknown_keys(tree, schema)
    made: Any = None
    try:
        made = adapter(schema).validate_python(model_input(tree, schema))
    except PydanticError as error:
        known = {problem.key for problem in problems}
        found = problems_of(tree, schema, error.errors(include_url=False))
        problems += [problem for problem in found if problem.key not in known]
    if problems:
        raise refusal(tree, problems, name=schema.__name__)
    return made  # type: ignore[no-any-return]  # what pydantic made of the model


__all__ = ["coerce_leaves", "model_of", "restore_leaves", "validate"]
