"""What the commands answer about good configs, as a user reads it."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Answer, Run, environment, listing, spawn, write
from tests.conftest import Snapshot
from typedcat import Config, load_config
from typedcat.cli import main

SCHEMA = '''\
"""Keys and types."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr

from typedcat import DEP, TypedConfig


class Opt(TypedConfig):
    cls: type[Any] = dict
    lr: Annotated[float, Field(gt=0)] = 0.1
    betas: tuple[float, float] = (0.9, 0.999)


class Train(TypedConfig):
    epochs: int
    batch_size: int = 32
    opt: Opt = Opt()
    token: SecretStr | None = None

    @DEP
    def steps(self) -> int:
        return self.epochs * 100


class Other(BaseModel):
    epochs: int = 3
'''
BASE = """\
from optim import Adam
from schema import Train
from typedcat import Config

cfg = Config(schema=Train)
cfg.epochs = 10
cfg.batch_size = 64
cfg.opt.cls = Adam
cfg.token = "hunter2"


@cfg.opt.set_DEP()
def lr(c):
    return c.batch_size / 640
"""
CHILD = """\
from typedcat import Config

cfg = Config(caps="configs/base/cfg.py")
cfg.epochs = 20
cfg.batch_size = 128
cfg.token = "swordfish"
"""
OPEN = '''\
"""No schema, and keys of all kinds."""
from typedcat import Config, DEP

cfg = Config()
cfg["a b"].x = 1
cfg["items"] = "[red]not markup[/red]"
cfg.names = ["a", "b", {"c": [3, 4]}]
cfg.long = "x" * 300
cfg.empty = Config()
cfg.inf = float("inf")
cfg.none = None
cfg[1] = "one"
cfg.model = cfg.DEP(lambda c: Config(depth=c.n, width=2))
cfg.n = 4
cfg.both = [DEP(lambda c: c.model.depth), DEP(lambda c: c.n)]
'''
TUNE = """\
from typedcat import Cfg2Tune, Param2Tune

cfg = Cfg2Tune(caps="configs/base/cfg.py")
cfg.epochs = Param2Tune([5, 10])
cfg.opt.lr = cfg.P_DEP(lambda c: c.epochs / 100)
"""
FILES: dict[str, str | bytes] = {
    "pyproject.toml": "[tool.typedcat]\nexperiments_root = 'runs'\n",
    "schema.py": SCHEMA,
    "optim.py": "class Adam:\n    pass\n",
    "configs/base/cfg.py": BASE,
    "configs/base,2xbs/cfg.py": CHILD,
    "configs/open/cfg.py": OPEN,
    "configs/tune/cfg.py": TUNE,
    "configs/plain.yaml": "epochs: 3\nopt: {lr: 0.1}\n",
}
CFG, CHILD_CFG, OPEN_CFG, TUNE_CFG = (
    f"configs/{name}/cfg.py" for name in ("base", "base,2xbs", "open", "tune")
)  # fmt: skip


@pytest.fixture
def ask(run: Run, project: Path) -> Run:
    """The command in a project with configs; nothing that it does may leave anything there."""
    write(project, FILES)
    before = listing(project)

    def call(*args: str) -> Answer:
        answer = run(*args)
        assert listing(project) == before
        assert "hunter2" not in answer.out + answer.err
        assert "swordfish" not in answer.out + answer.err
        return answer

    return call


def page(answer: Answer, code: int = 0) -> str:
    assert answer.err == ""
    assert answer.code == code
    return answer.out


SNAPSHOTS: dict[str, list[str]] = {
    "show": ["show", CHILD_CFG],
    "show_subtree": ["show", CHILD_CFG, "opt"],
    "show_yaml": ["show", CHILD_CFG, "--format", "yaml"],
    "show_json": ["show", CHILD_CFG, "--format", "json"],
    "show_open": ["show", OPEN_CFG],
    "show_open_yaml": ["show", OPEN_CFG, "--format", "yaml"],
    "show_tune": ["show", TUNE_CFG],
    "show_tune_json": ["show", TUNE_CFG, "opt", "--format", "json"],
    "show_override": ["show", CFG, "-o", "epochs=3", "-o", "opt.lr=0.5"],
    "explain_value": ["explain", CHILD_CFG, "batch_size"],
    "explain_dependency": ["explain", CHILD_CFG, "opt.lr"],
    "explain_class_dependency": ["explain", CHILD_CFG, "steps"],
    "explain_override": ["explain", CHILD_CFG, "batch_size", "-o", "batch_size=8"],
    "explain_secret": ["explain", CHILD_CFG, "token", "-o", "token=hunter2"],
    "explain_subtree": ["explain", CHILD_CFG, "opt"],
    "explain_all": ["explain", OPEN_CFG],
    "explain_computed_subtree": ["explain", OPEN_CFG, "model"],
    "explain_list_of_dependencies": ["explain", OPEN_CFG, "both"],
    "explain_result_folder": ["explain", CFG, "rslt_dir"],
    "explain_tune_parameter": ["explain", TUNE_CFG, "epochs"],
    "explain_tune_dependency": ["explain", TUNE_CFG, "opt.lr"],
    "graph": ["graph", CHILD_CFG],
    "graph_key": ["graph", OPEN_CFG, "model"],
    "graph_open": ["graph", OPEN_CFG],
    "graph_tune": ["graph", TUNE_CFG],
    "graph_none": ["graph", "configs/plain.yaml"],
    "schema": ["schema", CHILD_CFG],
    "schema_class": ["schema", "schema.py:Other"],
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_answers(name: str, ask: Run, snapshot: Snapshot) -> None:
    snapshot(f"cli/{name}", page(ask(*SNAPSHOTS[name])))


class TestShow:
    def test_one_value(self, ask: Run) -> None:
        assert page(ask("show", CFG, "opt.lr")) == "0.1\n"
        assert page(ask("show", CFG, "opt.betas[1]")) == "0.999\n"
        assert page(ask("show", OPEN_CFG, "names[2].c[0]")) == "3\n"
        assert page(ask("show", OPEN_CFG, "['a b'].x")) == "1\n"
        assert page(ask("show", OPEN_CFG, "[1]")) == "'one'\n"
        assert page(ask("show", OPEN_CFG, "items")) == "'[red]not markup[/red]'\n"
        assert page(ask("show", CFG, "token")) == "'**********'\n"

    def test_the_key_as_it_is_printed(self, ask: Run) -> None:
        assert page(ask("show", CFG, "cfg.opt.lr")) == "0.1\n"
        assert page(ask("show", CFG, "cfg")) == page(ask("show", CFG))

    @pytest.mark.parametrize(("key", "value"), [("opt.lr", 0.1), ("opt.betas", [0.9, 0.999]), ("epochs", 10)])
    def test_one_value_as_data(self, ask: Run, key: str, value: object) -> None:
        assert yaml.safe_load(page(ask("show", CFG, key, "--format", "yaml"))) == value
        assert json.loads(page(ask("show", CFG, key, "--format", "json"))) == value

    def test_the_python_form_builds_it_again(self, ask: Run) -> None:
        text = page(ask("show", "configs/plain.yaml"))
        scope: dict[str, Config] = {"Config": Config}  # type: ignore[dict-item]  # a namespace
        exec(text, scope)
        assert scope["cfg"] == {"epochs": 3, "opt": {"lr": 0.1}, "rslt_dir": "runs"}

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            ("opt.lrr", "opt.lrr: there is no such key\n  did you mean 'opt.lr'?"),
            ("lr", "lr: there is no such key\n  did you mean 'opt.lr'?"),
            ("opt.nothing", "opt.nothing: there is no such key; keys there: cls, lr, betas"),
            ("epochs.x", "epochs.x: there is nothing below epochs, it is a value of type int"),
            ("opt.betas[7]", "opt.betas[7]: there is no such key"),
            ("opt.lr=3", "opt.lr=3: there is no such key; to override one write -o 'opt.lr=3'"),
            ("a..b", "a..b: is not a path of keys such as opt.ini.lr or bar['x.y'].z"),
        ],
    )
    def test_an_unknown_key(self, ask: Run, key: str, message: str) -> None:
        for command in ("show", "explain", "graph"):
            answer = ask(command, CFG, key)
            assert (answer.code, answer.out, answer.err) == (2, "", f"error: {message}\n")

    def test_what_a_config_prints_is_no_answer(self, run: Run, project: Path) -> None:
        write(project, {"configs/cfg.py": "print('loading')\ncfg = {'lr': 1}\n"})
        answer = run("show", "configs/cfg.py", "lr", "--format", "json")
        assert (answer.out, answer.err) == ("1\n", "loading\n")

    def test_a_broken_repr_hides_nothing_else(self, run: Run, project: Path) -> None:
        bad = "class Bad:\n    def __repr__(self):\n        raise OSError\ncfg = {'bad': Bad(), 'lr': 1}\n"
        write(project, {"configs/cfg.py": bad})
        out = page(run("show", "configs/cfg.py"))
        assert "cfg.bad = <Bad whose repr() raised OSError>" in out
        assert "cfg.lr = 1" in out

    def test_classes_of_a_config_file_have_readable_names(self, run: Run, project: Path) -> None:
        write(project, {"configs/cfg.py": "class Net:\n    pass\ncfg = {'cls': Net}\n"})
        assert page(run("show", "configs/cfg.py", "cls")) == "<class 'configs.cfg.Net'>\n"

    def test_a_config_anywhere(self, run: Run, project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        write(elsewhere, {"cfg.yaml": "lr: 1\n"})
        assert page(run("show", str(elsewhere / "cfg.yaml"), "lr")) == "1\n"

    def test_the_roots(self, ask: Run) -> None:
        assert page(ask("show", CFG, "rslt_dir")) == "'runs/base'\n"
        roots = ["--experiments-root", "out", "--config-root", "."]
        assert page(ask("show", CFG, "rslt_dir", *roots)) == "'out/configs/base'\n"
        assert page(ask("show", CFG, "rslt_dir", "-o", "epochs=3")) == "'runs/base,epochs=3'\n"

    def test_a_secret_is_not_in_the_result_folder(self, ask: Run) -> None:
        assert page(ask("show", CFG, "rslt_dir", "-o", "token=hunter2")) == "'runs/base,token=hidden'\n"

    def test_options_may_stand_anywhere(self, ask: Run) -> None:
        assert page(ask("show", "-o", "epochs=3", CFG, "-o", "batch_size=1", "epochs", "--strict")) == "3\n"

    def test_overrides_import_from_the_project(self, ask: Run) -> None:
        assert page(ask("show", "configs/plain.yaml", "cls", "-o", "+cls=@optim.Adam")) == "<class 'optim.Adam'>\n"


class TestDiff:
    def test_two_configs(self, ask: Run, snapshot: Snapshot) -> None:
        snapshot("cli/diff", page(ask("diff", CFG, CHILD_CFG), code=1))

    def test_added_and_removed(self, run: Run, project: Path, snapshot: Snapshot) -> None:
        write(
            project, {"a.yaml": "lr: 0.1\nold: [1, 2]\nsame: 3\nsub: {}\n", "b.yaml": "same: 3\nlr: 1\nnew: {x: 1}\n"}
        )
        snapshot("cli/diff_added_and_removed", page(run("diff", "a.yaml", "b.yaml"), code=1))

    @pytest.mark.parametrize("config", [CFG, CHILD_CFG, OPEN_CFG, TUNE_CFG, "configs/plain.yaml"])
    def test_a_config_equals_itself(self, ask: Run, config: str) -> None:
        assert page(ask("diff", config, config)) == ""

    def test_where_it_lies_is_no_difference(self, run: Run, project: Path) -> None:
        write(project, {"configs/a/cfg.yaml": "lr: 1\n", "configs/b/cfg.yaml": "lr: 1\n"})
        assert page(run("diff", "configs/a/cfg.yaml", "configs/b/cfg.yaml")) == ""

    def test_functions_classes_and_instances_of_one_file_are_the_same(self, run: Run, project: Path) -> None:
        text = """\
from dataclasses import dataclass

class Net:
    def __init__(self, n):
        self.n = n

@dataclass
class Point:
    x: int

def scale(k):
    return lambda x: k * x

cfg = {'f': lambda x: x, 'cls': Net, 'net': Net(3), 'nan': float('nan'), 'point': Point(1), 'g': scale(2)}
"""
        write(project, {"configs/a.py": text})
        assert page(run("diff", "configs/a.py", "configs/a.py")) == ""
        (project / "configs" / "b.py").write_text(text.replace("Point(1)", "Point(2)"))
        assert "- point = Point(x=1)" in page(run("diff", "configs/a.py", "configs/b.py"), code=1)

    def test_methods_of_instances_of_one_file_are_the_same(self, run: Run, project: Path) -> None:
        text = """\
import functools
import numpy as np

class Net:
    def __init__(self, n):
        self.n = n

    def step(self, x):
        return x * self.n

    @classmethod
    def make(cls):
        return cls(1)

cfg = {'f': Net(3).step, 'make': Net.make, 'append': [1].append, 'array': np.array([1, 2])}
cfg['part'] = functools.partial(int, 1)
"""
        write(project, {"configs/a.py": text})
        assert page(run("diff", "configs/a.py", "configs/a.py")) == ""
        for old, new, key in (
            ("Net(3)", "Net(4)", "f"),
            ("3).step", "3).make", "f"),
            ("[1].", "[2].", "append"),
            ("[1, 2]", "[1, 3]", "array"),
            ("int, 1", "int, 2", "part"),
        ):
            (project / "configs" / "b.py").write_text(text.replace(old, new))
            assert f"- {key} = " in page(run("diff", "configs/a.py", "configs/b.py"), code=1)

    def test_other_values_around_a_function_are_a_difference(self, run: Run, project: Path) -> None:
        text = "from itertools import count\nfrom helpers import numbers\nn = next(numbers)\ncfg = {'g': lambda: n}\n"
        text = text.replace("cfg =", "def make(n):\n    return lambda: n\ncfg =").replace("lambda: n}", "make(n)}")
        write(project, {"configs/a.py": text, "helpers.py": "from itertools import count\nnumbers = count()\n"})
        assert run("diff", "configs/a.py", "configs/a.py").code == 1

    def test_numbers_of_another_type_are_a_difference(self, run: Run, project: Path) -> None:
        write(project, {"a.yaml": "x: 1\n", "b.yaml": "x: 1.0\n", "c.yaml": "x: true\n"})
        assert run("diff", "a.yaml", "b.yaml").code == 1
        assert run("diff", "a.yaml", "c.yaml").code == 1

    def test_overrides_count_for_both(self, ask: Run) -> None:
        out = page(ask("diff", CFG, CHILD_CFG, "-o", "epochs=1", "-o", "batch_size=1", "-o", "token=null"))
        assert out == ""

    def test_an_error_is_no_difference(self, ask: Run) -> None:
        assert ask("diff", CFG, "configs/nothing.py").code == 2


class TestGraph:
    def test_odd_names_are_escaped(self, run: Run, project: Path, snapshot: Snapshot) -> None:
        text = """\
from typedcat import Config
cfg = Config()
cfg['a"b'] = 1
cfg['a<b'] = 2
cfg.end = cfg.DEP(lambda c: c['a"b'] + c['a<b'])
cfg['γ#1'] = cfg.DEP(lambda c: c.end)
"""
        write(project, {"configs/cfg.py": text})
        snapshot("cli/graph_odd_names", page(run("graph", "configs/cfg.py")))

    def test_a_key_brings_what_it_depends_on_and_what_depends_on_it(self, run: Run, project: Path) -> None:
        chain = "\n".join(f"cfg.k{i + 1} = cfg.DEP(lambda c: c.k{i})" for i in range(5))
        text = f"from typedcat import Config\ncfg = Config(k0=1, x=2)\n{chain}\ncfg.y = cfg.DEP(lambda c: c.x + c.k1)\n"
        write(project, {"configs/cfg.py": text})
        edges = [line.strip() for line in page(run("graph", "configs/cfg.py", "k2")).splitlines() if "-->" in line]
        assert edges == ["k_k0 --> k_k1", "k_k1 --> k_k2", "k_k2 --> k_k3", "k_k3 --> k_k4", "k_k4 --> k_k5"]


class TestSchema:
    def test_a_file_that_editors_use(self, run: Run, project: Path) -> None:
        write(project, FILES)
        assert page(run("schema", CFG, "-O", "schema.json")) == ""
        made = json.loads((project / "schema.json").read_text("utf-8"))
        assert made["required"] == ["epochs"]
        assert "lr" in made["$defs"]["Opt"]["properties"]

    @pytest.mark.parametrize("name", ["schema.py:Train", "schema:Train"])
    def test_a_class(self, ask: Run, name: str) -> None:
        assert json.loads(page(ask("schema", name))) == json.loads(page(ask("schema", CFG)))

    def test_of_a_config_whose_values_do_not_fit_yet(self, run: Run, project: Path) -> None:
        write(
            project,
            {
                **FILES,
                "configs/new.py": "from schema import Train\nfrom typedcat import Config\ncfg = Config(schema=Train)\n",
            },
        )
        assert json.loads(page(run("schema", "configs/new.py")))["required"] == ["epochs"]

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            (
                OPEN_CFG,
                f"{OPEN_CFG} has no schema\n"
                "  give it one: cfg = Config(schema=...), or name a class: typedcat schema schema.py:Train",
            ),
            ("schema.py:Trian", "schema.py has no 'Trian'\n  did you mean 'Train'?"),
            ("nowhere:Train", "cannot import 'nowhere': ModuleNotFoundError: No module named 'nowhere'"),
            (
                "optim:Adam",
                "<class 'optim.Adam'> is no schema: give a TypedConfig class, pydantic model, dataclass or TypedDict",
            ),
            ("nowhere.py:Train", "nowhere.py: no such Python file\n  looked for nowhere.py in <project>"),
        ],
    )
    def test_what_has_none(self, ask: Run, name: str, message: str) -> None:
        answer = ask("schema", name)
        err = answer.err.replace(os.getcwd(), "<project>")
        assert (answer.code, answer.out, err) == (2, "", f"error: {message}\n")

    def test_a_file_that_cannot_be_written(self, ask: Run) -> None:
        answer = ask("schema", CFG, "-O", "nowhere/schema.json")
        assert answer.code == 2
        assert answer.err == "error: cannot write nowhere/schema.json: No such file or directory\n"


class TestTheCommand:
    def test_help_has_examples(self, run: Run) -> None:
        assert "typedcat explain " in page(run("--help"))
        for command in ("show", "explain", "diff", "graph", "schema"):
            text = page(run(command, "--help"))
            assert f"  typedcat {command} " in text
            assert "--traceback" in text

    def test_version(self, run: Run) -> None:
        assert page(run("--version")).startswith("typedcat 0.")

    @pytest.mark.parametrize(
        "args", [[], ["shwo"], ["show"], ["show", "a", "b", "c"], ["show", "a", "--format", "toml"]]
    )
    def test_wrong_use(self, run: Run, args: list[str]) -> None:
        answer = run(*args)
        assert (answer.code, answer.out) == (2, "")
        assert "usage: typedcat" in answer.err

    def test_the_traceback_is_shown_when_asked_for(self, run: Run, project: Path) -> None:
        write(project, {"configs/cfg.py": "cfg = {'lr': 1 / 0}\n"})
        answer = run("show", "configs/cfg.py", "--traceback")
        assert answer.code == 2
        assert "Traceback (most recent call last)" in answer.err
        assert answer.err.endswith("error: configs/cfg.py:1: ZeroDivisionError: division by zero\n")

    def test_a_bug_says_so(self, run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*args: object, **options: object) -> None:
            raise AssertionError("oops")

        monkeypatch.setattr("typedcat.cli.common.load_config", broken)
        answer = run("show", "cfg.py")
        assert answer.code == 2
        assert "AssertionError: oops" in answer.err
        assert "this is a bug in typedcat" in answer.err

    def test_control_c(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*args: object, **options: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("typedcat.cli.common.load_config", interrupted)
        assert run("show", "cfg.py").code == 130

    def test_nothing_in_memory_or_the_environment_is_needed(self, project: Path) -> None:
        write(project, FILES)
        done = spawn("show", CFG, "opt.cls", cwd=project)
        assert (done.returncode, done.stdout, done.stderr) == (0, "<class 'optim.Adam'>\n", "")

    def test_help_is_light(self, project: Path) -> None:
        heavy = ["pydantic", "pandas", "numpy", "yaml", "rich", "openpyxl", "cloudpickle"]
        code = f"import sys; from typedcat.cli import main; main(['--help']); print(set({heavy}) & set(sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True
        )
        assert done.stdout.endswith("set()\n")

    @pytest.mark.slow
    @pytest.mark.skipif(sys.platform == "win32", reason="a shell with pipes is needed")
    def test_a_reader_that_stops_is_no_error(self, project: Path) -> None:
        write(project, {"configs/cfg.py": "cfg = {'k%d' % i: i for i in range(100_000)}\n"})
        command = f"'{sys.executable}' -m typedcat show configs/cfg.py | head -n 1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(
            ["bash", "-c", command], cwd=project, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.stdout == "cfg = Config()\n141\n"
        assert done.stderr == ""

    @pytest.mark.skipif(sys.platform != "linux", reason="there is no /dev/full")
    def test_a_full_disk(self, project: Path) -> None:
        write(project, FILES)
        command = f"'{sys.executable}' -m typedcat show {CFG} > /dev/full"
        done = subprocess.run(
            ["bash", "-c", command], cwd=project, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr == "error: cannot write the answer: No space left on device\n"

    def test_long_lines_are_neither_wrapped_nor_cut_in_pipes(self, ask: Run) -> None:
        out = page(ask("explain", OPEN_CFG, "long"))
        assert f"long = '{'x' * 300}'" in out
        assert "\x1b" not in out

    @pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
    @pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
    def test_colours_on_a_terminal_only(self, project: Path, no_color: str, coloured: bool) -> None:
        write(project, FILES)
        out = on_terminal(project, no_color, "show", OPEN_CFG)
        assert ("\x1b[" in out) is coloured
        assert "[red]not markup[/red]" in out
        assert "x" * 300 in out


def on_terminal(project: Path, no_color: str, *args: str) -> str:
    import pty

    ours, theirs = pty.openpty()
    variables = environment(NO_COLOR=no_color, TERM="xterm-256color", COLUMNS="40")
    with subprocess.Popen(
        [sys.executable, "-m", "typedcat", *args], cwd=project, stdout=theirs, stderr=theirs, env=variables
    ) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            text += chunk
        process.wait()
    os.close(ours)
    return text.decode().replace("\r\n", "\n")


def test_a_saved_run_equals_its_config(run: Run, project: Path) -> None:
    write(project, FILES)
    load_config(CFG, create_rslt_dir=False).save_pkl(project / "run" / "cfg.pkl")
    assert isinstance(pickle.loads((project / "run" / "cfg.pkl").read_bytes()), dict)
    answer = run("diff", CFG, "run/cfg.pkl", "--config-root", ".")
    assert [line for line in answer.out.splitlines() if line[0] in "+-" and "rslt_dir" not in line][2:] == []


def test_main_takes_the_arguments_of_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["typedcat", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("typedcat ")
