"""The chapter 'Composition': config files mounted as subtrees, with dependencies that stay relative to them."""

from __future__ import annotations

from typing import Any

import pytest

from typedcat import DEP, Config, load_config

from .conftest import WriteFile

SCHED = """
    from collections import ChainMap, UserDict
    from typedcat import Config, DEP
    cfg = Config()
    cfg.epochs = 30

    @cfg.set_DEP(priority=0)  # warm_epochs = 10% of total epochs
    def warm_epochs(c: Config) -> int:
        return round(0.1 * c.epochs)

    cfg.warm.cls = ChainMap
    cfg.warm.ini.total_iters = DEP(lambda c: c.warm_epochs, priority=1)
    cfg.warm.ini.start_factor = 1e-5
    cfg.warm.ini.end_factor = 1.
    cfg.main.cls = UserDict
    cfg.main.ini.T_max = DEP(lambda c: c.epochs - c.warm.ini.total_iters, priority=2)
"""


@pytest.fixture
def sched(write: WriteFile) -> str:
    write("configs/addons/linear_warm_cos_sched.py", SCHED)
    return "configs/addons/linear_warm_cos_sched.py"


def load(source: Any) -> Any:
    return load_config(source, create_rslt_dir=False)


class TestMounting:
    def test_the_addon_alone(self, sched: str) -> None:
        cfg = load(sched)
        assert (cfg.warm_epochs, cfg.warm.ini.total_iters, cfg.main.ini.T_max) == (3, 3, 27)

    @pytest.mark.parametrize("place", ["sched", "a.b.c"])
    def test_mounted_at_any_depth(self, place: str, sched: str, write: WriteFile) -> None:
        write("configs/m/cfg.py", f"from typedcat import Config\ncfg = Config()\ncfg.{place} = Config({sched!r})")
        node = load("configs/m/cfg.py")
        for key in place.split("."):
            node = node[key]
        assert (node.warm_epochs, node.warm.ini.total_iters, node.main.ini.T_max) == (3, 3, 27)

    def test_pretty_print(self, sched: str, write: WriteFile) -> None:
        write("configs/m/cfg.py", f"from typedcat import Config\ncfg = Config()\ncfg.sched = Config({sched!r})")
        text = load("configs/m/cfg.py").sched.to_txt(prefix="cfg.sched.")
        assert text.splitlines() == [
            "cfg.sched = Config()",
            "# ------- ↓ LEAVES ↓ ------- #",
            "cfg.sched.epochs = 30",
            "cfg.sched.warm_epochs = 3",
            "cfg.sched.warm.cls = <class 'collections.ChainMap'>",
            "cfg.sched.warm.ini.total_iters = 3",
            "cfg.sched.warm.ini.start_factor = 1e-05",
            "cfg.sched.warm.ini.end_factor = 1.0",
            "cfg.sched.main.cls = <class 'collections.UserDict'>",
            "cfg.sched.main.ini.T_max = 27",
        ]

    def test_changed_after_mounting(self, sched: str) -> None:
        cfg = Config()
        cfg.sched = Config(sched)
        cfg.sched.epochs = 100
        loaded = load(cfg)
        assert (loaded.sched.warm_epochs, loaded.sched.main.ini.T_max) == (10, 90)

    def test_changed_by_a_child(self, sched: str, write: WriteFile) -> None:
        write("configs/m/cfg.py", f"from typedcat import Config\ncfg = Config()\ncfg.sched = Config({sched!r})")
        write(
            "configs/c/cfg.py",
            "from typedcat import Config\ncfg = Config(caps='configs/m/cfg.py')\ncfg.sched.epochs = 10",
        )
        assert load("configs/c/cfg.py").sched.main.ini.T_max == 9
        assert load("configs/m/cfg.py").sched.main.ini.T_max == 27

    def test_each_call_gives_a_copy(self, sched: str) -> None:
        one, two = Config(sched), Config(sched)
        one.epochs = 1
        one.warm.ini.start_factor = 5
        assert two.epochs == 30
        assert two.warm.ini.start_factor == 1e-5
        assert Config(sched).epochs == 30

    def test_mounted_twice_in_one_config(self, sched: str) -> None:
        cfg = Config()
        cfg.first = Config(sched)
        cfg.second.deeper = Config(sched)
        cfg.first.epochs = 100
        loaded = load(cfg)
        assert loaded.first.main.ini.T_max == 90
        assert loaded.second.deeper.main.ini.T_max == 27

    def test_one_tree_mounted_twice_is_copied(self) -> None:
        sub = Config(n=1)
        sub.m = DEP(lambda c: c.n + 1)
        cfg = Config()
        cfg.a = sub
        cfg.b.c = sub
        assert cfg.a is sub
        assert cfg.b.c is not sub
        cfg.b.c.n = 5
        loaded = load(cfg)
        assert loaded.a == {"n": 1, "m": 2}
        assert loaded.b.c == {"n": 5, "m": 6}

    def test_a_root_is_mounted_itself(self) -> None:
        sub = Config(n=1)
        cfg = Config()
        cfg.sub = sub
        sub.n = 2
        assert cfg.sub.n == 2

    def test_a_subtree_of_another_config_is_copied(self) -> None:
        other = Config(sub={"n": 1})
        cfg = Config()
        cfg.sub = other.sub
        cfg.sub.n = 2
        assert other.sub.n == 1

    def test_a_yaml_subtree(self, write: WriteFile) -> None:
        write("configs/addons/model.yaml", "depth: 50\nhead:\n  classes: 10\n")
        cfg = Config()
        cfg.model = Config("configs/addons/model.yaml")
        cfg.model.head.classes = 100
        assert load(cfg).model == {"depth": 50, "head": {"classes": 100}}

    def test_from_a_path_object(self, sched: str, tmp_path: Any) -> None:
        assert Config(tmp_path / sched).epochs == 30

    def test_addons_may_compose_addons(self, sched: str, write: WriteFile) -> None:
        write("configs/addons/train.py", f"from typedcat import Config\ncfg = Config()\ncfg.inner = Config({sched!r})")
        cfg = Config()
        cfg.train.x = Config("configs/addons/train.py")
        cfg.train.x.inner.epochs = 20
        assert load(cfg).train.x.inner.main.ini.T_max == 18

    def test_an_addon_that_inherits(self, sched: str, write: WriteFile) -> None:
        write("configs/addons/short.py", f"from typedcat import Config\ncfg = Config(caps={sched!r})\ncfg.epochs = 10")
        write(
            "configs/m/cfg.py",
            "from typedcat import Config\ncfg = Config(n=1)\ncfg.sched = Config('configs/addons/short.py')",
        )
        cfg = load("configs/m/cfg.py")
        assert cfg.sched.epochs == 10
        assert cfg.sched.warm_epochs == 1
        assert cfg.sched.main.ini.T_max == 9
        assert cfg.n == 1

    def test_a_child_overrides_a_mounted_addon_that_inherits(self, sched: str, write: WriteFile) -> None:
        write("configs/addons/short.py", f"from typedcat import Config\ncfg = Config(caps={sched!r})\ncfg.epochs = 10")
        write(
            "configs/m/cfg.py",
            "from typedcat import Config\ncfg = Config()\ncfg.sched = Config('configs/addons/short.py')",
        )
        write(
            "configs/c/cfg.py",
            "from typedcat import Config\ncfg = Config(caps='configs/m/cfg.py')\ncfg.sched.epochs = 50",
        )
        assert load("configs/c/cfg.py").sched.main.ini.T_max == 45

    def test_a_base_may_be_given_to_the_constructor_for_eager_composition(self, sched: str) -> None:
        cfg = Config(sched, epochs=50)
        assert load(cfg).main.ini.T_max == 45


class TestWhichRoot:
    def test_a_dep_reads_from_the_tree_in_which_it_was_first_put(self) -> None:
        addon = Config(n=1)
        addon.x.y = DEP(lambda c: c.n)
        middle = Config(n=10)
        middle.addon = addon
        middle.own = DEP(lambda c: c.n)
        top = Config(n=100)
        top.a.b.middle = middle
        top.own = DEP(lambda c: c.n)
        loaded = load(top)
        assert loaded.a.b.middle.addon.x.y == 1
        assert loaded.a.b.middle.own == 10
        assert loaded.own == 100

    def test_put_after_mounting_it_reads_from_the_whole(self) -> None:
        cfg = Config(n=100)
        cfg.sub = Config(n=1)
        cfg.sub.m = DEP(lambda c: c.n)
        assert load(cfg).sub.m == 100

    def test_rel_false_reads_from_the_whole(self, write: WriteFile) -> None:
        write(
            "configs/addons/a.py",
            "from typedcat import Config, DEP\ncfg = Config(n=1)\ncfg.m = DEP(lambda c: c.n, rel=False)",
        )
        cfg = Config(n=100)
        cfg.sub = Config("configs/addons/a.py")
        assert load(cfg).sub.m == 100
