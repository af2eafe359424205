"""The command `typedcat`: what a config is, where its values come from, how two differ."""

from __future__ import annotations

from .main import main

__all__ = ["main"]
