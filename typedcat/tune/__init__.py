"""Tuning: a config with parameters becomes a grid of children, which are run and summed up in a table."""
