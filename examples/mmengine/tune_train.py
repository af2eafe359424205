"""Trains every point of a tunable config with mmengine, several at a time, and gathers their metrics into one table."""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from typedcat import Cfg2TuneRunner, Config
from typedcat.tune.mmcv_metric import get_metric

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("-c", "--cfg2tune", default="configs/moons/tune_bs,iter/cfg.py")
parser.add_argument("--pool_size", type=int, default=2, help="how many runs at a time")
args = parser.parse_args()

runner = Cfg2TuneRunner(args.cfg2tune, pool_size=args.pool_size)


@runner.register_work_fn  # Run the training script of the project, as it is, for each point
def work(pkl_idx: int, cfg: Config, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: dict[str, str]) -> None:
    """Trains one point; its output goes into a log beside its results."""
    mmcv_cfg = cfg.save_mmcv(cfg_rslt_dir + "/mmcv_config.py")
    train_py = Path(__file__).with_name("train.py")
    with Path(cfg_rslt_dir, "train.log").open("w", encoding="utf-8") as log:
        subprocess.run([sys.executable, train_py, mmcv_cfg], env=cuda_env, stdout=log, stderr=log, check=True)


@runner.register_gather_metric_fn  # How to gather metrics for the summary
def gather_metric(
    cfg: Config, cfg_rslt_dir: str, run_rslt: None, param_comb: dict[str, tuple[Any, str]]
) -> dict[str, float] | None:
    """What the last validation wrote: aAcc and mAcc."""
    return get_metric(cfg_rslt_dir)


runner.tuning()
