# Made by `typedcat stubs`, which overwrites it: examples/digits/configs/digits/base,mlp/cfg.py
# mypy: ignore-errors
import examples.digits.configs.digits.base_u2c_mlp.cfg
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
    num_features: Key[int, float | None]
    """examples/digits/configs/digits/base/cfg.py:22  cfg.model.ini.num_features = cfg.DEP(lambda c: c.dt.cls.num_features)"""
    num_classes: Key[int, float | None]
    """examples/digits/configs/digits/base/cfg.py:23  cfg.model.ini.num_classes = cfg.DEP(lambda c: len(c.dt.cls.classes))"""
    num_hidden: Key[int, float | None]
    """examples/digits/configs/patches/mlp.py:10  cfg.model.ini.num_hidden = 64"""


cfg: Cfg
bases: examples.digits.configs.digits.base_u2c_mlp.cfg.Cfg
def __getattr__(name: str) -> Any: ...
