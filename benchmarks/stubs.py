"""What stubs of many configs cost: making them, once and after a change, and what the catalog adds to a check.

    python benchmarks/stubs.py [--configs 1000]

Prints one line per measurement. The limit is executing the same files once, in the same run: these machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASE = """\
from collections import OrderedDict
from typedcat import Config
cfg = Config()
cfg.rand_seed = 0
"""
CHILD = """\
from typedcat import Config
cfg = Config(caps="configs/base/cfg.py")
cfg.group3.leaf2 = {number}
cfg.own{number}.lr = cfg.DEP(lambda c: c.group3.leaf2 * 0.1)
"""


def write_project(folder: Path, configs: int) -> None:
    """A base of 50 leaves in 10 subtrees, and children that change one and add another."""
    lines = [
        f"cfg.group{i // 5}.leaf{i % 5} = {[i, i / 7, repr(str(i)), [i], 'OrderedDict'][i % 5]}" for i in range(50)
    ]
    _write(folder / "configs/base/cfg.py", BASE + "\n".join(lines) + "\n")
    for number in range(1, configs):
        _write(folder / f"configs/exp{number % 20}/run,{number}/cfg.py", CHILD.format(number=number))
    calls = [f"steps{i}: int = load_config('configs/exp{i % 20}/run,{i}/cfg.py').group3.leaf0" for i in range(1, 51)]
    _write(folder / "plain.py", "from typedcat import load_config\nload_config('configs/base/cfg.py')\n")
    _write(folder / "use.py", "\n".join(["from typedcat_catalog import load_config", *calls, ""]))
    _write(folder / "mypy.ini", "[mypy]\nmypy_path = stubs\nnamespace_packages = True\nexplicit_package_bases = True\n")
    _write(folder / "pyrightconfig.json", json.dumps({"stubPath": "stubs"}))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def seconds(command: list[str], folder: Path) -> float:
    """How long a command takes.

    Raises:
        RuntimeError: it fails.
    """
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


EXECUTE = """\
from pathlib import Path
for file in Path('configs').rglob('*.py'):
    exec(compile(file.read_bytes(), str(file), 'exec'), {})
"""


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configs", type=int, default=1000)
    args = parser.parse_args()
    python = [sys.executable, "-P"]
    stubs = [*python, "-m", "typedcat", "stubs"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder, args.configs)
        limit = seconds([*python, "-c", EXECUTE], folder)
        found = {"limit: executing the files": limit, "stubs, nothing known": seconds(stubs, folder)}
        found["stubs, nothing changed"] = seconds(stubs, folder)
        with (folder / "configs/exp1/run,1/cfg.py").open("a", encoding="utf-8") as stream:
            stream.write("cfg.more = 1\n")
        found["stubs, one config changed"] = seconds(stubs, folder)
        mypy, pyright = [*python, "-m", "mypy"], [*python, "-m", "pyright", "--pythonpath", sys.executable]
        for file in ("plain.py", "use.py"):
            what = "without" if file == "plain.py" else "50 calls of"
            found[f"mypy, cold, {what} the catalog"] = seconds([*mypy, file], folder)
            found[f"mypy, warm, {what} the catalog"] = seconds([*mypy, file], folder)
            found[f"pyright, {what} the catalog"] = seconds([*pyright, file], folder)
    sys.stdout.write(f"{args.configs} configs of 50 leaves, {os.cpu_count()} cores\n")
    for what, took in found.items():
        sys.stdout.write(f"{took:7.2f} s  {took / limit:6.1f} x  {what}\n")


if __name__ == "__main__":
    main()
