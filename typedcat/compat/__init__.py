"""What code that was written for AlchemyCat needs in order to run unchanged.

Config files need nothing: `load_config` takes them as they are. A script that imports `alchemy_cat` finds what stands
below here after `import typedcat.compat`, where AlchemyCat itself is not installed.
"""
