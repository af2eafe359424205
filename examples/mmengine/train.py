"""Trains a config with mmengine's Runner. It knows nothing of typedcat."""

import argparse
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner


def main() -> None:
    """The command line, as the projects of OpenMMLab have it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("--work-dir")
    args = parser.parse_args()

    cfg = Config.fromfile(args.config)
    if args.work_dir is not None:
        cfg.work_dir = args.work_dir
    elif cfg.get("work_dir") is None:
        cfg.work_dir = f"work_dirs/{Path(args.config).stem}"
    Runner.from_cfg(cfg).train()


if __name__ == "__main__":
    main()
