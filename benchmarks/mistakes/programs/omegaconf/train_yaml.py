"""Trains as the base and a YAML file say."""

from configs import base
from omegaconf import OmegaConf
from train import load, train

if __name__ == "__main__":
    train(load(base(), OmegaConf.load("child.yaml")))
