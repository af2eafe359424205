"""Trains as a YAML file says; what it leaves out is as in the base."""

from pathlib import Path

import tyro
import yaml
from train import train

from schema import Train

if __name__ == "__main__":
    train(tyro.cli(Train, default=Train.model_validate(yaml.safe_load(Path("child.yaml").read_text()))))
