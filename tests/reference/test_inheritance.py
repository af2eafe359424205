"""The chapter 'Inheritance': caps, override, chains, patches, and isolation of base and child."""

from __future__ import annotations

from pathlib import Path

import pytest

from typedcat import Config, inherit, load_config

from .conftest import WriteFile

PLAIN = """
    from collections import OrderedDict
    from typedcat import Config
    cfg = Config()
    cfg.rand_seed = 0
    cfg.dt.cls = OrderedDict
    cfg.dt.ini.root = '/tmp/data'
    cfg.dt.ini.train = True
    cfg.loader.ini.batch_size = 128
    cfg.loader.ini.num_workers = 2
    cfg.opt.ini.lr = 0.01
    cfg.betas = [0.9, 0.99]
"""


@pytest.fixture
def plain(write: WriteFile) -> str:
    write("configs/mnist/plain_usage/cfg.py", PLAIN)
    return "configs/mnist/plain_usage/cfg.py"


def child_of(write: WriteFile, caps: object, body: str = "", name: str = "child") -> str:
    lines = "\n".join(line.strip() for line in body.strip().splitlines())
    write(f"configs/mnist/{name}/cfg.py", f"from typedcat import Config\ncfg = Config(caps={caps!r})\n{lines}\n")
    return f"configs/mnist/{name}/cfg.py"


def load(path: str) -> Config:
    return load_config(path, create_rslt_dir=False)


class TestOneBase:
    def test_override_and_keep(self, plain: str, write: WriteFile) -> None:
        child = child_of(
            write, plain, "cfg.loader.ini.batch_size = 128 * 2\ncfg.opt.ini.lr = 0.01 * 2", "plain_usage,2xbs"
        )
        assert load(plain).loader.ini == {"batch_size": 128, "num_workers": 2}
        assert load(child).loader.ini == {"batch_size": 256, "num_workers": 2}
        assert load(child).opt.ini.lr == 0.02
        assert load(child).dt.ini == {"root": "/tmp/data", "train": True}

    def test_new_items(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.log.save_interval = 5\ncfg.dt.ini.download = True"))
        assert cfg.log.save_interval == 5
        assert cfg.dt.ini == {"root": "/tmp/data", "train": True, "download": True}

    def test_inherit_says_the_same(self, plain: str) -> None:
        child = inherit(plain, {"loader": {"ini": {"num_workers": 4}}})
        child.loader.ini.batch_size = 256
        cfg = load_config(child, create_rslt_dir=False)
        assert cfg.loader.ini == {"batch_size": 256, "num_workers": 4}
        assert cfg.origin("loader.ini.batch_size")[0].file == __file__
        with pytest.raises(TypeError, match="one or more bases"):
            inherit()

    def test_nothing_of_its_own(self, plain: str, write: WriteFile) -> None:
        assert {**load(child_of(write, plain)), "rslt_dir": ""} == {**load(plain), "rslt_dir": ""}

    def test_order_of_keys_is_the_bases(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.new = 1\ncfg.rand_seed = 5"))
        assert list(cfg) == ["rand_seed", "dt", "loader", "opt", "betas", "new", "rslt_dir"]

    def test_caps_as_a_tuple_and_a_list_of_one(self, plain: str, write: WriteFile) -> None:
        assert load(child_of(write, (plain,))).rand_seed == 0
        assert load(child_of(write, [plain])).rand_seed == 0

    def test_caps_relative_to_the_naming_file(self, plain: str, write: WriteFile) -> None:
        assert load(child_of(write, "../plain_usage/cfg.py")).rand_seed == 0

    def test_older_name_of_caps(self, plain: str, write: WriteFile) -> None:
        write(
            "configs/old/cfg.py",
            f"from typedcat import Config\ncfg = Config(cfgs_update_at_parser=({plain!r},))\ncfg.rand_seed = 1",
        )
        assert load("configs/old/cfg.py").rand_seed == 1
        assert load("configs/old/cfg.py").loader.ini.batch_size == 128

    def test_mapping_and_caps_together(self, plain: str, write: WriteFile) -> None:
        write("configs/x/cfg.py", f"from typedcat import Config\ncfg = Config({{'rand_seed': 3}}, caps={plain!r}, n=1)")
        cfg = load("configs/x/cfg.py")
        assert (cfg.rand_seed, cfg.n, cfg.opt.ini.lr) == (3, 1, 0.01)

    def test_a_value_replaces_a_subtree_and_the_reverse(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.dt = 'none'\ncfg.rand_seed = Config(a=1)"))
        assert cfg.dt == "none"
        assert cfg.rand_seed == {"a": 1}
        assert isinstance(cfg.rand_seed, Config)

    def test_none_replaces(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.loader = None\ncfg.opt.ini.lr = None"))
        assert cfg.loader is None
        assert cfg.opt.ini == {"lr": None}

    def test_lists_are_replaced_as_a_whole(self, plain: str, write: WriteFile) -> None:
        assert load(child_of(write, plain, "cfg.betas = [0.5]")).betas == [0.5]

    def test_a_plain_dict_is_a_leaf_and_replaced_as_a_whole(self, write: WriteFile) -> None:
        write("configs/b/cfg.py", "from typedcat import Config\ncfg = Config()\ncfg.leaf = {'a': 1, 'b': 2}")
        cfg = load(child_of(write, "configs/b/cfg.py", "cfg.leaf = {'c': 3}"))
        assert cfg.leaf == {"c": 3}
        assert type(cfg.leaf) is dict

    def test_items_named_like_methods(self, write: WriteFile) -> None:
        write("configs/b/cfg.py", "from typedcat import Config\ncfg = Config()\ncfg['items'].a = 1\ncfg['keys'] = 2")
        cfg = load(child_of(write, "configs/b/cfg.py", "cfg['items'].b = 2"))
        assert cfg["items"] == {"a": 1, "b": 2}
        assert cfg["keys"] == 2
        assert list(cfg.keys()) == ["items", "keys", "rslt_dir"]

    @pytest.mark.parametrize("ending", ["yaml", "json"])
    def test_a_base_in_a_data_format(self, ending: str, write: WriteFile) -> None:
        write(f"configs/b/cfg.{ending}", '{"loader": {"ini": {"batch_size": 128, "num_workers": 2}}}')
        cfg = load(child_of(write, f"configs/b/cfg.{ending}", "cfg.loader.ini.batch_size = 256"))
        assert cfg.loader.ini == {"batch_size": 256, "num_workers": 2}

    def test_a_base_that_is_a_dict_in_a_py_file(self, write: WriteFile) -> None:
        write("configs/b/cfg.py", "cfg = {'loader': {'ini': {'batch_size': 128, 'num_workers': 2}}}")
        cfg = load(child_of(write, "configs/b/cfg.py", "cfg.loader.ini.batch_size = 256"))
        assert cfg.loader.ini == {"batch_size": 256, "num_workers": 2}

    def test_a_base_that_is_a_config_in_memory(self) -> None:
        base = Config(a=1, s={"x": 1})
        cfg = Config(caps=base)
        cfg.s.y = 2
        cfg.rslt_dir = "somewhere"
        cfg.load(create_rslt_dir=False)
        assert cfg == {"a": 1, "s": {"x": 1, "y": 2}, "rslt_dir": "somewhere"}
        assert base == {"a": 1, "s": {"x": 1}}


class TestOverride:
    def test_a_subtree_as_a_whole(self, plain: str, write: WriteFile) -> None:
        body = "cfg.loader.ini.override()\ncfg.loader.ini.shuffle = False\ncfg.loader.ini.drop_last = False"
        child = child_of(write, plain, body, "plain_usage,override_loader")
        assert load(plain).loader.ini == {"batch_size": 128, "num_workers": 2}
        assert load(child).loader.ini == {"shuffle": False, "drop_last": False}
        assert load(child).opt.ini.lr == 0.01

    def test_after_the_items(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.loader.ini.shuffle = False\ncfg.loader.ini.override()"))
        assert cfg.loader.ini == {"shuffle": False}

    def test_only_from_there_down(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.loader.override().ini.x = 1\ncfg.loader.n = 1"))
        assert cfg.loader == {"ini": {"x": 1}, "n": 1}

    def test_override_false_takes_it_back(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.loader.override()\ncfg.loader.n = 1\ncfg.loader.override(False)"))
        assert cfg.loader == {"ini": {"batch_size": 128, "num_workers": 2}, "n": 1}

    def test_override_of_an_absent_key_inserts_it(self) -> None:
        cfg = Config()
        cfg.whole.override()
        assert "whole" in cfg
        assert cfg.whole == {}
        assert cfg.whole.is_whole

    def test_set_whole_is_the_same(self) -> None:
        cfg = Config()
        cfg.a.set_whole()
        assert cfg.a.is_whole
        cfg.a.set_whole(False)
        assert not cfg.a.is_whole

    def test_override_survives_the_next_child(self, plain: str, write: WriteFile) -> None:
        middle = child_of(write, plain, "cfg.loader.ini.override()\ncfg.loader.ini.shuffle = False", "middle")
        cfg = load(child_of(write, middle, "cfg.loader.ini.batch_size = 1", "last"))
        assert cfg.loader.ini == {"shuffle": False, "batch_size": 1}

    def test_the_whole_config(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.override()\ncfg.a = 1"))
        assert cfg.a == 1


class TestDeleting:
    def test_empty_leaf(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.loader.ini.empty_leaf()"))
        assert cfg.loader == {"ini": {}}
        assert cfg.opt.ini.lr == 0.01

    def test_empty_leaf_clears_what_is_there_and_overrides(self) -> None:
        cfg = Config(a={"b": 1, "c": {"d": 2}})
        result = cfg.a.empty_leaf()
        assert cfg.a == {}
        assert cfg.a.is_whole
        assert result is cfg.a

    def test_empty_leaf_then_new_items(self, plain: str, write: WriteFile) -> None:
        cfg = load(child_of(write, plain, "cfg.loader.empty_leaf()\ncfg.loader.n = 1"))
        assert cfg.loader == {"n": 1}


class TestChains:
    def test_chain(self, plain: str, write: WriteFile) -> None:
        one = child_of(write, plain, "cfg.loader.ini.batch_size = 256\ncfg.a = 1", "one")
        two = child_of(write, one, "cfg.rand_seed = 2\ncfg.a = 2", "two")
        three = child_of(write, two, "cfg.opt.ini.lr = 3", "three")
        cfg = load(three)
        assert cfg.loader.ini == {"batch_size": 256, "num_workers": 2}
        assert (cfg.rand_seed, cfg.a, cfg.opt.ini.lr) == (2, 2, 3)
        assert cfg.rslt_dir == "mnist/three"

    def test_right_bases_win_and_the_child_wins_over_all(self, plain: str, write: WriteFile) -> None:
        write("configs/patches/p1.py", "from typedcat import Config\ncfg = Config()\ncfg.a = 1\ncfg.b = 1\ncfg.c = 1")
        write("configs/patches/p2.py", "from typedcat import Config\ncfg = Config()\ncfg.b = 2\ncfg.c = 2")
        child = child_of(write, (plain, "configs/patches/p1.py", "configs/patches/p2.py"), "cfg.c = 3")
        cfg = load(child)
        assert (cfg.a, cfg.b, cfg.c, cfg.rand_seed) == (1, 2, 3, 0)

    def test_a_patch_with_override(self, plain: str, write: WriteFile) -> None:
        write(
            "configs/patches/cifar10.py",
            """
            from collections import Counter
            from typedcat import Config
            cfg = Config()
            cfg.dt.override()
            cfg.dt.cls = Counter
            cfg.dt.ini.root = '/tmp/cifar'
            """,
        )
        cfg = load(child_of(write, (plain, "configs/patches/cifar10.py"), name="plain_usage,cifar10"))
        assert cfg.dt.cls.__name__ == "Counter"
        assert cfg.dt.ini == {"root": "/tmp/cifar"}
        assert cfg.loader.ini.batch_size == 128

    def test_a_patch_that_inherits_itself(self, plain: str, write: WriteFile) -> None:
        write("configs/patches/a.py", "from typedcat import Config\ncfg = Config(x=1, y=1)")
        write(
            "configs/patches/b.py", "from typedcat import Config\ncfg = Config(caps='configs/patches/a.py')\ncfg.y = 2"
        )
        cfg = load(child_of(write, (plain, "configs/patches/b.py")))
        assert (cfg.x, cfg.y, cfg.rand_seed) == (1, 2, 0)

    def test_diamond(self, plain: str, write: WriteFile) -> None:
        left = child_of(write, plain, "cfg.left = 1\ncfg.rand_seed = 1", "left")
        right = child_of(write, plain, "cfg.right = 1", "right")
        cfg = load(child_of(write, (left, right), "cfg.own = 1", "bottom"))
        assert (cfg.left, cfg.right, cfg.own) == (1, 1, 1)
        assert cfg.rand_seed == 0, "the right base, with all that it inherits, wins over the left"

    def test_a_long_chain(self, plain: str, write: WriteFile) -> None:
        base = plain
        for i in range(30):
            base = child_of(write, base, f"cfg.k{i} = {i}\ncfg.last = {i}", f"c{i}")
        cfg = load(base)
        assert cfg.last == 29
        assert [cfg[f"k{i}"] for i in range(30)] == list(range(30))
        assert cfg.rand_seed == 0


class TestIsolation:
    @pytest.mark.parametrize("order", ["base first", "child first"])
    def test_loading_twice_with_other_roots(self, order: str, plain: str, write: WriteFile, tmp_path: Path) -> None:
        child = child_of(write, plain, "cfg.loader.ini.batch_size = 256")
        paths = [plain, child] if order == "base first" else [child, plain]
        for root in ("exp1", "exp2"):
            for path in paths:
                cfg = load_config(path, experiments_root=root, config_root="configs")
                name = "plain_usage" if path == plain else "child"
                assert cfg.rslt_dir == f"{root}/mnist/{name}"
                assert cfg.loader.ini.batch_size == (128 if path == plain else 256)
                assert cfg.is_frozen
        made = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.glob("exp*/mnist/*"))
        assert made == [f"exp{i}/mnist/{name}" for i in (1, 2) for name in ("child", "plain_usage")]

    def test_two_loads_are_two_trees(self, plain: str) -> None:
        first, second = load(plain).unfreeze(), load(plain)
        first.loader.ini.batch_size = 1
        first.new.key = 2
        assert second.loader.ini.batch_size == 128
        assert "new" not in second
        assert load(plain).loader.ini.batch_size == 128

    def test_a_changed_child_does_not_change_the_base(self, plain: str, write: WriteFile) -> None:
        child = load(child_of(write, plain)).unfreeze()
        child.loader.ini.batch_size = 1
        assert load(plain).loader.ini.batch_size == 128

    def test_a_base_in_memory_stays_as_it_is(self) -> None:
        base = Config(s={"x": 1})
        child = Config(caps=base)
        child.s.y = 2
        loaded = load_config(child, create_rslt_dir=False).unfreeze()
        loaded.s.x = 5
        assert base == {"s": {"x": 1}}

    def test_the_object_that_is_loaded_stays_as_it_is(self, plain: str) -> None:
        child = Config(caps=plain)
        child.loader.ini.batch_size = 1
        load_config(child, create_rslt_dir=False)
        assert list(dict.keys(child)) == ["loader"]
        assert not child.is_frozen

    def test_leaves_are_shared_along_the_chain(self) -> None:
        base = Config(items=[1])
        child = load_config(Config(caps=base), create_rslt_dir=False)
        child["items"].append(2)
        assert base["items"] == [1, 2], "documented: leaf values are passed by reference"

    def test_a_base_that_defines_rslt_dir_does_not_hand_it_down(self, write: WriteFile) -> None:
        write("configs/b/cfg.py", "from typedcat import Config\ncfg = Config()\ncfg.rslt_dir = 'of-the-base'")
        assert load(child_of(write, "configs/b/cfg.py")).rslt_dir == "mnist/child"
