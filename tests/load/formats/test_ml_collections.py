"""Configs of ml_collections: a `.py` file whose `get_config()` makes a `ConfigDict`."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from typedcat import Cfg2Tune, Config, Param2Tune, load_config
from typedcat.errors import ConfigCodeError, ConfigContentError

CONFIG = """
from ml_collections import config_dict


def get_config():
    config = config_dict.ConfigDict()
    config.lr = 0.1
    config.seed = config_dict.placeholder(int)
    config.warmup_lr = config.get_ref('lr') / 10
    config.model = config_dict.ConfigDict(dict(width=64, kernel=(3, 3)))
    config.model.lr = config.get_ref('lr')
    config.frozen = config_dict.FrozenConfigDict(dict(a=1))
    return config
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ml_collections")
    monkeypatch.chdir(tmp_path)


def write(text: str, name: str = "configs/base.py") -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return name


def test_values() -> None:
    cfg = load_config(write(CONFIG), create_rslt_dir=False)
    assert (cfg.lr, cfg.warmup_lr, cfg.seed, cfg.model.lr) == (0.1, 0.1 / 10, None, 0.1)
    assert cfg.model.kernel == (3, 3)
    assert cfg.frozen.a == 1
    assert Config("configs/base.py").model.width == 64


def test_it_is_inherited_and_tuned() -> None:
    tune = Cfg2Tune(caps=write(CONFIG), rslt_dir="runs")
    tune.model.width = Param2Tune([64, 128])
    tune.seed = 3
    assert [(cfg.model.width, cfg.seed, cfg.lr) for cfg in tune.get_cfgs()] == [(64, 3, 0.1), (128, 3, 0.1)]


def test_arguments_are_given_in_a_config_next_to_it() -> None:
    write("from ml_collections import ConfigDict\ndef get_config(size, *, lr):\n    return ConfigDict(dict(n=size))\n")
    with pytest.raises(ConfigContentError) as caught:
        load_config("configs/base.py")
    assert str(caught.value) == (
        "configs/base.py:2: get_config() takes arguments: size, lr\n"
        "  give them in a config next to it: from .base import get_config, then cfg = get_config(size=..., lr=...)"
    )
    path = write("from .base import get_config\ncfg = get_config(size=3, lr=1)\n", "configs/small.py")
    assert load_config(path, create_rslt_dir=False).n == 3


def test_optional_arguments() -> None:
    assert load_config(write("def get_config(size=3, *args, **options):\n    return {'n': size}\n")).n == 3


def test_mistakes() -> None:
    with pytest.raises(ConfigContentError, match=r"base\.py:4: get_config\(\): .*lr is a required placeholder"):
        load_config(
            write("""
            from ml_collections import config_dict


            def get_config():
                config = config_dict.ConfigDict(dict(model=config_dict.ConfigDict()))
                config.model.lr = config_dict.required_placeholder(float)
                return config
            """)
        )
    with pytest.raises(ConfigContentError, match=r"base\.py:1: 'get_config\(\)' must return .* got None"):
        load_config(write("def get_config():\n    config = {}\n"))
    with pytest.raises(ConfigCodeError, match=r"base\.py:4: AttributeError"):
        load_config(
            write("from ml_collections import ConfigDict\ndef get_config():\n    c = ConfigDict()\n    c.a.b = 1\n")
        )
