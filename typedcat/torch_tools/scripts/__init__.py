"""Programs to start with `python -m`."""
