"""Records of runs: what is in the result folder afterwards, that no secret is, and that the folder loads the config."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from typedcat import DEP, Config, TypedConfig, load_config, record_run
from typedcat.errors import ConfigNotFoundError, ProjectError
from typedcat.load.git_state import GitState, git_state
from typedcat.load.record import Surroundings, overrides_of, public_command
from typedcat.load.surroundings import environment, packages

SECRET = "hunter2X"
Git = Callable[..., str]
EMPTY = Surroundings(started="2026-01-02T03:04:05+00:00")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in an empty folder, the working directory; nobody's git settings count."""
    root = tmp_path / "project"
    (root / "configs" / "base").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.typedcat]\nexperiments_root = 'exp'\n")
    (root / "configs" / "base" / "cfg.py").write_text(
        "from typedcat import Config\ncfg = Config(lr=0.1, opt={'a': 1})\n"
    )
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["train.py"])
    return root


@pytest.fixture
def git(project: Path) -> Git:
    """Runs git in the project, which is a repository with one commit."""

    def run(*arguments: str, folder: Path = project) -> str:
        who = ["-c", "user.name=me", "-c", "user.email=me@here", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run("init")
    run("add", ".")
    run("commit", "-m", "first")
    return run


def recorded(cfg: Any, surroundings: Surroundings = EMPTY) -> Any:
    """The record of a config, read."""
    return json.loads(record_run(cfg, surroundings=surroundings).read_text(encoding="utf-8"))


def files(folder: Path | str) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in Path(folder).rglob("*") if file.is_file()}


# -- git


class TestGit:
    def test_a_clean_work_tree(self, project: Path, git: Git) -> None:
        assert git_state(project) == GitState(commit=git("rev-parse", "HEAD"), branch="main")
        assert git_state(project / "configs" / "base").branch == "main"

    def test_what_is_not_committed(self, project: Path, git: Git) -> None:
        (project / "configs" / "base" / "cfg.py").write_text("changed = 'ü'\n")
        (project / "new.py").write_text("x = 1\n")
        git("add", "new.py")
        (project / "other folder").mkdir()
        (project / "other folder" / "notes ü.txt").write_text("not tracked")
        (project / "data.bin").write_bytes(b"\0" * 10)
        (project / "large.txt").write_text("a" * 300_000)
        (project / ".gitignore").write_text("ignored.py\n")
        (project / "ignored.py").write_text("")
        found = git_state(project)
        assert found.dirty
        assert found.untracked == (".gitignore", "other folder/notes ü.txt")
        assert found.more_untracked == 2
        (project.parent / "the.diff").write_text(found.diff, encoding="utf-8")
        after = (project / "configs/base/cfg.py").read_text(), (project / "new.py").read_text()
        git("reset", "--hard")
        git("apply", str(project.parent / "the.diff"))
        assert after == ((project / "configs/base/cfg.py").read_text(), (project / "new.py").read_text())

    def test_untracked_files_alone_are_not_dirty(self, project: Path, git: Git) -> None:
        (project / "new.py").write_text("")
        assert not git_state(project).dirty

    def test_line_ends_and_bytes_that_are_no_text(self, project: Path, git: Git) -> None:
        (project / "a.txt").write_bytes(b"one\r\ntwo\xff\n")
        git("add", ".")
        git("commit", "-m", "a")
        (project / "a.txt").write_bytes(b"one\r\ntwo\xfe\r\n")
        cfg = load_config("configs/base/cfg.py")
        record_run(cfg)
        git("checkout", "a.txt")
        git("apply", str(Path(cfg.rslt_dir) / "uncommitted.diff"))
        assert (project / "a.txt").read_bytes() == b"one\r\ntwo\xfe\r\n"

    def test_what_is_too_long_is_left_out(self, project: Path, git: Git) -> None:
        (project / "a.py").write_text("a\n")
        (project / "b.bin").write_bytes(b"\0b")
        (project / "z.py").write_text("z\n")
        git("add", ".")
        git("commit", "-m", "a")
        (project / "a.py").write_text("a line\n" * 100_000)
        (project / "b.bin").write_bytes(b"\0c")
        (project / "z.py").write_text("changed\n")
        diff = git_state(project).diff
        assert len(diff) < 1_000
        assert "diff --git a/a.py b/a.py\nchanges of " in diff
        assert "Binary files a/b.bin and b/b.bin differ" in diff
        assert "+changed" in diff
        for i in range(10):
            (project / f"n{i}.py").write_text(f"{i}" * 70 + "\n")
        git("add", ".")
        for i in range(10):
            (project / f"n{i}.py").write_text("b line\n" * 20_000)
        diff = git_state(project).diff
        assert 500_000 < len(diff) < 1_001_000
        assert "are left out here" in diff

    def test_places_without_an_answer(self, project: Path, tmp_path: Path, git: Git) -> None:
        assert git_state(tmp_path) == GitState()
        assert git_state(tmp_path / "nowhere") == GitState()
        assert git_state(project / ".git") == GitState()
        git("clone", "--bare", ".", str(tmp_path / "bare"))
        assert git_state(tmp_path / "bare") == GitState()

    def test_heads(self, project: Path, git: Git) -> None:
        commit = git("rev-parse", "HEAD")
        git("checkout", "--detach")
        assert git_state(project) == GitState(commit=commit)
        git("checkout", "--orphan", "young")
        found = git_state(project)
        assert (found.commit, found.branch, found.dirty) == ("", "young", True)
        assert "+cfg = Config(" in found.diff
        (project / "HEAD").write_text("a file with the name of a commit")
        git("checkout", "-f", "main")
        (project / "pyproject.toml").write_text("[tool.typedcat]\n")
        assert git_state(project).problem == ""
        assert "-experiments_root" in git_state(project).diff

    def test_a_submodule(self, project: Path, tmp_path: Path, git: Git) -> None:
        git("-c", "protocol.file.allow=always", "submodule", "add", str(project), "inner")
        git("commit", "-m", "with a submodule")
        inner = project / "inner"
        assert git_state(inner).commit == git("rev-parse", "HEAD", folder=inner) != git_state(project).commit
        (inner / "pyproject.toml").write_text("")
        assert git_state(inner).dirty
        assert "-dirty" in git_state(project).diff

    def test_neither_variables_nor_settings_lead_astray(
        self, project: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        git("init", folder=other)
        trap = tmp_path / "trap"
        trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/trapped\n")
        trap.chmod(0o755)
        for name in ("pager.diff", "core.pager", "diff.external", "core.fsmonitor"):
            git("config", name, str(trap))
        git("config", "diff.text.textconv", str(trap))
        git("config", "diff.orderFile", "nowhere")
        git("config", "diff.noprefix", "true")
        git("config", "color.ui", "always")
        git("config", "diff.relative", "true")
        (project / ".gitattributes").write_text("*.toml diff=text\n")
        (project / "pyproject.toml").write_text("[tool.typedcat]\n")
        for name, value in {
            "GIT_DIR": str(other / ".git"),
            "GIT_WORK_TREE": str(other),
            "GIT_INDEX_FILE": str(other / "index"),
            "GIT_EXTERNAL_DIFF": str(trap),
            "GIT_PAGER": str(trap),
            "GIT_PREFIX": "configs/",
        }.items():
            monkeypatch.setenv(name, value)
        found = git_state(project / "configs")
        assert found.branch == "main"
        assert found.diff.startswith("diff --git a/pyproject.toml b/pyproject.toml\n")
        assert "\n-experiments_root" in found.diff
        assert not (tmp_path / "trapped").exists()

    def test_no_git_and_a_git_that_hangs(
        self, project: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake = tmp_path / "bin" / "git"
        fake.parent.mkdir()
        monkeypatch.setenv("PATH", str(fake.parent))
        assert git_state(project) == GitState()
        fake.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
        fake.chmod(0o755)
        assert git_state(project, seconds=0.2) == GitState(problem="git status took longer than 0.2 seconds")
        fake.write_text("#!/bin/sh\necho fatal: dubious ownership >&2\nexit 128\n")
        assert git_state(project) == GitState(problem="fatal: dubious ownership")
        fake.chmod(0o600)
        assert git_state(project).problem.startswith("git cannot be run: ")

    def test_a_part_that_fails_leaves_the_rest(
        self, project: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / "pyproject.toml").write_text("")
        fake = tmp_path / "bin" / "git"
        fake.parent.mkdir()
        real = shutil.which("git")
        fake.write_text(f'#!/bin/sh\ncase "$*" in *" diff "*) exec /bin/sleep 60;; esac\nexec {real} "$@"\n')
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
        found = git_state(project, seconds=1)
        assert found.commit
        assert found.dirty
        assert found.diff == ""
        assert found.problem == "git diff took longer than 1 seconds"


# -- the rest of the surroundings


class TestSurroundings:
    def test_what_they_are(self, project: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["train.py", "-o", "lr=0.3"])
        found = Surroundings.now()
        assert found.command == ("train.py", "-o", "lr=0.3")
        assert (found.cwd, found.root) == (str(project), str(project))
        assert found.python == ".".join(map(str, sys.version_info[:3]))
        assert found.git.branch == "main"
        assert found.packages["numpy"] and found.packages["PyYAML"]
        assert found.host and found.platform and found.executable and found.started[10] == "T"
        assert pickle.loads(pickle.dumps(found)) == found
        assert Surroundings.now(project.parent).git.commit == ""
        monkeypatch.setattr(sys, "argv", ["worker"])
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
        monkeypatch.chdir(project.parent)
        here = found.here()
        assert (here.command, here.git, here.packages) == (found.command, found.git, found.packages)
        assert (here.cwd, here.environment["CUDA_VISIBLE_DEVICES"]) == (str(project.parent), "7")

    def test_packages_are_those_that_are_imported(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for folder, name, version in (("a", "My.Pkg", "2+cu121"), ("b", "my_pkg", "1"), ("b", "numpy", "0")):
            info = tmp_path / folder / f"{name}-{version}.dist-info"
            info.mkdir(parents=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: no\n")
        (tmp_path / "a" / "broken-1.dist-info").mkdir()
        import numpy

        monkeypatch.setattr(sys, "path", [str(tmp_path / "a"), *sys.path, str(tmp_path / "b")])
        found = dict(packages())
        assert found["My.Pkg"] == "2+cu121"
        assert "my_pkg" not in found
        assert found["numpy"] == numpy.__version__

    def test_variables(self) -> None:
        given = {
            "CUDA_VISIBLE_DEVICES": "0,1",
            "SLURM_JOB_ID": "3",
            "SLURM_JWT": SECRET,
            "HF_TOKEN": SECRET,
            "TYPEDCAT_SOME_KEY": SECRET,
            "CONDA_PASSWORD": SECRET,
            "PYTHONPATH": "/lib",
            "TORCH_URL": f"https://me:{SECRET}@host/x",
            "WORLD_SIZE": "2",
            "HOME": "/root",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
        found = environment(given)
        assert SECRET not in str(found)
        assert set(given) - set(found) == {"HOME", "AWS_SECRET_ACCESS_KEY"}
        assert found["TORCH_URL"] == "https://me:**********@host/x"
        assert (found["CUDA_VISIBLE_DEVICES"], found["PYTHONPATH"]) == ("0,1", "/lib")

    def test_commands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        secret = [f"--api-key={SECRET}", "--token", SECRET, f"login.password={SECRET}", f"--url=http://a:{SECRET}@b"]
        plain = ["tokenizer=bert", "n_tokens=3", "attn.key_dim=64", "--epochs", "3", "-o", "lr=0.1"]
        monkeypatch.setattr(sys, "argv", ["train.py", *secret, *plain])
        command = Surroundings.now().command
        assert SECRET not in str(command)
        assert command[-len(plain) :] == tuple(plain)
        assert command[1] == "--api-key=**********"

    def test_gpus_are_asked_for_where_torch_is_in_use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class NVMLError(Exception):
            pass

        fake: Any = ModuleType("pynvml")
        fake.NVMLError = NVMLError
        fake.nvmlInit = fake.nvmlShutdown = lambda: None
        fake.nvmlDeviceGetCount = lambda: 2
        fake.nvmlDeviceGetHandleByIndex = lambda i: i
        fake.nvmlDeviceGetName = lambda i: ["H100", b"A100"][i]
        monkeypatch.setitem(sys.modules, "pynvml", fake)
        monkeypatch.delitem(sys.modules, "torch", raising=False)
        assert Surroundings.now().gpus == ()
        assert "torch" not in sys.modules
        monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
        assert Surroundings.now().gpus == ("H100", "A100")

        def refuse() -> None:
            raise NVMLError("no driver")

        fake.nvmlInit = refuse
        assert Surroundings.now().gpus == ()


# -- the record


class TestRecord:
    def test_the_files(self, project: Path, git: Git) -> None:
        (project / "configs/base/cfg.py").write_text(
            "from typedcat import Config\ncfg = Config(lr=0.1)\ncfg.twice = cfg.DEP(lambda c: 2 * c.lr)\n"
        )
        cfg = load_config("configs/base/cfg.py", overrides=["lr=0.2", "+note='a b'"])
        made = record_run(cfg)
        folder = project / cfg.rslt_dir
        assert made == folder / "run.json"
        assert set(files(folder)) == {"run.json", "config.txt", "cfg.pkl", "uncommitted.diff"}
        record = json.loads(made.read_text())
        assert record["config"] == {
            "source": str(project / "configs/base/cfg.py"),
            "overrides": ["lr=0.2", "+note='a b'"],
            "file": "cfg.pkl",
            "problem": "",
            "masked": [],
        }
        assert record["git"]["commit"] == git("rev-parse", "HEAD")
        assert record["git"]["dirty"] is True
        assert "diff" not in record["git"]
        assert sorted(record["files"]) == ["cfg.pkl", "config.txt", "uncommitted.diff"]
        assert "+cfg.twice" in (folder / "uncommitted.diff").read_text()
        assert "cfg.twice = 0.4\n" in (folder / "config.txt").read_text()
        assert record["packages"]["numpy"]

    def test_the_folder_loads_the_config(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (project / "configs/base/cfg.py").write_text(
            "from typedcat import Config\nimport time\ncfg = Config(lr=0.1)\ncfg.at = cfg.DEP(lambda c: time.time())\n"
            "cfg.f = lambda x: x + 1\n"
        )
        cfg = load_config("configs/base/cfg.py", overrides=["lr=0.2"])
        record_run(cfg, surroundings=EMPTY)
        (project / "configs/base/cfg.py").unlink()
        again = load_config(cfg.rslt_dir)
        assert (again.lr, again.at, again.f(1), again.rslt_dir) == (0.2, cfg.at, 2, "exp/base,lr=0.2")
        assert [step.how for step in again.origin("lr")] == ["override", "set"]
        assert load_config(Path(cfg.rslt_dir).absolute(), experiments_root="elsewhere").rslt_dir == cfg.rslt_dir
        assert load_config(cfg.rslt_dir, overrides=["lr=3"], create_rslt_dir=False).rslt_dir == "exp/base,lr=0.2,lr=3"
        child = Config(caps=cfg.rslt_dir, rslt_dir="x")
        assert load_config(child, create_rslt_dir=False).lr == 0.2

        moved = project.parent / "moved"
        shutil.copytree(cfg.rslt_dir, moved)
        assert load_config(moved).rslt_dir == str(moved)
        monkeypatch.chdir(moved)
        assert Path(load_config(".").rslt_dir).resolve() == moved
        assert Path(load_config("../moved/").rslt_dir).resolve() == moved
        assert not (moved / "exp").exists()

    def test_what_has_no_place_for_a_record(self, project: Path) -> None:
        wrong: Any = "configs/base/cfg.py"
        with pytest.raises(
            TypeError, match=r"record_run takes a loaded config, got 'configs/base/cfg.py'\n  cfg = load"
        ):
            record_run(wrong)
        with pytest.raises(ProjectError) as caught:
            record_run(load_config({"a": 1}, create_rslt_dir=False))
        assert str(caught.value) == (
            "this config comes from no file, so it has no result folder for the record\n"
            "  pass rslt_dir=... to load_config, or set cfg.rslt_dir"
        )
        (project / "other.yaml").write_text("a: 1\n")
        with pytest.raises(ProjectError) as caught:
            record_run(load_config("other.yaml", create_rslt_dir=False))
        assert str(caught.value) == (
            "other.yaml lies outside of the config root, so it has no result folder for the record\n"
            "  pass rslt_dir=... or config_root=... to load_config, or set cfg.rslt_dir"
        )

    def test_in_another_process(self, project: Path) -> None:
        cfg = load_config("configs/base/cfg.py")
        record_run(cfg, surroundings=EMPTY)
        code = f"from typedcat import load_config; print(load_config({cfg.rslt_dir!r}).opt.a)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stdout == "1\n", done.stderr

    def test_a_folder_without_a_record(self, project: Path) -> None:
        (project / "exp" / "empty").mkdir(parents=True)
        with pytest.raises(ConfigNotFoundError, match=r"is a directory.*\n.*record_run\(cfg\) writes"):
            load_config("exp/empty")
        with pytest.raises(ConfigNotFoundError, match=r"is a directory.*\n.*did you mean 'configs/base/cfg.py'"):
            load_config("configs/base")

    def test_an_earlier_record_is_kept(self, project: Path) -> None:
        cfg = load_config("configs/base/cfg.py")
        dirty = dataclasses.replace(EMPTY, git=GitState(diff="diff\n"))
        record_run(cfg, surroundings=dirty)
        Path(cfg.rslt_dir, "model.pth").write_text("mine")
        first = files(cfg.rslt_dir)
        changed = cfg.copy()
        changed.lr = 5
        record_run(changed, surroundings=EMPTY)
        record_run(cfg, surroundings=dataclasses.replace(EMPTY, started="2027"))
        found = files(cfg.rslt_dir)
        one, two = sorted(Path(cfg.rslt_dir, "earlier").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
        when = json.loads(first["run.json"])["recorded"].replace(":", "")
        assert one.name == when
        for name in ("run.json", "config.txt", "cfg.pkl", "uncommitted.diff"):
            assert (one / name).read_bytes() == first[name]
        assert load_config(two).lr == 5
        assert load_config(cfg.rslt_dir).lr == 0.1
        assert "uncommitted.diff" not in found
        assert found["model.pth"] == b"mine"

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '{"recorded": 3, "files": 4}', '{"recorded": "../x", "files": ["../y"]}']
    )
    def test_a_broken_record_is_kept_too(self, project: Path, text: str) -> None:
        cfg = load_config("configs/base/cfg.py")
        record_run(cfg, surroundings=EMPTY)
        (project / "exp" / "y").write_text("not mine")
        Path(cfg.rslt_dir, "run.json").write_text(text)
        record_run(cfg, surroundings=EMPTY)
        assert text.encode() in [data for name, data in files(cfg.rslt_dir).items() if name.startswith("earlier/")]
        assert (project / "exp" / "y").exists()
        assert load_config(cfg.rslt_dir).lr == 0.1

    def test_resuming_keeps_the_config(self, project: Path) -> None:
        record_run(load_config("configs/base/cfg.py"), surroundings=EMPTY)
        for _ in range(2):
            cfg = load_config("exp/base")
            record = recorded(cfg)
            assert record["config"]["file"] == "cfg.pkl"
            assert load_config("exp/base") == cfg

    def test_a_child_of_the_tuner_stays(self, project: Path) -> None:
        folder = project / "exp" / "tune" / "lr=1"
        child = Config(lr=1, rslt_dir=str(folder))
        child.twice = child.DEP(lambda c: 2 * c.lr)
        child.save_pkl(folder / "cfg.pkl")
        before = (folder / "cfg.pkl").read_bytes()
        for _ in range(2):
            assert recorded(load_config(folder / "cfg.pkl"))["config"]["file"] == "cfg.pkl"
            assert (folder / "cfg.pkl").read_bytes() == before
            assert "run.pkl" not in files(folder)
            assert load_config(folder).twice == 2
        other = load_config(folder / "cfg.pkl", overrides=["lr=3"], rslt_dir=folder)
        assert recorded(other)["config"]["file"] == "run.pkl"
        assert (folder / "cfg.pkl").read_bytes() == before
        assert load_config(folder).twice == 6

    def test_a_config_that_cannot_be_pickled(self, project: Path) -> None:
        cfg = load_config(Config(lock=threading.Lock(), rslt_dir="exp/a"))
        record = recorded(cfg)
        assert "cannot pickle '_thread.lock'" in record["config"]["problem"]
        assert set(files("exp/a")) == {"run.json", "config.txt"}
        with pytest.raises(ConfigNotFoundError, match=r"its record has no config; run\.json says why"):
            load_config("exp/a")

    def test_a_config_without_a_folder(self) -> None:
        with pytest.raises(ProjectError, match=r"set cfg\.rslt_dir"):
            record_run(load_config(Config(a=1), create_rslt_dir=False))

    def test_a_folder_that_cannot_be_written(self, project: Path) -> None:
        cfg = load_config("configs/base/cfg.py", create_rslt_dir=False)
        (project / "exp").write_text("a file")
        with pytest.raises(OSError, match="exp"):
            record_run(cfg, surroundings=EMPTY)

    def test_names_that_are_no_text(self, project: Path) -> None:
        state = GitState(diff="\udcff\n", untracked=("\udcff.py",), problem="ü")
        cfg = load_config("configs/base/cfg.py")
        record = recorded(cfg, dataclasses.replace(EMPTY, git=state))
        assert record["git"] == {**record["git"], "untracked": ["\udcff.py"], "problem": "ü"}
        assert Path(cfg.rslt_dir, "uncommitted.diff").read_bytes() == b"\xff\n"

    def test_only_the_first_process_writes(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cfg = load_config("configs/base/cfg.py")
        monkeypatch.setenv("RANK", "1")
        assert not record_run(cfg, surroundings=EMPTY).exists()
        monkeypatch.setenv("RANK", "0")
        assert record_run(cfg, surroundings=EMPTY).exists()

    def test_the_config_does_not_change(self, project: Path) -> None:
        cfg = load_config("configs/base/cfg.py")
        before = str(cfg), cfg.is_frozen
        record_run(cfg, surroundings=EMPTY)
        assert (str(cfg), cfg.is_frozen) == before


# -- secrets


class Login(BaseModel):
    tok: SecretStr | None = None
    user: str = "resnet"


class Plain:
    def __init__(self, held: Any) -> None:
        self.held = held


class Slots:
    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


class Train(TypedConfig):
    key: SecretStr = SecretStr("")
    raw: SecretBytes | None = None
    ks: list[SecretStr] = []
    by_name: dict[str, SecretStr] = {}
    login: Login = Login()
    note: str = ""


def closing(held: Any) -> Callable[[], Any]:
    return lambda: held


CONFIGS: dict[str, Callable[[], Any]] = {
    "declared": lambda: Config(schema=Train, key=SECRET),
    "bytes": lambda: Config(schema=Train, raw=SECRET.encode()),
    "in a list": lambda: Config(schema=Train, ks=["other", SECRET]),
    "in a dict": lambda: Config(schema=Train, by_name={"a": SECRET}),
    "in a model": lambda: Config(schema=Train, login={"tok": SECRET}),
    "open": lambda: Config(key=SecretStr(SECRET)),
    "deep": lambda: Config(a=[{"b": (SecretStr(SECRET),)}, {1}]),
    "a model": lambda: Config(login=Login(tok=SecretStr(SECRET))),
    "an object": lambda: Config(it=Plain([Plain({"x": SecretStr(SECRET)})])),
    "in a config in a list": lambda: Config(all=[Config(key=SecretStr(SECRET))]),
    "overridden": lambda: Config(schema=Train, caps=Config(key=SECRET), key="another"),
    "in a text": lambda: Config(schema=Train, key=SECRET, note=f"https://{SECRET}@host"),
    "in a function": lambda: Config(f=closing(SecretStr(SECRET)), key=SecretStr(SECRET)),
    "in slots": lambda: Config(it=[Slots(SecretStr(SECRET))]),
    "a dependency": lambda: Config(schema=Train, key=SECRET, note=DEP(lambda c: "x")),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_no_secret_is_written(name: str, project: Path) -> None:
    cfg = load_config(CONFIGS[name](), rslt_dir="exp/a")
    text = f'+key = "{SECRET}"\n'
    around = dataclasses.replace(
        EMPTY, command=("train.py", f"--x={SECRET}"), git=GitState(diff=text), environment={"CUDA_X": SECRET}
    )
    if name == "overridden":  # what was overridden is known to nobody any more
        around = EMPTY
    record = recorded(cfg, around)
    for file, data in files("exp/a").items():
        assert SECRET.encode() not in data, file
    assert SECRET not in json.dumps(record)
    if name == "in a text":
        assert "a secret stands in it where it cannot be masked" in record["config"]["problem"]
        return
    assert record["config"]["masked"] or name == "in slots"
    again = load_config("exp/a")
    assert SECRET not in str(again)
    assert "**********" in (project / "exp/a/config.txt").read_text() or name in ("an object", "in slots")
    if name == "declared":
        assert again.key.get_secret_value() == "**********"
        assert cfg.key.get_secret_value() == SECRET
    if name == "in a function":
        assert again.f().get_secret_value() == "**********"
    if name == "in a model":
        assert again.login.user == "resnet"


def test_short_and_empty_secrets_do_not_mask_everything(project: Path) -> None:
    cfg = load_config(Config(schema=Train, key="a", ks=[""], note="banana"), rslt_dir="exp/a")
    assert recorded(cfg)["config"]["masked"] == ["key"]
    assert load_config("exp/a").note == "banana"
    assert load_config("exp/a").key.get_secret_value() == "**********"


def test_commands_are_masked_by_what_the_config_declares(project: Path) -> None:
    arguments = [
        *(
            "-o",
            "key=abc",
            "--override=login.tok=abc",
            "-oks=[abc]",
            "+by_name.x=abc",
            "note=abc",
            "--lr=abc",
            "=",
            "a",
        ),
        *("-o", "raw=abc", "key", "ks.0=abc", "--opt.x=1"),
    ]
    cfg = load_config(Config(schema=Train, ks=["x"]), create_rslt_dir=False)
    assert public_command(arguments, cfg) == [
        *("-o", "key=**********", "--override=login.tok=**********", "-oks=['**********']", "+by_name.x=**********"),
        *("note=abc", "--lr=abc", "=", "a", "-o", "raw=**********", "key", "ks.0=**********", "--opt.x=1"),
    ]


def test_overrides_are_shown_without_secrets(project: Path) -> None:
    cfg = load_config(Config(schema=Train, rslt_dir="exp/a"), overrides=[f"key={SECRET}", "note=it's"])
    assert sorted(overrides_of(cfg)) == ["key=**********", "note=it's"]
    assert overrides_of(load_config(Config(a=1), create_rslt_dir=False)) == []


@pytest.mark.slow
def test_a_script_as_people_write_it(project: Path, git: Git) -> None:
    script = project / "train.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from typedcat import load_config, record_run
        cfg = load_config("configs/base/cfg.py", overrides=sys.argv[1:])
        record_run(cfg)
        assert "torch" not in sys.modules
        """)
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "train.py", "lr=3"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(Path("exp/base,lr=3/run.json").read_text())
    assert record["command"] == ["train.py", "lr=3"]
    assert record["git"]["untracked"] == ["train.py"]
    assert load_config("exp/base,lr=3").lr == 3
