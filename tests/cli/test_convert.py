"""`typedcat convert`, and `python -m typedcat.from_x_to_y`, as a user meets them."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Run, environment, listing, spawn, write

CFG, SECRET = "configs/base/cfg.py", "configs/secret/cfg.py"
FILES: dict[str, str | bytes] = {
    CFG: """\
from collections import OrderedDict

from typedcat import Config

print("loading")
cfg = Config()
cfg.epochs = 10
cfg.opt.lr = cfg.DEP(lambda c: c.epochs / 100)
cfg.text = "${x}"
""",
    "configs/classes/cfg.py": """\
from collections import OrderedDict

from typedcat import Config

cfg = Config(caps="configs/base/cfg.py")
cfg.opt.cls = OrderedDict
cfg.steps = [1, {"f": lambda: 1}]
""",
    "configs/plain.yaml": "a: 1\nb: {c: [1, x]}\n",
}
WANTED = {"epochs": 10, "opt": {"lr": 0.1}, "text": "${x}"}


@pytest.fixture(autouse=True)
def files(project: Path) -> None:
    write(project, FILES)


def test_the_ending_says_the_format(run: Run, project: Path) -> None:
    answer = run("convert", CFG, "out/base.json")
    assert (answer.code, answer.out, answer.err) == (0, "wrote out/base.json (json)\n", "loading\n")
    assert json.loads(Path("out/base.json").read_text()) == WANTED
    assert listing(project) == {*listing(project), "out/base.json"} - {"base"}  # no result folder


def test_there_and_back(run: Run) -> None:
    files = [CFG, "a.yaml", "b.py", "c.json", "d.pkl", "e.yml"]
    for source, target in itertools.pairwise(files):
        assert run("convert", source, target).code == 0
    assert Path("e.yml").read_text() == Path("a.yaml").read_text() == "epochs: 10\nopt:\n  lr: 0.1\ntext: \\${x}\n"


def test_overrides(run: Run) -> None:
    assert run("convert", "-o", "epochs=20", CFG, "-o", "+new.key=[1, 2]", "out.yaml").code == 0
    assert yaml.safe_load(Path("out.yaml").read_text()) == {
        "epochs": 20, "opt": {"lr": 0.2}, "text": r"\${x}", "new": {"key": [1, 2]},
    }  # fmt: skip


def test_a_format_by_name(run: Run) -> None:
    assert run("convert", "configs/plain.yaml", "out.py", "--to", "typedcat").out == "wrote out.py (typedcat)\n"
    assert (
        run("convert", "configs/plain.yaml", "other.py", "--to", "alchemy-cat").out == "wrote other.py (alchemy-cat)\n"
    )
    assert Path("out.py").read_text() == Path("other.py").read_text()
    assert "cfg.b.c = [1, 'x']" in Path("out.py").read_text()


def test_as_mmcv(run: Run) -> None:
    mmengine = pytest.importorskip("mmengine")
    assert run("convert", "configs/plain.yaml", "out.py", "--to", "mmcv").out == "wrote out.py (mmcv)\n"
    assert mmengine.Config.fromfile("out.py").to_dict() == {"a": 1, "b": {"c": [1, "x"]}}


def test_what_is_there_is_kept(run: Run) -> None:
    write(Path(), {"out.yaml": "mine: 1\n"})
    answer = run("convert", CFG, "out.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "error: out.yaml exists already\n  --force overwrites it\n"
    assert Path("out.yaml").read_text() == "mine: 1\n"
    assert run("convert", CFG, "out.yaml", "--force").code == 0
    assert yaml.safe_load(Path("out.yaml").read_text())["epochs"] == 10


def test_the_source_is_kept_in_any_case(run: Run) -> None:
    before = Path(CFG).read_text()
    answer = run("convert", "configs/classes/cfg.py", CFG, "--force")
    assert answer.code == 2
    assert (
        answer.err == f"loading\nerror: {CFG}: is a part of the config, which would be lost\n  write to another file\n"
    )
    assert Path(CFG).read_text() == before


def test_what_a_format_cannot_express(run: Run) -> None:
    answer = run("convert", "configs/classes/cfg.py", "out.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "loading\n"
        "error: YAML cannot express 2 value(s)\n"
        "  steps[1].f: '<lambda>' cannot be imported: move it to a module outside of the config file\n"
        "  opt.cls: collections.OrderedDict is Python code\n"
        "  save_py imports classes and functions; save_pkl can hold anything\n"
    )
    assert not Path("out.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((CFG, "out.txt"), "out.txt: no config format has the ending '.txt'"),
        ((CFG, "out"), "out: no config format has a name without an ending"),
        (
            (CFG, "out.yaml", "--to", "mmcv"),
            "out.yaml: mmcv configs end in .py, or no reader would take them\n  write to out.py",
        ),
        (("nope.yaml", "out.py"), "nope.yaml"),
        ((CFG, "out.py", "--to", "yml"), "invalid choice: 'yml'"),
        ((CFG,), "the following arguments are required: FILE"),
        ((CFG, "out.yaml", "-o", "epoch=3"), "did you mean 'epochs'?"),
    ],
)
def test_mistakes(run: Run, project: Path, arguments: tuple[str, ...], message: str) -> None:
    before = listing(project)
    answer = run("convert", *arguments)
    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert listing(project) == before


def x_to_y(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "typedcat.from_x_to_y", *arguments],
        cwd=project, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.slow
class TestFromXToY:
    @pytest.mark.parametrize(
        ("arguments", "file", "said"),
        [
            (("--x", CFG, "--y", "out.py"), "out.py", "typedcat"),
            (("--x", CFG, "--y", "out.py", "--y_type", "alchemy-cat"), "out.py", "alchemy-cat"),
            (("--x", CFG, "--y=out/a b.yaml", "--y_type=yaml"), "out/a b.yaml", "yaml"),
            (("--y", "-odd.json", "--x", CFG), None, None),
            (("--y=-odd.json", "--x", CFG), "-odd.json", "json"),
        ],
    )
    def test_converts(self, project: Path, arguments: tuple[str, ...], file: str | None, said: str | None) -> None:
        for _ in range(2):  # the second time it overwrites, as in AlchemyCat
            done = x_to_y(project, *arguments)
            if file is None:
                assert (done.returncode, "expected one argument" in done.stderr) == (2, True)
                return
            assert (done.returncode, done.stdout) == (0, f"wrote {file} ({said})\n"), done.stderr
            assert (project / file).is_file()

    def test_mistakes(self, project: Path) -> None:
        assert "the following arguments are required: --x, --y" in x_to_y(project).stderr
        done = x_to_y(project, "--x", CFG, "--y", CFG)
        assert done.returncode == 2
        assert done.stderr.endswith(
            f"error: {CFG}: is the config itself, which would be lost\n  write to another file\n"
        )


@pytest.mark.slow
def test_the_help(project: Path) -> None:
    done = spawn("convert", "--help", cwd=project)
    assert done.returncode == 0
    assert "typedcat convert configs/voc.yaml configs/voc/cfg.py" in done.stdout
