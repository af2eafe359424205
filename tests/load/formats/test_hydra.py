"""Hydra's configs: a `defaults:` list is composed by Hydra itself, and then it is a config like any other."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from typedcat import Cfg2Tune, Config, load_config
from typedcat.errors import ConfigContentError, ConfigFormatError, DependencyError, MandatoryValueError, OverrideError
from typedcat.static.sources import find_configs
from typedcat.tune.grid.grid import Grid

hydra = pytest.importorskip("hydra")
OmegaConf: Any = pytest.importorskip("omegaconf").OmegaConf

# Shaped like a project that trains with Lightning.
PROJECT = {
    "configs/train.yaml": """
        # @package _global_
        defaults:
          - _self_
          - data: mnist
          - model: mnist
          - callbacks: default
          - logger: null
          - trainer: default
          - paths: default
          - experiment: null
          - optional local: default
        task_name: train
        tags: [dev]
        train: true
        ckpt_path: null
        seed: null
        """,
    "configs/data/mnist.yaml": """
        _target_: collections.OrderedDict
        data_dir: ${paths.data_dir}
        batch_size: 128
        split: [55_000, 5_000]
        """,
    "configs/data/cifar.yaml": """
        defaults:
          - mnist
          - _self_
        batch_size: 64
        """,
    "configs/model/mnist.yaml": """
        _target_: builtins.dict
        optimizer:
          _target_: builtins.dict
          _partial_: true
          lr: 1e-3
        net: {lin1: 64, out: 10}
        """,
    "configs/callbacks/default.yaml": """
        defaults:
          - model_checkpoint
          - early_stopping
          - _self_
        model_checkpoint:
          dirpath: ${paths.output_dir}/checkpoints
        """,
    "configs/callbacks/model_checkpoint.yaml": "model_checkpoint: {dirpath: null, monitor: val/acc}",
    "configs/callbacks/early_stopping.yaml": """
        early_stopping: {monitor: '${..model_checkpoint.monitor}', patience: 100}
        """,
    "configs/trainer/default.yaml": "max_epochs: 10\naccelerator: cpu\ndefault_root_dir: ${paths.output_dir}",
    "configs/trainer/gpu.yaml": "defaults:\n  - default\naccelerator: gpu\ndevices: 1",
    "configs/paths/default.yaml": """
        root_dir: ${oc.env:PROJECT_ROOT}
        data_dir: ${paths.root_dir}/data/
        log_dir: ${.root_dir}/logs
        output_dir: ${hydra:runtime.output_dir}
        work_dir: ${hydra:runtime.cwd}
        """,
    "configs/experiment/long.yaml": """
        # @package _global_
        defaults:
          - override /data: cifar
          - override /trainer: gpu
        tags: [long]
        seed: 12345
        trainer:
          max_epochs: 100
        """,
}


def write(files: dict[str, str]) -> None:
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        Path(name).write_text("".join(f"{line[indent:]}\n" for line in lines), encoding="utf-8")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROJECT_ROOT", "/project")
    yield tmp_path
    OmegaConf.clear_resolvers()


def load(name: str, *overrides: str) -> Config:
    return load_config(name, "runs", overrides=overrides)


def composed(name: str, *overrides: str) -> Any:
    """What Hydra itself makes of a config."""
    with hydra.initialize_config_dir(str(Path("configs").absolute()), version_base=None):
        return OmegaConf.to_container(hydra.compose(name, overrides=list(overrides)), resolve=False)


def test_a_project_of_lightning() -> None:
    write(PROJECT)
    cfg = load("configs/train.yaml")
    assert cfg.model.optimizer.lr == 0.001
    assert cfg.data == {
        "_target_": "collections.OrderedDict",
        "data_dir": "/project/data/",
        "batch_size": 128,
        "split": [55_000, 5_000],
    }
    assert cfg.callbacks == {
        "model_checkpoint": {"dirpath": f"{os.getcwd()}/runs/checkpoints", "monitor": "val/acc"},
        "early_stopping": {"monitor": "val/acc", "patience": 100},
    }
    assert cfg.paths.work_dir == os.getcwd()
    assert list(cfg)[:4] == ["task_name", "tags", "train", "ckpt_path"]
    assert cfg.keys() == composed("train").keys() | {"rslt_dir"}
    assert "defaults" not in cfg and "hydra" not in cfg


def test_an_experiment_is_chosen_by_an_override() -> None:
    write(PROJECT)
    cfg = load("configs/train.yaml", "experiment=long", "model.optimizer.lr=0.5", "seed=1")
    assert (cfg.trainer.max_epochs, cfg.trainer.accelerator, cfg.data.batch_size) == (100, "gpu", 64)
    assert (cfg.model.optimizer.lr, cfg.seed, cfg.tags) == (0.5, 1, ["long"])
    folder = "runs/experiment=long,model.optimizer.lr=0.5,seed=1"
    assert cfg.rslt_dir == folder
    assert cfg.paths.output_dir == f"{os.getcwd()}/{folder}"
    assert [str(step) for step in cfg.origin("trainer.max_epochs")] == ["configs/experiment/long.yaml:8"]


def test_values_know_the_file_and_line_that_set_them() -> None:
    write(PROJECT)
    cfg = load("configs/train.yaml", "data=cifar")
    origins = {name: str(cfg.origin(name)[0]) for name in ("seed", "data.batch_size", "data.data_dir", "paths.log_dir")}
    assert origins == {
        "seed": "configs/train.yaml:16",
        "data.batch_size": "configs/data/cifar.yaml:4",
        "data.data_dir": "configs/data/mnist.yaml:2",
        "paths.log_dir": "configs/paths/default.yaml:3",
    }


def test_hydra_instantiates_what_is_loaded() -> None:
    write(PROJECT)
    from hydra.utils import instantiate

    cfg = load("configs/train.yaml")
    made: Any = instantiate(cfg.model.to_dict())
    assert made["optimizer"]() == {"lr": 0.001}
    assert type(instantiate(cfg.data.to_dict())).__name__ == "OrderedDict"


GROUPS = {
    "configs/config.yaml": """
        defaults:
          - db@main: mysql
          - db@backup: mysql
          - server/apache
          - server: [site, blog]
          - optional missing: nothing
          - _self_
        main: {port: 1}
        name: ${main.user}-${backup.port}
        """,
    "configs/db/mysql.yaml": "user: root\nport: 3306\nurl: ${.user}:${.port}",
    "configs/db/pg.yaml": "# @package _group_\nuser: pg\nport: 5432",
    "configs/server/apache.yaml": "# @package _global_\napache: true",
    "configs/server/site.yaml": "site: {host: a}",
    "configs/server/blog.yaml": "blog: {host: '${server.site.host}'}",
}


@pytest.mark.parametrize(
    "overrides", [[], ["db@main=pg"], ["db@backup=pg"], ["~db@backup", "name=x"], ["+db@third=pg"]]
)
def test_packages_groups_and_options(overrides: list[str]) -> None:
    write(GROUPS)
    cfg = load("configs/config.yaml", *overrides).to_dict()
    del cfg["rslt_dir"]
    with hydra.initialize_config_dir(str(Path("configs").absolute()), version_base=None):
        assert cfg == OmegaConf.to_container(hydra.compose("config", overrides=overrides), resolve=True)


def test_dicts_are_written_as_for_hydra() -> None:
    write(GROUPS)
    overrides = ["+opt={lr:1e-3,nest:{a:[1,{b:c}],d:'x, y:z'}}", "++main={port:1}", "+args={_target_:a.B, c: d}"]
    cfg = load("configs/config.yaml", *overrides).to_dict()
    del cfg["rslt_dir"]
    with hydra.initialize_config_dir(str(Path("configs").absolute()), version_base=None):
        assert cfg == OmegaConf.to_container(hydra.compose("config", overrides=overrides), resolve=True)


def test_a_key_is_removed_as_hydra_removes_it() -> None:
    write(GROUPS)
    overrides = ["~main.port", "~backup.port=3306", "name=x", "backup.url=y", "main.url=z", "server.blog.host=h"]
    cfg = load("configs/config.yaml", *overrides).to_dict()
    del cfg["rslt_dir"]
    assert cfg == composed("config", *overrides)


def test_an_order_of_self() -> None:
    write({"configs/a.yaml": "defaults: [x: one]\nv: 1", "configs/b.yaml": "defaults: [_self_, x: one]\nv: 1",
           "configs/x/one.yaml": "# @package _global_\nv: 2"})  # fmt: skip
    assert (load("configs/a.yaml").v, load("configs/b.yaml").v) == (1, 2)


def test_a_search_path_and_structured_configs() -> None:
    from hydra.core.config_store import ConfigStore

    @dataclasses.dataclass
    class Opt:
        lr: float = 0.1
        name: str = "???"

    ConfigStore.instance().store(group="typedcat_opt", name="adam", node=Opt)
    write({"configs/config.yaml": "defaults:\n  - typedcat_opt: adam\n  - extra: one\n  - _self_\nhydra: {searchpath: "
           f"['file://{os.getcwd()}/more']}}\ntypedcat_opt: {{name: x}}", "more/extra/one.yaml": "a: 1"})  # fmt: skip
    cfg = load("configs/config.yaml", "typedcat_opt.lr=5")
    assert cfg == {"typedcat_opt": {"lr": 5, "name": "x"}, "extra": {"a": 1}, "rslt_dir": cfg.rslt_dir}


def test_inherited_mounted_and_tuned() -> None:
    write({"configs/config.yaml": "defaults: [_self_, db: mysql]\nbase_lr: 0.1\nopt: {lr: '${base_lr}'}\nneeded: ???",
           "configs/db/mysql.yaml": "user: root\nlr: ${opt.lr}", "configs/db/pg.yaml": "user: pg"})  # fmt: skip
    write({"configs/child.py": "from typedcat import Config\ncfg = Config(caps='configs/config.yaml')\n"
           "cfg.base_lr = 3\ncfg.needed = cfg.DEP(lambda c: c.db.user)",
           "configs/mount.py": "from typedcat import Config\ncfg = Config()\ncfg.part = Config('configs/config.yaml')\n"
           "cfg.part.needed = 1\ncfg.part.base_lr = 5",
           "configs/tune.py": "from typedcat import Cfg2Tune, Param2Tune\ncfg = Cfg2Tune(caps='configs/config.yaml')\n"
           "cfg.base_lr = Param2Tune([1, 2])\ncfg.needed = 0"})  # fmt: skip
    child = load("configs/child.py")
    assert (child.opt.lr, child.db, child.needed) == (3, {"user": "root", "lr": 3}, "root")
    assert load("configs/child.py", "db=pg").needed == "pg"
    assert load("configs/mount.py").part.db.lr == 5
    tune = Cfg2Tune.load_cfg2tune("configs/tune.py", experiments_root="runs")
    assert [load_config(one, create_rslt_dir=False).db.lr for one in tune.get_cfgs()] == [1, 2]
    with pytest.raises(MandatoryValueError, match=r"needed \(configs/config.yaml:4\)"):
        load("configs/config.yaml")


def test_a_list_named_defaults_that_is_none() -> None:
    write({"configs/a.yaml": "defaults: [1, 2]\nx: 1", "configs/b.yaml": "defaults: {lr: 1}"})
    assert load("configs/a.yaml").defaults == [1, 2]
    assert load("configs/b.yaml").defaults.lr == 1


def test_what_the_program_has_of_hydra_stays() -> None:
    write(PROJECT)
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.version import getbase

    before = getbase()
    load("configs/train.yaml")
    assert getbase() is before
    assert not GlobalHydra.instance().is_initialized()
    assert not HydraConfig.initialized()
    assert sorted(os.listdir()) == ["configs", "runs"]
    with hydra.initialize_config_dir(str(Path("configs").absolute()), version_base="1.2"):
        load("configs/train.yaml")
        assert hydra.compose("train").task_name == "train"
        assert str(getbase()) == "1.2"


@pytest.mark.slow
def test_inside_of_a_program_of_hydra() -> None:
    write(PROJECT)
    write({"train.py": """
        import hydra
        from hydra.core.hydra_config import HydraConfig
        from typedcat import Config, load_config

        @hydra.main(config_path="configs", config_name="train", version_base=None)
        def main(cfg):
            mine = load_config(cfg, create_rslt_dir=False)
            assert mine.paths.output_dir == HydraConfig.get().runtime.output_dir, mine.paths
            again = load_config("configs/train.yaml", rslt_dir="out", overrides=["experiment=long"])
            assert again.paths.output_dir == HydraConfig.get().runtime.output_dir
            assert (again.data.batch_size, mine.data.batch_size) == (64, 128)
            assert HydraConfig.get().job.name == "train"

        main()
        """})  # fmt: skip
    done = subprocess.run([sys.executable, "-W", "error", "train.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_option_for_a_tune_config_is_chosen_in_a_config_of_its_own() -> None:
    write({"configs/config.yaml": "defaults: [db: mysql, _self_]\nlr: 1", "configs/db/mysql.yaml": "name: mysql",
           "configs/db/pg.yaml": "name: pg", "configs/pg.yaml": "defaults: [config, override db: pg, _self_]\nlr: 2",
           "configs/tune.py": "from typedcat import Cfg2Tune, Param2Tune\n"
           "cfg = Cfg2Tune(caps='configs/config.yaml')\ncfg.lr = Param2Tune([1, 2])"})  # fmt: skip
    tune = Cfg2Tune.load_cfg2tune("configs/tune.py", experiments_root="runs")
    with pytest.raises(OverrideError) as caught:
        Grid(tune, ["db=pg"])
    assert str(caught.value) == (
        "override 'db=pg': 'db' is a group of a Hydra config, which is composed already\n"
        "  choose the option in a config that starts from that one: defaults: [config, {override db: pg}, _self_]"
    )
    cfg = load("configs/pg.yaml")
    assert (cfg.db.name, cfg.lr) == ("pg", 2)


# -- mistakes


def message(kind: type[Exception], name: str, *overrides: str) -> str:
    with pytest.raises(kind) as caught:
        load(name, *overrides)
    return str(caught.value)


def test_an_option_that_is_not_there() -> None:
    write({"configs/config.yaml": "# top\ndefaults:\n  - db: mysqk\n  - _self_\nx: 1", "configs/db/mysql.yaml": "a: 1"})
    assert message(ConfigContentError, "configs/config.yaml") == (
        "configs/config.yaml:3: Hydra cannot compose it: In 'config': Could not find 'db/mysqk'\n  there is: mysql"
    )
    assert message(OverrideError, "configs/config.yaml", "db=mysqq") == (
        "override 'db=mysqq': there is no mysqq in the group 'db'\n  did you mean 'mysql'?"
    )
    assert load("configs/config.yaml", "db=mysql").db.a == 1


def test_a_mistake_in_a_file_of_a_group() -> None:
    write(
        {"configs/config.yaml": "defaults:\n  - db: mysql\nx: 1", "configs/db/mysql.yaml": "defaults:\n  - nothing\n"}
    )
    assert message(ConfigContentError, "configs/config.yaml").startswith(
        "configs/db/mysql.yaml:2: Hydra cannot compose it: In 'db/mysql': Could not load 'db/nothing'"
    )
    write({"configs/db/mysql.yaml": "a: 1\nb: [1,\nc: 2"})
    assert message(ConfigFormatError, "configs/config.yaml").startswith("configs/db/mysql.yaml:4:1: not valid YAML: ")
    write({"configs/db/mysql.yaml": "a: 1\nb: ${a"})
    assert "configs/db/mysql.yaml" in message(ConfigContentError, "configs/config.yaml")
    write({"configs/db/mysql.yaml": "a: 1\nb: ${ab}"})
    assert message(DependencyError, "configs/config.yaml").startswith(
        "db.b: the dependency set at configs/db/mysql.yaml:2 reads 'ab', but there is no such key"
    )


def test_a_group_without_a_choice() -> None:
    write({"configs/config.yaml": "defaults:\n  - db: ???\nx: 1", "configs/db/mysql.yaml": "a: 1"})
    text = message(ConfigContentError, "configs/config.yaml")
    assert text.startswith("configs/config.yaml:2: Hydra cannot compose it: You must specify 'db', e.g, db=<OPTION>")
    assert load("configs/config.yaml", "db=mysql").db.a == 1


def test_overrides_that_hydra_cannot_apply() -> None:
    write({"configs/config.yaml": "defaults:\n  - _self_\nx: 1", "configs/db/mysql.yaml": "a: 1"})
    text = message(OverrideError, "configs/config.yaml", "db=mysql")
    assert text.startswith(
        "override 'db=mysql': Hydra cannot apply it: Could not override 'db'. No match in the defaults"
    )
    assert load("configs/config.yaml", "+db=mysql").db.a == 1
    assert message(OverrideError, "configs/config.yaml", "y=1").startswith("override 'y=1': there is no key 'y'")
    assert message(OverrideError, "configs/config.yaml", "+db=mysql,pg") == (
        "override '+db=mysql,pg': chooses several options, as for a sweep of Hydra\n"
        "  choose one; a sweep over them is a Cfg2Tune whose caps are a Param2Tune"
    )


def test_a_part_that_is_taken_for_the_whole() -> None:
    write(PROJECT)
    assert message(ConfigContentError, "configs/experiment/long.yaml").endswith(
        "\n  it is an option of a config group: load configs/train.yaml, with overrides=['experiment=long']"
    )
    deep = "# @package _global_\ndefaults: [override /data: cifar]"
    write({"configs/experiment/vision/big.yaml": deep, "configs/unnamed/more.yaml": deep})
    assert "overrides=['experiment=vision/big']" in message(ConfigContentError, "configs/experiment/vision/big.yaml")
    assert "overrides=['+unnamed=more']" in message(ConfigContentError, "configs/unnamed/more.yaml")
    assert load("configs/train.yaml", "+unnamed=more", "seed=1").data.batch_size == 64


def test_an_option_that_is_chosen_twice() -> None:
    write({"configs/config.yaml": "defaults: [db: mysql, _self_]\nx: 1", "configs/db/mysql.yaml": "a: 1",
           "configs/db/pg.yaml": "a: 2"})  # fmt: skip
    for option in ("pg", "mysql"):
        assert message(OverrideError, "configs/config.yaml", f"+db={option}") == (
            f"override '+db={option}': the defaults list chooses an option of 'db' already\n"
            f"  write db={option}, without the +"
        )


def test_overrides_of_the_settings_of_hydra() -> None:
    write({"configs/config.yaml": "defaults: [_self_]\na: ${hydra:job.name}-${hydra:verbose}"})
    cfg = load("configs/config.yaml", "hydra.job.name=mine", "hydra.verbose=true")
    assert cfg == {"a": "mine-True", "rslt_dir": "runs/hydra.job.name=mine,hydra.verbose=true"}
    assert message(OverrideError, "configs/config.yaml", "hydra.run.dir=x") == (
        "override 'hydra.run.dir=x': sets a folder of Hydra, which makes none here\n"
        "  override rslt_dir, or pass rslt_dir=... to load_config"
    )
    assert message(OverrideError, "configs/config.yaml", "hydra.nothing=x").startswith("override 'hydra.nothing=x': ")


def test_an_option_that_is_no_text() -> None:
    write({"configs/config.yaml": "defaults: [db: mysql, _self_]\nx: 1", "configs/db/mysql.yaml": "a: 1",
           "configs/db/1.yaml": "a: 2"})  # fmt: skip
    said = "'db' is a config group, whose options are names of files"
    assert message(OverrideError, "configs/config.yaml", "db=null") == (
        f"override 'db=null': {said}\n  to choose none write ~db"
    )
    assert message(OverrideError, "configs/config.yaml", "db=1") == f"override 'db=1': {said}\n  write db=\"'1'\""
    assert load("configs/config.yaml", "db='1'").db.a == 2


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("override hydra/job_logging: colours", "a plugin of Hydra has it, which is not installed here: "
         "pip install hydra-colours"),
        ("override hydra/sweeper: optimum", "a plugin of Hydra has it, which is not installed here: "
         "pip install hydra-optimum-sweeper"),
        ("db: mysql", "if it is a structured config, import the module that registers it in the ConfigStore before"),
    ],
)  # fmt: skip
def test_what_has_to_be_there_before(entry: str, hint: str) -> None:
    write({"configs/config.yaml": f"defaults:\n  - _self_\n  - {entry}\nx: 1"})
    assert message(ConfigContentError, "configs/config.yaml").endswith(f"\n  {hint}")


# -- without a defaults list

ALONE = """
    lr: 1e-3
    name: ${hydra:job.name}
    hydra:
      run: {dir: './outputs/${lr}/${now:%Y}'}
      sweep: {subdir: '${hydra:job.num}'}
    """


def test_what_is_for_hydra_is_no_part_of_the_config() -> None:
    write({"configs/alone.yaml": ALONE, "configs/other.yaml": "hydra: {heads: 9}\nlr: 1"})
    cfg = load("configs/alone.yaml")
    assert cfg == {"lr": 0.001, "name": "alone", "rslt_dir": "runs"}
    assert load("configs/other.yaml").hydra.heads == 9
    write({"configs/alone.yaml": ALONE + "  job: {name: mine}"})
    assert load("configs/alone.yaml").name == "mine"


def test_an_option_for_a_config_without_a_defaults_list() -> None:
    write({"configs/alone.yaml": ALONE, "configs/db/mysql.yaml": "host: localhost\nuser: '${lr}'"})
    cfg = load("configs/alone.yaml", "+db=mysql", "lr=1")
    assert (cfg.db, cfg.name, cfg.rslt_dir) == ({"host": "localhost", "user": 1}, "alone", "runs/db=mysql,lr=1")
    assert str(cfg.origin("db.host")[0]) == "configs/db/mysql.yaml:1"
    assert load("configs/alone.yaml", "+db=other").db == "other"


@pytest.mark.parametrize("text", ["# @package _global_\nlr: 1e-3", "lr: 1e-3\nopt:\n  - _target_: builtins.dict"])
def test_numbers_of_a_part_are_those_of_hydra(text: str) -> None:
    write({"configs/part.yaml": text})
    assert load("configs/part.yaml").lr == 0.001


def test_what_only_a_running_job_knows() -> None:
    write({"configs/config.yaml": "defaults: [_self_]\na: ${hydra:job.num}\nb: ${hydra:job.name}"})
    assert message(DependencyError, "configs/config.yaml") == (
        "a: the dependency set at configs/config.yaml:2 cannot be computed: '${hydra:job.num}' is known only while "
        "Hydra itself runs the job\n  give the key a value of its own, or override it: -o a=..."
    )
    assert load("configs/config.yaml", "a=1").b == "config"


def test_the_other_ending_of_yaml() -> None:
    write({"configs/config.yml": "defaults: [_self_]\na: 1"})
    assert message(ConfigContentError, "configs/config.yml") == (
        "configs/config.yml: Hydra composes files that end in .yaml, not in .yml\n  rename it"
    )


def test_without_hydra_the_message_names_the_extra() -> None:
    write({"configs/config.yaml": "defaults: [_self_]\na: 1"})
    code = (
        "import sys; sys.modules['hydra'] = None\n"
        "from typedcat import load_config\n"
        "from typedcat.errors import MissingExtraError\n"
        "try: load_config('configs/config.yaml')\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == (
        "configs/config.yaml has a defaults list, which needs the package 'hydra': pip install 'typedcat[hydra]'\n"
    )


def test_broken_yaml_is_said_as_always() -> None:
    write({"configs/config.yaml": "defaults: [_self_]\na: [1"})
    assert message(ConfigFormatError, "configs/config.yaml").startswith("configs/config.yaml:3:1: not valid YAML")


def test_options_of_groups_are_no_configs_to_check() -> None:
    write(PROJECT)
    write({"configs/hparams/more.yaml": "# @package _global_\nseed: 1", "configs/plain/a.yaml": "a: 1"})
    found = find_configs(Path("configs"))
    assert [path.as_posix() for path in found] == ["configs/plain/a.yaml", "configs/train.yaml"]
