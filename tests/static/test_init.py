"""`typedcat init`: after it, mypy and pyright know the configs of a project, and nothing of the user's has changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "pyproject.toml",
    "configs/base/cfg.py",
    "mypy.ini",
    "pyrightconfig.json",
    ".pre-commit-config.yaml",
    ".gitignore",
}


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, timeout=110, check=False
    )


def init(folder: Path, *options: str) -> str:
    done = run("typedcat", "init", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")


def contents(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in folder.rglob("*") if file.is_file()
    }


def told(output: str, file: str) -> str:
    """The lines that the user is asked to add to a file."""
    found = re.search(rf"^add this +{re.escape(file)}\b.*\n((?: {{4,}}.*\n)*)", output, re.MULTILINE)
    return dedent(found[1]) if found else ""


# -- what is written


def test_an_empty_folder_gets_everything(tmp_path: Path) -> None:
    output = init(tmp_path)
    assert set(contents(tmp_path)) == NAMES
    assert output.count("created ") == len(NAMES)
    assert output.endswith("next: typedcat stubs\n")
    assert run("typedcat", "show", "configs/base/cfg.py", "opt.ini.lr", cwd=tmp_path).stdout.strip() == "0.1"


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    init(tmp_path)
    before = contents(tmp_path)
    output = init(tmp_path)
    assert contents(tmp_path) == before
    assert output.count("already there ") == len(NAMES)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    output = init(tmp_path, "--dry-run")
    assert contents(tmp_path) == {}
    assert output.count("would create ") == len(NAMES)


def test_a_folder_can_be_named(tmp_path: Path) -> None:
    init(tmp_path, "new/project")
    assert set(contents(tmp_path / "new/project")) == NAMES


@pytest.mark.parametrize("ending", ["", "\n", "\n\n# the end"])
def test_what_is_there_stays_as_it_is(tmp_path: Path, ending: str) -> None:
    files = {"pyproject.toml": f"[project]\nname   =  'lab' # odd, but mine{ending}", ".gitignore": f"*.pt{ending}"}
    write(tmp_path, files)
    init(tmp_path)
    after = contents(tmp_path)
    assert all(after[name].startswith(text) for name, text in files.items())
    assert "\n\n[tool.typedcat]\nconfig_root" in after["pyproject.toml"]
    assert after[".gitignore"].splitlines()[-3:] == [".typedcat_cache/", "experiment/", "configs/**/cfg.pkl"]


@pytest.mark.parametrize(
    ("ignored", "added"),
    [
        ("/experiment\n*.pkl\n/.typedcat_cache/\n", []),
        ("exp*\n**/cfg.pkl\n.typedcat_cache", []),
        ("experiment/**\n# configs/**/cfg.pkl\n", [".typedcat_cache/", "configs/**/cfg.pkl"]),
        ("!experiment/\n*.pt\ncfg.pkl", [".typedcat_cache/", "experiment/"]),
    ],
)
def test_what_git_ignores_already_is_not_added(tmp_path: Path, ignored: str, added: list[str]) -> None:
    write(tmp_path, {".gitignore": ignored})
    init(tmp_path)
    after = contents(tmp_path)[".gitignore"]
    assert after.startswith(ignored)
    assert after.removeprefix(ignored).split() == added


@pytest.mark.parametrize(
    ("settings", "ignored"),
    [
        ("", ["experiment/", "configs/**/cfg.pkl"]),
        ("config_root = './lab/conf.d'\nexperiments_root = 'out/runs'", ["out/runs/", "lab/conf.d/**/cfg.pkl"]),
        ("config_root = '.'\nexperiments_root = '../out'", ["**/cfg.pkl"]),
        ("experiments_root = '.'", ["configs/**/cfg.pkl"]),
    ],
)
def test_git_ignores_results_and_children(tmp_path: Path, settings: str, ignored: list[str]) -> None:
    write(tmp_path, {"pyproject.toml": f"[tool.typedcat]\n{settings}\n"})
    init(tmp_path)
    assert contents(tmp_path)[".gitignore"].splitlines() == [".typedcat_cache/", *ignored]


def test_a_sweep_changes_nothing_that_git_tracks(tmp_path: Path) -> None:
    init(tmp_path)
    made = ["experiment/tune/lr/run.json", "configs/tune/lr/lr=1/cfg.pkl", "configs/tune/cfg.pkl", ".typedcat_cache/a"]
    write(tmp_path, dict.fromkeys([*made, "configs/tune/lr/cfg.py"], ""))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    tracked = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.split()
    assert set(tracked) == {*NAMES, "configs/tune/lr/cfg.py"}


def test_the_config_root_of_the_project_counts(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": '[tool.typedcat]\nconfig_root = "lab/conf.d"\n'})
    init(tmp_path)
    after = contents(tmp_path)
    assert "lab/conf.d/base/cfg.py" in after
    assert "exclude = ^(stubs|lab/conf\\.d)/\n" in after["mypy.ini"]
    assert "typedcat show lab/conf.d/base/cfg.py" in after["lab/conf.d/base/cfg.py"]


EXISTING = {
    "setup.cfg": "[mypy]\nstrict = True\n",
    "pyrightconfig.json": '{\n  // mine\n  "exclude": ["old//new"], // and a last comma\n}\n',
    ".pre-commit-config.yaml": "repos: []\n",
}


def test_lines_for_existing_settings_are_only_told(tmp_path: Path) -> None:
    write(tmp_path, EXISTING)
    output = init(tmp_path)
    after = contents(tmp_path)
    assert {name: after[name] for name in EXISTING} == EXISTING
    assert "mypy.ini" not in after
    assert "exclude = ^(stubs|configs)/\n" in told(output, "setup.cfg")
    assert told(output, "pyrightconfig.json") == '"stubPath": "stubs",\n"exclude": ["stubs"],\n'
    [repo] = yaml.safe_load(told(output, ".pre-commit-config.yaml"))
    assert [hook["entry"] for hook in repo["hooks"]] == ["typedcat stubs --check", "typedcat check"]


def test_told_lines_count_once_they_are_added(tmp_path: Path) -> None:
    write(tmp_path, {"setup.cfg": "[mypy]\nstrict = True\n", "pyrightconfig.json": "{}"})
    output = init(tmp_path)
    write(tmp_path, {"setup.cfg": f"[mypy]\nstrict = True\n{told(output, 'setup.cfg')}"})
    write(tmp_path, {"pyrightconfig.json": f"{{{told(output, 'pyrightconfig.json')}}}"})
    assert "add this" not in init(tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "mypy.ini",
            "[mypy]\nmypy_path = src,./stubs\nexplicit_package_bases = yes\nexclude = (?x)(^configs/ | stubs)\n",
        ),
        (
            "pyproject.toml",
            "[tool.mypy]\nmypy_path = ['stubs']\nexplicit_package_bases = true\nexclude = ['stubs', 'conf']\n",
        ),
        ("pyproject.toml", "[tool.pyright]\nstubPath = './stubs'\nexclude = ['stubs/']\n"),
        ("pyproject.toml", "[tool.pyright]\nstubPath = 'stubs'\ninclude = ['src']\n"),
        ("pyrightconfig.json", '{"stubPath": "stubs", "exclude": ["**/stubs"]}'),
        (".pre-commit-config.yaml", "repos:\n- repo: https://example.org/typedcat\n  hooks: [{id: typedcat-stubs}]\n"),
    ],
)
def test_settings_count_however_they_are_written(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {name: text})
    output = init(tmp_path)
    assert "add this" not in output
    assert re.search(rf"already there +{re.escape(name)}", output)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[project\n"),
        ("mypy.ini", "strict = True\n"),
        ("pyrightconfig.json", "{"),
        ("pyproject.toml", "[tool]\nmypy = 1\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_and_nothing_is_written(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {name: text})
    done = run("typedcat", "init", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {name}")
    assert "Traceback" not in done.stderr
    assert contents(tmp_path) == {name: text}


def test_a_file_is_no_project(tmp_path: Path) -> None:
    write(tmp_path, {"train.py": ""})
    done = run("typedcat", "init", "train.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: train.py is a file")


# -- what the checkers make of it

LAB = {
    "configs/base/cfg.py": """\
        from lab.optim import SGD
        from typedcat_catalog import Config

        cfg = Config()
        cfg.loader.ini.batch_size = 128
        cfg.opt.cls = SGD
        cfg.opt.ini.lr = cfg.DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01)
    """,
    "configs/base,2xbs/cfg.py": """\
        from typedcat_catalog import Config

        cfg = Config(caps="configs/base/cfg.py")
        cfg.loader.ini.batch_size = 256
    """,
    "configs/10 epochs/cfg.py": """\
        from typedcat_catalog import Config

        cfg = Config(caps="configs/base/cfg.py")
        cfg["epochs"] = 10
    """,
    "lab/__init__.py": "",
    "lab/optim.py": "class SGD:\n    def __init__(self, lr: float) -> None:\n        self.lr = lr\n",
    "train.py": """\
        from typing import assert_type

        from configs.base.cfg import cfg as base
        from lab.optim import SGD
        from typedcat_catalog import load_config

        assert_type(load_config("configs/base/cfg.py").opt.ini.lr, float)
        assert_type(load_config("configs/base/cfg.py").opt.cls, type[SGD])
        assert_type(load_config("configs/base,2xbs/cfg.py").loader.ini.batch_size, int)
        assert_type(load_config("configs/10 epochs/cfg.py").epochs, int)
        assert_type(base.opt.ini.lr, float)
    """,
}
ENVIRONMENT = {"env/pyvenv.cfg": "", "env/lib/broken.py": "import no_such_module\n"}


def checked(folder: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    python = f"--pythonpath={sys.executable}"
    cache = f"--cache-dir={folder.parent / 'mypy'}"  # shared: what typedcat and its libraries are stays the same
    return {"mypy": run("mypy", "--strict", cache, ".", cwd=folder), "pyright": run("pyright", python, cwd=folder)}


def check(folder: Path) -> None:
    """mypy and pyright have no complaints, and both notice a key that is not there."""
    done = run("typedcat", "stubs", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, result in checked(folder).items():
        assert result.returncode == 0, f"{name}: {result.stdout}{result.stderr}"
    write(
        folder,
        {"slip.py": 'from typedcat_catalog import load_config\n\nload_config("configs/base/cfg.py").opt.ini.rl\n'},
    )
    for name, result in checked(folder).items():
        assert result.returncode == 1, f"{name}: {result.stdout}{result.stderr}"
        assert re.search(r'slip\.py:3.*"rl"', result.stdout), f"{name}: {result.stdout}"


@pytest.mark.slow
def test_checkers_know_the_configs(tmp_path: Path) -> None:
    write(tmp_path, LAB | ENVIRONMENT)
    init(tmp_path)
    check(tmp_path)


@pytest.mark.slow
def test_checkers_know_the_configs_when_the_user_has_added_what_is_told(tmp_path: Path) -> None:
    write(tmp_path, LAB | {"pyproject.toml": "[tool.mypy]\n[tool.pyright]\n"})
    output = init(tmp_path)
    text = (tmp_path / "pyproject.toml").read_text("utf-8")
    for found in re.finditer(r"^add this +pyproject.toml: (\[.*?\]).*\n((?: {4,}.*\n)*)", output, re.MULTILINE):
        text = text.replace(f"{found[1]}\n", f"{found[1]}\n{dedent(found[2])}")
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    assert "add this" not in init(tmp_path)
    check(tmp_path)


@pytest.mark.slow
def test_checkers_know_configs_beside_the_scripts(tmp_path: Path) -> None:
    moved = {name.removeprefix("configs/"): text.replace("configs/", "") for name, text in LAB.items()}
    moved["train.py"] = moved["train.py"].replace("configs.base", "base")
    write(tmp_path, moved | {"pyproject.toml": '[tool.typedcat]\nconfig_root = "."\n'})
    init(tmp_path)
    assert run("typedcat", "stubs", cwd=tmp_path).returncode == 0
    for name, result in checked(tmp_path).items():
        assert result.returncode == 0, f"{name}: {result.stdout}{result.stderr}"


# -- hooks


def test_the_hooks_of_the_repository_are_those_that_init_writes(tmp_path: Path) -> None:
    init(tmp_path)
    [repo] = yaml.safe_load((tmp_path / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    offered: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert [hook["entry"] for hook in offered] == ["typedcat stubs --check", "typedcat check"]
    for hook in repo["hooks"]:
        [same] = [one for one in offered if one["id"] == hook["id"]]
        assert {key: same[key] for key in hook} == hook
    assert json.loads((tmp_path / "pyrightconfig.json").read_text("utf-8"))["stubPath"] == "stubs"
