"""`init_env` with real torch, on the CPU: what it sets, what it refuses, and that it puts everything back."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pytest

from tests.torch_tools.conftest import Project
from typedcat import Config, TypedConfig, load_config
from typedcat.errors import EnvError, MissingExtraError, MissingKeyError, ProjectError
from typedcat.torch_tools import init_env

torch = pytest.importorskip("torch")

BASE = "cfg = Config(rand_seed=3, lr=0.1)\n"
needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="the message is for machines without a GPU")


class Train(TypedConfig):
    rand_seed: int = 0
    lr: float


_made: list[Any] = []


@pytest.fixture(autouse=True)
def as_before(project: Project) -> Iterator[None]:
    """Records are written below a temporary folder, which is no repository; tests leave nothing to the next one."""
    yield
    while _made:
        _made.pop().close()


def quiet(**settings: Any) -> Any:
    _made.append(init_env(**{"is_cuda": False, "verbosity": False, **settings}))
    return _made[-1]


def drawn() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(1))


def seed_by_hand(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class TestConfigs:
    def test_device_and_config(self, project: Project) -> None:
        with quiet(config_path=project.config(BASE)) as (device, cfg):
            assert device == torch.device("cpu")
            assert (cfg.lr, cfg.rslt_dir) == (0.1, "experiment/base")
            assert cfg.is_frozen
            assert Path(cfg.rslt_dir).is_dir()

    def test_without_a_config(self) -> None:
        with quiet() as (device, cfg):
            assert (device.type, cfg) == ("cpu", None)
        assert os.listdir() == []

    def test_what_load_config_takes(self, project: Project) -> None:
        path = project.config(BASE)
        with init_env(
            config_path=path, is_cuda=False, verbosity=False, schema=Train, overrides=["lr=0.5"], experiments_root="exp"
        ) as (_, cfg):
            lr: float = cfg.lr
            assert (lr, cfg.rslt_dir) == (0.5, "exp/base,lr=0.5")
        with pytest.raises(MissingKeyError), quiet(config_path=path, strict=True) as (_, cfg):
            _ = cfg.epochs

    def test_types(self, project: Project) -> None:
        path = project.config(BASE)
        anything: Any = path
        with init_env(config_path=anything, is_cuda=False, verbosity=False, local_rank=...) as (_, cfg):
            assert_type(cfg, Config)
        with init_env(config_path=path, schema=Train, is_cuda=False, verbosity=False) as (_, typed):
            assert_type(typed, Train)
        with init_env(is_cuda=False, verbosity=False) as (_, none):
            assert_type(none, None)

    def test_roots_of_the_project_win_over_the_default(self, project: Project) -> None:
        (project.root / "pyproject.toml").write_text("[tool.typedcat]\nexperiments_root = 'runs'\n")
        with quiet(config_path=project.config(BASE)) as (_, cfg):
            assert cfg.rslt_dir == "runs/base"

    def test_a_mapping(self) -> None:
        with quiet(config_path={"lr": 1}) as (_, cfg):
            assert isinstance(cfg, Config) and cfg == {"lr": 1}
        with quiet(config_path=Config(lr=1, rslt_dir="here/it/is")) as (_, cfg):
            assert Path("here/it/is/run.json").exists()
        with quiet(config_path=load_config(Config(lr=1), create_rslt_dir=False)) as (_, cfg):
            assert cfg.lr == 1

    def test_a_config_outside_of_the_config_root(self, project: Project) -> None:
        with pytest.raises(ProjectError, match="outside of the config root"):
            quiet(config_path=project.config(BASE, "elsewhere/cfg.py"))

    def test_a_tune_config(self, project: Project) -> None:
        path = project.config("cfg = Cfg2Tune(lr=Param2Tune([1, 2]))\n")
        with pytest.raises(EnvError, match=r"is a tune config\n .*Cfg2TuneRunner"):
            quiet(config_path=path)


class TestRecords:
    def test_each_run_has_one(self, project: Project) -> None:
        with quiet(config_path=project.config(BASE)) as (_, cfg):
            assert json.loads(Path(cfg.rslt_dir, "run.json").read_text())["config"]["source"].endswith("cfg.py")
            assert load_config(cfg.rslt_dir) == cfg

    def test_one_that_cannot_be_written(self, project: Project) -> None:
        path = project.config(BASE)
        quiet(config_path=path).close()
        Path("experiment/base/earlier").write_text("in the way of the record before")
        before = dict(os.environ), torch.is_grad_enabled()
        with pytest.raises(EnvError, match=r"record: .*experiment/base cannot be written: .*\n  .*record=False"):
            quiet(config_path=path, is_train=False)
        assert (dict(os.environ), torch.is_grad_enabled()) == before
        quiet(config_path=path, record=False).close()

    def test_none(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        path = project.config(BASE)
        quiet(config_path=path, record=False).close()
        monkeypatch.setenv("TYPEDCAT_RECORDED_RUN", str(project.root / "experiment/base"))
        quiet(config_path=path).close()
        assert os.listdir("experiment/base") == []
        monkeypatch.setenv("TYPEDCAT_RECORDED_RUN", str(project.root / "experiment/other"))
        quiet(config_path=path).close()
        assert Path("experiment/base/run.json").exists()

    @pytest.mark.slow
    @pytest.mark.parametrize("pool_size", [0, 2])
    def test_a_run_of_the_tuner_has_one(self, project: Project, pool_size: int) -> None:
        project.config("cfg = Cfg2Tune(lr=Param2Tune([1, 2]))\n", "configs/tune/cfg.py")
        project.script(
            """
            import sys
            from typedcat.torch_tools import init_env
            init_env(config_path=sys.argv[1], is_cuda=False, log_stdout=True)
            """,
            "one.py",
        )
        code = f"""
import subprocess, sys
from typedcat import Cfg2TuneRunner
from typedcat.torch_tools import init_env

runner = Cfg2TuneRunner("configs/tune/cfg.py", experiment_root="exp", pool_size={pool_size})

@runner.register_work_fn
def work(pkl_idx, cfg, cfg_pkl, cfg_rslt_dir, cuda_env):
    if cfg.lr == 1:
        subprocess.run([sys.executable, "one.py", cfg_pkl], env=cuda_env, check=True)
    else:
        with init_env(config_path=cfg_pkl, is_cuda=False, log_stdout=True) as (device, cfg):
            print("trained")
    return {{"acc": cfg.lr}}

runner.register_gather_metric_fn(lambda cfg, cfg_rslt_dir, run_rslt, param_comb: run_rslt)
runner.tuning()
assert not runner.failures, runner.failures
"""
        project.run(code)
        for lr, said in ((1, "cfg.lr = 1"), (2, "trained")):
            folder = project.root / f"exp/tune/lr={lr}"
            assert (folder / "run.json").exists() and not (folder / "earlier").exists()
            (log,) = folder.glob("*.log")
            assert said in log.read_text()


class TestSeeds:
    def test_everything_is_seeded_and_put_back(self) -> None:
        seed_by_hand(1)
        before = drawn()
        seed_by_hand(1)
        with quiet(rand_seed=7) as env:
            assert env.seed == 7
            first = drawn()
        assert drawn() == before
        with quiet(rand_seed=7):
            assert drawn() == first
        with quiet(rand_seed=8):
            assert all(a != b for a, b in zip(drawn(), first, strict=True))

    def test_the_same_as_by_hand(self) -> None:
        with quiet(rand_seed=7):
            found = drawn()
        seed_by_hand(7)
        assert found == drawn()

    def test_from_the_config(self, project: Project) -> None:
        assert quiet(config_path=project.config(BASE), rand_seed=True).seed == 3
        with quiet(config_path={"rand_seed": "cat"}, rand_seed=True) as env:
            assert env.seed == 3557755984  # sha1 modulo 2**32: the same in every process, and in AlchemyCat
        for value in (None, 1.5, True, [1]):
            with pytest.raises(EnvError, match=r"cfg.rand_seed should be a number or a text, got"):
                quiet(config_path={"rand_seed": value}, rand_seed=True)
        with pytest.raises(EnvError, match=r"got 1\.5, set at configs/half/cfg\.py:2"):
            quiet(config_path=project.config("cfg = Config(rand_seed=1.5)\n", "configs/half/cfg.py"), rand_seed=True)

    def test_a_config_without_a_seed(self) -> None:
        with pytest.raises(MissingKeyError) as caught:
            quiet(config_path={"rand_sed": 3}, rand_seed=True)
        assert str(caught.value) == (
            "cfg.rand_seed: init_env(rand_seed=True) reads it, and the config does not have it: "
            "set it, or pass a number\n"
            "  did you mean 'rand_sed'?"
        )

    @pytest.mark.parametrize("seed", [0, -1, 2**32, 2**63, 2**64, -(2**70), "", "größe", np.int64(5)])
    def test_any_number_and_any_text(self, seed: Any) -> None:
        with quiet(rand_seed=seed):
            first = drawn()
        with quiet(rand_seed=seed):
            assert drawn() == first

    def test_none(self) -> None:
        state = random.getstate()
        with quiet() as env:
            assert env.seed is None
            assert random.getstate() == state

    def test_mistakes(self, project: Project) -> None:
        with pytest.raises(EnvError, match="there is no config"):
            quiet(rand_seed=True)
        with pytest.raises(MissingKeyError, match=r"cfg.rand_seed: .*\n.*did you mean 'rnd_seed'"):
            quiet(config_path={"rnd_seed": 1}, rand_seed=True)
        with pytest.raises(EnvError, match=r"^init_env: rand_seed: should be a number or a text, got 1\.5"):
            quiet(rand_seed=1.5)
        path = project.config("cfg = Config(rand_seed=None)\n")
        with pytest.raises(
            EnvError, match=r"cfg\.rand_seed should be a number or a text, got None, set at .*cfg\.py:2"
        ):
            quiet(config_path=path, rand_seed=True)


def switches() -> tuple[Any, ...]:
    cudnn = torch.backends.cudnn
    return (
        cudnn.benchmark,
        cudnn.deterministic,
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


class TestSwitches:
    def test_each(self) -> None:
        before = switches()
        with quiet(is_benchmark=True, is_train=False):
            assert switches() == (True, False, False, False, False, None)
            assert not torch.ones(1, requires_grad=True).mul(2).requires_grad
        assert switches() == before
        with quiet(reproducibility=True, rand_seed=0):
            assert switches() == (False, True, True, True, False, ":4096:8")
        assert switches() == before

    def test_a_setting_of_the_user_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
        with quiet(reproducibility=True, rand_seed=0):
            assert switches()[-1] == ":16:8"
        assert switches()[-1] == ":16:8"

    def test_closing_once_and_twice(self) -> None:
        before = switches()
        env = quiet(is_benchmark=True, rand_seed=1)
        env.close()
        torch.backends.cudnn.benchmark = True
        env.close()
        assert torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = before[0]

    def test_an_error_in_the_middle_puts_everything_back(self) -> None:
        before, streams = switches(), (sys.stdout, os.fstat(1).st_ino)
        with pytest.raises(EnvError):
            quiet(log_stdout="logs", is_benchmark=True, is_train=False, loguru_ini="format")
        with pytest.raises(ZeroDivisionError), quiet(is_benchmark=True, is_train=False, log_stdout="logs"):
            raise ZeroDivisionError("no more")
        assert (switches(), (sys.stdout, os.fstat(1).st_ino)) == (before, streams)

    def test_contradictions(self) -> None:
        with pytest.raises(EnvError, match="reproducibility: True needs a seed"):
            quiet(reproducibility=True)
        with pytest.raises(EnvError, match="contradicts is_benchmark=True"):
            quiet(reproducibility=True, rand_seed=0, is_benchmark=True)

    @pytest.mark.parametrize(
        "name", ["is_benchmark", "is_train", "verbosity", "silence_non_master_rank", "reproducibility", "record"]
    )
    def test_what_is_no_switch(self, project: Project, name: str) -> None:
        for value in ("False", 2):
            with pytest.raises(EnvError, match=f"{name}: should be True or False, got {value!r}"):
                quiet(config_path=project.config(BASE), rand_seed=1, log_stdout=True, **{name: value})
        assert not Path("experiment").exists()

    def test_what_counts_as_a_switch(self) -> None:
        with quiet(is_benchmark=1, is_train=Config().absent, verbosity=np.bool_(False), reproducibility=None):
            assert switches()[:3] == (True, False, False)
        with pytest.raises(EnvError, match="is_train: should be True or False, got None"):
            quiet(is_train=None)

    def test_debug(self) -> None:
        assert quiet(is_debug=True).is_debug
        assert not quiet().is_debug

    def test_threads_of_opencv(self) -> None:
        cv2: Any = pytest.importorskip("cv2")
        before = cv2.getNumThreads()
        with quiet(cv2_num_threads=1):
            assert cv2.getNumThreads() == 1
        assert cv2.getNumThreads() == before

    @pytest.mark.parametrize("number", [None, "2", 1.5, True])
    def test_no_number_of_threads(self, number: Any) -> None:
        with pytest.raises(EnvError, match=re.escape(f"cv2_num_threads: should be a number, got {number!r}")):
            quiet(cv2_num_threads=number, log_stdout="logs")
        assert not Path("logs").exists()

    def test_opencv_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "cv2", None)
        with pytest.raises(EnvError, match="OpenCV, which is not installed\n  pip install opencv-python"):
            quiet(cv2_num_threads=0)
        quiet(cv2_num_threads=-1)


class TestDevices:
    @needs_no_gpu
    def test_no_gpu(self) -> None:
        with pytest.raises(EnvError, match=r"is_cuda: True asks for a GPU, and .*\n .*pass is_cuda=False"):
            init_env(verbosity=False)
        with pytest.raises(EnvError, match="is_cuda: 1 asks for a GPU"):
            quiet(is_cuda=1)

    def test_no_device(self) -> None:
        with pytest.raises(EnvError, match="should be True, False or the index of a GPU, got 'cuda'"):
            quiet(is_cuda="cuda")

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_gpus(self) -> None:
        with quiet(is_cuda=True, rand_seed=1) as (device, _):
            first = torch.rand(3, device=device).tolist()
        with quiet(is_cuda=0, rand_seed=1, reproducibility=True) as (device, _):
            assert torch.rand(3, device=device).tolist() == first
            assert (torch.ones(8, 8, device=device) @ torch.ones(8, 8, device=device)).sum() == 512
        for index in (-1, torch.cuda.device_count()):
            with pytest.raises(EnvError, match="does not exist"):
                quiet(is_cuda=index)


class TestLogging:
    def test_into_the_result_folder(self, project: Project) -> None:
        with quiet(config_path=project.config(BASE), log_stdout=True) as env:
            assert env.log_file is not None and env.log_file.parent == Path("experiment/base")
            sys.stdout.write("hello\n")
            os.write(2, b"from below\n")
        sys.stdout.write("not this\n")
        assert project.log() == "hello\nfrom below\n"

    def test_into_a_folder(self, project: Project) -> None:
        with quiet(log_stdout=project.root / "logs" / "here"):
            os.write(1, b"x\n")
        assert project.log() == "x\n"
        assert len(list((project.root / "logs/here").glob("*.log"))) == 1

    def test_what_is_raised_is_in_the_log(self, project: Project) -> None:
        with pytest.raises(ZeroDivisionError), quiet(log_stdout="logs"):
            raise ZeroDivisionError("no more")
        assert project.log().endswith("ZeroDivisionError: no more\n")

    def test_what_is_raised_in_another_folder_is_in_the_log(self, project: Project) -> None:
        (project.root / "elsewhere").mkdir()
        with pytest.raises(ZeroDivisionError), quiet(log_stdout="logs"):
            os.chdir("elsewhere")
            raise ZeroDivisionError("no more")
        assert project.log().endswith("ZeroDivisionError: no more\n")

    def test_no_place_for_it(self) -> None:
        with pytest.raises(EnvError, match="there is no config\n  pass a folder"):
            quiet(log_stdout=True)
        with pytest.raises(EnvError, match="there is no rslt_dir"):
            quiet(log_stdout=True, config_path={"a": 1})
        with pytest.raises(EnvError, match="should be True, False or a folder, got 3"):
            quiet(log_stdout=3)

    def test_what_is_said(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        path = project.config(BASE + "from pydantic import SecretStr\ncfg.token = SecretStr('hunter2X')\n")
        with init_env(config_path=path, is_cuda=False, rand_seed=True):
            pass
        said = capsys.readouterr().out
        assert "device         cpu\n" in said and "seed           3\n" in said
        assert "cfg.lr = 0.1\n" in said
        assert "hunter2X" not in said

    def test_nothing_is_said(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        with quiet(config_path=project.config(BASE)):
            pass
        assert capsys.readouterr() == ("", "")

    def test_loguru(self, capsys: pytest.CaptureFixture[str]) -> None:
        loguru: Any = pytest.importorskip("loguru")
        with quiet():
            loguru.logger.info("hello")
        assert " | INFO     | " in capsys.readouterr().out
        with quiet(loguru_ini={"format": "<{message}>", "level": "WARNING"}):
            loguru.logger.info("hello")
            loguru.logger.warning("careful")
        assert capsys.readouterr().out == "<careful>\n"
        with quiet(loguru_ini=False):
            loguru.logger.info("hello")
        assert capsys.readouterr().out == ""

    def test_loguru_when_it_is_set_up_again(self, capsys: pytest.CaptureFixture[str]) -> None:
        loguru: Any = pytest.importorskip("loguru")

        def heard() -> list[str]:
            loguru.logger.info("hello")
            said = capsys.readouterr()
            return [part for part in (said.out + said.err).splitlines() if "hello" in part]

        outer = quiet(loguru_ini={"format": "<{message}>"})
        inner = quiet(loguru_ini={"format": "[{message}]"})  # as a cell of a notebook that is run again
        assert heard() == ["[hello]"]
        inner.close()
        assert heard() == ["<hello>"]
        inner = quiet(loguru_ini={"format": "[{message}]"})
        outer.close()
        assert heard() == ["[hello]"]
        inner.close()
        assert len(heard()) == 1

    @pytest.mark.parametrize("ini", [{"levl": "INFO"}, {"level": "LOUD"}])
    def test_arguments_that_loguru_does_not_take(self, ini: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
        loguru: Any = pytest.importorskip("loguru")
        with quiet(loguru_ini={"format": "<{message}>"}):
            with pytest.raises(EnvError, match=re.escape(f"loguru_ini: loguru does not take {ini}: ")):
                quiet(loguru_ini=ini)
            loguru.logger.info("hello")
        assert capsys.readouterr().out == "<hello>\n"

    @pytest.mark.slow
    @pytest.mark.parametrize(("log_stdout", "wanted"), [("logs", "<hello>\n"), (False, None)])
    def test_loguru_when_standard_streams_are_closed(
        self, project: Project, log_stdout: Any, wanted: str | None
    ) -> None:
        pytest.importorskip("loguru")
        project.script(f"""
            from typedcat.torch_tools import init_env
            ini = dict(format="<{{message}}>")
            with init_env(is_cuda=False, verbosity=False, log_stdout={log_stdout!r}, loguru_ini=ini):
                from loguru import logger
                logger.info("hello")
        """)
        subprocess.run([f"{sys.executable} train.py <&- >&- 2>&-"], shell=True, check=True, cwd=project.root)
        assert wanted is None or project.log() == wanted

    @pytest.mark.slow
    def test_loguru_without_a_handler_of_its_own(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("loguru")
        monkeypatch.setenv("LOGURU_AUTOINIT", "False")
        output = project.run("""
            import sys
            from loguru import logger
            from typedcat.torch_tools import init_env
            with init_env(is_cuda=False, verbosity=False, loguru_ini={"format": "<{message}>"}):
                logger.info("one")
            logger.info("two")
            logger.add(sys.stdout, format="[{message}]")
            with init_env(is_cuda=False, verbosity=False, loguru_ini={"format": "<{message}>"}):
                logger.info("three")
            logger.info("four")
        """)
        assert sorted(output.splitlines()) == ["<one>", "<three>", "[four]", "[three]"]

    def test_loguru_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "loguru", None)
        quiet().close()
        with pytest.raises(MissingExtraError, match=r"pip install 'typedcat\[loguru\]'"):
            quiet(loguru_ini={"level": "INFO"})


class TestScripts:
    @pytest.mark.slow
    def test_the_example_of_the_reference(self, project: Project) -> None:
        pytest.importorskip("cv2")
        project.config(BASE)
        code = """
            import argparse, os, subprocess
            from typedcat.torch_tools import init_env
            if __name__ == '__main__':
                parser = argparse.ArgumentParser()
                parser.add_argument('-c', '--config', type=str, default='configs/base/cfg.py')
                parser.add_argument('--local_rank', type=int, default=-1)
                parser.add_argument('--benchmark', type=int, default=0)
                parser.add_argument('--is_debug', type=int, default=0)
                args = parser.parse_args()
                device, cfg = init_env(config_path=args.config, is_cuda=False, is_benchmark=bool(args.benchmark),
                    is_train=True, experiments_root="experiment", rand_seed=True, cv2_num_threads=0, verbosity=True,
                    log_stdout=True, loguru_ini=True, reproducibility=False, local_rank=...,
                    silence_non_master_rank=True, is_debug=bool(args.is_debug))
                print("training on", device)
                subprocess.run(["echo", "a program"])
                raise RuntimeError("the end")
            """
        output = project.run(code, 1)
        text = (next((project.root / "experiment/base").glob("*.log"))).read_text()
        assert text == output
        assert text.startswith("folder ") and "training on cpu\na program\nTraceback" in text
        assert text.endswith("RuntimeError: the end\n")

    @pytest.mark.slow
    def test_workers_of_a_data_loader(self, project: Project) -> None:
        code = """
            import torch
            from typedcat.torch_tools import init_env

            class Numbers(torch.utils.data.Dataset):
                def __len__(self): return 4
                def __getitem__(self, i):
                    print("item", i, flush=True)
                    return i

            if __name__ == "__main__":
                init_env(is_cuda=False, log_stdout="logs", verbosity=False, rand_seed=0)
                for method in ("fork", "spawn"):
                    loader = torch.utils.data.DataLoader(Numbers(), num_workers=2, multiprocessing_context=method)
                    assert [int(batch) for batch in loader] == [0, 1, 2, 3]
            """
        output = project.run(code)
        assert sorted(output.splitlines()) == sorted([f"item {i}" for i in range(4)] * 2)
        assert project.log() == output

    @pytest.mark.slow
    def test_the_page(self, project: Project) -> None:
        project.config(BASE)
        page = Path(__file__).parents[2] / "docs/environment.md"
        blocks = re.findall(r"^```py\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        assert len(blocks) == 2
        for block in blocks:
            project.run(block)
        (log,) = (project.root / "experiment/base").glob("*.log")
        assert log.read_text().endswith("training with lr=0.1 on cpu\n") or torch.cuda.is_available()

    def test_importing_it_does_not_import_torch(self) -> None:
        code = "import sys; from typedcat.torch_tools import init_env; print('torch' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"

    def test_torch_that_is_not_there(self, project: Project) -> None:
        output = project.run(
            "import sys\nsys.modules['torch'] = None\nfrom typedcat.torch_tools import init_env\ninit_env()", 1
        )
        assert "MissingExtraError: init_env needs the package 'torch': pip install 'typedcat[torch]'" in output
