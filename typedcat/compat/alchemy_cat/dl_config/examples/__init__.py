"""What `alchemy_cat.dl_config.examples` has for scripts that tune."""
