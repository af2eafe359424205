"""Training in several processes, started by torchrun, with gloo on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.torch_tools.conftest import Project, all_ended
from typedcat.errors import EnvError
from typedcat.torch_tools import init_env
from typedcat.torch_tools.distributed import Ranks, find_ranks

pytest.importorskip("torch")

VARIABLES = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}


class TestRanks:
    @pytest.mark.parametrize("local_rank", [None, ..., -1, 1])
    def test_from_torchrun(self, local_rank: Any) -> None:
        assert find_ranks(local_rank, VARIABLES) == Ranks(3, 4, 1)

    @pytest.mark.parametrize("local_rank", [None, ..., -1, False])
    def test_alone(self, local_rank: Any) -> None:
        assert find_ranks(local_rank, {}) is None
        assert find_ranks(local_rank, {"RANK": "0", "WORLD_SIZE": "1"}) is None

    def test_alone_whatever_the_environment_says(self) -> None:
        assert find_ranks(False, VARIABLES) is None

    def test_from_the_argument(self) -> None:
        rest = {name: VARIABLES[name] for name in ("WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")}
        assert find_ranks(2, rest) == Ranks(2, 4, 2)
        assert find_ranks(0, {**rest, "RANK": "2"}) == Ranks(2, 4, 0)

    @pytest.mark.parametrize(
        ("local_rank", "variables", "reason"),
        [
            (0, {}, "WORLD_SIZE, MASTER_ADDR, MASTER_PORT is not set in the environment\n .*torchrun"),
            (0, VARIABLES, "0 was passed, and the environment has LOCAL_RANK=1"),
            (4, {**VARIABLES, "RANK": "", "LOCAL_RANK": ""}, "rank 4 is not below WORLD_SIZE=4"),
            (None, {**VARIABLES, "RANK": "one"}, "the environment has RANK='one', which is no number"),
            (None, {**VARIABLES, "MASTER_PORT": ""}, "MASTER_PORT is not set"),
            (None, {**VARIABLES, "MASTER_PORT": "auto"}, "the environment has MASTER_PORT='auto', which is no number"),
            (-2, {}, "should be a number from 0 on, got -2"),
            ("0", {}, "should be a number from 0 on, got '0'"),
            (True, {}, "should be a number from 0 on, got True"),
        ],
    )
    def test_mistakes(self, local_rank: Any, variables: dict[str, str], reason: str) -> None:
        with pytest.raises(EnvError, match=reason):
            find_ranks(local_rank, variables)


def torchrun(project: Project, code: str, wanted: int = 0) -> str:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]
    command.append(str(project.script(code)))
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == wanted, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
class TestTorchrun:
    def test_two_processes(self, project: Project) -> None:
        project.config("cfg = Config(rand_seed=3)\n")
        code = """
            import json, os, random, sys
            from pathlib import Path
            import torch, torch.distributed as dist
            from typedcat.torch_tools import init_env

            with init_env(config_path="configs/base/cfg.py", is_cuda=False, rand_seed=True, log_stdout=True,
                          silence_non_master_rank=True, local_rank=-1) as env:
                device, cfg = env
                total = torch.ones(1) * (env.rank + 1)
                dist.all_reduce(total)
                print("hello from", env.rank)
                os.system(f"echo a program of {env.rank}")
                found = dict(rank=dist.get_rank(), world=env.world_size, seed=env.seed, total=total.item(),
                    backend=dist.get_backend(), log=env.log_file.name, at_random=random.random(), dir=cfg.rslt_dir)
                Path(f"found{env.rank}").write_text(json.dumps(found))
            assert not dist.is_initialized()
            """
        output = torchrun(project, code)
        found = [json.loads((project.root / f"found{rank}").read_text()) for rank in (0, 1)]
        assert [(one["rank"], one["world"], one["seed"], one["total"]) for one in found] == [
            (0, 2, 3, 3),
            (1, 2, 1003, 3),
        ]
        assert {one["backend"] for one in found} == {"gloo"}
        assert found[0]["at_random"] != found[1]["at_random"]
        assert "hello from 0\na program of 0\n" in output
        assert "hello from 1" not in output and "program of 1" not in output
        folder = project.root / "experiment/base"
        assert sorted(file.name for file in folder.glob("*.log")) == sorted(one["log"] for one in found)
        assert found[1]["log"].endswith(".rank1.log")
        assert (folder / found[1]["log"]).read_text().endswith("hello from 1\na program of 1\n")
        assert (folder / "run.json").exists() and not (folder / "earlier").exists()

    def test_without_with_and_a_rank_that_fails(self, project: Project) -> None:
        code = """
            import torch, torch.distributed as dist
            from typedcat.torch_tools import init_env
            env = init_env(is_cuda=False, log_stdout="logs", silence_non_master_rank=True)
            print("hello from", env.rank, flush=True)
            if env.rank == 1:
                raise ValueError("no more")
            dist.barrier()
            """
        output = torchrun(project, code, 1)
        assert "rank 1 of 2 has failed (all of its output: logs/" in output
        assert "ValueError: no more" in output
        assert "hello from 1" not in output
        (log,) = (project.root / "logs").glob("*.rank1.log")
        assert "hello from 1" in log.read_text() and "ValueError: no more" in log.read_text()
        assert all_ended(project.root)

    def test_an_exception_leaves_the_group_to_the_end_of_the_process(self, project: Project) -> None:
        code = """
            import torch.distributed as dist
            from typedcat.torch_tools import init_env
            try:
                with init_env(is_cuda=False, verbosity=False) as env:
                    assert env.world_size == 2
                    if env.rank == 1:
                        raise ValueError("no more")
            except ValueError:
                pass
            assert dist.is_initialized() == (env.rank == 1)
            """
        torchrun(project, code)

    def test_a_clean_end_without_with(self, project: Project) -> None:
        code = """
            import torch, torch.distributed as dist
            from typedcat.torch_tools import init_env
            device, cfg = init_env(is_cuda=False, verbosity=False, local_rank=None)
            dist.barrier()
            print("done", flush=True)
            """
        output = torchrun(project, code)
        assert output.count("done") == 2
        assert "destroy_process_group" not in output

    def test_a_group_that_is_there_is_used_and_stays(self, project: Project) -> None:
        code = """
            import torch, torch.distributed as dist
            from typedcat.torch_tools import init_env
            dist.init_process_group("gloo")
            with init_env(is_cuda=False, rand_seed=1, verbosity=False) as env:
                assert (env.rank, env.world_size, env.seed) == (dist.get_rank(), 2, 1 + 1000 * dist.get_rank())
            dist.barrier()
            dist.destroy_process_group()
            """
        torchrun(project, code)

    def test_alone_in_spite_of_torchrun(self, project: Project) -> None:
        code = """
            import torch.distributed as dist
            from typedcat.torch_tools import init_env
            env = init_env(is_cuda=False, verbosity=False, local_rank=False)
            assert not dist.is_initialized() and env.world_size == 1
            """
        torchrun(project, code)


def test_from_the_argument_alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch.distributed as dist

    for name, value in {"WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    with init_env(is_cuda=False, local_rank=0, verbosity=False):
        assert dist.get_world_size() == 1
    assert not dist.is_initialized()
