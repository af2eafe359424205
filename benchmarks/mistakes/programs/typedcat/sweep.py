"""The sweep script: the runner checks every config of the grid before it starts the first."""

import sys

from train import train

from schema import Train
from typedcat import Cfg2TuneRunner

runner = Cfg2TuneRunner("configs/grid.py", pool_size=0)


@runner.register_work_fn
def work(pkl_idx: int, cfg: Train, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: dict[str, str]) -> None:
    """Trains one config of the grid."""
    train(cfg)


@runner.register_gather_metric_fn
def gather(cfg: Train, cfg_rslt_dir: str, run_rslt: object, param_comb: object) -> dict[str, float]:
    """Reads the metrics of one run."""
    return {}


if __name__ == "__main__":
    runner.tuning()
    sys.exit(bool(runner.failures))
