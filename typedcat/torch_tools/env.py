"""`init_env`: the environment of a training - config, device, seeds, processes, logs - in one call, and back again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import EllipsisType
from typing import Any, TypedDict, TypeVar, Unpack, overload

from ..errors import EnvError, short_path, short_repr
from ..load.formats.extras import needed
from ..load.pipeline import Source, is_tune, load_config
from ..load.project import Root, project_of
from ..load.record import RECORDED_RUN, record_run
from ..load.result_folder import make_result_dir
from ..tree.config import BaseConfig, Config
from ..tune.streams import show
from .distributed import find_ranks, join, leave_unless_failed
from .handle import Env
from .loguru_format import set_loguru
from .output import Capture, new_log
from .seeds import seed_everything, seed_of
from .settings import (
    check_number,
    check_switches,
    choose_device,
    set_cv2_threads,
    set_reproducible,
    set_switches,
    use_device,
)

S = TypeVar("S")

_DEFAULT_EXPERIMENTS = "experiment"


class _Options(TypedDict, total=False):
    config_root: Root
    experiments_root: Root
    overrides: Sequence[str] | None
    strict: bool
    rslt_dir: Root
    like: Source | None


class _Settings(TypedDict, total=False):
    is_cuda: bool | int
    is_benchmark: bool
    is_train: bool
    rand_seed: bool | int | str
    cv2_num_threads: int
    verbosity: bool
    log_stdout: bool | str | os.PathLike[str]
    loguru_ini: bool | dict[str, Any]
    local_rank: int | EllipsisType | None
    silence_non_master_rank: bool
    reproducibility: bool
    is_debug: bool
    record: bool


class _All(_Options, _Settings, total=False):
    pass


@overload
def init_env(**settings: Unpack[_Settings]) -> Env[None]: ...
@overload
def init_env(*, config_path: Source, schema: type[S], **settings: Unpack[_All]) -> Env[S]: ...
@overload
def init_env(*, config_path: Source, **settings: Unpack[_All]) -> Env[Config]: ...
def init_env(
    *,
    is_cuda: bool | int = True,
    is_benchmark: bool = False,
    is_train: bool = True,
    config_path: Source | None = None,
    config_root: Root = None,
    experiments_root: Root = None,
    rand_seed: bool | int | str = False,
    cv2_num_threads: int = -1,
    verbosity: bool = True,
    log_stdout: bool | str | os.PathLike[str] = False,
    loguru_ini: bool | dict[str, Any] = True,
    local_rank: int | EllipsisType | None = None,
    silence_non_master_rank: bool = False,
    reproducibility: bool = False,
    is_debug: bool = False,
    record: bool = True,
    schema: Any = None,
    strict: bool = False,
    overrides: Sequence[str] | None = (),
    rslt_dir: Root = None,
    like: Source | None = None,
) -> Env[Any]:
    """Set up the environment of a training, and load its config.

    Args:
        is_cuda: whether to train on a GPU: True for the first one (in distributed training, that of the local rank), or
            its index. False for the CPU.
        is_benchmark: `torch.backends.cudnn.benchmark`: try which algorithms are the fastest.
        is_train: whether gradients are computed.
        config_path: a config file, or a mapping, as `load_config` takes it. Left out, there is no config.
        config_root: see `load_config`.
        experiments_root: see `load_config`; where neither this nor the project says it, 'experiment'.
        rand_seed: the seed of `random`, numpy and torch with all GPUs: a number or a text; True for `cfg.rand_seed`;
            False to leave them alone. Rank n gets the seed plus 1000 n. PYTHONHASHSEED, which Python reads when it
            starts, stays as it is.
        cv2_num_threads: how many threads OpenCV uses, if not negative.
        verbosity: print what is set up, and the config.
        log_stdout: copy standard output and standard error, of subprocesses and C code too, to a file
            `<local time>.log` in `cfg.rslt_dir`, or in the folder that is passed here; on ranks above 0
            `<local time>.rank<n>.log`.
        loguru_ini: give loguru, if it is installed, a readable format; a dict has arguments of its `logger.add`.
        local_rank: the rank of this process on its machine, for distributed training with the other variables of
            torchrun. None, `...` and -1: as the environment says, which is what torchrun sets up; without its variables
            this process trains alone. False: it trains alone, whatever the environment says.
        silence_non_master_rank: ranks above 0 show nothing on the screen but the exception that ends them.
        reproducibility: have torch use deterministic algorithms only. Needs a seed.
        is_debug: for your own code: `env.is_debug`.
        record: write the record of the run into `cfg.rslt_dir`, see `record_run`; in a tuner's run it is there.
        schema, strict, overrides, rslt_dir, like: see `load_config`.

    Returns:
        The device and the config: `device, cfg = init_env(...)`. It is a context manager too, which puts everything
        back at its end. Otherwise that is what its `close()` does; the log is complete without.

    Raises:
        EnvError: what is asked for is not there, or contradicts itself.
        MissingExtraError: torch is not installed, or loguru, when it has arguments.
        MissingKeyError: `rand_seed` is True and the config has no such key.
        TypedcatError: see `load_config`.
    """
    needed("torch", "torch", "init_env")
    check_switches(
        is_benchmark=is_benchmark, is_train=is_train, verbosity=verbosity, record=record,
        silence_non_master_rank=silence_non_master_rank or False, reproducibility=reproducibility or False,
    )  # fmt: skip
    check_number("cv2_num_threads", cv2_num_threads)
    if reproducibility and rand_seed is False:
        hint = "pass rand_seed=True to take it from the config, or a number"
        raise EnvError("reproducibility", "True needs a seed", hint)
    if reproducibility and is_benchmark:
        reason = "True contradicts is_benchmark=True, which takes the algorithm that happens to be the fastest"
        raise EnvError("reproducibility", reason)
    ranks = find_ranks(local_rank)
    device = choose_device(is_cuda, ranks)
    options = {"schema": schema, "strict": strict, "overrides": overrides, "rslt_dir": rslt_dir, "like": like}
    cfg = None if config_path is None else _load(config_path, config_root, experiments_root, options)
    env: Env[Any] = Env(device, cfg)
    env.is_debug = is_debug
    env.rank, env.world_size = (ranks.rank, ranks.world_size) if ranks is not None else (0, 1)
    env.seed = seed_of(rand_seed, cfg, env.rank)
    folder = _log_folder(log_stdout, cfg)
    with contextlib.ExitStack() as undo:
        _open_log(env, folder, silence_non_master_rank and env.rank > 0, undo)
        undo.callback(set_loguru(loguru_ini))
        undo.callback(use_device(device))
        if ranks is not None and not ranks.is_joined:
            join(ranks, "nccl" if device.type == "cuda" else "gloo")
            env.is_group_ours = True
            undo.push(leave_unless_failed)
        undo.callback(set_switches(is_benchmark, is_train))
        undo.callback(set_cv2_threads(cv2_num_threads))
        if reproducibility:
            undo.callback(set_reproducible())
        if env.seed is not None:
            undo.callback(seed_everything(env.seed))
        if record and cfg is not None and env.rank == 0:
            _record(cfg)
        if verbosity:
            show(_summary(env))
        env.keep(undo.pop_all())
    return env


def _open_log(env: Env[Any], folder: Path | None, is_silent: bool, undo: contextlib.ExitStack) -> None:
    if folder is not None:
        env.log_file = new_log(folder, env.rank)
    if env.log_file is not None or is_silent:
        name = f"rank {env.rank} of {env.world_size}"
        env.capture = Capture(env.log_file, silent=is_silent, name=name)
        undo.callback(env.capture.close)


def _load(source: Source, config_root: Root, experiments_root: Root, options: dict[str, Any]) -> BaseConfig:
    if isinstance(source, (str, os.PathLike)):
        if experiments_root is None and project_of(source).experiments_root is None:
            experiments_root = _DEFAULT_EXPERIMENTS
        cfg: Any = load_config(source, experiments_root, config_root, **options)
    else:  # it may do without a result folder
        cfg = load_config(source, experiments_root, config_root, False, **options)
        if isinstance(dict.get(cfg, "rslt_dir"), (str, os.PathLike)):
            make_result_dir(cfg)
    if is_tune(cfg):
        what = short_repr(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else "this"
        hint = "give it to Cfg2TuneRunner or `typedcat tune`, which make a config of each combination"
        raise EnvError("config_path", f"{what} is a tune config", hint)
    return cfg  # type: ignore[no-any-return]  # whatever the schema, it is a tree


def _log_folder(log_stdout: object, cfg: BaseConfig | None) -> Path | None:
    if log_stdout is False:
        return None
    if isinstance(log_stdout, (str, os.PathLike)):
        return Path(log_stdout)
    if log_stdout is not True:
        raise EnvError("log_stdout", f"should be True, False or a folder, got {short_repr(log_stdout)}")
    if cfg is None or not isinstance(folder := dict.get(cfg, "rslt_dir"), (str, os.PathLike)):
        reason = "True puts the log into cfg.rslt_dir, and there is no " + ("config" if cfg is None else "rslt_dir")
        raise EnvError("log_stdout", reason, "pass a folder")
    return Path(folder)


def _record(cfg: BaseConfig) -> None:
    folder = dict.get(cfg, "rslt_dir")
    if not isinstance(folder, (str, os.PathLike)) or os.environ.get(RECORDED_RUN) == os.path.abspath(folder):
        return
    try:
        record_run(cfg)
    except OSError as error:
        reason = f"the record of the run in {short_path(folder)} cannot be written: {error.strerror or error}"
        raise EnvError("record", reason, "record=False trains without one") from error


def _summary(env: Env[Any]) -> str:
    """What was set up, in lines; and the config, on rank 0."""
    import torch

    cudnn: Any = torch.backends.cudnn
    gpus = range(torch.cuda.device_count()) if env.device.type == "cuda" else ()
    facts = {
        "folder": os.getcwd(),
        "log": env.log_file or "none",
        "torch": torch.__version__,
        "device": env.device,
        **{f"  GPU {i}": torch.cuda.get_device_name(i) for i in gpus},
        "processes": env.world_size if env.world_size == 1 else f"{env.world_size}, this is rank {env.rank}",
        "seed": "none" if env.seed is None else env.seed,
        "gradients": "on" if torch.is_grad_enabled() else "off",
        "cudnn": f"benchmark={cudnn.benchmark}, deterministic={cudnn.deterministic}",
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "debug": env.is_debug,
    }
    lines = [f"{name:<14} {value}" for name, value in facts.items()]
    if isinstance(env.cfg, BaseConfig) and env.rank == 0:
        lines += ["", str(env.cfg)]
    return "\n".join(lines)


__all__ = ["Env", "init_env"]
