"""What a tune config and a runner are told, when that cannot be meant."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from tests.tune.conftest import WriteTune
from typedcat import Cfg2Tune, Cfg2TuneRunner, TypedConfig
from typedcat.errors import MissingKeyError, TuneError


class Train(TypedConfig):
    lr: float = 0.1


@pytest.mark.parametrize(("volatile", "said"), [([3], "got 3"), ([""], "got ''"), ([["lr"]], r"got \['lr'\]")])
def test_what_is_no_key(volatile: Any, said: str) -> None:
    with pytest.raises(TuneError, match=rf"volatile must list keys .* as \['num_workers'\], {said}"):
        Cfg2Tune(volatile=volatile)


def test_a_closed_schema_knows_the_settings() -> None:
    keywords: dict[str, Any] = {"repeat": 2}
    with pytest.raises(MissingKeyError) as caught:
        Cfg2Tune(schema=Train, **keywords)
    assert str(caught.value) == "repeat: Train has no such key\n  did you mean 'repeats'?"
    keywords = {"llr": 2}
    with pytest.raises(MissingKeyError) as caught:
        Cfg2Tune(schema=Train, **keywords)
    assert str(caught.value) == "llr: Train has no such key\n  did you mean 'lr'?"


def test_a_function_that_cannot_be_called_is_told_once(tune: WriteTune) -> None:
    runner = Cfg2TuneRunner(tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([1, 2])\n"), verbosity=False)
    wrong: Any = lambda cfg: None  # noqa: E731 - it has to be one
    runner.register_work_fn(wrong)
    with pytest.raises(TuneError) as caught:
        runner.tuning()
    told = "".join(traceback.format_exception(caught.value))
    assert "inspect.py" not in told and "During handling" not in told and "direct cause" not in told
    assert "too many positional arguments" in told
