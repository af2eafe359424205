# Made by `typedcat stubs`, which overwrites it: examples/digits/configs/patches/noisy.yaml
# mypy: ignore-errors
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    dt: Key[CfgDt, BaseConfig | dict[str, Any] | None]
    """examples/digits/configs/patches/noisy.yaml:3  dt:"""


class CfgDt(Closed):
    ini: Key[CfgDtIni, BaseConfig | dict[str, Any] | None]
    """examples/digits/configs/patches/noisy.yaml:4  ini:"""


class CfgDtIni(Closed):
    noise: Key[str, str | None]
    """examples/digits/configs/patches/noisy.yaml:5  noise: 1e-1"""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
