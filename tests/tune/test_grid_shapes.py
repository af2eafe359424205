"""Grids that are more than a product: parameters that move together, seeds, bases that are chosen, one constraint."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tune.conftest import WriteTune
from typedcat import Cfg2Tune, Config, Param2Tune, load_config
from typedcat.errors import InheritanceError, OverrideError, TuneError
from typedcat.tune.grid.adhoc import grid_of, split


def children(path: str) -> list[Any]:
    return list(Cfg2Tune.load_cfg2tune(path, "experiment").get_cfgs())


def values(path: str, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(child[key] for key in keys) for child in children(path)]


# -- parameters that move together


def test_zip(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([1, 2, 3])
        cfg.b = Param2Tune(["x", "y"])
        cfg.c = Param2Tune([10, 20, 30], zip_with=cfg.a)
        cfg.d = Param2Tune([0.1, 0.2, 0.3], zip_with=cfg.c, subject_to=lambda d: d < 0.3)
    """)
    assert values(path, "a", "b", "c", "d") == [
        (1, "x", 10, 0.1), (1, "y", 10, 0.1), (2, "x", 20, 0.2), (2, "y", 20, 0.2),
    ]  # fmt: skip


def test_zip_with_priority(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([1, 2], priority=1)
        cfg.b = Param2Tune([10, 20], priority=0, zip_with=cfg.a)
    """)
    assert values(path, "b", "a") == [(10, 1), (20, 2)]


def test_zip_of_other_lengths() -> None:
    with pytest.raises(ValueError, match="need as many values: 3 here, 2 in"):
        Param2Tune([1, 2, 3], zip_with=Param2Tune([1, 2]))
    with pytest.raises(TypeError, match="zip_with takes another Param2Tune, got 3"):
        Param2Tune([1, 2, 3], zip_with=3)


def test_zip_with_what_was_replaced(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(a=Param2Tune([1, 2]))
        cfg.b = Param2Tune([10, 20], zip_with=cfg.a)
        cfg.a = Param2Tune([3, 4])
    """)
    with pytest.raises(TuneError, match=r"b, set at configs/tune/grid/cfg.py:6: the parameter that it moves with"):
        children(path)


# -- the whole grid


def test_a_constraint_on_all_values(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(subject_to=lambda c: c.a + c.deep.b <= 3)
        cfg.a = Param2Tune([1, 2])
        cfg.deep.b = Param2Tune([1, 2])
    """)
    assert [(c.a, c.deep.b) for c in children(path)] == [(1, 1), (1, 2), (2, 1)]


def test_a_constraint_that_raises(tune: WriteTune) -> None:
    path = tune("cfg = Cfg2Tune(subject_to=lambda c: c.x < 1)\ncfg.a = Param2Tune([1, 2])")
    with pytest.raises(TuneError, match=r"the subject_to of its Cfg2Tune cannot judge"):
        children(path)


# -- seeds


def test_repeats(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps="configs/base/cfg.py", repeats=3, seed_key="train.seed")
        cfg.train.seed = 40
        cfg.sched.epochs = Param2Tune([5, 15])
    """)
    found = children(path)
    assert [(c.sched.epochs, c.train.seed) for c in found] == [(e, s) for e in (5, 15) for s in (40, 41, 42)]
    assert found[1].rslt_dir == "experiment/tune/grid/epochs=5/seed=41"


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ("", "needs a first seed, but rand_seed is not in the config"),
        ("cfg.rand_seed = 'x'", "rand_seed is 'x'"),
        ("cfg.rand_seed = DEP(lambda c: 1)", "rand_seed is DEP"),
        ("cfg.rand_seed = Param2Tune([1])", "rand_seed is Param2Tune"),
    ],
)
def test_repeats_without_a_first_seed(tune: WriteTune, seed: str, said: str) -> None:
    with pytest.raises(TuneError, match=said):
        children(tune(f"cfg = Cfg2Tune(repeats=2)\ncfg.a = Param2Tune([1])\n{seed}"))


@pytest.mark.parametrize("repeats", [0, -1, 1.5, True, "2"])
def test_repeats_that_are_none(repeats: Any) -> None:
    with pytest.raises(TuneError, match="repeats must be a whole number from 1 on"):
        Cfg2Tune(repeats=repeats)


def test_settings_are_inherited(tune: WriteTune) -> None:
    tune("cfg = Cfg2Tune(repeats=2, rand_seed=1, subject_to=lambda c: c.a > 1)\ncfg.a = Param2Tune([1, 2])", "base")
    path = tune("cfg = Cfg2Tune(caps='configs/tune/base/cfg.py')\ncfg.b = Param2Tune([1])")
    assert values(path, "a", "b", "rand_seed") == [(2, 1, 1), (2, 1, 2)]
    path = tune("cfg = Cfg2Tune(caps='configs/tune/base/cfg.py', repeats=1)\ncfg.b = Param2Tune([1])")
    assert values(path, "a", "b", "rand_seed") == [(2, 1, 1)]


# -- bases that are chosen


@pytest.fixture
def bases(project: Path) -> None:
    for name, text in {"small": "width=8, lr=0.1", "large": "width=64, lr=0.01, drop=0.5"}.items():
        (project / f"configs/{name}").mkdir()
        (project / f"configs/{name}/cfg.py").write_text(f"from typedcat import Config\ncfg = Config({text})")


@pytest.mark.usefixtures("bases")
def test_tuned_bases(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps=Param2Tune(["configs/small/cfg.py", "configs/large/cfg.py"]))
        cfg.lr = Param2Tune([1, 2], subject_to=lambda lr, c: c.width == 8 or lr == 2)
        cfg.name = P_DEP(lambda c: f"{c.width} {c.lr}")
    """)
    tuned = Cfg2Tune.load_cfg2tune(path, "experiment")
    assert [(c.width, c.lr, c.name) for c in map(load_, tuned.get_cfgs())] == [
        (8, 1, "8 1"), (8, 2, "8 2"), (64, 2, "64 2"),
    ]  # fmt: skip
    assert list(tuned.ordered_params2tune) == ["caps", "lr"]
    assert [c.rslt_dir for c in tuned.get_cfgs()] == [
        f"experiment/tune/grid/caps={base},lr={lr}" for base, lr in (("small", 1), ("small", 2), ("large", 2))
    ]


def load_(child: Any) -> Any:
    return load_config(child, create_rslt_dir=False)


@pytest.mark.usefixtures("bases")
def test_several_bases_none_and_nested_ones(tune: WriteTune) -> None:
    path = tune("""
        more = [None, ["configs/small/cfg.py", "configs/large/cfg.py"]]
        cfg = Cfg2Tune(caps=["configs/base/cfg.py", Param2Tune(more)])
        cfg.model = Config(caps=Param2Tune(["configs/small/cfg.py", "configs/large/cfg.py"]))
        cfg.sched.epochs = Param2Tune([1])
    """)
    found = [load_(child) for child in children(path)]
    assert [(c.get("width"), c.model.width, c.sched.epochs) for c in found] == [
        (None, 8, 1), (None, 64, 1), (64, 8, 1), (64, 64, 1),
    ]  # fmt: skip


@pytest.mark.usefixtures("bases")
def test_bases_that_are_chosen_elsewhere(tune: WriteTune) -> None:
    tune("cfg = Cfg2Tune(caps=Param2Tune(['configs/small/cfg.py']), a=Param2Tune([1]))", "base")
    with pytest.raises(InheritanceError, match="which only the tune config itself can have"):
        children(tune("cfg = Cfg2Tune(caps='configs/tune/base/cfg.py')"))
    with pytest.raises(TuneError, match="its caps are a Param2Tune, but it is no tune config"):
        load_config(Config(caps=Param2Tune(["configs/small/cfg.py"])), create_rslt_dir=False)
    with pytest.raises(TuneError, match="wants the config, but bases are chosen before there is one"):
        children(tune("cfg = Cfg2Tune(caps=Param2Tune(['configs/small/cfg.py'], subject_to=lambda v, c: True))"))


# -- without a tune config


def test_any_config_can_be_tuned(project: Path) -> None:
    parameters = ["sched.epochs=1,2", "loader.ini.batch_size=[8],'a,b'", "+opt.cls=@collections.OrderedDict,null"]
    tree: Any = grid_of("configs/base/cfg.py", parameters, "experiment", "configs")
    found = list(Cfg2Tune.get_cfgs(tree))
    assert len(found) == 8
    assert [c.loader.ini.batch_size for c in found][:4] == [[8], [8], "a,b", "a,b"]
    assert found[0].rslt_dir.startswith("experiment/base,tune=epochs,batch_size,cls/epochs=1,batch_size=[8],cls=")


def test_bases_are_called_the_same_wherever_the_sweep_is_started(
    tune: WriteTune, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pyproject.toml").write_text("[tool.typedcat]\nconfig_root = './lab'\n", encoding="utf-8")
    tune("cfg = Cfg2Tune(caps=Param2Tune(['lab/base/cfg.py']))", "one")
    (project / "configs").rename(project / "lab")
    for folder in (project, project.parent):
        monkeypatch.chdir(folder)
        (child,) = children(str(project / "lab/tune/one/cfg.py"))
        assert Path(child.rslt_dir).name == "caps=base"


def test_tuples_as_values(project: Path) -> None:
    (project / "configs/base/cfg.py").write_text("from typedcat import Config\ncfg = Config(size=(10,))\n")
    tree: Any = grid_of("configs/base/cfg.py", ["size=(32, 32),(64,)"], "experiment", "configs")
    assert [c.size for c in Cfg2Tune.get_cfgs(tree)] == [(32, 32), (64,)]


def test_parameters_that_cannot_be(project: Path) -> None:
    with pytest.raises(OverrideError, match=r"did you mean 'sched.epochs'"):
        grid_of("configs/base/cfg.py", ["sched.epoch=1,2"])
    with pytest.raises(OverrideError, match="gives no values"):
        grid_of("configs/base/cfg.py", ["sched.epochs="])
    for text, said in (
        ("sched.epoch=1,2", "-p 'sched.epoch=1,2': there is no key 'sched.epoch'\n  did you mean 'sched.epochs'?\n"
         "  to add it on purpose write +sched.epoch=1,2"),
        ("sched.epochs=1,", "-p 'sched.epochs=1,': has a comma without a value\n  write null for None"),
        ("sched.epochs=1;2", "-p 'sched.epochs=1;2': '1;2' would be text, where 30 stands"),
        ("sched=1,2", "-p 'sched=1,2': 1 would replace 'sched' and all that is below it"),
        ("sched.epochs=[1,2", "in a shell put all of it in quotes: -p 'sched.epochs=[a, b]'"),
    ):  # fmt: skip
        with pytest.raises(OverrideError) as caught:
            grid_of("configs/base/cfg.py", [text])
        assert said in str(caught.value)
    for again in ("sched.epochs=3,4", "sched={epochs: 3},{epochs: 4}"):
        with pytest.raises(OverrideError, match=r"changes sched\.epochs, which another -p tunes"):
            grid_of("configs/base/cfg.py", ["sched.epochs=1,2", again])


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("configs/base/cfg.py", "experiment/base,tune=epochs"),
        ("configs/base/small.py", "experiment/base/small,tune=epochs"),  # base/large.py has the same result folder
        ("configs/small.py", "experiment/small,tune=epochs"),  # that is `experiment`
        ("configs/cfg.py", "experiment/tune=epochs"),
    ],
)
def test_where_the_results_of_any_config_are(project: Path, file: str, folder: str) -> None:
    (project / file).write_text("from typedcat import Config\ncfg = Config(epochs=1)\n", encoding="utf-8")
    assert grid_of(file, ["epochs=1,2"], "experiment", "configs").rslt_dir == folder


def test_what_is_better_is_said_of_each_metric() -> None:
    wrong: Any = "acc"
    with pytest.raises(
        TuneError, match=r"better must say what is better of each metric, as \{'acc': 'max'\}, got 'acc'"
    ):
        Cfg2Tune(better=wrong)


@given(st.lists(st.text("ab1", min_size=1), min_size=1))
def test_split(parts: list[str]) -> None:
    assert split(",".join(parts)) == parts
    assert split(",".join(f"[{part},{part}]" for part in parts)) == [f"[{part},{part}]" for part in parts]
    assert split(", ".join(f"'{part},'" for part in parts)) == [f"'{part},'" for part in parts]


# -- values that are more than a value


DROPPED = "from typedcat import Drop\ncfg.sched.epochs = Param2Tune([Drop, 10], optional_value_names=['none', '10'])\n"


def test_values_that_inherit_extend_and_drop(tune: WriteTune) -> None:
    for name, width in (("small", 8), ("large", 64)):
        file = Path(f"configs/net/{name}/cfg.py")
        file.parent.mkdir(parents=True)
        file.write_text(f"from typedcat import Config\ncfg = Config(width={width}, depth=2)\n", encoding="utf-8")
    path = tune(
        """
        from typedcat import Drop, Extend

        cfg = Cfg2Tune(caps="configs/base/cfg.py")
        cfg.net = Param2Tune(
            [Config(caps="configs/net/small/cfg.py"), Config(caps="configs/net/large/cfg.py", depth=3)],
            optional_value_names=["small", "large"],
        )
        cfg.hooks = Param2Tune([Extend(["log"]), ["save"]], optional_value_names=["extended", "own"])
        cfg.size = P_DEP(lambda c: c.net.width * c.net.depth)
        cfg.twice = DEP(lambda c: c.size * 2)
        """
    )
    built = children(path)
    assert [(one.net.width, one.net.depth, one.size, one.hooks) for one in built] == [
        (8, 2, 16, ["log"]),
        (8, 2, 16, ["save"]),
        (64, 3, 192, ["log"]),
        (64, 3, 192, ["save"]),
    ]
    assert "epochs" not in children(tune("cfg = Cfg2Tune(caps='configs/base/cfg.py')\n" + DROPPED, "dropped"))[0].sched
    shutil.rmtree("configs/net")  # what was built needs no other file
    assert [load_config(one, create_rslt_dir=False).twice for one in built] == [32, 32, 384, 384]


def test_a_key_of_a_parameter_is_no_key_of_its_values(tune: WriteTune) -> None:
    path = tune("cfg = Cfg2Tune()\ncfg.opt = Param2Tune([Config(lr=1), Config(lr=2)])\ncfg.opt.momentum = 0.9\n")
    with pytest.raises(TuneError, match="'momentum' cannot be set in Param2Tune"):
        Cfg2Tune.load_cfg2tune(path)
