"""Static types: stubs of every config, the catalog that finds them by path, and the check of a whole project."""
