"""Trains as the base and a YAML file say."""

from pathlib import Path

import yaml
from configs import BASE
from train import train

if __name__ == "__main__":
    train(BASE.clone().apply(yaml.safe_load(Path("child.yaml").read_text()), layer_name="child.yaml").make())
