"""One test per line of what goes wrong in comparable systems and must not here; the number is in the name."""

from __future__ import annotations

import copy
import json
import math
import pickle
import subprocess
import sys
import textwrap
from collections import UserDict
from pathlib import Path
from typing import Any

import pytest

from typedcat import DEP, ADict, Config, TypedConfig, load_config
from typedcat.errors import (
    ConfigCodeError,
    ConfigNotFoundError,
    DependencyCycleError,
    DependencyError,
    MissingValueError,
    ProjectError,
)

from .conftest import WriteFile

HEAD = "from typedcat import Config, DEP\n"


def load(source: Any) -> Any:
    return load_config(source, create_rslt_dir=False)


def test_01_every_load_is_a_tree_of_its_own(write: WriteFile) -> None:
    write("configs/base/cfg.py", HEAD + "cfg = Config(n=1)\ncfg.m = DEP(lambda c: c.n * 10)")
    write("configs/child/cfg.py", HEAD + "cfg = Config(caps='configs/base/cfg.py')\ncfg.n = 2")
    order = ["base", "child", "child", "base", "child", "base"]
    for turn, name in enumerate(order):
        cfg = load_config(f"configs/{name}/cfg.py", experiments_root=f"exp{turn}")
        assert cfg.rslt_dir == f"exp{turn}/{name}"
        assert cfg.m == (10 if name == "base" else 20)


def test_02_a_file_runs_once_per_load_and_from_its_path(write: WriteFile, tmp_path: Path) -> None:
    for project in ("one", "two"):
        write(
            f"{project}/configs/base/cfg.py",
            f"with open('../runs', 'a') as f: f.write('.')\ncfg = dict(name={project!r})",
        )
    for project in ("one", "two"):
        load = "typedcat.load_config('configs/base/cfg.py', create_rslt_dir=False)"
        code = f"import json, typedcat\nprint(json.dumps({load}))"
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path / project, capture_output=True, text=True, check=True
        )
        assert json.loads(run.stdout)["name"] == project
    assert (tmp_path / "runs").read_text() == ".."


def test_02_two_projects_in_one_process(write: WriteFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for project in ("one", "two", "one"):
        write(f"{project}/configs/base/cfg.py", f"cfg = dict(name={project!r})")
        monkeypatch.chdir(tmp_path / project)
        assert load("configs/base/cfg.py").name == project


def test_02_an_error_in_the_file_is_not_taken_for_a_failed_import(write: WriteFile) -> None:
    write("configs/a/cfg.py", "with open('runs', 'a') as f: f.write('.')\nimport not_installed_anywhere\ncfg = {}")
    with pytest.raises(ConfigCodeError, match="not_installed_anywhere") as caught:
        load("configs/a/cfg.py")
    assert caught.value.line == 2
    assert Path("runs").read_text() == "."


def test_02_relative_imports_work_and_what_is_defined_pickles(write: WriteFile) -> None:
    write("configs/a/helpers.py", "def twice(x):\n    return 2 * x")
    write(
        "configs/a/cfg.py",
        """
        from dataclasses import dataclass
        from typedcat import Config
        from .helpers import twice
        @dataclass
        class Stage:
            depth: int = 1
        cfg = Config(twice=twice, stage=Stage(4))
        """,
    )
    cfg = load("configs/a/cfg.py")
    made = pickle.loads(pickle.dumps(cfg))
    assert made.twice(2) == 4
    assert made.stage.depth == 4


@pytest.mark.parametrize("path", ["outside/cfg.py", "configs/../outside/cfg.py"])
def test_03_nothing_is_written_outside_the_experiments_root(path: str, write: WriteFile, tmp_path: Path) -> None:
    write("outside/cfg.py", "cfg = {}")
    write("configs/x.py", "cfg = {}")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ProjectError, match="outside"):
        load_config(path, experiments_root="exp", config_root="configs")
    assert [p for p in sorted(tmp_path.rglob("*")) if "__pycache__" not in str(p)] == before


@pytest.mark.parametrize("ending", ["py", "pkl"])
def test_04_what_is_saved_stands_alone(ending: str, write: WriteFile, tmp_path: Path) -> None:
    write("configs/base/cfg.py", HEAD + "cfg = Config(n=1, s={'x': 1})\ncfg.m = DEP(lambda c: c.n + 1)")
    write("configs/child/cfg.py", HEAD + "cfg = Config(caps='configs/base/cfg.py')\ncfg.s.y = 2")
    cfg = load("configs/child/cfg.py")
    file = getattr(cfg, f"save_{ending}")(tmp_path / f"configs/again/cfg.{ending}")
    for name in ("base", "child"):
        (tmp_path / f"configs/{name}/cfg.py").unlink()
    again = load(file)
    assert again == cfg
    assert load(again.copy()) == cfg


def test_05_paths_count_from_the_project_root(
    write: WriteFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("pyproject.toml", "[tool.typedcat]\nexperiments_root = 'exp'")
    write("configs/base/cfg.py", HEAD + "cfg = Config(n=1)")
    write("configs/deep/child/cfg.py", HEAD + "cfg = Config(caps='configs/base/cfg.py')")
    write("configs/deep/near/cfg.py", HEAD + "cfg = Config(caps='../child/cfg.py')")
    for folder in (".", "configs", "configs/deep/child", "elsewhere"):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        cfg = load("configs/deep/near/cfg.py")
        assert cfg.n == 1
        assert Path(cfg.rslt_dir).resolve() == tmp_path / "exp/deep/near"


def test_05_the_error_lists_where_it_looked(write: WriteFile) -> None:
    write("configs/child/cfg.py", HEAD + "cfg = Config(caps='configs/bsae/cfg.py')")
    write("configs/base/cfg.py", "cfg = {}")
    with pytest.raises(ConfigNotFoundError) as caught:
        load("configs/child/cfg.py")
    message = str(caught.value)
    assert "looked for configs/bsae/cfg.py" in message
    assert "configs/child/configs/bsae/cfg.py" in message
    assert "did you mean 'configs/base/cfg.py'" in message
    assert "named in configs/child/cfg.py" in message


@pytest.mark.parametrize("kind", [ADict, Config])
def test_06_two_handles_to_one_missing_key(kind: Any) -> None:
    cfg = kind()
    a, b, deep = cfg.x, cfg.x, cfg.x.y
    a.one = 1
    b.two = 2
    deep.three = 3
    assert cfg == {"x": {"one": 1, "two": 2, "y": {"three": 3}}}


@pytest.mark.parametrize("kind", [ADict, Config, dict])
def test_07_as_a_dict(kind: Any) -> None:
    cfg = kind({"a": 1})
    with pytest.raises(KeyError):
        cfg.pop("missing")
    assert cfg.pop("missing", 5) == 5
    with pytest.raises(KeyError):
        del cfg["missing"]
    with pytest.raises(KeyError):
        kind().popitem()
    assert kind([("a", 1)]) == {"a": 1}
    cfg.update([("b", 2)], c=3)
    assert cfg == {"a": 1, "b": 2, "c": 3}
    assert {"a": 0, "z": 9} | cfg == {"a": 1, "z": 9, "b": 2, "c": 3}
    cfg[1], cfg[None], cfg[2.5], cfg[(1, 2)] = "int", "none", "float", "tuple"
    assert (cfg[1], cfg[None], cfg[2.5], cfg[(1, 2)]) == ("int", "none", "float", "tuple")
    with pytest.raises(TypeError):
        cfg[[]] = 1
    with pytest.raises(TypeError):
        kind(5)


def test_07_several_positional_mappings_and_foreign_configs() -> None:
    class MMConfig:
        """As mmengine's Config: no dict, but with its protocol."""

        def __init__(self, data: dict[str, Any]) -> None:
            self.data = data

        def keys(self) -> Any:
            return self.data.keys()

        def __getitem__(self, key: str) -> Any:
            value = self.data[key]
            return MMConfig(value) if isinstance(value, dict) else value

    assert Config({"a": 1}, {"b": 2}, c=3) == {"a": 1, "b": 2, "c": 3}
    assert Config(UserDict({"a": {"b": 1}})) == {"a": {"b": 1}}
    assert Config(MMConfig({"a": 1})).a == 1


@pytest.mark.parametrize("kind", [ADict, Config])
def test_08_probing_finds_nothing(kind: Any) -> None:
    cfg = kind(a={"b": 1})
    for name in ("__array__", "__array_interface__", "__torch_function__", "__len_hint__", "__fspath__", "_repr_png_",
                 "_repr_mimebundle_", "_ipython_display_", "_ipython_canary_method_should_not_exist_", "__call__",
                 "__index__", "__deepcopy_me__", "__wrapped__", "__dataclass_fields__",
                 "__pydantic_serializer__"):  # fmt: skip
        if name not in ("__call__", "__index__"):
            assert not hasattr(cfg, name), name
        assert not hasattr(cfg.missing, name) or name in ("__call__", "__index__"), name
    assert cfg == {"a": {"b": 1}}
    assert copy.copy(cfg) == cfg
    numpy = pytest.importorskip("numpy")
    assert numpy.asarray(cfg).shape == ()
    assert numpy.asarray([cfg, cfg]).shape == (2,)


def test_09_what_is_a_leaf_and_what_a_subtree() -> None:
    cfg = Config({"made": {"a": 1}})
    cfg.assigned = {"a": 1}
    cfg["item"] = {"a": 1}
    cfg.update(updated={"a": 1})
    cfg.setdefault("default", {"a": 1})
    kinds = {key: type(value) for key, value in cfg.items()}
    assert kinds == {"made": Config, "assigned": dict, "item": dict, "updated": Config, "default": dict}


def test_09_dependencies_in_lists_and_dicts_are_computed() -> None:
    cfg = Config(n=3)
    cfg.lst = [DEP(lambda c: c.n), [DEP(lambda c: c.n + 1)], (DEP(lambda c: c.n + 2),)]
    cfg.dct = {"a": DEP(lambda c: c.n), "b": {"c": [DEP(lambda c: c.lst[0])]}}
    loaded = load(cfg)
    assert loaded.lst == [3, [4], (5,)]
    assert loaded.dct == {"a": 3, "b": {"c": [3]}}


def test_10_the_print_runs_back() -> None:
    cfg = Config()
    cfg.long = ["word " * 30] * 4
    cfg.text = "x" * 300
    cfg['it\'s "quoted"'] = 1
    cfg["items"]["update"] = Config()
    cfg.empty = Config()
    cfg.numbers = [math.inf, -math.inf]
    cfg["class"]["a.b"] = {"nested": {"k" * 90: ["v" * 90] * 2}}
    found: dict[str, Any] = {}
    exec(str(cfg), {"Config": Config}, found)
    assert found["cfg"] == cfg
    assert "\x1b" not in str(cfg)


def test_11_misspelt_names() -> None:
    class Train(TypedConfig):
        epochs: int = 1

    assert [name for name, _ in Config(a={}).named_branchs] == ["", "a"]
    with pytest.raises(AttributeError, match="named_brnches"):
        _ = Train().named_brnches  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError, match="epochs"):
        Train().epoch = 3  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ADict, Config])
def test_12_depth_is_no_limit(kind: Any) -> None:
    depth = 3000
    cfg = kind()
    node = cfg
    for _ in range(depth):
        node = node.k
    node.x = 1
    assert sum(1 for _ in cfg.branches) == depth + 1
    made = pickle.loads(pickle.dumps(cfg.copy()))
    assert made == cfg
    made.freeze()
    assert len(str(made)) > depth


def test_13_addicts_users() -> None:
    tree = ADict({"a": 1}, {"b": 2})
    tree.count += 1
    assert tree == {"a": 1, "b": 2, "count": 1}
    tree.freeze()
    for kind in (KeyError, RuntimeError):
        with pytest.raises(kind):
            tree.new = 1


def test_13_a_config_is_no_number() -> None:
    cfg = Config(sched={"epochs": 3})
    with pytest.raises(MissingValueError, match="did you mean 'epochs'"):
        range(1, cfg.sched.epoch + 1)
    with pytest.raises(MissingValueError, match="epoch"):
        _ = 1 + cfg.sched.epoch
    with pytest.raises(TypeError):
        cfg.sched.epoch += 1
    with pytest.raises(TypeError):
        _ = cfg.sched.epoch < 3
    with pytest.raises(TypeError):
        range(cfg.sched.epoch)
    assert cfg == {"sched": {"epochs": 3}}


def test_14_dependencies_read_computed_values() -> None:
    seen: list[Any] = []
    cfg = Config(flag=False)
    cfg.a = DEP(lambda c: "yes" if c.b else "no")
    cfg.b = DEP(lambda c: seen.append(c.flag) or c.flag)  # type: ignore[func-returns-value]
    assert load(cfg).a == "no"
    assert seen == [False]


def test_14_a_cycle_names_each_key_and_line() -> None:
    cfg = Config()
    cfg.a = DEP(lambda c: c.s.b)
    cfg.s.b = DEP(lambda c: c.d + 1)
    cfg.d = DEP(lambda c: c.a)
    with pytest.raises(DependencyCycleError, match=r"a -> s\.b -> d -> a") as caught:
        load(cfg)
    assert str(caught.value).count("test_pitfalls.py:") == 3


def test_14_an_error_names_the_key_and_the_line() -> None:
    cfg = Config(n=0)
    cfg.opt.lr = DEP(lambda c: 1 / c.n)
    with pytest.raises(DependencyError, match=r"opt\.lr.*test_pitfalls\.py:\d+.*ZeroDivisionError") as caught:
        load(cfg)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_15_one_dependency_at_two_depths() -> None:
    dep: Any = DEP(lambda c: c.n)
    cfg = Config(n=1)
    cfg.x = dep
    cfg.a.b.x = dep
    sub = Config(n=5)
    sub.x = dep
    sub.c.x = dep
    cfg.deep.er.sub = sub
    cfg.copy_of.it = sub
    loaded = load(cfg)
    assert (loaded.x, loaded.a.b.x) == (1, 1)
    assert loaded.deep.er.sub == {"n": 5, "x": 5, "c": {"x": 5}}
    assert loaded.copy_of.it == {"n": 5, "x": 5, "c": {"x": 5}}


def test_15_a_copied_subtree() -> None:
    cfg = Config(n=1)
    cfg.a.b.x = DEP(lambda c: c.n)
    cfg.other = cfg.a
    assert load(cfg).other == {"b": {"x": 1}}


def test_16_a_typo_in_a_dependency() -> None:
    cfg = Config(loader={"batch_size": 8})
    cfg.a = DEP(lambda c: c.loader.batch_siz * 2)
    with pytest.raises(DependencyError, match="did you mean 'batch_size'"):
        load(cfg)
    cfg.a = DEP(lambda c: "big" if c.loader.big else "small")
    with pytest.raises(DependencyError, match=r"loader\.big"):
        load(cfg)
    cfg.a = DEP(lambda c: c.loader.get("big", 3))
    assert load(cfg).a == 3
    cfg.a = DEP(lambda c: "big" in c.loader)
    assert load(cfg).a is False


def test_every_number_has_a_test() -> None:
    numbers = {name[5:7] for name in globals() if name.startswith("test_")}
    assert {f"{i:02}" for i in range(1, 17)} <= numbers, textwrap.shorten(str(sorted(numbers)), 200)
