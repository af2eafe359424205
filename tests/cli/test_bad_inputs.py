"""Bad configs on the command line: exit code 2, one clear message, nothing left behind, in bounded time and memory."""

from __future__ import annotations

import json
import os
import pickle
import re
import sys
import textwrap
from pathlib import Path

import pytest

from tests.cli.conftest import Run, listing, spawn, write
from tests.conftest import Snapshot

CFG = "from typedcat import Config, DEP, Drop, Extend\n"
SCHEMA = """\
from typing import Annotated, Literal
from pydantic import BaseModel, Field, SecretStr
from typedcat import TypedConfig

class Opt(TypedConfig):
    name: Literal['sgd', 'adam'] = 'sgd'
    lr: Annotated[float, Field(gt=0)] = 0.1

class Train(TypedConfig):
    epochs: int
    opt: Opt = Opt()
    token: SecretStr | None = None

class Auth(BaseModel):
    token: SecretStr

class Plain(BaseModel):
    epochs: int = 3
    auth: Auth
"""


def py(text: str) -> str:
    return CFG + textwrap.dedent(text)


def lol(depth: int) -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, depth)]
    return "\n".join(lines) + "\n"


Files = dict[str, str | bytes]
CASES: dict[str, Files] = {
    # -- files
    "missing file": {"configs/mnist/base/cfg.py": py("cfg = Config()")},
    "a directory": {"configs/cfg.py/config.yaml": "lr: 1\n"},
    "an unknown ending": {"configs/cfg.ini": "lr = 1\n"},
    "an empty yaml file": {"configs/cfg.yaml": ""},
    "an empty json file": {"configs/cfg.json": " \n"},
    "an empty pickle": {"configs/cfg.pkl": b""},
    "an empty py file": {"configs/cfg.py": ""},
    "yaml that is not utf-8": {"configs/cfg.yaml": "lr: 1\nname: Müller\n".encode("latin-1")},
    "py that is not utf-8": {"configs/cfg.py": py("cfg = Config(name='Müller')").encode("latin-1")},
    "json that is not utf-8": {"configs/cfg.json": '{"name": "Müller"}'.encode("latin-1")},
    "binary bytes": {"configs/cfg.yaml": bytes(range(32)) * 3},
    "py with a nul": {"configs/cfg.py": b"cfg = 1\n\0\n"},
    # -- Python
    "a syntax error": {"configs/cfg.py": py("cfg = Config()\ncfg.lr = = 1\n")},
    "an indentation error": {"configs/cfg.py": py("cfg = Config()\n  cfg.lr = 1\n")},
    "an exception": {"configs/cfg.py": py("cfg = Config()\ncfg.lr = 1 / 0\n")},
    "an exception in a helper": {
        "configs/cfg.py": py("from helpers import half\ncfg = Config()\ncfg.lr = half(0)\n"),
        "helpers.py": "def half(x):\n    return 1 / x\n",
    },
    "an import that fails": {"configs/cfg.py": py("import tensorflaw\ncfg = Config()\n")},
    "it exits": {"configs/cfg.py": py("import sys\nsys.exit(3)\n")},
    "no cfg": {"configs/cfg.py": py("cgf = Config(lr=1)\n")},
    "cfg and config": {"configs/cfg.py": py("cfg = Config(lr=1)\nconfig = Config(lr=2)\n")},
    "cfg is a number": {"configs/cfg.py": "cfg = 3\n"},
    "cfg is a class": {"configs/cfg.py": "class Train:\n    lr = 1\ncfg = Train\n"},
    "a method name as a key": {"configs/cfg.py": py("cfg = Config()\ncfg.items = 3\n")},
    "a value used before loading": {
        "configs/base.py": py("cfg = Config(epochs=3)\n"),
        "configs/cfg.py": py("cfg = Config(caps='configs/base.py')\ncfg.epochs += 1\n"),
    },
    # -- inheritance
    "a missing base": {
        "configs/cfg.py": py("cfg = Config(caps='configs/base/cfg.py')\n"),
        "configs/bases/cfg.py": py("cfg = Config()\n"),
    },
    "a broken base": {
        "configs/cfg.py": py("cfg = Config(caps='configs/base.py')\n"),
        "configs/base.py": py("cfg = Config()\ncfg.lr = lr\n"),
    },
    "a cycle of caps": {
        "configs/cfg.py": py("cfg = Config(caps='configs/b.py')\n"),
        "configs/b.py": py("cfg = Config(caps='configs/c.py')\n"),
        "configs/c.py": py("cfg = Config(caps='configs/cfg.py')\n"),
    },
    "its own base": {"configs/cfg.py": py("cfg = Config(caps='configs/cfg.py')\n")},
    "it loads itself": {"configs/cfg.py": py("from typedcat import load_config\ncfg = load_config(__file__)\n")},
    "caps is a number": {"configs/cfg.py": py("cfg = Config(caps=3)\n")},
    "extend of a number": {
        "configs/base.py": py("cfg = Config(hooks=3)\n"),
        "configs/cfg.py": py("cfg = Config(caps='configs/base.py')\ncfg.hooks = Extend([4])\n"),
    },
    "drop of nothing": {"configs/cfg.py": py("cfg = Config()\ncfg.momentum = Drop\n")},
    # -- dependencies
    "a dependency that raises": {
        "configs/cfg.py": py("cfg = Config(epochs=0)\ncfg.log = cfg.DEP(lambda c: 1 / c.epochs)\n")
    },
    "a dependency that raises further below": {
        "configs/cfg.py": py("""
            cfg = Config(epochs=0)

            @cfg.set_DEP()
            def log(c):
                epochs = c.epochs
                return 1 / epochs

            cfg.steps = cfg.DEP(lambda c: c.log + 1)
        """)
    },
    "a dependency that exits": {"configs/cfg.py": py("cfg = Config(n=1)\ncfg.log = cfg.DEP(lambda c: exit(c.n))\n")},
    "a dependency with a typo": {
        "configs/cfg.py": py("cfg = Config(epochs=3)\ncfg.log = cfg.DEP(lambda c: c.epoch // 2)\n")
    },
    "a cycle of dependencies": {
        "configs/cfg.py": py("cfg = Config()\ncfg.a = cfg.DEP(lambda c: c.b)\ncfg.b = cfg.DEP(lambda c: c.a)\n")
    },
    # -- schemas
    "wrong types": {
        "schema.py": SCHEMA,
        "configs/base.py": py("from schema import Train\ncfg = Config(schema=Train)\ncfg.epochs = 3\ncfg.opt.lr = 1\n"),
        "configs/cfg.py": py("cfg = Config(caps='configs/base.py')\ncfg.epochs = 'ten'\ncfg.opt.lr = -1.0\n"),
    },
    "several problems": {
        "schema.py": SCHEMA,
        "configs/patch.yaml": "epochs: many\nopt:\n  lrr: 0.1\n  name: sdg\n",
        "configs/cfg.py": py("from schema import Train\ncfg = Config(schema=Train, caps='configs/patch.yaml')\n"),
    },
    "an unknown key": {
        "schema.py": SCHEMA,
        "configs/cfg.py": py("from schema import Train\ncfg = Config(schema=Train)\ncfg.epochs = 3\ncfg.opt.lrr = 1\n"),
    },
    "a required key": {
        "schema.py": SCHEMA,
        "configs/cfg.py": py("from schema import Train\ncfg = Config(schema=Train)\n"),
    },
    "a wrong secret": {
        "schema.py": SCHEMA,
        "configs/cfg.py": py(
            "from schema import Train\ncfg = Config(schema=Train)\ncfg.epochs = 3\ncfg.token = ['hunter2']\n"
        ),
    },
    "a wrong secret in a model": {
        "schema.py": SCHEMA,
        "configs/cfg.py": py(
            "from schema import Plain\ncfg = Config(schema=Plain)\ncfg.auth.token = 'hunter2'\ncfg.auth.token = 777\n"
        ),
    },
    "a schema that is none": {"configs/cfg.py": py("cfg = Config(schema=int)\n")},
    "unrelated schemas": {
        "schema.py": SCHEMA,
        "configs/base.py": py("from schema import Train\ncfg = Config(schema=Train)\ncfg.epochs = 3\n"),
        "configs/cfg.py": py("from schema import Opt\ncfg = Config(schema=Opt, caps='configs/base.py')\n"),
    },
    # -- YAML
    "malformed yaml": {"configs/cfg.yaml": "opt:\n  lr: 0.1\n mom: 2\n"},
    "a yaml tab": {"configs/cfg.yaml": "opt:\n\tlr: 0.1\n"},
    "yaml with an open bracket": {"configs/cfg.yaml": "lr: [1, 2\nmom: 3\n"},
    "yaml with a colon": {"configs/cfg.yaml": "name: run: 3\n"},
    "yaml python objects": {"configs/cfg.yaml": "opt:\n  cls: !!python/name:os.system\n"},
    "yaml python apply": {"configs/cfg.yaml": "opt: !!python/object/apply:os.system ['touch owned']\n"},
    "yaml custom tags": {"configs/cfg.yaml": "opt: !mine 3\n"},
    "duplicate yaml keys": {"configs/cfg.yaml": "opt:\n  lr: 0.1\n  mom: 1\n  lr: 0.2\n"},
    "a yaml list": {"configs/cfg.yaml": "- lr: 0.1\n"},
    "two yaml documents": {"configs/cfg.yaml": "lr: 1\n---\nlr: 2\n"},
    "an unknown alias": {"configs/cfg.yaml": "opt: *base\n"},
    "a yaml alias bomb": {"configs/cfg.yaml": lol(9)},
    "a yaml alias in itself": {"configs/cfg.yaml": "a: &a\n  b: *a\n"},
    # -- JSON
    "malformed json": {"configs/cfg.json": '{\n  "lr": 0.1,\n}\n'},
    "a json comment": {"configs/cfg.json": '{\n  // rate\n  "lr": 0.1\n}\n'},
    "truncated json": {"configs/cfg.json": '{\n  "lr": 0.1,\n  "opt": {'},
    "duplicate json keys": {"configs/cfg.json": '{"lr": 1, "lr": 2}'},
    "a json number": {"configs/cfg.json": "3"},
    # -- pickles
    "a truncated pickle": {"configs/cfg.pkl": pickle.dumps({"lr": [0.1] * 100})[:-40]},
    "garbage as a pickle": {"configs/cfg.pkl": b"lr = 0.1\n"},
    "a pickled number": {"configs/cfg.pkl": pickle.dumps(3)},
    "a pickle that needs a module": {"configs/cfg.pkl": b"cnot_installed_here\nThing\n."},
    "a pickle that needs a name": {"configs/cfg.pkl": b"cjson\nGone\n."},
    # -- projects
    "a broken project file": {
        "pyproject.toml": "[tool.typedcat]\nconfig_root = configs\n",
        "configs/cfg.py": "cfg = {}",
    },
    "an unknown project setting": {
        "pyproject.toml": "[tool.typedcat]\nconfigs_root = 'configs'\n",
        "configs/cfg.py": "cfg = {}",
    },
}
NAMES = {"missing file": "configs/mnist/bse/cfg.py"}


def the_config(name: str, files: Files) -> str:
    if name in NAMES:
        return NAMES[name]
    known = [file for file in files if re.fullmatch(r"configs/cfg\.\w+", file)]
    return known[0] if known else "configs/cfg.py"


@pytest.mark.parametrize("name", CASES)
def test_a_bad_config(name: str, run: Run, project: Path, snapshot: Snapshot) -> None:
    write(project, CASES[name])
    before = listing(project)
    answer = run("show", the_config(name, CASES[name]))
    assert answer.code == 2
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert "hunter2" not in answer.err
    assert "777" not in answer.err
    assert listing(project) == before
    text = answer.err.replace(str(project), "<project>").replace(sys.executable, "<python>")
    text = re.sub(r"from '.*json/__init__.py'", "from '<json>'", text)
    snapshot(f"cli/bad_inputs/{name.replace(' ', '_')}", text)


@pytest.mark.parametrize(
    "override", ["opt.ini.lrr=1", "lr", "=3", "opt.ini=[", "opt.ini.lr.x=1", "opt.cls=@no.Such", ""]
)
def test_a_bad_override(override: str, run: Run, project: Path, snapshot: Snapshot) -> None:
    write(project, {"configs/cfg.py": py("cfg = Config()\ncfg.opt.cls = int\ncfg.opt.ini.lr = 0.1\n")})
    answer = run("show", "configs/cfg.py", "-o", override)
    assert answer.code == 2
    assert answer.out == ""
    name = re.sub(r"\W+", "_", override).strip("_") or "empty"
    snapshot(f"cli/bad_inputs/override_{name}", answer.err)


# -- large, deep, unreadable: each in a process of its own, whose memory is limited

LARGE: dict[str, tuple[str, Files]] = {
    "a file of 65 MiB": ("configs/cfg.yaml", {"configs/cfg.yaml": b"a: 1\n" + b"#" * (65 * 2**20)}),
    "yaml of 20,000 levels": ("configs/cfg.yaml", {"configs/cfg.yaml": "[" * 20_000 + "]" * 20_000}),
    "yaml of 3,000 lists": ("configs/cfg.yaml", {"configs/cfg.yaml": "a: " + "[" * 3_000 + "]" * 3_000}),
    "yaml of 20,000 keys down": ("configs/cfg.yaml", {"configs/cfg.yaml": "{a: " * 20_000 + "1" + "}" * 20_000}),
    "json of 20,000 levels": ("configs/cfg.json", {"configs/cfg.json": '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}"}),
    "an alias bomb of 30 levels": ("configs/cfg.yaml", {"configs/cfg.yaml": lol(30)}),
    "merges that explode": (
        "configs/cfg.yaml",
        {
            "configs/cfg.yaml": "a0: &a0 {x: 1, y: 2}\n"
            + "".join(f"a{i}: &a{i} {{x: *a{i - 1}, y: *a{i - 1}}}\n" for i in range(1, 64))
        },
    ),
    "python of 20,000 levels": (
        "configs/cfg.py",
        {"configs/cfg.py": "cfg = {'a': " + "[" * 20_000 + "]" * 20_000 + "}"},
    ),
    "a chain of 3,000 bases": (
        "configs/cfg.py",
        {
            "configs/cfg.py": py("cfg = Config(caps='configs/b0.py')\n"),
            **{f"configs/b{i}.py": f"{CFG}cfg = Config(caps='configs/b{i + 1}.py')\n" for i in range(3_000)},
        },
    ),
}


def limit_memory() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as on Linux")
@pytest.mark.parametrize("name", LARGE)
def test_a_large_config(name: str, tmp_path: Path, snapshot: Snapshot) -> None:
    config, files = LARGE[name]
    write(tmp_path, files)
    before = listing(tmp_path)
    done = spawn("show", config, cwd=tmp_path, before=limit_memory)
    assert done.returncode == 2, done.stderr[-2000:]
    assert done.stdout == ""
    assert listing(tmp_path) == before
    snapshot(f"cli/bad_inputs/{re.sub(r'[^a-z0-9]+', '_', name.lower())}", re.sub(r"b\d+\.py", "b<n>.py", done.stderr))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes in folders")
def test_a_pipe_is_not_waited_for(run: Run, project: Path, snapshot: Snapshot) -> None:
    (project / "configs").mkdir()
    os.mkfifo(project / "configs" / "cfg.yaml")
    answer = run("show", "configs/cfg.yaml")
    assert answer.code == 2
    snapshot("cli/bad_inputs/a_pipe", answer.err)


@pytest.mark.slow
def test_what_is_deep_but_legal_is_shown(run: Run, project: Path) -> None:
    deep = "{a: " * 3_000 + "1" + "}" * 3_000
    write(project, {"configs/cfg.yaml": deep, "configs/list.json": json.dumps({"a": 1})})
    answer = run("show", "configs/cfg.yaml")
    assert (answer.code, answer.err) == (0, "")
    assert ".a.a.a = 1" in answer.out
