"""Grids: tune configs, their points, and the child config of each."""
