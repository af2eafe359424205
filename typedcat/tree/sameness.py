"""Whether two values are equal, where `==` alone gives no answer: of arrays and tensors it gives another array."""

from __future__ import annotations

from typing import Any


def equal_values(one: Any, other: Any) -> bool:
    """`one is other or one == other`; arrays and tensors, also in containers, by shape, type and values.

    No library of arrays is imported for that.

    Raises:
        Exception: what the `==` of a user's class raises.
    """
    if one is other:
        return True
    try:
        answer = one == other
        if isinstance(answer, bool):
            return answer
        return _truth(answer) and _same_form(one, other)
    except RecursionError:
        raise
    except Exception:
        if isinstance(one, (list, tuple)) and isinstance(other, type(one)):
            return len(one) == len(other) and all(map(equal_values, one, other))
        if isinstance(one, dict) and isinstance(other, dict):
            return one.keys() == other.keys() and all(equal_values(item, other[key]) for key, item in one.items())
        if _is_array(one) or _is_array(other):  # of shapes or devices that do not fit
            return False
        raise


def _truth(answer: Any) -> bool:
    """Of what `==` gave: an array of answers, or, of tables, answers for each column."""
    while _is_array(answer):
        answer = answer.all()
    return bool(answer)


def _same_form(one: Any, other: Any) -> bool:
    """Else a number would be equal to an array that repeats it."""
    if not (_is_array(one) or _is_array(other)):
        return True
    forms = [(type(each), getattr(each, "shape", None), getattr(each, "dtype", None)) for each in (one, other)]
    return bool(forms[0] == forms[1])


def _is_array(value: Any) -> bool:
    """Whether it is an array of one or more dimensions, or a table, of whatever library."""
    return bool(getattr(value, "shape", ())) and (hasattr(value, "dtype") or hasattr(value, "dtypes"))


__all__ = ["equal_values"]
