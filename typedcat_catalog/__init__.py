"""typedcat's names, for projects whose stubs know every config by its path.

At run time this is typedcat itself. To a type checker that finds the stubs of `typedcat stubs`, `load_config`,
`inherit`, `Config` and `Cfg2Tune` give each config its own type.
"""

from typedcat import *
from typedcat import __all__ as __all__
