"""Schemas that leave something open: the stub of a config knows what it has put there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.static.test_stubs import WriteFile, check_with_both, stubs, write

__all__ = ["write"]  # a fixture

FILES = {
    "schema.py": """
        from typing import Any

        from typedcat import Config, TypedConfig


        class Part(TypedConfig):
            cls: Any = dict
            ini: Config = Config()


        class Opt(TypedConfig):
            lr: float = 0.1


        class Train(TypedConfig):
            epochs: int = 3
            opt: Opt = Opt()
            model: Part = Part()
            log: Config = Config()
            maybe: Part | None = None
            nothing: Config = Config()
        """,
    "configs/base/cfg.py": """
        from typedcat import Config
        from schema import Train

        cfg = Config(schema=Train)
        cfg.model.ini.width = 3
        cfg.log.every = 10
        cfg.maybe = {"ini": {"a": 1}}
        """,
    "configs/child/cfg.py": """
        from typedcat import Config

        cfg = Config(caps="configs/base/cfg.py", epochs=4)
        """,
    "configs/plain/cfg.py": """
        from typedcat import Config
        from schema import Train

        cfg = Config(schema=Train)
        """,
}
USER = """
from schema import Opt, Part, Train
from typedcat_catalog import Config, load_config

cfg = Config(caps="configs/child/cfg.py")
cfg.epochs = 5
cfg.log.every = 5
cfg.log.evry = 5  # reject
cfg.log.every = "x"  # reject
cfg.log["each"] = 5
cfg.model.ini.width = 4
cfg.model.ini.widht = 4  # reject
cfg.model.ini = Config(other=1)
cfg.model.inii = 3  # reject
cfg.model = Part()
cfg.opt = Opt(lr=1)
cfg.opt.lrr = 3  # reject
cfg.epochs = "x"  # reject
cfg.nothing.anything = 3
cfg.maybe = None
cfg.lr = cfg.DEP(lambda c: c.log.evry)  # reject
cfg.epochs = cfg.DEP(lambda c: c.log.every)
loaded = load_config("configs/base/cfg.py")
width: int = loaded.model.ini.width
text: str = loaded.model.ini.width  # reject
loaded.model.ini.depth  # reject


def train(cfg: Train) -> None: ...


train(loaded)
train(load_config("configs/plain/cfg.py"))
load_config("configs/plain/cfg.py").log.anything
"""


@pytest.mark.slow
def test_what_schemas_leave_open_is_known_where_it_is_set(write: WriteFile, tmp_path: Path) -> None:
    for name, text in FILES.items():
        write(name, text)
    code, output = stubs(tmp_path)
    assert code == 0, output
    check_with_both(tmp_path, write, USER)
    child = (tmp_path / "stubs/configs/child/cfg.pyi").read_text(encoding="utf-8")
    assert "class" not in child  # its base has them all
