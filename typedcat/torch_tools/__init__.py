"""What needs PyTorch: `init_env`, which sets up the environment of a training. Importing this does not import torch."""

from __future__ import annotations

from .env import init_env
from .handle import Env

__all__ = ["Env", "init_env"]
