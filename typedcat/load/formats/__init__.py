"""The formats of config files, one file each: what reads them, and what writes them."""
