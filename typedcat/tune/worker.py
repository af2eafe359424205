"""The process of one run: reads the work function and the task from a file, runs it, writes the outcome to another."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

from ..tree.pickling import dumps
from .engines import Outcome, reason, run_task


def main(order: str, answer: str) -> None:
    """Run the task in the file `order`; the outcome appears in `answer` whole or not at all."""
    with open(order, "rb") as stream:
        message: dict[str, Any] = pickle.load(stream)
    sys.argv[:] = message["argv"]
    task = message["task"]
    try:
        work = pickle.loads(message["work"])
    except Exception as error:  # noqa: BLE001 - whatever an import of the user's raises
        outcome = Outcome(task.index, None, f"the work function cannot be loaded in its process: {reason(error)}")
    else:
        outcome = run_task(work, task)
    try:
        data = dumps(outcome)
    except Exception as error:  # noqa: BLE001 - any object may refuse to be pickled, in its own way
        why = f"what it returned cannot be sent back: {reason(error)}"
        data = dumps(Outcome(task.index, None, why, outcome.seconds))
    with open(answer + ".part", "wb") as stream:
        stream.write(data)
    os.replace(answer + ".part", answer)
