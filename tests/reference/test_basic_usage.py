"""The chapter 'Basic Usage': a config is a dict with attributes, and its result folder mirrors its path."""

from __future__ import annotations

import json
from collections import OrderedDict, UserDict, defaultdict
from pathlib import Path
from typing import Any

import pytest

from typedcat import ADict, Config, auto_rslt_dir, load_config, open_config, parse_config
from typedcat.errors import FrozenError

from .conftest import WriteFile


class MNIST:
    """Stands for a dataset class."""

    def __init__(self, root: str, train: bool = True, download: bool = False) -> None:
        self.root = root
        self.train = train
        self.download = download


def mnist() -> Config:
    cfg = Config()
    cfg.rand_seed = 0
    cfg.dt.cls = MNIST
    cfg.dt.ini.root = "/tmp/data"
    cfg.dt.ini.train = True
    return cfg


MNIST_DICT = {"rand_seed": 0, "dt": {"cls": MNIST, "ini": {"root": "/tmp/data", "train": True}}}


class TestDictApi:
    def test_a_config_is_a_dict(self) -> None:
        assert isinstance(mnist(), dict)
        assert isinstance(mnist(), ADict)
        assert isinstance(mnist().dt.ini, Config)

    def test_to_dict_gives_plain_dicts(self) -> None:
        plain = mnist().to_dict()
        assert plain == MNIST_DICT
        assert type(plain) is dict
        assert type(plain["dt"]) is dict
        assert type(plain["dt"]["ini"]) is dict
        assert plain["dt"]["cls"] is MNIST

    def test_keys_values_items(self) -> None:
        cfg = mnist()
        assert list(cfg.keys()) == ["rand_seed", "dt"]
        assert repr(cfg.keys()) == "dict_keys(['rand_seed', 'dt'])"
        assert list(cfg.dt.ini.values()) == ["/tmp/data", True]
        assert list(cfg.dt.ini.items()) == [("root", "/tmp/data"), ("train", True)]

    def test_items_and_attributes_are_the_same(self) -> None:
        cfg = mnist()
        assert cfg["dt"]["ini"]["root"] == "/tmp/data"
        cfg["dt"]["ini"]["root"] = "/elsewhere"
        assert cfg.dt.ini.root == "/elsewhere"
        cfg.dt.ini.root = "/back"
        assert cfg["dt"]["ini"]["root"] == "/back"

    def test_double_star(self) -> None:
        cfg = mnist()
        assert {**cfg["dt"]["ini"], "download": True} == {"root": "/tmp/data", "train": True, "download": True}
        assert dict(**cfg.dt.ini) == {"root": "/tmp/data", "train": True}

    def test_direct_parameter_passing(self) -> None:
        cfg = mnist()
        dataset = cfg.dt.cls(**cfg.dt.ini)
        assert isinstance(dataset, MNIST)
        assert (dataset.root, dataset.train, dataset.download) == ("/tmp/data", True, False)

    def test_a_wrong_parameter_is_noticed_by_the_class(self) -> None:
        cfg = mnist()
        cfg.dt.ini.trian = False
        with pytest.raises(TypeError, match="trian"):
            cfg.dt.cls(**cfg.dt.ini)

    def test_any_object_is_a_value(self) -> None:
        cfg = Config()
        marker = object()
        cfg.f, cfg.c, cfg.m, cfg.o = len, MNIST, "text".upper, marker
        assert cfg.f is len
        assert cfg.c is MNIST
        assert cfg.m() == "TEXT"
        assert cfg.o is marker

    def test_len_in_iter_bool(self) -> None:
        cfg = mnist()
        assert len(cfg) == 2
        assert "dt" in cfg
        assert "nothing" not in cfg
        assert list(cfg) == ["rand_seed", "dt"]
        assert list(reversed(cfg)) == ["dt", "rand_seed"]
        assert cfg
        assert not Config()

    def test_get(self) -> None:
        cfg = mnist()
        assert cfg.get("rand_seed") == 0
        assert cfg.get("nothing") is None
        assert cfg.get("nothing", 5) == 5
        assert "nothing" not in cfg

    def test_pop_and_del(self) -> None:
        cfg = mnist()
        assert cfg.pop("rand_seed") == 0
        assert "rand_seed" not in cfg
        del cfg.dt.ini.train
        del cfg["dt"]["cls"]
        assert cfg == {"dt": {"ini": {"root": "/tmp/data"}}}
        assert not cfg.dt.ini.train

    def test_popitem_and_clear(self) -> None:
        cfg = mnist()
        key, value = cfg.popitem()
        assert key == "dt"
        assert value == MNIST_DICT["dt"]
        cfg.clear()
        assert cfg == {}

    def test_setdefault(self) -> None:
        cfg = mnist()
        assert cfg.setdefault("rand_seed", 9) == 0
        assert cfg.setdefault("other", 9) == 9
        assert cfg.other == 9

    def test_setdefault_of_a_subtree_can_be_written(self) -> None:
        cfg = Config()
        cfg.setdefault("sub", Config()).x = 1
        assert cfg == {"sub": {"x": 1}}

    def test_fromkeys(self) -> None:
        made = Config.fromkeys(["a", "b"], 0)
        assert type(made) is Config
        assert made == {"a": 0, "b": 0}

    def test_equal_as_dicts_are(self) -> None:
        assert mnist() == MNIST_DICT
        assert mnist() == MNIST_DICT
        assert mnist() == mnist()
        assert mnist() != {"rand_seed": 0}
        assert Config(b=1, a=2) == Config(a=2, b=1)
        assert Config() != 5

    def test_a_config_is_not_hashable(self) -> None:
        with pytest.raises(TypeError, match="hash"):
            hash(mnist())

    def test_json_dumps(self) -> None:
        cfg = mnist()
        del cfg.dt.cls
        assert json.loads(json.dumps(cfg)) == {"rand_seed": 0, "dt": {"ini": {"root": "/tmp/data", "train": True}}}

    def test_repr_is_that_of_a_dict(self) -> None:
        assert repr(Config({"a": 1, "b": {"c": "x"}})) == "{'a': 1, 'b': {'c': 'x'}}"
        assert repr(Config()) == "{}"

    def test_structural_pattern(self) -> None:
        match mnist():
            case {"dt": {"ini": {"root": root}}}:
                assert root == "/tmp/data"
            case _:
                pytest.fail("a config matches as a mapping")


class TestMissingKeys:
    def test_it_is_an_empty_dict_and_false(self) -> None:
        cfg = mnist()
        assert cfg.not_exit == {}
        assert repr(cfg.not_exit) == "{}"
        assert not cfg.not_exit
        assert not cfg.not_exit.deeper.still
        assert not cfg["not_exit"]["deeper"]

    def test_reading_inserts_nothing(self) -> None:
        cfg = mnist()
        before = cfg.to_dict()
        _ = cfg.a
        _ = cfg.a.b.c
        _ = cfg.dt.ini.x.y
        _ = cfg["q"]["r"]
        assert bool(cfg.s) is False
        assert list(cfg.t.u) == []
        assert cfg == before
        assert list(cfg.keys()) == ["rand_seed", "dt"]

    def test_it_is_one_time(self) -> None:
        cfg = Config()
        _ = cfg.x.y
        assert "x" not in cfg
        cfg.x.y.z = 1
        assert cfg == {"x": {"y": {"z": 1}}}

    def test_double_star_of_a_missing_subtree_is_nothing(self) -> None:
        def call(**options: Any) -> dict[str, Any]:
            return options

        cfg = mnist()
        assert call(**cfg.loader.ini) == {}

    def test_if_log_is_defined(self) -> None:
        cfg = mnist()
        assert not cfg.log
        cfg.log.save_interval = 5
        assert cfg.log
        assert cfg.log.save_interval == 5


class TestInit:
    def test_from_a_dict(self) -> None:
        cfg = Config(MNIST_DICT)
        assert cfg == MNIST_DICT
        assert isinstance(cfg.dt.ini, Config)
        assert cfg.dt.cls is MNIST

    @pytest.mark.parametrize("kind", [dict, OrderedDict, ADict, Config])
    def test_from_subclasses_of_dict(self, kind: type[dict[str, Any]]) -> None:
        cfg = Config(kind({"a": 1, "b": kind({"c": 2})}))
        assert type(cfg) is Config
        assert type(cfg.b) is Config
        assert cfg == {"a": 1, "b": {"c": 2}}

    def test_from_a_defaultdict(self) -> None:
        source: defaultdict[str, dict[str, int]] = defaultdict(dict)
        source["a"]["b"] = 1
        assert Config(source) == {"a": {"b": 1}}

    def test_a_yacs_style_node(self) -> None:
        class CfgNode(dict[str, Any]):
            __getattr__ = dict.__getitem__

            def __setattr__(self, name: str, value: object) -> None:
                self[name] = value

        node = CfgNode(SOLVER=CfgNode(LR=0.1), DEVICE="cuda")
        cfg = Config(node)
        assert type(cfg.SOLVER) is Config
        assert cfg.SOLVER.LR == 0.1
        assert cfg == {"SOLVER": {"LR": 0.1}, "DEVICE": "cuda"}

    def test_from_a_mapping_that_is_no_dict(self) -> None:
        assert Config(UserDict({"a": 1})) == {"a": 1}

    def test_from_pairs_and_keywords(self) -> None:
        assert Config([("a", 1), ("b", {"c": 2})]) == {"a": 1, "b": {"c": 2}}
        assert Config(a=1, b={"c": 2}) == {"a": 1, "b": {"c": 2}}
        assert Config({"a": 1}, b=2) == {"a": 1, "b": 2}
        assert isinstance(Config(b={"c": 2}).b, Config)

    def test_several_mappings_merge_from_left_to_right(self) -> None:
        assert Config({"a": 1, "s": {"x": 1}}, {"a": 2, "s": {"y": 2}}) == {"a": 2, "s": {"x": 1, "y": 2}}

    def test_the_source_stays_as_it_was_and_is_isolated(self) -> None:
        source = {"a": {"b": 1}}
        cfg = Config(source)
        cfg.a.b = 2
        cfg.c = 3
        assert source == {"a": {"b": 1}}

    def test_a_config_from_a_config_is_a_copy(self) -> None:
        first = mnist()
        second = Config(first)
        second.dt.ini.root = "/other"
        assert first.dt.ini.root == "/tmp/data"

    @pytest.mark.parametrize("source", [5, 3.0, object(), [1, 2]])
    def test_anything_else_is_a_type_error(self, source: Any) -> None:
        with pytest.raises(TypeError):
            Config(source)

    def test_lists_are_leaves_of_a_config(self) -> None:
        items = [{"type": "LoadImage"}]
        cfg = Config({"pipeline": items})
        assert cfg.pipeline is items
        assert type(cfg.pipeline[0]) is dict


RESULT_PATHS = [
    "mnist/base",
    "mnist/plain_usage,2xbs",
    "MNIST/resnet18,wd=1e-5@run2",
    "MNIST/vgg,lr=1e-2",
    "VOC2012/swin-T,γ=10/10 epoch",
    "mnist/base,sched_from_addon,2xbs,2÷epo",
    "with space/and  two",
    "quote's/and+plus&amp",
    "配置/基础",
    "v1.2/lr=0.1",
    "100%/{x}/[y]",
    "~tilde/#hash/$HOME",
]


class TestLoadConfig:
    @pytest.mark.parametrize("folder", RESULT_PATHS)
    def test_the_result_folder_mirrors_the_path(self, folder: str, write: WriteFile, tmp_path: Path) -> None:
        write(f"configs/{folder}/cfg.py", "from typedcat import Config\ncfg = Config(a=1)")
        cfg = load_config(f"configs/{folder}/cfg.py", experiments_root=tmp_path / "exp", config_root="configs")
        assert Path(cfg.rslt_dir) == tmp_path / "exp" / folder
        assert (tmp_path / "exp" / folder).is_dir()
        assert cfg.a == 1

    def test_relative_experiments_root(self, write: WriteFile, tmp_path: Path) -> None:
        write("configs/mnist/base/cfg.py", "from typedcat import Config\ncfg = Config()")
        cfg = load_config("configs/mnist/base/cfg.py", experiments_root="experiment", config_root="configs")
        assert cfg.rslt_dir == "experiment/mnist/base"
        assert (tmp_path / "experiment/mnist/base").is_dir()
        assert isinstance(cfg.rslt_dir, str)

    def test_nothing_is_made_when_it_is_not_wanted(self, write: WriteFile, tmp_path: Path) -> None:
        write("configs/mnist/base/cfg.py", "from typedcat import Config\ncfg = Config()")
        cfg = load_config("configs/mnist/base/cfg.py", create_rslt_dir=False)
        assert cfg.rslt_dir == "mnist/base"
        assert not (tmp_path / "mnist").exists()

    def test_positional_arguments(self, write: WriteFile, tmp_path: Path) -> None:
        write("configs/mnist/base/cfg.py", "from typedcat import Config\ncfg = Config()")
        cfg = load_config("configs/mnist/base/cfg.py", str(tmp_path / "exp"), "configs", False)
        assert Path(cfg.rslt_dir) == tmp_path / "exp/mnist/base"

    def test_a_given_rslt_dir_stays(self, write: WriteFile) -> None:
        write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config()\ncfg.rslt_dir = 'mine'")
        assert load_config("configs/a/cfg.py", experiments_root="exp").rslt_dir == "mine"

    def test_the_loaded_config_is_read_only(self, write: WriteFile) -> None:
        write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config(a=1, s={'x': 1})")
        cfg = load_config("configs/a/cfg.py", create_rslt_dir=False)
        assert cfg.is_frozen
        assert cfg.s.is_frozen
        with pytest.raises(RuntimeError, match="frozen"):
            cfg.a = 2
        with pytest.raises(FrozenError, match=r"cfg\.unfreeze"):
            cfg.s.x = 2
        with pytest.raises(RuntimeError):
            cfg.new.key = 2
        with pytest.raises(RuntimeError):
            del cfg.a
        with pytest.raises(RuntimeError):
            cfg.update(a=3)
        assert cfg.a == 1
        assert cfg.s.x == 1

    def test_unfreeze(self, write: WriteFile) -> None:
        write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config(a=1, s={'x': 1})")
        cfg = load_config("configs/a/cfg.py", create_rslt_dir=False)
        cfg.unfreeze()
        assert not cfg.is_frozen
        cfg.s.x = 2
        cfg.new.key = 3
        assert cfg.s.x == 2
        assert cfg.new.key == 3
        cfg.freeze()
        assert cfg.is_frozen
        assert cfg.new.is_frozen

    def test_unfreeze_returns_the_config(self, write: WriteFile) -> None:
        write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config(a=1)")
        cfg = load_config("configs/a/cfg.py", create_rslt_dir=False).unfreeze()
        cfg.a = 5
        assert cfg.a == 5

    def test_missing_keys_of_a_loaded_config_are_falsy(self, write: WriteFile) -> None:
        write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config(a=1)")
        cfg = load_config("configs/a/cfg.py", create_rslt_dir=False)
        assert not cfg.log
        assert not cfg.log.save_interval
        assert {**cfg.loader.ini} == {}
        assert "log" not in cfg

    def test_a_dict_can_be_the_cfg(self, write: WriteFile) -> None:
        write("configs/a/cfg.py", "cfg = {'a': {'b': 1}}")
        cfg = load_config("configs/a/cfg.py", create_rslt_dir=False)
        assert isinstance(cfg, Config)
        assert cfg.a.b == 1

    def test_it_may_be_called_config(self, write: WriteFile) -> None:
        write("configs/a/cfg.py", "from typedcat import Config\nconfig = Config(a=1)")
        assert load_config("configs/a/cfg.py", create_rslt_dir=False).a == 1

    @pytest.mark.parametrize("ending", ["yaml", "yml", "json"])
    def test_data_formats(self, ending: str, write: WriteFile) -> None:
        text = '{"model": {"depth": 50, "name": "resnet"}, "ids": [1, 2]}'
        write(f"configs/a/cfg.{ending}", text)
        cfg = load_config(f"configs/a/cfg.{ending}", create_rslt_dir=False)
        assert cfg == {"model": {"depth": 50, "name": "resnet"}, "ids": [1, 2], "rslt_dir": "a"}
        assert isinstance(cfg.model, Config)

    def test_pickles_are_configs_too(self, write: WriteFile, tmp_path: Path) -> None:
        write("configs/a/cfg.py", "from typedcat import Config\ncfg = Config(a={'b': 1})")
        loaded = load_config("configs/a/cfg.py", experiments_root="exp", create_rslt_dir=False)
        file = loaded.save_pkl(tmp_path / "configs/saved/cfg.pkl")
        again = load_config(file, create_rslt_dir=False)
        assert again.a.b == 1
        assert again == loaded

    def test_a_dict_can_be_loaded(self) -> None:
        cfg = load_config({"a": {"b": 1}}, create_rslt_dir=False)
        assert cfg.a.b == 1
        assert cfg.is_frozen

    def test_a_config_can_be_loaded_in_place(self) -> None:
        cfg = Config(a={"b": 1})
        cfg.rslt_dir = "mine"
        node = cfg.a
        assert cfg.load() is cfg
        assert cfg.is_frozen
        assert cfg.a is node
        assert Path("mine").is_dir()


class TestOtherEntrances:
    def test_parse_config_inherits_and_leaves_dependencies(self, write: WriteFile) -> None:
        write("configs/base/cfg.py", "from typedcat import Config, DEP\ncfg = Config(a=1)\ncfg.b = DEP(lambda c: c.a)")
        write(
            "configs/child/cfg.py", "from typedcat import Config\ncfg = Config(caps='configs/base/cfg.py')\ncfg.a = 2"
        )
        cfg: Any = parse_config("configs/child/cfg.py", create_rslt_dir=False)
        assert cfg.a == 2
        assert repr(cfg.b).startswith("DEP(")
        assert cfg.rslt_dir == "child"

    def test_open_config_gives_what_the_file_itself_sets(self, write: WriteFile) -> None:
        write("configs/base/cfg.py", "from typedcat import Config\ncfg = Config(a=1)")
        write(
            "configs/child/cfg.py", "from typedcat import Config\ncfg = Config(caps='configs/base/cfg.py')\ncfg.b = 2"
        )
        tree, _ = open_config("configs/child/cfg.py")
        assert list(dict.keys(tree)) == ["b"]

    def test_auto_rslt_dir(self, write: WriteFile) -> None:
        write("configs/mnist/base/cfg.py", "cfg = {}")
        assert (
            auto_rslt_dir("configs/mnist/base/cfg.py", experiments_root="exp", config_root="configs")
            == "exp/mnist/base"
        )
        assert not Path("exp").exists()

    def test_auto_rslt_dir_in_the_config_itself(self, write: WriteFile, tmp_path: Path) -> None:
        write(
            "configs/mnist/base/cfg.py",
            """
            from typedcat import Config, auto_rslt_dir
            cfg = Config()
            cfg.rslt_dir = auto_rslt_dir(__file__, experiments_root='exp')
            """,
        )
        assert load_config("configs/mnist/base/cfg.py").rslt_dir == "exp/mnist/base"
        assert (tmp_path / "exp/mnist/base").is_dir()

    def test_aliases(self) -> None:
        import typedcat

        assert typedcat.IL is typedcat.ItemLazy is typedcat.DEP
        assert typedcat.PL is typedcat.ParamLazy is typedcat.P_DEP


class TestSaving:
    def saved(self, write: WriteFile) -> Config:
        write(
            "configs/base/cfg.py",
            """
            import collections
            from typedcat import Config, DEP
            cfg = Config()
            cfg.cls = collections.OrderedDict
            cfg.loader.ini.batch_size = 128
            cfg.opt.lr = DEP(lambda c: c.loader.ini.batch_size / 128)
            cfg.names = ['a', 'b']
            """,
        )
        return load_config("configs/base/cfg.py", experiments_root="exp", create_rslt_dir=False)

    @pytest.mark.parametrize("ending", ["py", "pkl"])
    def test_what_is_saved_loads_to_an_equal_config(self, ending: str, write: WriteFile, tmp_path: Path) -> None:
        cfg = self.saved(write)
        file = getattr(cfg, f"save_{ending}")(tmp_path / f"configs/saved/cfg.{ending}")
        (tmp_path / "configs/base/cfg.py").unlink()
        assert load_config(file, create_rslt_dir=False) == cfg

    @pytest.mark.parametrize("ending", ["yaml", "json"])
    def test_data_formats(self, ending: str, write: WriteFile, tmp_path: Path) -> None:
        cfg = self.saved(write).unfreeze()
        del cfg.cls
        file = getattr(cfg, f"save_{ending}")(tmp_path / f"saved/cfg.{ending}")
        assert load_config(file, create_rslt_dir=False) == cfg

    def test_saving_changes_nothing(self, write: WriteFile, tmp_path: Path) -> None:
        cfg = self.saved(write)
        before = cfg.to_dict()
        cfg.save_py(tmp_path / "s/cfg.py")
        cfg.save_pkl(tmp_path / "s/cfg.pkl")
        assert cfg == before
        assert cfg.is_frozen
