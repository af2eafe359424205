"""The chapter 'Dependency': DEP, set_DEP, priority, order and inheritance."""

from __future__ import annotations

from typing import Any

import pytest

from typedcat import DEP, IL, Config, ItemLazy, load_config

from .conftest import WriteFile

BASE = """
    from collections import ChainMap, UserDict
    from typedcat import Config, DEP
    cfg = Config()
    cfg.loader.ini.batch_size = 128
    cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size // 128 * 0.01)  # Linear scaling rule.

    cfg.sched.epochs = 30

    @cfg.sched.set_DEP(name='warm_epochs', priority=0)
    def warm_epochs(c: Config) -> int:
        return round(0.1 * c.sched.epochs)

    cfg.sched.warm.cls = ChainMap
    cfg.sched.warm.ini.total_iters = DEP(lambda c: c.sched.warm_epochs, priority=1)
    cfg.sched.warm.ini.start_factor = 1e-5
    cfg.sched.warm.ini.end_factor = 1.

    cfg.sched.main.cls = UserDict
    cfg.sched.main.ini.T_max = DEP(lambda c: c.sched.epochs - c.sched.warm.ini.total_iters, priority=2)
"""


@pytest.fixture
def base(write: WriteFile) -> str:
    write("configs/mnist/base/cfg.py", BASE)
    return "configs/mnist/base/cfg.py"


def child_of(write: WriteFile, base: str, body: str) -> str:
    lines = "\n".join(line.strip() for line in body.splitlines())
    write("configs/mnist/child/cfg.py", f"from typedcat import Config, DEP\ncfg = Config(caps={base!r})\n{lines}\n")
    return "configs/mnist/child/cfg.py"


def load(source: Any) -> Any:
    return load_config(source, create_rslt_dir=False)


class TestDep:
    def test_the_base(self, base: str) -> None:
        cfg = load(base)
        assert cfg.opt.ini.lr == 0.01
        assert cfg.sched.warm_epochs == 3
        assert cfg.sched.warm.ini.total_iters == 3
        assert cfg.sched.main.ini.T_max == 27

    def test_a_changed_source_changes_all_that_depends_on_it(self, base: str, write: WriteFile) -> None:
        cfg = load(child_of(write, base, "cfg.loader.ini.batch_size = 128 * 2\ncfg.sched.epochs = 15"))
        assert cfg.loader.ini.batch_size == 256
        assert cfg.opt.ini.lr == 0.02
        assert cfg.sched.warm_epochs == 2
        assert cfg.sched.main.ini.T_max == 13
        assert load(base).opt.ini.lr == 0.01

    def test_pretty_print_of_a_subtree(self, base: str) -> None:
        text = load(base).sched.to_txt(prefix="cfg.sched.")
        assert text == "\n".join(
            [
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
        )

    def test_a_child_may_replace_a_dependency_by_a_value(self, base: str, write: WriteFile) -> None:
        cfg = load(child_of(write, base, "cfg.sched.warm_epochs = 10"))
        assert cfg.sched.main.ini.T_max == 20

    def test_a_child_may_replace_a_value_by_a_dependency(self, base: str, write: WriteFile) -> None:
        cfg = load(child_of(write, base, "cfg.sched.epochs = DEP(lambda c: c.loader.ini.batch_size // 2)"))
        assert cfg.sched.epochs == 64
        assert cfg.sched.warm_epochs == 6

    def test_a_child_may_replace_a_dependency_by_another(self, base: str, write: WriteFile) -> None:
        assert load(child_of(write, base, "cfg.opt.ini.lr = DEP(lambda c: c.sched.epochs)")).opt.ini.lr == 30

    def test_every_load_computes_anew(self, base: str, write: WriteFile) -> None:
        child = child_of(write, base, "cfg.sched.epochs = 100")
        for path, expected in [(base, 27), (child, 90), (base, 27), (child, 90)]:
            assert load(path).sched.main.ini.T_max == expected

    def test_any_type_of_result(self) -> None:
        cfg = Config(n=2)
        cfg.lst = DEP(lambda c: [c.n] * 2)
        cfg.dct = DEP(lambda c: {"type": "PolyLR", "end": c.n})
        cfg.none = DEP(lambda c: None)
        cfg.cls = DEP(lambda c: int)
        cfg.sub = DEP(lambda c: Config(a=c.n))
        loaded = load(cfg)
        assert loaded.lst == [2, 2]
        assert loaded.dct == {"type": "PolyLR", "end": 2}
        assert loaded.none is None
        assert loaded.cls is int
        assert loaded.sub.a == 2
        assert isinstance(loaded.sub, Config)

    def test_each_function_is_called_once(self) -> None:
        calls = []
        cfg = Config()

        @cfg.set_DEP()
        def x(c: Config) -> int:
            calls.append(1)
            return 1

        cfg.a = DEP(lambda c: c.x)
        cfg.b = DEP(lambda c: c.x + c.a)
        assert load(cfg).b == 2
        assert calls == [1]

    def test_names(self) -> None:
        assert IL is ItemLazy is DEP

    def test_a_dep_takes_a_function(self) -> None:
        with pytest.raises(TypeError, match="function"):
            DEP(5)  # type: ignore[call-overload]  # the mistake under test  # pyright: ignore[reportArgumentType]

    def test_printed_before_loading(self) -> None:
        cfg = Config()
        cfg.lr = DEP(lambda c: 1)
        assert "DEP(" in str(cfg)


class TestSetDep:
    def test_name_of_the_function(self) -> None:
        cfg = Config(epochs=30)

        @cfg.set_DEP()
        def warm(c: Config) -> int:
            return round(0.1 * c.epochs)

        assert load(cfg).warm == 3

    def test_given_name(self) -> None:
        cfg = Config(epochs=30)

        @cfg.sched.set_DEP(name="warm_epochs", priority=0)
        def anything(c: Config) -> int:
            return round(0.1 * c.epochs)

        loaded = load(cfg)
        assert loaded.sched == {"warm_epochs": 3}

    def test_name_as_the_first_argument(self) -> None:
        cfg = Config()
        cfg.set_DEP("a")(lambda c: 1)
        assert load(cfg).a == 1

    def test_the_function_stays_a_function(self) -> None:
        cfg = Config()

        @cfg.set_DEP()
        def three(c: Config) -> int:
            return 3

        assert three(cfg) == 3

    def test_on_a_subtree_that_was_not_there(self) -> None:
        cfg = Config(a=1)

        @cfg.x.y.set_DEP()
        def z(c: Config) -> int:
            return int(c.a) + 1

        assert load(cfg).x.y.z == 2

    def test_it_gets_the_root(self) -> None:
        cfg = Config(n=1)

        @cfg.sub.set_DEP(rel=False)
        def absolute(c: Config) -> object:
            return c.n

        @cfg.sub.set_DEP(rel=True)
        def relative(c: Config) -> object:
            return c.n

        assert load(cfg).sub == {"absolute": 1, "relative": 1}


class TestOrder:
    def test_no_priority_is_needed(self) -> None:
        cfg = Config(a=1)
        cfg.d = DEP(lambda c: c.c + 1)
        cfg.c = DEP(lambda c: c.b + 1)
        cfg.b = DEP(lambda c: c.a + 1)
        assert load(cfg).d == 4

    def test_a_wrong_priority_does_no_harm(self) -> None:
        cfg = Config(a=1)
        cfg.c = DEP(lambda c: c.b + 1, priority=0)
        cfg.b = DEP(lambda c: c.a + 1, priority=9)
        assert load(cfg).c == 3

    def test_smaller_priorities_start_first_then_the_order_of_definition(self) -> None:
        started: list[str] = []

        def note(name: str) -> Any:
            return lambda c: started.append(name)

        cfg = Config()
        cfg.z = DEP(note("z"), priority=2)
        cfg.s.y = DEP(note("s.y"))
        cfg.x = DEP(note("x"), priority=0)
        cfg.w = DEP(note("w"))
        load(cfg)
        assert started == ["x", "s.y", "w", "z"]

    def test_across_inheritance(self, write: WriteFile) -> None:
        write(
            "configs/b/cfg.py",
            "from typedcat import Config, DEP\ncfg = Config(n=1)\ncfg.last = DEP(lambda c: c.first + 1)",
        )
        write(
            "configs/c/cfg.py",
            "from typedcat import Config, DEP\ncfg = Config(caps='configs/b/cfg.py')\n"
            "cfg.first = DEP(lambda c: c.n + 1)",
        )
        assert load("configs/c/cfg.py").last == 3

    def test_a_childs_dependencies_are_defined_after_the_bases(self, write: WriteFile) -> None:
        write("order.py", "started = []\ndef note(name):\n    return lambda c: started.append(name)")
        head = "from typedcat import Config, DEP\nfrom order import note\n"
        write(
            "configs/b/cfg.py",
            f"{head}cfg = Config()\ncfg.a = DEP(note('a'))\ncfg.s.b = DEP(note('s.b'))\ncfg.c = DEP(note('c'))",
        )
        write("configs/p/cfg.py", f"{head}cfg = Config()\ncfg.s.patch = DEP(note('s.patch'))")
        write(
            "configs/c/cfg.py",
            f"{head}cfg = Config(caps=('configs/b/cfg.py', 'configs/p/cfg.py'))\n"
            "cfg.z = DEP(note('z'))\ncfg.a = DEP(note('own a'))",
        )
        import sys

        sys.modules.pop("order", None)
        for _ in range(2):
            load("configs/c/cfg.py")
            assert sys.modules["order"].started == ["s.b", "c", "s.patch", "z", "own a"]
            sys.modules["order"].started.clear()

    def test_two_configs_in_memory_share_a_base(self) -> None:
        base = Config()
        base.a = DEP(lambda c: 1)
        one, two = Config(caps=base), Config(caps=base)
        one.b = DEP(lambda c: c.a + 1)
        assert load(one).b == 2
        assert load(two).a == 1


class TestWholeConfig:
    def test_the_function_gets_the_root_from_deep_below(self) -> None:
        cfg = Config(n=7)
        cfg.a.b.c.d = DEP(lambda c: c.n)
        assert load(cfg).a.b.c.d == 7

    def test_rel_false(self) -> None:
        sub = Config(n=1)
        sub.rel = DEP(lambda c: c.n)
        sub.whole = DEP(lambda c: c.n, rel=False)
        cfg = Config(n=2)
        cfg.deep.sub = sub
        loaded = load(cfg)
        assert loaded.deep.sub.rel == 1
        assert loaded.deep.sub.whole == 2
