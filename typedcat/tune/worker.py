"""The process of one run: reads the work function and the task from a file, runs it, writes the outcome to another."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

from .engines import Outcome, run_task


def main(order: str, answer: str) -> None:
    """Run the task in the file `order`; the outcome appears in `answer` whole or not at all."""
    with open(order, "rb") as stream:
        message: dict[str, Any] = pickle.load(stream)
    sys.path[:] = message["path"]
    sys.argv[:] = message["argv"]
    task = message["task"]
    outcome = run_task(pickle.loads(message["work"]), task)
    try:
        data = pickle.dumps(outcome)
    except Exception as error:  # noqa: BLE001 - any object may refuse to be pickled, in its own way
        data = pickle.dumps(Outcome(task.index, None, f"what it returned cannot be pickled: {error}", outcome.seconds))
    with open(answer + ".part", "wb") as stream:
        stream.write(data)
    os.replace(answer + ".part", answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
