"""Configs of ml_collections: a `.py` file whose `get_config()` makes a `ConfigDict`."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

import pytest

from typedcat import Cfg2Tune, Config, Param2Tune, load_config
from typedcat.errors import ConfigCodeError, ConfigContentError, DependencyError, MandatoryValueError

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


def test_a_required_placeholder_has_to_be_set() -> None:
    base = write("""
        from ml_collections import config_dict


        def get_config():
            config = config_dict.ConfigDict(dict(model=config_dict.ConfigDict(), seed=0))
            config.model.lr = config_dict.required_placeholder(float)
            return config
        """)
    with pytest.raises(MandatoryValueError) as caught:
        load_config(base)
    assert str(caught.value).splitlines() == [
        "configs/base.py has a value that is mandatory and not set",
        "  model.lr (configs/base.py)",
        "  set it in a config that inherits, or by an override: -o model.lr=... (null if nothing reads it)",
    ]
    assert load_config(base, overrides=["model.lr=0.5"], create_rslt_dir=False).model == {"lr": 0.5}
    child = Cfg2Tune(caps=base, rslt_dir="runs")
    child.model.lr = Param2Tune([1.0, 2.0])
    child.seed = child.DEP(lambda c: c.model.lr + 1)
    loaded = [load_config(one, create_rslt_dir=False) for one in child.get_cfgs()]
    assert [(one.model.lr, one.seed) for one in loaded] == [(1, 2), (2, 3)]


def test_mistakes() -> None:
    with pytest.raises(ConfigContentError, match=r"base\.py:1: 'get_config\(\)' must return .* got None"):
        load_config(write("def get_config():\n    config = {}\n"))
    with pytest.raises(ConfigCodeError, match=r"base\.py:4: AttributeError"):
        load_config(
            write("from ml_collections import ConfigDict\ndef get_config():\n    c = ConfigDict()\n    c.a.b = 1\n")
        )


REFERENCES = """
import ml_collections


def get_config():
    config = ml_collections.ConfigDict()
    config.lr = 0.1
    config.steps = ml_collections.FieldReference(100)
    config.name = "net"
    config.seed = ml_collections.config_dict.placeholder(int)
    config.model = ml_collections.ConfigDict({"width": 64, "lr": config.get_ref("lr")})
    config.model.head = ml_collections.ConfigDict({"width": config.model.get_ref("width") * 2})
    config.warmup = config.get_ref("steps") // 10 + config.model.get_ref("width")
    config.half_lr = config.model.get_ref("lr") / 2
    config.tag = config.get_ref("name") + "_" + config.get_ref("steps").to_str()
    config.total = config.get_ref("steps").to_float() * config.get_ref("half_lr")
    config.steps_too = config.get_oneway_ref("steps")
    config.next_seed = config.get_ref("seed") + 1
    config.unused = ml_collections.FieldReference(3) * 2
    return config
"""


class TestReferences:
    """A key that refers to another one follows it, whoever sets that."""

    @staticmethod
    def there(*overrides: str) -> Any:
        """What ml_collections makes of the config, and of some overrides."""
        scope: dict[str, Any] = {}
        exec(REFERENCES, scope)
        config = scope["get_config"]()
        for text in overrides:
            key, _, value = text.partition("=")
            config.update_from_flattened_dict({key: ast.literal_eval(value)})
        return config.to_dict()

    @staticmethod
    def base() -> str:
        return write(REFERENCES)

    @pytest.mark.parametrize(
        "overrides",
        [
            (),
            ("lr=1.0",),
            ("steps=7",),
            ("model.width=3", "lr=0.5"),
            ("name='x'", "steps=20"),
            ("seed=4",),
            ("warmup=1", "steps=3"),
            ("half_lr=2.0",),
            ("half_lr=2.0", "lr=8.0"),
            ("model.head.width=5", "model.width=1"),
            ("steps_too=1",),
            ("steps_too=1", "steps=2"),
            ("next_seed=1", "seed=7"),
            ("unused=1",),
        ],
    )
    def test_as_there(self, overrides: tuple[str, ...]) -> None:
        loaded = load_config(self.base(), overrides=overrides, create_rslt_dir=False).to_dict()
        loaded.pop("rslt_dir", None)
        assert loaded == self.there(*overrides)

    def test_inherited_mounted_tuned_and_saved(self) -> None:
        base = self.base()
        child = Config(caps=base)
        child.lr = child.DEP(lambda c: c.steps / 100)
        child.steps = 50
        loaded = load_config(child, create_rslt_dir=False)
        assert (loaded.model.lr, loaded.half_lr, loaded.total) == (0.5, 0.25, 12.5)
        assert str(loaded.origin("half_lr")[0]).endswith("configs/base.py")
        top = Config(lr=9)
        top.part = Config(base)
        top.part.lr = 4.0
        mounted = load_config(top, create_rslt_dir=False)
        assert (mounted.part.model.lr, mounted.part.half_lr) == (4.0, 2.0)
        tune = Cfg2Tune(caps=base, rslt_dir="runs")
        tune.lr = Param2Tune([1.0, 2.0])
        files = [one.save_pkl(f"{number}.pkl") for number, one in enumerate(tune.get_cfgs())]
        assert [load_config(one, create_rslt_dir=False).half_lr for one in files] == [0.5, 1.0]
        assert load_config(str(loaded.save_yaml("a.yaml")), create_rslt_dir=False).total == 12.5

    def test_a_required_placeholder_that_is_referred_to(self) -> None:
        base = write("""
            import ml_collections


            def get_config():
                config = ml_collections.ConfigDict({"lr": ml_collections.config_dict.required_placeholder(float)})
                config.wd = config.get_ref("lr")
                return config
            """)
        with pytest.raises(MandatoryValueError) as caught:
            load_config(base)
        assert [key for key, _ in caught.value.unset] == ["lr"]
        assert load_config(base, overrides=["lr=5.0"], create_rslt_dir=False).wd == 5.0

    def test_what_cannot_be_computed(self) -> None:
        with pytest.raises(DependencyError, match=r"half_lr: .* raised TypeError: (?s:.*)it read lr = 'text'"):
            load_config(self.base(), overrides=["lr='text'"])
