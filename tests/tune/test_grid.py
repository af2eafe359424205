"""Tune configs: the grid, its constraints, and the children."""

from __future__ import annotations

import itertools
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from tests.tune.conftest import WriteTune
from typedcat import P_DEP, Cfg2Tune, Config, Param2Tune, TypedcatError, TypedConfig, load_config
from typedcat.errors import DependencyError, TuneError, ValidationError
from typedcat.tune.grid.grid import Grid

GRID = """
cfg = Cfg2Tune(caps='configs/base/cfg.py')
cfg.loader.ini.batch_size = Param2Tune([128, 256, 512])
cfg.sched.epochs = Param2Tune([5, 15])
"""


def load(path: str) -> Cfg2Tune:
    return Cfg2Tune.load_cfg2tune(path, experiments_root="experiment")


def chosen(path: str) -> list[tuple[Any, ...]]:
    """The values at each point."""
    return [tuple(value for value, _ in comb.values()) for comb in load(path).param_combs]


def folders(path: str) -> list[str]:
    return [Path(cfg.rslt_dir).name for cfg in load(path).get_cfgs()]


# -- what the reference shows


def test_grid(tune: WriteTune) -> None:
    path = tune(GRID)
    assert chosen(path) == [(128, 5), (128, 15), (256, 5), (256, 15), (512, 5), (512, 15)]
    children = list(load(path).get_cfgs())
    assert [(c.loader.ini.batch_size, c.sched.epochs) for c in children] == chosen(path)
    assert children[0].rslt_dir == "experiment/tune/grid/batch_size=128,epochs=5"
    assert {type(c) for c in children} == {Config}
    assert children[0].loader.ini.num_workers == 2


def test_children_are_files_that_stand_alone(tune: WriteTune, project: Path) -> None:
    files, children = load(tune(GRID)).dump_cfgs("configs/tune/grid")
    assert files[0] == "configs/tune/grid/batch_size=128,epochs=5/cfg.pkl"
    assert len(files) == len(children) == 6
    (project / "configs/base/cfg.py").unlink()
    cfg = load_config(files[5], experiments_root="elsewhere", config_root=".")
    assert (cfg.loader.ini.batch_size, cfg.sched.epochs, cfg.opt.ini.lr) == (512, 15, 0.04)
    assert cfg.rslt_dir == "experiment/tune/grid/batch_size=512,epochs=15"
    assert Path(cfg.rslt_dir).is_dir()


def test_priority_and_names(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        names = ['1xbs', '2xbs', '4xbs']
        cfg.loader.ini.batch_size = Param2Tune([128, 256, 512], optional_value_names=names, priority=1)
        cfg.sched.epochs = Param2Tune([5, 15], priority=0)
    """)
    assert folders(path)[:2] == ["epochs=5,batch_size=1xbs", "epochs=5,batch_size=2xbs"]
    assert load(path).param_combs[5] == {"epochs": (15, "15"), "batch_size": (512, "4xbs")}


def test_constraint(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.loader.ini.batch_size = Param2Tune([128, 256, 512])
        cfg.sched.epochs = Param2Tune(
            [5, 15], subject_to=lambda cur_val: cur_val * cfg.loader.ini.batch_size.cur_val <= 15 * 128)
    """)
    assert chosen(path) == [(128, 5), (128, 15), (256, 5)]


def test_param_dependencies_are_computed_in_the_child(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.loader.ini.batch_size = Param2Tune([4, 8])
        cfg.opt.ini.wd = P_DEP(lambda c: (c.loader.ini.batch_size / 8) * 0.01)
        cfg.twice = P_DEP(lambda c: c.opt.ini.lr * 2)
    """)
    children = list(load(path).get_cfgs())
    assert [c.opt.ini.wd for c in children] == [0.005, 0.01]
    assert [c.twice for c in children] == [0.000625, 0.00125]
    assert "DEP" in repr(children[0].opt.ini.lr)  # an ordinary one, computed when the child is loaded
    assert load_config(children[1], create_rslt_dir=False).opt.ini.lr == 0.000625


# -- order


def test_parameters_vary_in_the_order_of_definition(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.sched.epochs = Param2Tune([5, 15])
        cfg.loader.ini.batch_size = Param2Tune([128, 256])
        cfg.sched.warm = Param2Tune([0])
    """)
    assert folders(path)[1] == "epochs=5,batch_size=256,warm=0"


def test_a_parameter_without_priority_comes_after_those_before_it(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([1], priority=7)
        cfg.b = Param2Tune([1])
        cfg.c = Param2Tune([1], priority=-1)
    """)
    assert folders(path) == ["c=1,a=1,b=1"]


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True), st.none() | st.integers(0, 3)),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 5),
)
def test_the_grid_is_the_product_that_the_constraint_allows(
    parameters: list[tuple[list[int], int | None]], modulus: int
) -> None:
    cfg = Cfg2Tune()
    cfg.rslt_dir = "here"
    names = [f"p{i}" for i in range(len(parameters))]
    for name, (values, priority) in zip(names, parameters, strict=True):
        cfg[name] = Param2Tune(values, priority=priority)
    *_, last = cfg.ordered_params2tune
    position = names.index(last)
    values, priority = parameters[position]
    others = [name for name in names if name != last]
    cfg[last] = Param2Tune(
        values, subject_to=lambda v, c: (v + sum(c[name] for name in others)) % modulus == 0, priority=99
    )
    order = [name for name in cfg.ordered_params2tune if name != last] + [last]
    wanted = [
        dict(zip(order, point, strict=True))
        for point in itertools.product(*(parameters[names.index(name)][0] for name in order))
        if sum(point) % modulus == 0
    ]
    if not wanted:
        with pytest.raises(TuneError, match="no legal combination"):
            list(cfg.get_cfgs())
        return
    children = list(cfg.get_cfgs())
    assert [{name: child[name] for name in order} for child in children] == wanted
    assert [{name: value for name, (value, _) in comb.items()} for comb in cfg.param_combs] == wanted
    assert len({child.rslt_dir for child in children}) == len(wanted)


# -- constraints


def test_a_constraint_sees_the_config_with_the_values_chosen_so_far(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.loader.ini.batch_size = Param2Tune([1, 2])
        cfg.model = Param2Tune([Config({'ini': {'width': 1}}), Config({'ini': {'width': 2}})])
        cfg.sched.epochs = Param2Tune(
            [5, 15],
            subject_to=lambda v, c: dict(**c.loader.ini) == {'num_workers': 2, 'batch_size': c.model.ini.width}
            and c.get('rand_seed') == 0 and not c.typo,
        )
    """)
    assert [(a, c) for a, _, c in chosen(path)] == [(1, 5), (1, 15), (2, 5), (2, 15)]


@pytest.mark.parametrize(
    "constraint",
    [
        "lambda v: cfg.late.cur_val",
        "lambda v, c: c.late",
        "lambda v, c: c['late']",
        "lambda v, c: c.get('late')",
        "lambda v, c: {**c}",
        "lambda v, c: dict(c.items())",
        "lambda v: cfg.early.cur_val",  # its own value
    ],
)
def test_a_constraint_cannot_see_what_is_chosen_later(tune: WriteTune, constraint: str) -> None:
    path = tune(f"""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.early = Param2Tune([1, 2], subject_to={constraint})
        cfg.late = Param2Tune([1, 2])
    """)
    with pytest.raises(RuntimeError, match="Check if the former param call later param") as caught:
        next(load(path).get_cfgs())
    assert "early, set at configs/tune/grid/cfg.py:" in str(caught.value)


def test_only_the_value_that_is_judged_matters(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([0, 1, 2])
        cfg.b = Param2Tune([.1, .2], subject_to=lambda v: True if cfg.a.cur_val == 0 else cfg.c.cur_val)
        cfg.c = Param2Tune([False, True])
        cfg.rslt_dir = 'x'
    """)
    children = load(path).get_cfgs()
    for _ in range(4):
        next(children)
    with pytest.raises(RuntimeError, match="Check if the former param call later param"):
        next(children)


def test_a_constraint_cannot_see_dependencies(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.a = Param2Tune([1, 2], subject_to=lambda v, c: v > c.opt.ini.lr)
    """)
    with pytest.raises(TuneError, match=r"opt\.ini\.lr is a dependency"):
        chosen(path)


def test_a_constraint_that_raises_is_named(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([1, 0], subject_to=lambda v: 1 / v)
    """)
    with pytest.raises(TuneError) as caught:
        chosen(path)
    assert str(caught.value) == (
        "a, set at configs/tune/grid/cfg.py:6: its subject_to cannot judge 0\n  ZeroDivisionError: division by zero"
    )
    path = tune("""
            cfg = Cfg2Tune(bs=4)
            cfg.a = Param2Tune([1, 0], subject_to=lambda c: c.bs > 2)
        """)
    with pytest.raises(TuneError, match=r"cannot judge 1\n  AttributeError.*\n  it is called with the value, or with"):
        chosen(path)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_constraint_cannot_change_the_config(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.a = Param2Tune([1], subject_to=lambda v, c: c.sched.setdefault('x', 1))
    """)
    with pytest.raises(TuneError, match="frozen"):
        chosen(path)


def test_walks_do_not_disturb_each_other(tune: WriteTune) -> None:
    cfg = load(
        tune("""
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([1, 2, 3])
        cfg.b = Param2Tune([1, 2, 3], subject_to=lambda v: v <= cfg.a.cur_val)
    """)
    )
    wanted = [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)]
    found = []
    for child in cfg.get_cfgs():
        assert len(cfg.param_combs) == 6
        found.append((child.a, child.b))
    assert found == wanted
    next(cfg.get_cfgs())
    assert len(list(cfg.get_cfgs())) == 6


# -- values


def test_any_value_works(tune: WriteTune) -> None:
    path = tune("""
        from dataclasses import dataclass

        @dataclass
        class Aug:
            p: float

        class Net: pass

        def relu(x): return max(x, 0)

        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.x = Param2Tune([
            None, '', 'a/b', [64] * 100, (1, None), {'k': 1}, lambda x: 2 * x, lambda x: 3 * x, Net, relu, Aug(0.5),
            Config({'a': {'b': 1}}), Config('configs/base/cfg.py'), DEP(lambda c: c.sched.epochs),
            1, '1', 1.0, True, float('nan'),
        ])
    """)
    cfg = load(path)
    files, _ = cfg.dump_cfgs("configs/tune/grid")
    loaded = [load_config(file) for file in files]
    assert len(set(files)) == len(loaded) == 19
    assert [c.x for c in loaded[:6]] == [None, "", "a/b", [64] * 100, (1, None), {"k": 1}]
    assert [c.x(1) for c in loaded[6:8]] == [2, 3]
    assert (loaded[8].x.__name__, loaded[9].x(-1), loaded[10].x.p) == ("Net", 0, 0.5)
    assert isinstance(loaded[11].x, Config)
    assert loaded[11].x.a.b == 1
    assert loaded[12].x.opt.ini.lr == 0.01
    assert loaded[13].x == 30
    assert [c.x for c in loaded[14:18]] == [1, "1", 1.0, True]
    assert all(Path(c.rslt_dir).is_dir() for c in loaded)


def test_functions_of_the_config_load_in_another_process(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        def half(x): return x / 2
        cfg.f = Param2Tune([half, lambda x: x * 2])
        cfg.d = DEP(lambda c: half(10))
    """)
    files, _ = load(path).dump_cfgs("out")
    code = "import sys; from typedcat import load_config as l; print(*[(c.f(4), c.d) for c in map(l, sys.argv[1:])])"
    done = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    assert done.stdout == "(2.0, 5.0) (8, 5.0)\n"


def test_children_of_one_config_value_are_independent(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.model = Param2Tune([Config({'width': 1})])
        cfg.a = Param2Tune([1, 2])
    """)
    first, second = load(path).get_cfgs()
    first.model.width = 7
    assert second.model.width == 1


def test_one_parameter_at_two_keys_moves_both(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.a = cfg.b.c = Param2Tune([1, 2])
    """)
    assert [(c.a, c.b.c) for c in load(path).get_cfgs()] == [(1, 1), (2, 2)]
    assert folders(path) == ["a=1", "a=2"]


def test_one_last_name_twice(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.opt.ini.lr = Param2Tune([0.1])
        cfg.sub.lr = Param2Tune([0.2])
    """)
    assert folders(path) == ["ini.lr=0.1,sub.lr=0.2"]


def test_parameters_in_mounted_subtrees(tune: WriteTune, project: Path) -> None:
    (project / "configs/sched.py").write_text(
        "from typedcat import Config, Param2Tune\ncfg = Config()\ncfg.epochs = Param2Tune([5, 15])\n", encoding="utf-8"
    )
    path = tune("""
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.sched = Config('configs/sched.py')
        inner = Config()
        inner.deep.width = Param2Tune([1, 2])
        cfg.model = inner
    """)
    assert chosen(path) == [(5, 1), (5, 2), (15, 1), (15, 2)]


def test_parameters_of_an_inherited_tune_config(tune: WriteTune) -> None:
    tune(GRID, "parent")
    path = tune("""
        cfg = Cfg2Tune(caps='configs/tune/parent/cfg.py')
        cfg.opt.ini.lr = Param2Tune([0.1, 0.2])
        cfg.sched.epochs = 7
    """)
    children = list(load(path).get_cfgs())
    assert len(children) == 6
    assert {(c.opt.ini.lr, c.sched.epochs) for c in children} == {(0.1, 7), (0.2, 7)}
    assert children[0].rslt_dir.startswith("experiment/tune/grid/")


def test_a_mounted_tune_config_is_a_subtree_like_any_other(tune: WriteTune) -> None:
    tune(GRID, "part")
    path = tune("""
        cfg = Cfg2Tune(a=1)
        cfg.part = Config('configs/tune/part/cfg.py')
    """)
    child = next(load(path).get_cfgs())
    assert child.part.loader.ini.batch_size == 128
    assert {type(node) for node in child.branches} == {Config}


def test_a_child_knows_where_its_values_come_from(tune: WriteTune) -> None:
    child = next(load(tune(GRID)).get_cfgs())
    history = child.origin("sched.epochs")
    assert [(step.how, step.line, Path(step.file).parent.name) for step in history] == [
        ("point", 7, "grid"),
        ("set", 7, "grid"),
        ("set", 9, "base"),
    ]
    assert child.origin("rslt_dir")[0].how == "point"


def test_the_config_itself_does_not_change(tune: WriteTune) -> None:
    cfg = load(tune(GRID))
    before = cfg.to_txt()
    list(cfg.get_cfgs())
    assert cfg.to_txt() == before
    assert type(cfg) is Cfg2Tune
    loaded = load_config(tune(GRID), create_rslt_dir=False)
    assert loaded.is_frozen
    assert len(list(Cfg2Tune.get_cfgs(loaded))) == 6


def test_a_tune_config_can_be_pickled(tune: WriteTune) -> None:
    again = pickle.loads(pickle.dumps(load(tune(GRID))))
    assert type(again) is Cfg2Tune
    assert len(again.param_combs) == 6


def test_a_config_that_was_made_here() -> None:
    cfg = Cfg2Tune({"a": {"b": 1}}, c=2)
    cfg.a.d = Param2Tune([1, 2])
    assert type(cfg.a) is Config
    with pytest.raises(TuneError, match="no result folder"):
        next(cfg.get_cfgs())
    cfg.rslt_dir = "out"
    assert [(c.rslt_dir, c.a.b, c.c) for c in cfg.get_cfgs()] == [("out/d=1", 1, 2), ("out/d=2", 1, 2)]


# -- what cannot be tuned


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("cfg = Cfg2Tune(a=1)", "must have more than 1 Param2Tune"),
        ("cfg = Config(a=1)", "is no tune config"),
        ("cfg = Cfg2Tune()\ncfg.a = Param2Tune([1], subject_to=lambda v: v > 1)", "no legal combination"),
        ("cfg = Cfg2Tune()\ncfg.a = [Param2Tune([1])]", "cannot stand inside a list"),
        ("cfg = Cfg2Tune()\ncfg.a = {'b': {'c': Param2Tune([1])}}", "cannot stand inside a dict"),
        (
            "cfg = Cfg2Tune()\ncfg.a = Param2Tune([Config({'b': 1}) | {'c': Param2Tune([1])}])",
            "cannot hold another one",
        ),
    ],
)
def test_what_is_no_grid(tune: WriteTune, body: str, said: str) -> None:
    with pytest.raises(RuntimeError, match=said):
        list(load(tune(body)).get_cfgs())


def test_a_parameter_outside_a_tune_config_is_refused(tune: WriteTune) -> None:
    path = tune("cfg = Config()\ncfg.a = Param2Tune([1, 2])")
    with pytest.raises(TuneError, match=r"cfg = Cfg2Tune\(\.\.\.\)"):
        load_config(path)


# -- schemas


class Opt(TypedConfig):
    lr: Annotated[float, Field(gt=0)] = 0.1
    steps: int = 0


class Train(TypedConfig):
    opt: Opt = Opt()
    epochs: int = 30
    log: Config = Config()


def typed() -> Train:
    cfg = Cfg2Tune(schema=Train)
    cfg.rslt_dir = "out"
    return cfg


def test_children_have_the_type_of_the_config() -> None:
    cfg = typed()
    cfg.epochs = Param2Tune([5, 15])
    cfg.opt.steps = cfg.P_DEP(lambda c: c.epochs * 10)
    cfg.opt.lr = cfg.Param2Tune([1, 0.5], subject_to=lambda lr, c: lr * c.epochs <= 10)
    children = list(Cfg2Tune.get_cfgs(cfg))
    assert [type(c) for c in children] == [Train] * 3
    assert [(c.epochs, c.opt.lr, c.opt.steps) for c in children] == [(5, 1.0, 50), (5, 0.5, 50), (15, 0.5, 150)]
    assert type(children[0].opt) is Opt


def test_values_are_coerced() -> None:
    cfg = typed()
    cfg.opt.lr = Param2Tune(["1e-3", 1])  # type: ignore[assignment]  # what YAML 1.1 makes of 1e-3
    assert [repr(c.opt.lr) for c in Cfg2Tune.get_cfgs(cfg)] == ["0.001", "1.0"]
    assert [Path(c.rslt_dir).name for c in Cfg2Tune.get_cfgs(cfg)] == ["lr=0.001", "lr=1.0"]


def test_values_that_do_not_fit_are_all_named() -> None:
    cfg = typed()
    cfg.opt.lr = Param2Tune([-1, "x", 0.1])  # type: ignore[assignment]  # that is what is tested
    cfg.epochs = Param2Tune([1.5])  # type: ignore[assignment]  # as above
    with pytest.raises(ValidationError) as caught:
        Grid(cfg)
    text = str(caught.value)
    assert "opt.lr" in text
    assert "'x'" in text
    assert "1.5" in text
    assert "test_grid.py" in text


def test_an_unknown_key_is_refused_before_tuning() -> None:
    cfg = typed()
    with pytest.raises(TypedcatError, match="did you mean 'epochs'"):
        cfg.epoch = Param2Tune([1])  # type: ignore[attr-defined]  # that is what is tested


# -- checking all children


def problems(cfg: Any) -> str:
    with pytest.raises(TuneError) as caught:
        Grid(cfg).check()
    return str(caught.value)


def test_problems_are_listed_by_child() -> None:
    cfg = typed()
    cfg.epochs = Param2Tune([5, 20, 30])
    cfg.opt.lr = cfg.P_DEP(lambda c: c.epochs - 10)
    cfg.opt.steps = cfg.DEP(lambda c: 10 // (c.epochs - 20))
    text = problems(cfg)
    assert text.startswith("the config: 2 of 3 children cannot be run, so nothing was started\n  epochs=5:\n")
    assert "opt.lr: should be greater than 0, got -5" in text
    assert "epochs=20:" in text
    assert "ZeroDivisionError" in text
    assert "epochs=30" not in text


def test_a_problem_of_many_children_is_named_once() -> None:
    cfg = Cfg2Tune(rslt_dir="out")
    cfg.a = Param2Tune(range(1_000))
    cfg.b = P_DEP(lambda c: c.typo)
    text = problems(cfg)
    assert "a=0; a=1; a=2 and 997 more:" in text
    assert text.count("reads 'typo'") == 1


def test_a_param_dependency_that_raises() -> None:
    cfg = Cfg2Tune(rslt_dir="out")
    cfg.a = Param2Tune([0])
    cfg.b = P_DEP(lambda c: 1 / c.a)
    with pytest.raises(DependencyError, match="ZeroDivisionError"):
        next(cfg.get_cfgs())


# -- speed


def test_children_are_made_one_at_a_time() -> None:
    cfg = Cfg2Tune(rslt_dir="out")
    cfg.a = Param2Tune(range(1_000))
    cfg.b = Param2Tune(range(1_000))
    cfg.c = Param2Tune(range(1_000))
    assert [c.c for c in itertools.islice(cfg.get_cfgs(), 3)] == [0, 1, 2]  # of 1,000,000,000


def test_dependencies_are_called_once_per_child() -> None:
    calls: list[int] = []

    def count(c: Config) -> int:
        calls.append(c.a)
        return 1

    cfg = Cfg2Tune(rslt_dir="out")
    cfg.a = Param2Tune([1, 2, 3])
    cfg.b = P_DEP(count)
    list(cfg.get_cfgs())
    assert calls == [1, 2, 3]
