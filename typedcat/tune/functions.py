"""The functions that a user gives a runner: whether they can be called, and where they stand."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import TuneError, short_path

WORK_ARGUMENTS = ("pkl_idx", "cfg", "cfg_pkl", "cfg_rslt_dir", "cuda_env")
GATHER_ARGUMENTS = ("cfg", "cfg_rslt_dir", "run_rslt", "param_comb")


def check_signature(function: Callable[..., Any], what: str, arguments: Sequence[str]) -> None:
    """See before hours of training that a function can be called.

    Raises:
        TuneError: it does not take these arguments.
    """
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        called = f"is called with ({', '.join(arguments)})"
        raise TuneError(f"the {what} function{defined_at(function)} {called}: {error}") from None
    except ValueError:  # one without a signature
        return


def defined_at(function: Callable[..., Any]) -> str:
    """Where a function of the user's stands, for a message; '' if that cannot be told."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f" at {short_path(code.co_filename)}:{code.co_firstlineno}" if code is not None else ""
