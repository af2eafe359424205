"""Digests: whether a config, and the code, are what they were."""
