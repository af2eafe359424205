"""Corners of the tree, of inheritance and of dependencies in which a value could go wrong without an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from typedcat import DEP, ADict, Cfg2Tune, Config, Drop, Extend, Param2Tune, TypedConfig, load_config
from typedcat.errors import LikenessError, MountError, NotLoadedError, TuneError, ValidationError

from .conftest import WriteFile


def load(tree: Any, **options: Any) -> Any:
    return load_config(tree, create_rslt_dir=False, **options)


class Ini(TypedConfig):
    lr: float = 0.1


class Opt(TypedConfig):
    ini: Ini = Ini()


class Train(TypedConfig):
    opt: Opt = Opt()
    epochs: int = 30

    @DEP
    def steps(self) -> int:
        return self.epochs * 10


class SubIni(Ini):
    momentum: float = 0.9


class SubOpt(Opt):
    ini: SubIni = SubIni()  # pyright: ignore[reportIncompatibleVariableOverride]  # narrowed, as classes do


class Sub(Train):
    opt: SubOpt = SubOpt()  # pyright: ignore[reportIncompatibleVariableOverride]  # narrowed, as classes do
    epochs: int = 5

    @DEP
    def steps(self) -> int:
        return self.epochs * 100


class TestNoArithmetic:
    def test_an_empty_subtree_is_no_number(self) -> None:
        cfg = load(Config(epochs={}))
        with pytest.raises(TypeError):
            _ = cfg.epochs + 1
        with pytest.raises(TypeError):
            _ = Config() + 1
        free = Config(a={})
        with pytest.raises(TypeError):
            free.a += 5

    def test_an_adict_has_addicts(self) -> None:
        adic = ADict(a={})
        adic.a += 5
        assert adic.a == 5


class TestKeysOfAnyName:
    @pytest.mark.parametrize("name", ["self", "cls", "cfgs", "other", "others", "mappings", "incremental", "site"])
    @pytest.mark.parametrize("kind", [ADict, Config])
    def test_as_keyword(self, kind: Any, name: str) -> None:
        tree = kind(**{name: 1})
        tree.update(**{name: 2})
        assert tree == {name: 2}
        assert (Config(a=1) | {name: 2})[name] == 2

    def test_as_a_field(self) -> None:
        made: Any = type("Made", (TypedConfig,), {"__annotations__": {"self": int, "cls": int}, "__module__": __name__})
        assert made(self=4, cls=5) == {"self": 4, "cls": 5}

    def test_the_name_in_the_reference(self) -> None:
        assert [name for name, _ in Config(a={"b": 1}).named_branchs] == ["", "a"]


class TestBoundDependencies:
    def test_in_containers(self) -> None:
        cfg = Config(n=1)
        cfg.s.n = 5
        cfg.s.items_ = [cfg.s.DEP(lambda s: s.n), (cfg.DEP(lambda c: c.n),), {"k": cfg.s.DEP(lambda s: s.n + 1)}]
        cfg.s.more = Extend([cfg.s.DEP(lambda s: s.n)])
        top = Config(n=100)
        top.mounted = cfg
        ways: list[tuple[Any, Any]] = [
            (cfg, lambda c: c), (top, lambda c: c.mounted), (top.copy(), lambda c: c.mounted),
        ]  # fmt: skip
        for tree, at in ways:
            assert at(load(tree)).s.items_ == [5, (1,), {"k": 6}]
            assert at(load(tree)).s.more == [5]

    def test_of_another_config_in_a_container(self) -> None:
        other, cfg = Config(x=1), Config(x=2)
        with pytest.raises(MountError, match="another config"):
            cfg.items_ = [other.DEP(lambda c: c.x)]

    def test_through_update(self) -> None:
        cfg = Config(n=1)
        cfg.q.n = 5
        cfg.update({"w": cfg.DEP(lambda c: c.n), "sub": {"v": cfg.q.DEP(lambda q: q.n)}})
        cfg |= {"u": [cfg.DEP(lambda c: c.n + 1)]}
        cfg.q.update(w=cfg.q.DEP(lambda q: q.n))
        loaded = load(cfg)
        assert (loaded.w, loaded.sub.v, loaded.u, loaded.q.w) == (1, 5, [2], 5)

    def test_as_values_of_a_parameter(self) -> None:
        cfg = Cfg2Tune(n=4, rslt_dir="x")
        cfg.s.n = 7
        cfg.s.b = Param2Tune([cfg.DEP(lambda c: c.n + 1), cfg.s.DEP(lambda s: s.n), DEP(lambda c: c.n), 0])
        assert [load(child).s.b for child in cfg.get_cfgs()] == [5, 7, 4, 0]


class TestClassesInInheritance:
    def test_the_defaults_of_the_most_derived_class_win(self) -> None:
        for cfg in (
            load(Config(schema=Sub, caps=Config(schema=Train))),
            load(Config(schema=Train), schema=Sub),
            load(Config(caps=(Config(schema=Train), Config(schema=Sub)))),
            load(Config(caps=(Config(schema=Sub), Config(schema=Train)))),
        ):
            assert type(cfg) is Sub
            assert (cfg.epochs, cfg.steps) == (5, 500)
            assert cfg.opt.ini == {"lr": 0.1, "momentum": 0.9}

    def test_what_a_base_sets_stays(self) -> None:
        base = Config(schema=Train)
        base.epochs = 30  # as the default, but set
        base.opt.ini.lr = 0.5
        cfg = load(Config(schema=Sub, caps=base))
        assert cfg.epochs == 30
        assert cfg.opt.ini == {"lr": 0.5, "momentum": 0.9}

    @pytest.mark.parametrize("how", ["empty_leaf", "override"])
    def test_overriding_with_nothing_but_defaults(self, how: str) -> None:
        typed = Config(schema=Train)
        getattr(typed.opt, how)()
        assert load(Config(caps=(Config({"opt": {"ini": {"lr": 9.0}}}), typed))).opt.ini.lr == 0.1

    def test_a_dynamic_layer_never_strips_a_class(self) -> None:
        base = Config()
        base.t = Train()
        child = Config(caps=base)
        child.t.override()
        child.t.zz = 1
        with pytest.raises(ValidationError, match=r"t\.zz: is an unknown key"):
            load(child)
        child = Config(caps=base)
        child.t.override().epochs = 3
        assert type(load(child).t) is Train


class TestPendingNodes:
    @pytest.mark.parametrize(
        "use",
        [
            lambda c: Config({"a": c.log}),
            lambda c: c.update(a=c.log),
            lambda c: setattr(c, "k", [c.log]),
            lambda c: setattr(c, "k", {"a": (c.log, 1)}),
            lambda c: f"{c.log}",
        ],
    )
    def test_wrapped(self, use: Any) -> None:
        with pytest.raises(NotLoadedError):
            use(Config(caps=Config(log={"x": 1})))


class TestTexts:
    def test_what_is_not_there_is_no_part_of_a_text(self) -> None:
        cfg = load(Config(a=1))
        with pytest.raises(TypeError, match="bz: there is no such key"):
            f"run-{cfg.bz}"
        assert str(cfg.bz)  # printing is fine

    def test_nor_is_what_is_not_computed_or_chosen(self) -> None:
        for value in (DEP(lambda c: 1), Param2Tune([1, 2])):
            with pytest.raises(TypeError, match="is not known yet"):
                f"run-{value}"


class TestUpdate:
    def test_with_a_config_that_inherits(self) -> None:
        ways: list[Any] = [lambda u, o: u.update(o), lambda u, o: u.__ior__(o), lambda u, o: u.dict_update(o)]
        for make in ways:
            cfg = Config(x=1)
            make(cfg, Config({"z": 1}, caps=Config(x=5)))
            assert load(cfg) == {"x": 5, "z": 1}
        assert load(Config(x=1) | Config({"z": 1}, caps=Config(x=5))) == {"x": 5, "z": 1}


class TestExtendAndDrop:
    def test_extend_over_a_list_of_the_same_tree(self) -> None:
        cfg = Config(steps=[1], betas=(0.9,))
        cfg.steps = Extend([2])
        cfg.betas = Extend([0.99])
        cfg.steps = Extend([3])
        assert cfg == {"steps": [1, 2, 3], "betas": (0.9, 0.99)}

    def test_drop_of_a_key_of_the_same_tree(self) -> None:
        cfg = Config(a=1, b=2)
        cfg.a = Drop
        assert load(cfg) == {"b": 2}
        child = Config(caps=Config(a=0, c=3), a=1)
        child.a = Drop
        assert load(child) == {"c": 3}


class TestParameters:
    def test_in_a_config_in_a_list(self) -> None:
        cfg = Cfg2Tune(rslt_dir="r", a=Param2Tune([1, 2]))
        cfg.l = [Config(z=Param2Tune([1, 2]))]
        with pytest.raises(TuneError, match="cannot stand inside a list"):
            list(cfg.get_cfgs())

    def test_names_in_combinations_are_text(self) -> None:
        cfg = Cfg2Tune(rslt_dir="r", a=Param2Tune([1, 0.5]), b=Param2Tune(["x"], optional_value_names=["ex"]))
        assert cfg.param_combs == [{"a": (1, "1"), "b": ("x", "ex")}, {"a": (0.5, "0.5"), "b": ("x", "ex")}]


class TestSetDep:
    def test_without_parentheses(self) -> None:
        cfg = Config(a=1)

        @cfg.set_DEP
        def twice(c: Any) -> int:
            return int(c.a * 2)

        assert load(cfg) == {"a": 1, "twice": 2}


class TestProjects:
    def test_bases_are_those_of_the_configs_own_project(self, write: WriteFile, monkeypatch: Any) -> None:
        child = Path()
        for name in ("pa", "pb"):
            write(f"{name}/pyproject.toml", '[tool.typedcat]\nexperiments_root = "exp"')
            write(f"{name}/configs/base/cfg.py", f"cfg = dict(name={name!r})")
            child = write(
                f"{name}/configs/x/cfg.py", "from typedcat import Config\ncfg = Config(caps='configs/base/cfg.py')"
            )
        for place in ("pa", "pb", "."):
            monkeypatch.chdir(child.parents[3] / place)
            cfg = load(child)
            assert cfg.name == "pb"
            assert str(cfg.rslt_dir).endswith("exp/x")
            monkeypatch.chdir(child.parents[3])


class TestLike:
    def test_a_config_with_all_keys(self, write: WriteFile) -> None:
        write("configs/base/cfg.py", "cfg = dict(a=1, s=dict(b=2), t=dict(c=3))")
        write("configs/more/cfg.py", "cfg = dict(a=0.5, s=dict(b=2, d=4), t=dict(c=3), e=5)")
        cfg = load_config("configs/more/cfg.py", create_rslt_dir=False, like="configs/base/cfg.py")
        assert cfg.s == {"b": 2, "d": 4}

    def test_one_without_some(self, write: WriteFile) -> None:
        write("configs/base/cfg.py", "cfg = dict(a=1, s=dict(b=2), t=dict(c=3))")
        write("configs/less/cfg.py", "cfg = dict(a=1, s=dict())")
        with pytest.raises(LikenessError) as raised:
            load_config("configs/less/cfg.py", like="configs/base/cfg.py")
        assert raised.value.missing == ("t", "s.b")
        assert str(raised.value) == (
            "configs/less/cfg.py lacks 2 keys of configs/base/cfg.py, which it has to be like: t, s.b"
        )

    def test_a_value_where_a_subtree_is_wanted(self, write: WriteFile) -> None:
        write("base.py", "cfg = dict(ema=dict(decay=0.9, at=dict(step=1)), empty=dict())")
        write("less.py", "cfg = dict(ema=None, empty=3)")
        with pytest.raises(LikenessError) as raised:
            load_config("less.py", create_rslt_dir=False, like="base.py")
        assert str(raised.value) == (
            "less.py lacks 2 keys of base.py, which it has to be like: ema.decay, ema.at.step\n"
            "  empty: should be a subtree, got a number (set at less.py)"
        )
        assert raised.value.missing == ("ema.decay", "ema.at.step")

    def test_values_of_another_kind(self, write: WriteFile) -> None:
        write("base.py", "from typedcat import Config\ncfg = Config(n=1, s='a', f=0.5, on=True, l=[1], c=dict(x=1))")
        write(
            "other.py",
            "from typedcat import Config\ncfg = Config(s=1, on=0, c=dict(x='1'))\ncfg.n = None\ncfg.f = 1\ncfg.l = ()",
        )
        with pytest.raises(LikenessError) as raised:
            load_config("other.py", create_rslt_dir=False, like="base.py")
        assert [(one.key, one.got, one.wanted, one.where) for one in raised.value.unlike] == [
            ("n", "None", "a number", "other.py:3"),
            ("s", "a number", "a str", "other.py:2"),
            ("on", "a number", "a bool", "other.py:2"),
            ("c.x", "a str", "a number", "other.py:2"),
        ]
        assert str(raised.value).startswith(
            "other.py has 4 values of another kind than base.py, which it has to be like\n"
            "  n: should be a number, got None (set at other.py:3)\n"
        )

    @pytest.mark.parametrize(
        ("theirs", "own"),
        [
            ("1", "0.5"), ("1.5", "True"), ("1", "np.int64(3)"), ("None", "[1]"), ("[1]", "(1, 'a')"), ("len", "dict"),
            ("pathlib.Path('a')", "object()"), ("Config(dict(a=1)).to_dict()", "Config(a=1)"), ("{1}", "frozenset()"),
        ],
    )  # fmt: skip
    def test_values_of_the_same_kind(self, theirs: str, own: str, write: WriteFile) -> None:
        head = "import pathlib\nimport numpy as np\nfrom typedcat import Config\ncfg = Config()\n"
        write("base.py", f"{head}cfg.key = {theirs}")
        write("other.py", f"{head}cfg.key = {own}")
        load_config("other.py", create_rslt_dir=False, like="base.py")

    def test_what_a_schema_declares(self, write: WriteFile) -> None:
        schema = "from typedcat import TypedConfig\nclass Train(TypedConfig):\n    warm: int | None = 3\n"
        write("train_like.py", schema)
        head = "from train_like import Train\nfrom typedcat import Config\ncfg = Config(schema=Train)\n"
        write("base.py", head)
        write("other.py", f"{head}cfg.warm = None")
        assert load_config("other.py", create_rslt_dir=False, like="base.py").warm is None


class TestArguments:
    @pytest.mark.parametrize("source", [None, 3, [1]])
    def test_what_is_no_config(self, source: Any) -> None:
        with pytest.raises(TypeError, match="load_config takes the path of a config file, or a config"):
            load_config(source)

    def test_no_overrides(self) -> None:
        assert load(Config(a=1), overrides=None) == {"a": 1}
