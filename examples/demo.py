"""`make demo`: loads every example config, then tunes the digits example over a grid of 6, two runs at a time."""

import importlib.util
import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

from typedcat import load_config

EXAMPLES = Path(__file__).resolve().parent
TABLE = Path("experiment/tune/tune_bs_epoch/metric_frame.xlsx")


def load_all(project: Path) -> None:
    """Loads, and so validates, every config of a project but the tunable ones, whose points the tuner validates."""
    print(f"Loading the configs of {os.path.relpath(project)}")
    sys.path.insert(0, str(project))  # as `python train.py` has it
    with chdir(project):
        for path in sorted(file for ending in ("*.py", "*.yaml") for file in Path("configs").rglob(ending)):
            if "tune" not in path.parts:
                cfg = load_config(str(path), create_rslt_dir=False)
                print(f"  {path}: {sum(1 for _ in cfg.ckl)} values")
    sys.path.remove(str(project))


def tune(project: Path) -> int:
    """Tunes the project's grid of 6; returns the exit code of its script, or 1 where the table is missing."""
    command = ["tune_train.py", "-c", "configs/tune/tune_bs_epoch/cfg.py", "--pool_size", "2"]
    print(f"\nTuning: cd {os.path.relpath(project)} && python {' '.join(command)}", flush=True)
    exit_code = subprocess.run([sys.executable, *command], cwd=project, check=False).returncode
    table = os.path.relpath(project / TABLE)
    if not os.path.isfile(table):
        print(f"the tuner wrote no table at {table}", file=sys.stderr)
        return exit_code or 1
    print(f"\nThe table as an Excel file: {table}")
    return exit_code


def main() -> int:
    """Runs the demo; returns its exit code."""
    load_all(EXAMPLES / "digits")
    if importlib.util.find_spec("torch"):
        load_all(EXAMPLES / "torch_digits")
    else:
        print("torch is not installed: the configs of examples/torch_digits are left out")
    return tune(EXAMPLES / "digits")


if __name__ == "__main__":
    sys.exit(main())
