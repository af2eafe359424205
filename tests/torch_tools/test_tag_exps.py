"""`tag_exps` on real repositories: which configs it finds, what it tags, and that tags lead back to configs."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from typedcat.torch_tools.scripts.exp_tags import config_of, tag_of
from typedcat.torch_tools.scripts.tag_exps import main

REPOSITORY = Path(__file__).resolve().parents[2]
CFG = "configs/mnist/base/cfg.py"
ODD = [
    "configs/VOC2012/swin-T,γ=10/10 epoch/cfg.py",
    "configs/mnist/base,2÷epo/cfg.py",
    "configs/a:b~c^d?e*f[g]/cfg.py",
    "configs/back\\slash/cfg.py",
    "configs/@{0}/{x}/@/cfg.py",
    "configs/a..b/...c/d./cfg.py",
    "configs/.hidden/x.lock/cfg.py",
    "configs/-dash/cfg.py",
    "configs/100%/%41/cfg.py",
    "configs/tab\there/new\nline/cfg.py",
    "configs/'quotes\"/$HOME/`x`/cfg.py",
    "configs/a/cfg.py",  # a folder of the next one
    "configs/a/b/cfg.py",
]


class Git:
    """A repository of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self("init", "-q", "-b", "main")

    def __call__(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgSign=false")
        done = subprocess.run(["git", *identity, *arguments], cwd=self.folder, capture_output=True, check=False)
        assert done.returncode == 0, os.fsdecode(done.stderr)
        return os.fsdecode(done.stdout).removesuffix("\n")

    def commit(self, *files: str, text: str = "cfg = 1\n", message: str = "configs") -> str:
        """Write files, commit everything; returns the hash."""
        for name in files:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self("add", "-A")
        self("commit", "-q", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")

    def tags(self) -> dict[str, str]:
        """The hash that each tag is at."""
        lines = self("for-each-ref", "--format=%(objectname) %(refname:strip=2)", "refs/tags").splitlines()
        return {line.partition(" ")[2]: line.partition(" ")[0] for line in lines}


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """The working directory is a repository with one commit without configs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git = Git(tmp_path)
    git.commit("README.md", message="first")
    return git


Run = Callable[..., Answer]


@pytest.fixture
def run(git: Git, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The script in this process; `answers` is what is typed, None a closed standard input."""

    def call(*arguments: str, answers: str | None = "") -> Answer:
        monkeypatch.setattr(sys, "stdin", None if answers is None else io.StringIO(answers))
        capsys.readouterr()
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The script in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "typedcat.torch_tools.scripts.tag_exps", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestNames:
    def test_a_usual_path_stays_readable(self) -> None:
        assert tag_of(CFG) == "exp/configs/mnist/base/cfg.py"
        assert tag_of("configs/swin-T,γ=10/10 epoch/cfg.py") == "exp/configs/swin-T,γ=10/10%20epoch/cfg.py"
        assert tag_of("configs/base,2÷epo/cfg.py") == "exp/configs/base,2÷epo/cfg.py"

    @pytest.mark.parametrize(
        "tag", ["v1.0", "exp", "exp/a b", "exp/%41", "exp/%2f", "exp/%", "exp/%FF%", "a/cfg.py", ""]
    )
    def test_what_is_no_tag_of_a_config(self, tag: str) -> None:
        with pytest.raises(ValueError, match="not the tag of a config"):
            config_of(tag)

    @pytest.mark.slow
    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.one_of(
        st.text(alphabet="a.~^:?*[@{}\\%-_ \t\x7f\x01γ÷/", min_size=1, max_size=8),
        st.sampled_from([".lock", "..", "@{", "a.lock"])
    ), min_size=1, max_size=4).map("/".join))  # fmt: skip
    @example("@")
    @example("a.lock/.lock/b.")
    @example("\udcff\udcfe/é/cfg.py")
    @example("%/%25/%2")
    def test_git_accepts_every_one_and_it_leads_back(self, text: str) -> None:
        path = "/".join(part for part in text.split("/") if part) or "x"
        tag = tag_of(path)
        assert config_of(tag) == path
        done = subprocess.run(["git", "check-ref-format", f"refs/tags/{tag}"], check=False)
        assert done.returncode == 0, tag
        assert not tag.startswith("-")
        tag.encode()

    @settings(deadline=None)
    @given(st.binary(min_size=1, max_size=20).filter(lambda raw: b"\0" not in raw))
    def test_any_name_that_a_file_can_have_leads_back(self, raw: bytes) -> None:
        path = os.fsdecode(raw)
        assert config_of(tag_of(path)) == path


class TestTagging:
    def test_all_at_once(self, git: Git, run: Run) -> None:
        head = git.commit(*ODD, "configs/mnist/train.py", "other/cfg.py", "configs/xcfg.py", "configs.py")
        answer = run("--yes")
        assert answer.code == 0, answer.err
        assert git.tags() == {tag_of(path): head for path in ODD}
        assert sorted(map(config_of, git.tags())) == sorted(ODD)
        assert f"adds or changes {len(ODD)} cfg.py below configs" in answer.out
        assert "  tagged: exp/configs/mnist/base,2÷epo/cfg.py\n" in answer.out
        assert r"'configs/tab\there/new\nline/cfg.py'" in answer.out  # on one line
        for path in ODD:
            git("checkout", "-q", tag_of(path))  # not taken for a file
            assert git("cat-file", "-t", f"{tag_of(path)}:{path}") == "blob"

    def test_a_name_that_is_no_text(self, git: Git, run: Run) -> None:
        path = os.fsdecode(b"configs/\xff\xc3/cfg.py")
        git.commit(path)
        assert run("--yes").code == 0
        assert list(git.tags()) == ["exp/configs/%FF%C3/cfg.py"]
        assert config_of("exp/configs/%FF%C3/cfg.py") == path

    def test_answers(self, git: Git, run: Run) -> None:
        git.commit("configs/a/cfg.py", "configs/b/cfg.py", "configs/c/cfg.py")
        answer = run(answers="y\nwhat\n\nNo\nYES\n")
        assert answer.code == 0
        assert sorted(git.tags()) == ["exp/configs/a/cfg.py", "exp/configs/c/cfg.py"]
        assert answer.out.count("  y (yes) or n (no)\n") == 2
        assert "tag exp/configs/b/cfg.py at " in answer.out

    def test_a_dry_run(self, git: Git, run: Run) -> None:
        head = git.commit(CFG)
        answer = run("--dry-run")
        assert answer.code == 0
        assert f"would be tagged: exp/{CFG} at {head[:12]}" in answer.out
        assert git.tags() == {}

    def test_which_commits(self, git: Git, run: Run) -> None:
        first = git.commit(CFG)
        second = git.commit("configs/new/cfg.py", CFG, text="cfg = 2\n")
        third = git.commit("train.py")
        git("branch", "side", first)
        assert run("--yes").code == 0
        assert git.tags() == {}
        assert run("--yes", "-s", "side", "-a", "side").code == 0
        assert git.tags() == {f"exp/{CFG}": first}
        assert run("--yes", "--show", second[:8], "--at", "HEAD").code == 1  # one tag is at another commit
        assert git.tags() == {f"exp/{CFG}": first, "exp/configs/new/cfg.py": third}

    def test_which_files(self, git: Git, run: Run) -> None:
        git.commit(
            "configs/cfg.py",
            "configs/a/cfg.py",
            "configs/a/big.py",
            "configs_old/cfg.py",
            "cfg.py",
            "sub/configs/x/cfg.py",
        )
        for arguments, wanted in {
            ("-c", "configs", "-n", "big.py"): ["configs/a/big.py"],
            ("-c", "configs/a"): ["configs/a/cfg.py"],
            ("-c", "configs//a/../"): ["configs/cfg.py", "configs/a/cfg.py"],
            ("-c", "."): ["cfg.py", "configs/cfg.py", "configs/a/cfg.py", "configs_old/cfg.py", "sub/configs/x/cfg.py"],
            ("-r", "sub"): ["sub/configs/x/cfg.py"],
            ("-r", "configs", "-c", "a"): ["configs/a/cfg.py"],
            ("-c", str(git.folder / "sub")): ["sub/configs/x/cfg.py"],
            ("-c", "nowhere"): [],
        }.items():
            out = run(*arguments, "--yes", "--dry-run").out
            assert sorted(line[6:] for line in out.splitlines() if line.startswith("[")) == sorted(wanted), arguments

    def test_renamed_and_deleted_configs(self, git: Git, run: Run) -> None:
        git.commit("configs/old/cfg.py", "configs/gone/cfg.py", "configs/kept/cfg.py", text="cfg = 1\n" * 50)
        git("config", "diff.renames", "copies")
        git("mv", "configs/old", "configs/renamed")
        git("rm", "-q", "configs/gone/cfg.py")
        git("mv", "configs/kept/cfg.py", "configs/kept/other.py")
        git.commit()
        assert run("--yes").code == 0
        assert list(git.tags()) == ["exp/configs/renamed/cfg.py"]

    def test_the_first_commit(self, git: Git, run: Run) -> None:
        git("checkout", "-q", "--orphan", "alone")
        git.commit(CFG)
        assert run("--yes").code == 0
        assert list(git.tags()) == [f"exp/{CFG}"]

    def test_a_merge_counts_against_its_first_parent(self, git: Git, run: Run) -> None:
        git("checkout", "-q", "-b", "topic")
        git.commit("configs/topic/cfg.py")
        git("checkout", "-q", "main")
        git.commit("configs/main/cfg.py")
        git("merge", "-q", "--no-ff", "-m", "merge", "topic")
        assert run("--yes").code == 0
        assert git.tags() == {"exp/configs/topic/cfg.py": git("rev-parse", "HEAD")}

    def test_the_commit_to_tag_lacks_the_config(self, git: Git, run: Run) -> None:
        old = git("rev-parse", "HEAD")
        git.commit(CFG)
        answer = run("--yes", "-a", "HEAD~")
        assert answer.code == 1
        assert f"not tagged: it is not in commit {old[:12]} (HEAD~)" in answer.out
        assert git.tags() == {}


class TestTagsThatAreThere:
    def test_at_the_same_commit(self, git: Git, run: Run) -> None:
        head = git.commit(CFG)
        git("tag", "-a", "-m", "by hand", tag_of(CFG))  # an annotated one is as good
        answer = run("--yes")
        assert answer.code == 0
        assert f"is tagged already: exp/{CFG}" in answer.out
        assert git("rev-parse", f"{tag_of(CFG)}^{{commit}}") == head

    def test_at_another_commit(self, git: Git, run: Run) -> None:
        first = git.commit(CFG)
        git("tag", tag_of(CFG))
        git.commit(CFG, text="cfg = 2\n")
        answer = run("--yes")
        assert answer.code == 1
        assert (
            f"not tagged: exp/{CFG} is at another commit, {first[:12]}; `git tag -d 'exp/{CFG}'` removes it"
            in answer.out
        )
        assert run("--yes", "-k", "1").code == 0
        assert git.tags() == {tag_of(CFG): first}

    def test_a_branch_of_the_same_name_is_no_tag(self, git: Git, run: Run) -> None:
        head = git.commit(CFG)
        git("branch", tag_of(CFG), "HEAD~")
        assert run("--yes").code == 0
        assert git.tags() == {tag_of(CFG): head}

    def test_one_that_is_in_the_way(self, git: Git, run: Run) -> None:
        git.commit(CFG)
        git("tag", "exp")
        answer = run("--yes")
        assert answer.code == 2
        assert "'refs/tags/exp' exists; cannot create" in answer.err


class TestRefusals:
    def test_no_repository(self, run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = tmp_path_factory.mktemp("none")
        answer = run("-r", str(folder))
        assert (answer.code, answer.out) == (2, "")
        assert "is in no git repository that git can use: fatal: not a git repository" in answer.err
        assert "is no folder" in run("-r", str(folder / "nowhere")).err

    @pytest.mark.parametrize("name", ["nope", "HEAD~5", "", "HEAD:README.md", "--all", "0" * 40])
    def test_no_such_commit(self, run: Run, name: str) -> None:
        for option in ("--show", "--at"):
            answer = run(f"{option}={name}", "--yes")
            assert (answer.code, answer.out) == (2, "")
            assert f"there is no commit {name!r} in the repository of ." in answer.err

    def test_a_repository_without_commits(self, run: Run, tmp_path_factory: pytest.TempPathFactory) -> None:
        empty = tmp_path_factory.mktemp("empty")
        Git(empty)
        assert "there is no commit 'HEAD'" in run("-r", str(empty)).err

    @pytest.mark.parametrize("folder", ["..", "../other", "/"])
    def test_a_folder_outside(self, run: Run, folder: str) -> None:
        answer = run("-c", folder)
        assert answer.code == 2
        assert "lies outside of the repository" in answer.err

    def test_a_folder_that_is_not_there(self, git: Git, run: Run) -> None:
        git.commit("configs/a/cfg.py")
        answer = run("-c", "config", "--yes")
        assert (answer.code, answer.out) == (2, "")
        assert "there is no folder config in commit" in answer.err

    def test_nobody_answers(self, git: Git, run: Run) -> None:
        head = git.commit("configs/a/cfg.py", "configs/b/cfg.py")
        answer = run(answers="y\n")
        assert answer.code == 2
        assert answer.err == "error: nobody answers: standard input is at its end\n  --yes tags all, without asking\n"
        assert git.tags() == {"exp/configs/a/cfg.py": head}

    def test_nobody_can_answer(self, git: Git, run: Run) -> None:
        git.commit("configs/a/cfg.py")
        answer = run(answers=None)
        assert answer.code == 2
        assert answer.err == "error: nobody answers: standard input is closed\n  --yes tags all, without asking\n"

    def test_no_git(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        answer = run()
        assert answer.code == 2
        assert "git cannot be run: No such file or directory\n  is it installed" in answer.err


@pytest.mark.slow
class TestAsAProcess:
    def test_answers_through_a_pipe(self, git: Git) -> None:
        git.commit("configs/γ a/cfg.py", "configs/b/cfg.py")
        process = started(git.folder)
        out, err = process.communicate("n\ny\n", timeout=60)
        assert (process.returncode, err) == (0, "")
        assert list(git.tags()) == ["exp/configs/γ%20a/cfg.py"]
        assert "tag exp/configs/b/cfg.py at " in out

    def test_ctrl_c_at_the_question(self, git: Git) -> None:
        git.commit("configs/a/cfg.py", "configs/b/cfg.py")
        process = started(git.folder)
        assert process.stdin is not None
        process.stdin.write("y\n")
        process.stdin.flush()
        until = time.monotonic() + 60
        while not git.tags() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)  # it asks about the second one
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert err == "\ninterrupted; the tags made so far stay\n"
        assert list(git.tags()) == ["exp/configs/a/cfg.py"]

    def test_a_bare_repository(self, git: Git, tmp_path_factory: pytest.TempPathFactory) -> None:
        git.commit(CFG)
        bare = tmp_path_factory.mktemp("bare")
        git("clone", "-q", "--bare", ".", str(bare / "repo.git"))
        process = started(bare, "-r", "repo.git", "--yes")
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), out
        assert f"tagged: exp/{CFG}" in out

    def test_another_repository_in_the_environment(self, git: Git, tmp_path_factory: pytest.TempPathFactory,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
        git.commit(CFG)
        other = tmp_path_factory.mktemp("other")
        Git(other).commit("x")
        monkeypatch.setenv("GIT_DIR", str(other / ".git"))
        process = started(git.folder, "--dry-run")
        out, _ = process.communicate(timeout=60)
        assert f"would be tagged: exp/{CFG}" in out

    def test_does_without_torch(self) -> None:
        code = "import sys, typedcat.torch_tools.scripts.tag_exps; print('torch' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
        assert done.stdout.strip() == "False"
