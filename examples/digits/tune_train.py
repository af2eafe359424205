"""Trains every point of a tunable config, several at a time, and gathers their metrics into one table."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from typedcat import Cfg2TuneRunner, Config

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("-c", "--cfg2tune", default="configs/tune/tune_bs_epoch/cfg.py")
parser.add_argument("--pool_size", type=int, default=2, help="how many runs at a time")
parser.add_argument("--experiments_root", default="experiment")
args = parser.parse_args()

runner = Cfg2TuneRunner(
    args.cfg2tune, config_root="configs", experiment_root=args.experiments_root, pool_size=args.pool_size
)


@runner.register_work_fn  # How to run config
def work(pkl_idx: int, cfg: Config, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: dict[str, str]) -> None:
    """Trains one point; its output goes into a log beside its results."""
    train_py = Path(__file__).with_name("train.py")
    with Path(cfg_rslt_dir, "train.log").open("w", encoding="utf-8") as log:
        subprocess.run([sys.executable, train_py, "-c", cfg_pkl], env=cuda_env, stdout=log, stderr=log, check=True)


@runner.register_gather_metric_fn  # How to gather metric for summary
def gather_metric(
    cfg: Config, cfg_rslt_dir: str, run_rslt: None, param_comb: dict[str, tuple[Any, str]]
) -> dict[str, float]:
    """The metrics that the training wrote."""
    metrics: dict[str, float] = json.loads(Path(cfg_rslt_dir, "eval.json").read_text(encoding="utf-8"))
    return metrics


runner.tuning()
