"""Configs that other libraries have made: namespaces, dataclasses, attrs, pydantic, OmegaConf, mmengine and so on."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from typedcat import Cfg2Tune, Config, load_config
from typedcat.errors import ConfigContentError, ConfigFormatError, ConfigObjectError, MandatoryValueError


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@dataclasses.dataclass
class Point:
    x: int = 1


@dataclasses.dataclass
class Train:
    lr: float = 0.1
    point: Point = dataclasses.field(default_factory=Point)
    points: list[Point] = dataclasses.field(default_factory=lambda: [Point(2)])
    by_name: dict[str, Any] = dataclasses.field(default_factory=lambda: {"a": Point(3), "n": {"b": 1}})


class Inner(BaseModel):
    depth: int = 3


class Model(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True)

    lr: float = Field(0.1, alias="learning-rate")
    inner: Inner = Inner()


def namespace() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--batch-size", type=int, default=4)
    args = parser.parse_args(["--lr", "0.5"])
    args.opt = argparse.Namespace(name="adam")
    setattr(args, "with-dash", 1)
    return args


def attrs_instance() -> Any:
    attr = pytest.importorskip("attr")
    inner = attr.make_class("Inner", {"depth": attr.ib(default=3)})
    outer = attr.make_class("Outer", {"lr": attr.ib(default=0.1), "inner": attr.ib(factory=inner)}, slots=True)
    return outer()


def omegaconf_config() -> Any:
    create: Any = pytest.importorskip("omegaconf").OmegaConf.create
    return create({"lr": 0.1, "inner": {"depth": 3, "lr": "${lr}"}})


def mmengine_config() -> Any:
    return pytest.importorskip("mmengine").Config({"lr": 0.1, "inner": {"depth": 3, "sizes": (1, 2)}})


def ml_collections_config(frozen: bool = False) -> Any:
    made = pytest.importorskip("ml_collections")
    cfg = made.ConfigDict({"lr": 0.1, "inner": {"depth": 3}})
    cfg.inner.lr = cfg.get_ref("lr") * 2
    cfg.nothing = made.config_dict.placeholder(int)
    return made.FrozenConfigDict(cfg) if frozen else cfg


def yacs_config() -> Any:
    node = pytest.importorskip("yacs.config").CfgNode
    cfg = node({"LR": 0.1, "INNER": {"SIZES": (1, 2)}})
    cfg.freeze()
    return cfg


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "argparse": (namespace, {"lr": 0.5, "batch_size": 4, "opt": {"name": "adam"}, "with-dash": 1}),
    "SimpleNamespace": (lambda: SimpleNamespace(a=1, b=SimpleNamespace(c=2)), {"a": 1, "b": {"c": 2}}),
    "dataclass": (
        Train,
        {"lr": 0.1, "point": {"x": 1}, "points": [Point(2)], "by_name": {"a": Point(3), "n": {"b": 1}}},
    ),
    "attrs": (attrs_instance, {"lr": 0.1, "inner": {"depth": 3}}),
    "pydantic": (lambda: Model(lr=0.2, extra=1), {"lr": 0.2, "inner": {"depth": 3}, "extra": 1}),  # type: ignore[call-arg]  # extra="allow"
    "OmegaConf": (omegaconf_config, {"lr": 0.1, "inner": {"depth": 3, "lr": 0.1}}),
    "mmengine": (mmengine_config, {"lr": 0.1, "inner": {"depth": 3, "sizes": (1, 2)}}),
    "ml_collections": (ml_collections_config, {"inner": {"depth": 3, "lr": 0.2}, "lr": 0.1, "nothing": None}),
    "frozen": (lambda: ml_collections_config(True), {"inner": {"depth": 3, "lr": 0.2}, "lr": 0.1, "nothing": None}),
    "yacs": (yacs_config, {"LR": 0.1, "INNER": {"SIZES": (1, 2)}}),
    "addict": (lambda: pytest.importorskip("addict").Dict(a={"b": 1}), {"a": {"b": 1}}),
    "OrderedDict": (lambda: collections.OrderedDict(a={"b": 1}), {"a": {"b": 1}}),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Any, dict[str, Any]]:
    make, wanted = CASES[request.param]
    return make(), wanted


def test_loaded(case: tuple[Any, dict[str, Any]]) -> None:
    made, wanted = case
    cfg = load_config(made, create_rslt_dir=False)
    assert cfg == wanted
    assert type(cfg) is Config
    assert cfg.is_frozen


def test_given_to_a_constructor_merged_and_mounted(case: tuple[Any, dict[str, Any]]) -> None:
    made, wanted = case
    cfg = Config({"first": 1}, made)
    assert load_config(cfg, create_rslt_dir=False) == {"first": 1, **wanted}
    whole = Config()
    whole.part = Config(made)
    assert load_config(whole, create_rslt_dir=False) == {"part": wanted}
    assert all(type(value) is Config for value in Config(made).values() if isinstance(value, dict))


def test_inherited_from(case: tuple[Any, dict[str, Any]]) -> None:
    made, wanted = case
    cfg = Config(caps=[made])
    cfg.more = 1
    assert load_config(cfg, create_rslt_dir=False) == {**wanted, "more": 1}
    alone = Config(caps=made)
    assert load_config(alone, create_rslt_dir=False) == wanted


def test_tuned(case: tuple[Any, dict[str, Any]]) -> None:
    made, wanted = case
    assert load_config(Cfg2Tune(caps=made), create_rslt_dir=False).keys() == wanted.keys()


def test_overridden(case: tuple[Any, dict[str, Any]]) -> None:
    made, wanted = case
    first = next(iter(wanted))
    assert load_config(made, create_rslt_dir=False, overrides=[f"{first}=null"])[first] is None
    assert load_config(made, create_rslt_dir=False) == wanted  # the object itself did not change


@pytest.mark.parametrize("name", ["argparse", "SimpleNamespace", "dataclass", "pydantic", "OmegaConf", "mmengine"])
def test_pickled(name: str) -> None:
    make, wanted = CASES[name]
    Path("c.pkl").write_bytes(pickle.dumps(make()))
    assert load_config("c.pkl", create_rslt_dir=False) == wanted


def test_defined_by_a_config_file() -> None:
    Path("c.py").write_text(
        "import argparse, dataclasses\n"
        "@dataclasses.dataclass\nclass Opt:\n    lr: float = 0.1\n"
        "@dataclasses.dataclass\nclass Train:\n    epochs: int = 3\n"
        "    opt: Opt = dataclasses.field(default_factory=Opt)\n"
        "cfg = Train(epochs=5)\n"
    )
    cfg = load_config("c.py", create_rslt_dir=False)
    assert cfg == {"epochs": 5, "opt": {"lr": 0.1}}
    Path("c.py").write_text("import argparse\ncfg = argparse.Namespace(a=1)\n")
    assert load_config("c.py", create_rslt_dir=False) == {"a": 1}
    Path("c.py").write_text("import argparse\ncfg = argparse.Namespace\n")
    with pytest.raises(ConfigContentError, match=r"make an instance: cfg = Namespace\(\)"):
        load_config("c.py", create_rslt_dir=False)


def test_an_object_that_is_a_value_stays_what_it_is() -> None:
    point, args, model = Point(), namespace(), Model()  # type: ignore[call-arg]  # its alias
    cfg = Config(point=point)
    cfg.args, cfg.model, cfg.sub = args, model, {"point": point}
    cfg = load_config(cfg, create_rslt_dir=False)
    assert cfg.point is point and cfg.args is args and cfg.model is model and cfg.sub["point"] is point


def test_values_know_who_made_the_config_of_them() -> None:
    cfg = Config(namespace())
    assert Path(cfg.origin("opt.name")[0].file).name == Path(__file__).name


def test_a_required_placeholder_that_is_not_set() -> None:
    made = pytest.importorskip("ml_collections")
    cfg = made.ConfigDict({"a": {"lr": made.config_dict.placeholder(float, required=True)}})
    with pytest.raises(MandatoryValueError) as caught:
        load_config(cfg, create_rslt_dir=False)
    assert [key for key, _ in caught.value.unset] == ["a.lr"]
    assert load_config(Config(caps=Config(cfg)), overrides=["a.lr=2"], create_rslt_dir=False).a.lr == 2


def test_what_holds_itself() -> None:
    args = argparse.Namespace(a=1)
    args.again = args
    with pytest.raises(ConfigObjectError, match=r": again holds itself"):
        load_config(args, create_rslt_dir=False)


@pytest.mark.timeout(30)  # to follow both each time has no end
def test_what_holds_itself_twice() -> None:
    args = argparse.Namespace(opt=argparse.Namespace())
    args.opt.above = args.opt.too = args
    with pytest.raises(ConfigObjectError, match=r": opt.above holds itself"):
        load_config(args, create_rslt_dir=False)


def test_what_stands_in_two_places_does_not_hold_itself() -> None:
    point = SimpleNamespace(x=1)
    cfg = load_config(SimpleNamespace(a=point, b=SimpleNamespace(point=point)), create_rslt_dir=False)
    assert (cfg.a.x, cfg.b.point.x) == (1, 1)


def test_depth_is_no_limit() -> None:
    top = at = SimpleNamespace()
    for _ in range(2_000):
        at.below = SimpleNamespace()
        at = at.below
    at.x = 1
    cfg: Any = Config(top)
    for _ in range(2_000):
        cfg = cfg.below
    assert cfg.x == 1


def test_a_pickle_whose_class_is_gone() -> None:
    code = (
        "import pickle, sys, types\n"
        "gone = types.ModuleType('gone'); sys.modules['gone'] = gone\n"
        "exec('class Cfg: pass', gone.__dict__)\n"
        "pickle.dump(gone.Cfg(), open('c.pkl', 'wb'))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(ConfigFormatError, match=r"c.pkl: the pickle needs gone: No module named 'gone'"):
        load_config("c.pkl", create_rslt_dir=False)


@pytest.mark.parametrize("value", [3, None, [1], Point, argparse.Namespace, object(), lambda: 1])
def test_what_is_no_config(value: Any) -> None:
    with pytest.raises(TypeError, match="load_config takes the path of a config file, or a config, got"):
        load_config(value, create_rslt_dir=False)


def test_what_makes_a_config_is_none() -> None:
    with pytest.raises(TypeError, match=r"\n  pass an instance of it: Point\(\)$"):
        load_config(Point, create_rslt_dir=False)  # type: ignore[call-overload]  # the mistake
    with pytest.raises(TypeError, match=r"\n  pass what its parse_args\(\) returns$"):
        load_config(argparse.ArgumentParser(), create_rslt_dir=False)  # type: ignore[call-overload]  # the mistake


def test_nothing_is_imported_to_tell() -> None:
    code = (
        "import argparse, sys\n"
        "from typedcat import Config, load_config\n"
        "load_config(Config(argparse.Namespace(a=1)), create_rslt_dir=False)\n"
        "found = {'omegaconf', 'mmengine', 'ml_collections', 'attr', 'yacs', 'hydra', 'addict'} & set(sys.modules)\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
