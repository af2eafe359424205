# Made by `typedcat stubs`, which overwrites it: examples/digits/configs/patches/mlp.py
# mypy: ignore-errors
import schema
from typedcat import Config
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(schema.Train):
    model: Key[CfgModel, schema.Model]
    """examples/digits/schema.py:122  model: Model = Model()"""


class CfgModel(schema.Model):
    ini: Key[CfgModelIni, Config]
    """examples/digits/schema.py:51  ini: Config = Config()"""


class CfgModelIni(Closed):
    num_hidden: Key[int, float | None]
    """examples/digits/configs/patches/mlp.py:10  cfg.model.ini.num_hidden = 64"""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
