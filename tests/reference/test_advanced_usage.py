"""'Advanced Usage': walking the tree, lazy inheritance, pickles, update and deleting."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from typedcat import DEP, ADict, Config, load_config
from typedcat.errors import ConfigNotFoundError, NotLoadedError

from .conftest import WriteFile

LEAVES = "# ------- ↓ LEAVES ↓ ------- #"


def example() -> Config:
    cfg = Config()
    cfg.foo.bar.a = 1
    cfg.bar.foo.b = ["str1", "str2"]
    cfg.whole.override()
    return cfg


class TestTraversing:
    def test_named_branches(self) -> None:
        cfg = Config()
        cfg.foo.bar.a = 1
        cfg.bar.foo.b = ["str1", "str2"]
        cfg.whole.override()
        assert list(cfg.named_branches) == [
            ("", {"foo": {"bar": {"a": 1}}, "bar": {"foo": {"b": ["str1", "str2"]}}, "whole": {}}),
            ("foo", {"bar": {"a": 1}}),
            ("foo.bar", {"a": 1}),
            ("bar", {"foo": {"b": ["str1", "str2"]}}),
            ("bar.foo", {"b": ["str1", "str2"]}),
            ("whole", {}),
        ]

    def test_branches_are_the_nodes_themselves(self) -> None:
        cfg = example()
        nodes = list(cfg.branches)
        assert [id(node) for node in nodes] == [id(node) for _, node in cfg.named_branches]
        assert nodes[0] is cfg
        assert nodes[1] is cfg.foo

    def test_ckl(self) -> None:
        assert list(example().ckl) == [({"a": 1}, "a", 1), ({"b": ["str1", "str2"]}, "b", ["str1", "str2"])]

    def test_named_ckl(self) -> None:
        cfg = example()
        assert list(cfg.named_ckl) == [
            ("foo.bar.a", (cfg.foo.bar, "a", 1)),
            ("bar.foo.b", (cfg.bar.foo, "b", ["str1", "str2"])),
        ]
        assert next(iter(cfg.named_ckl))[1][0] is cfg.foo.bar

    def test_leaves(self) -> None:
        assert list(example().leaves) == [1, ["str1", "str2"]]

    def test_writing_while_walking(self) -> None:
        cfg = Config(a=1, b={"c": 2})
        for node, key, value in cfg.ckl:
            node[key] = value + 1
        assert cfg == {"a": 2, "b": {"c": 3}}

    def test_names_of_odd_keys(self) -> None:
        cfg = Config({"a b": {"c": 1}, "d": {1: 2}})
        assert [name for name, _ in cfg.named_ckl] == ["['a b'].c", "d[1]"]

    def test_the_name_as_the_reference_writes_it(self) -> None:
        cfg = Config({"a": {"b": 1}})
        assert list(cfg.named_branchs) == list(cfg.named_branches)


class TestLazyInheritance:
    def test_printed_before_loading(self) -> None:
        cfg = Config(caps="configs/mnist/base,sched_from_addon/cfg.py")
        cfg.loader.ini.batch_size = 256
        cfg.sched.epochs = 15
        assert str(cfg).splitlines() == [
            "cfg = Config(caps=('configs/mnist/base,sched_from_addon/cfg.py',))",
            LEAVES,
            "cfg.loader.ini.batch_size = 256",
            "cfg.sched.epochs = 15",
        ]

    def test_the_print_runs_back(self) -> None:
        cfg = Config(caps=("a.py", "b.py"))
        cfg.x.y = 1
        cfg.x.override()
        found: dict[str, Any] = {}
        exec(str(cfg), {"Config": Config}, found)
        assert str(found["cfg"]) == str(cfg)
        assert found["cfg"].get_attribute("_cfgs_update_at_parser") == ("a.py", "b.py")

    def test_alchemycats_print_runs_too(self) -> None:
        text = (
            "cfg = Config()\n"
            "cfg.override(False).set_attribute('_cfgs_update_at_parser', ('configs/base.py',))\n"
            f"{LEAVES}\n"
            "cfg.sched.epochs = 15"
        )
        found: dict[str, Any] = {}
        exec(text, {"Config": Config}, found)
        assert str(found["cfg"]).splitlines()[0] == "cfg = Config(caps=('configs/base.py',))"

    def test_the_bases_are_not_read_before_loading(self) -> None:
        cfg = Config(caps="configs/not/there.py")
        cfg.a = 1
        with pytest.raises(ConfigNotFoundError, match="there"):
            load_config(cfg, create_rslt_dir=False)

    def test_the_file_that_names_the_base_is_not_run_twice(self, write: WriteFile) -> None:
        write(
            "configs/b/cfg.py",
            "from typedcat import Config\nwith open('log', 'a') as f: f.write('b')\ncfg = Config(a=1)",
        )
        write(
            "configs/c/cfg.py",
            "from typedcat import Config\nwith open('log', 'a') as f: f.write('c')\n"
            "cfg = Config(caps='configs/b/cfg.py')",
        )
        load_config("configs/c/cfg.py", create_rslt_dir=False)
        assert Path("log").read_text() == "cb"

    def test_a_key_of_the_base_cannot_be_used_by_mistake(self) -> None:
        cfg = Config(caps="configs/b/cfg.py")
        with pytest.raises(NotLoadedError, match="log"):
            bool(cfg.log)
        with pytest.raises(NotLoadedError, match=r"sched\.epochs"):
            cfg.sched.epochs += 5


class TestPicklingLambdas:
    def test_an_unloaded_config(self) -> None:
        cfg = Config(n=2)
        cfg.m = DEP(lambda c: c.n * 2)
        made = pickle.loads(pickle.dumps(cfg))
        assert load_config(made, create_rslt_dir=False).m == 4

    def test_decorated_functions_and_closures(self) -> None:
        factor = 3
        cfg = Config(n=2)

        @cfg.set_DEP()
        def m(c: Config) -> int:
            return int(c.n) * factor

        assert load_config(pickle.loads(pickle.dumps(cfg)), create_rslt_dir=False).m == 6

    def test_lambdas_as_values(self) -> None:
        cfg = Config(f=lambda x: x + 1)
        assert pickle.loads(pickle.dumps(cfg)).f(1) == 2

    def test_another_process_reads_it_without_the_config_file(self, write: WriteFile, tmp_path: Path) -> None:
        file = write(
            "configs/a/cfg.py",
            """
            from dataclasses import dataclass
            from typedcat import Config, DEP

            @dataclass
            class Stage:
                depth: int

            cfg = Config()
            cfg.stage = Stage(3)
            cfg.func = lambda x: x * 2
            cfg.n = DEP(lambda c: c.stage.depth + 1)
            """,
        )
        load_config("configs/a/cfg.py", create_rslt_dir=False).save_pkl(tmp_path / "out/cfg.pkl")
        file.unlink()
        code = (
            "from typedcat import load_config\n"
            "cfg = load_config('out/cfg.pkl', create_rslt_dir=False)\n"
            "assert (cfg.stage.depth, cfg.func(4), cfg.n) == (3, 8, 4), cfg\n"
        )
        run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr

    def test_state_survives(self) -> None:
        cfg = Config(a={"b": 1}, c=[1])
        cfg.a.override()
        made = pickle.loads(pickle.dumps(cfg.freeze()))
        assert made == cfg
        assert made.is_frozen
        assert made.a.is_frozen
        assert made.a.is_whole
        assert type(made.a) is Config

    def test_a_subtree_alone_is_a_root(self) -> None:
        cfg = Config(a={"b": {"c": 1}})
        made = pickle.loads(pickle.dumps(cfg.a))
        assert made == {"b": {"c": 1}}
        assert made.find_root() is made
        assert made.b.find_root() is made

    def test_in_a_container(self) -> None:
        cfg = Config(a={"b": 1})
        one, two = pickle.loads(pickle.dumps([cfg, cfg]))
        assert one is two
        assert one == cfg


class TestUpdating:
    @pytest.mark.parametrize("how", ["update", "dict_update", "|=", "|", "caps"])
    def test_as_inheriting_from_it(self, how: str) -> None:
        def base() -> Config:
            return Config({"a": 1, "s": {"x": 1, "y": {"z": 1}}})

        other = {"a": 2, "s": {"y": {"w": 2}, "v": 3}, "n": 4}
        cfg = base()
        if how == "update":
            cfg.update(other)
        elif how == "dict_update":
            cfg.dict_update(other)
        elif how == "|=":
            cfg |= other
        elif how == "|":
            cfg = cfg | other
        else:
            cfg = load_config(Config(other, caps=base()), create_rslt_dir=False)
        assert cfg == {"a": 2, "s": {"x": 1, "y": {"z": 1, "w": 2}, "v": 3}, "n": 4}
        assert isinstance(cfg.s.y, Config)
        assert other == {"a": 2, "s": {"y": {"w": 2}, "v": 3}, "n": 4}

    def test_override_counts(self) -> None:
        cfg = Config(s={"x": 1})
        other = Config(s={"y": 2})
        other.s.override()
        cfg.update(other)
        assert cfg == {"s": {"y": 2}}

    def test_incremental(self) -> None:
        cfg = Config(a=1, s={"x": 1})
        cfg.dict_update({"a": 2, "b": 2, "s": {"x": 2, "y": 2}}, incremental=True)
        assert cfg == {"a": 1, "s": {"x": 1, "y": 2}, "b": 2}

    def test_incremental_and_override(self) -> None:
        cfg = Config(a=1, s={"x": 1})
        other = Config(s={"y": 2})
        other.s.override()
        cfg.dict_update(other, incremental=True)
        assert cfg.s.x == 1, "an incremental update never overwrites"

    def test_the_other_is_isolated(self) -> None:
        cfg, other = Config(), Config(s={"x": 1})
        cfg.update(other)
        cfg.s.x = 5
        assert other.s.x == 1
        assert cfg.s is not other.s

    def test_nodes_that_were_there_stay(self) -> None:
        cfg = Config(s={"x": 1})
        node = cfg.s
        cfg.update({"s": {"y": 2}})
        assert cfg.s is node
        assert node == {"x": 1, "y": 2}

    def test_keywords_and_pairs(self) -> None:
        cfg = Config(a=1)
        cfg.update([("b", 2)], c=3)
        cfg.update(s={"x": 1})
        cfg.update()
        assert cfg == {"a": 1, "b": 2, "c": 3, "s": {"x": 1}}
        assert isinstance(cfg.s, Config)

    def test_of_a_missing_subtree(self) -> None:
        cfg = Config()
        cfg.s.t.update(a=1)
        assert cfg == {"s": {"t": {"a": 1}}}

    def test_dict_or_config(self) -> None:
        made = {"a": 1, "s": {"x": 1}} | Config(a=2, s={"y": 2})
        assert made == {"a": 2, "s": {"x": 1, "y": 2}}
        assert isinstance(made, Config)
        plain: dict[str, Any] = {"a": 1}
        plain |= Config(b=2)
        assert plain == {"a": 1, "b": 2}
        assert type(plain) is dict


class TestCopies:
    @pytest.mark.parametrize(
        "make", [Config.copy, Config.branch_copy, copy.copy, Config, Config.from_dict], ids=lambda f: f.__name__
    )
    def test_branch_copies_share_leaves(self, make: Any) -> None:
        leaf = [1]
        cfg = Config(a={"b": leaf})
        made = make(cfg)
        assert type(made) is Config
        assert made == cfg
        assert made.a is not cfg.a
        assert made.a.b is leaf
        made.a.c = 1
        assert "c" not in cfg.a
        assert made.find_root() is made
        assert made.a.find_root() is made

    @pytest.mark.parametrize("make", [copy.deepcopy, Config.deepcopy], ids=["copy.deepcopy", "Config.deepcopy"])
    def test_deep_copies_copy_leaves(self, make: Any) -> None:
        cfg = Config(a={"b": [1]})
        made = make(cfg)
        made.a.b.append(2)
        assert cfg.a.b == [1]
        assert made.a.find_root() is made

    def test_a_copy_is_writable(self) -> None:
        cfg = Config(a={"b": 1}).freeze()
        made = cfg.copy()
        assert not made.is_frozen
        made.a.b = 2
        assert cfg.a.b == 1

    def test_a_copy_of_a_subtree_is_a_root(self) -> None:
        cfg = Config(a={"b": {"c": 1}})
        assert cfg.a.copy().find_root() == {"b": {"c": 1}}

    def test_override_is_copied(self) -> None:
        cfg = Config(a={"b": 1})
        cfg.a.override()
        assert cfg.copy().a.is_whole
        assert copy.deepcopy(cfg).a.is_whole
        assert Config(cfg).a.is_whole


class TestConverting:
    def test_adict_and_config(self) -> None:
        tree = ADict(a={"b": [{"c": 1}]})
        cfg = Config(tree)
        assert type(cfg.a) is Config
        assert cfg == tree
        assert type(ADict(cfg).a) is ADict

    def test_set_func(self) -> None:
        cfg = Config()

        @cfg.opt.set_func()
        def collate(batch: list[int]) -> int:
            return sum(batch)

        @cfg.set_func("other")
        def double(x: int) -> int:
            return 2 * x

        assert cfg.opt.collate([1, 2]) == 3
        assert cfg.other(2) == 4

    def test_parse_in_place(self, write: WriteFile) -> None:
        write("configs/b/cfg.py", "from typedcat import Config, DEP\ncfg = Config(n=1)\ncfg.m = DEP(lambda c: c.n)")
        cfg = Config(caps="configs/b/cfg.py")
        cfg.rslt_dir = "x"
        cfg.parse(create_rslt_dir=False)
        assert cfg.n == 1
        assert "DEP" in repr(cfg.m)
        assert not cfg.is_frozen
