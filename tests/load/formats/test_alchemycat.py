"""Config files, helpers, scripts and pickles that were written for AlchemyCat load unchanged."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from typedcat import ADict, Cfg2Tune, Config, load_config, open_config
from typedcat.errors import (
    ConfigCodeError,
    ConfigContentError,
    ConfigFormatError,
    MissingValueError,
    NoCounterpartError,
    NoCounterpartNameError,
    ReservedKeyError,
)
from typedcat.load.formats.alchemy import counterpart_folder
from typedcat.tree.values import Dependency

Write = Callable[[str, str], Path]


def forget() -> None:
    """Let `import alchemy_cat` start anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("alchemy_cat", "lab")]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget()
    yield
    forget()


@pytest.fixture
def write() -> Write:
    def write(file: str, text: str) -> Path:
        path = Path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return path

    return write


@pytest.fixture
def installed(tmp_path: Path) -> Write:
    """An AlchemyCat that is installed: a package of its name, whose configs are no good."""
    sys.path.insert(0, str(tmp_path / "site-packages"))

    def write(module: str, text: str) -> Path:
        path = tmp_path / "site-packages" / "alchemy_cat" / module
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip(), encoding="utf-8")
        return path

    write("__init__.py", "class Config(dict):\n    pass\n\n\nclass ItemLazy:\n    pass\n\n\nDEP = ItemLazy\n")
    for package in ("dl_config", "py_tools", "py_tools/config", "py_tools/param_tuner", "torch_tools"):
        write(f"{package}/__init__.py", "from alchemy_cat import *\ndef gprint(text):\n    return 'green ' + text\n")
    return write


IMPORTS = [
    "from alchemy_cat import Config, DEP",
    "from alchemy_cat.dl_config import *",
    "from alchemy_cat.py_tools import Config, IL as DEP, ADict",
    "from alchemy_cat.py_tools.config import Config, ItemLazy as DEP",
    "from alchemy_cat.py_tools.config.py_cfg import Config, DEP",
    "import alchemy_cat as ac\nConfig, DEP = ac.Config, ac.DEP",
    "import alchemy_cat\nConfig, DEP = alchemy_cat.Config, alchemy_cat.DEP",
    "import os, alchemy_cat.dl_config\nConfig, DEP = alchemy_cat.dl_config.Config, alchemy_cat.DEP",
    "import alchemy_cat.py_tools.config as tools\nConfig, DEP = tools.Config, tools.DEP",
    "import alchemy_cat\nConfig, DEP = alchemy_cat.py_tools.Config, alchemy_cat.py_tools.config.DEP",
    "from alchemy_cat import dl_config\nConfig, DEP = dl_config.Config, dl_config.DEP",
    "try:\n    from alchemy_cat import Config, DEP\nexcept ImportError:\n    raise SystemExit",
    "def names():\n    from alchemy_cat import Config, DEP\n    return Config, DEP\nConfig, DEP = names()",
    "'''A docstring.'''\nfrom __future__ import annotations\nfrom alchemy_cat import Config, DEP",
]
BODY = "\ncfg = Config()\ncfg.opt.lr = 0.1\ncfg.opt.warm = DEP(lambda c: c.opt.lr / 10)\n"


class TestImports:
    @pytest.mark.parametrize("statement", IMPORTS)
    def test_where_alchemycat_is_not_installed(self, write: Write, statement: str) -> None:
        cfg = load_config(write("configs/cfg.py", statement + BODY), create_rslt_dir=False)
        assert type(cfg) is type(cfg.opt) is Config
        assert cfg.opt.warm == pytest.approx(0.01)
        assert cfg.origin("opt.lr")[0].line == statement.count("\n") + 3

    @pytest.mark.parametrize("statement", IMPORTS)
    def test_where_it_is_installed(self, write: Write, installed: Write, statement: str) -> None:
        cfg = load_config(write("configs/cfg.py", statement + BODY), create_rslt_dir=False)
        assert type(cfg) is type(cfg.opt) is Config
        assert cfg.opt.warm == pytest.approx(0.01)

    @pytest.mark.parametrize("statement", IMPORTS)
    def test_where_it_is_installed_and_broken(self, write: Write, installed: Write, statement: str) -> None:
        installed("__init__.py", "raise OSError('libGL.so.1: cannot open shared object file')")
        assert load_config(write("configs/cfg.py", statement + BODY), create_rslt_dir=False).opt.lr == 0.1

    def test_by_a_name_that_is_computed(self, write: Write) -> None:
        text = "from importlib import import_module\nConfig = import_module('alchemy_cat.dl_config').Config\n"
        assert load_config(write("configs/cfg.py", text + "cfg = Config(a=1)"), create_rslt_dir=False).a == 1

    def test_a_function_that_imports_when_it_is_called(self, write: Write, installed: Write) -> None:
        text = """
            from alchemy_cat import Config, DEP
            def sub(c):
                from alchemy_cat.py_tools import Config
                return Config(lr=c.lr * 2)
            cfg = Config(lr=1, opt=DEP(sub))
        """
        cfg = load_config(write("configs/cfg.py", text), create_rslt_dir=False)
        assert type(cfg.opt) is Config
        assert cfg.opt.lr == 2

    def test_every_module_of_ours_can_be_imported_by_either_name(self, write: Write) -> None:
        folder = counterpart_folder()
        parts = (file.relative_to(folder).with_suffix("").parts for file in folder.rglob("*.py"))
        names = {".".join(("alchemy_cat", *(part for part in one if part != "__init__"))) for one in parts}
        assert {"alchemy_cat", "alchemy_cat.dl_config", "alchemy_cat.py_tools.param_tuner"} <= names
        for statement in ("import {}", "from importlib import import_module\nimport_module('{}')"):
            code = "\n".join(statement.format(name) for name in sorted(names) if "torch" not in name)
            assert load_config(write("configs/cfg.py", f"{code}\ncfg = {{'a': 1}}"), create_rslt_dir=False).a == 1

    def test_a_line_that_python_does_not_take(self, write: Write) -> None:
        with pytest.raises(ConfigCodeError) as caught:
            load_config(write("configs/cfg.py", "from alchemy_cat import Config\ncfg = Config(\n"))
        assert caught.value.line == 2

    def test_what_is_no_import_stays(self, write: Write) -> None:
        text = "# alchemy_cat\ncfg = {'path': 'alchemy_cat/dl_config', 'line': 'import alchemy_cat'}"
        cfg = load_config(write("configs/cfg.py", text), create_rslt_dir=False)
        assert cfg.to_dict() | {"rslt_dir": ""} == {
            "path": "alchemy_cat/dl_config",
            "line": "import alchemy_cat",
            "rslt_dir": "",
        }


class TestTheRestOfAlchemyCat:
    def test_is_used_where_it_is_installed(self, write: Write, installed: Write) -> None:
        installed("alg/__init__.py", "def resize(x):\n    return 2 * x\n")
        text = """
            import alchemy_cat
            import alchemy_cat.alg
            from alchemy_cat import alg, Config
            from alchemy_cat.alg import resize
            from alchemy_cat.py_tools import gprint
            cfg = Config(one=resize, other=alchemy_cat.alg.resize, same=alg.resize, text=gprint('tea'))
            assert alchemy_cat.Config is Config
        """
        cfg = load_config(write("configs/cfg.py", text), create_rslt_dir=False)
        assert cfg.one(1) == 2
        assert cfg.one is cfg.other is cfg.same
        assert cfg.text == "green tea"
        assert type(cfg) is Config

    @pytest.mark.parametrize(
        ("statement", "name"),
        [
            ("import alchemy_cat.alg", "alchemy_cat.alg"),
            ("from alchemy_cat.alg import resize", "alchemy_cat.alg"),
            ("from alchemy_cat import alg", "alchemy_cat.alg"),
            ("from alchemy_cat.py_tools import gprint", "alchemy_cat.py_tools.gprint"),
        ],
    )
    def test_is_an_error_that_says_so_where_it_is_not(self, write: Write, statement: str, name: str) -> None:
        with pytest.raises(NoCounterpartError) as caught:
            load_config(write("configs/cfg.py", f"{statement}\ncfg = {{}}"))
        assert caught.value.part == name
        assert str(caught.value).startswith(f"{name} is no part of the config system of AlchemyCat")
        assert f"configs/cfg.py:{statement.count(chr(10)) + 1}" in caught.value.__notes__[0]

    def test_an_attribute_is_one_of_another_kind(self, write: Write) -> None:
        statement = "import alchemy_cat.torch_tools\nalchemy_cat.torch_tools.Network"
        with pytest.raises(NoCounterpartNameError) as caught:
            load_config(write("configs/cfg.py", f"{statement}\ncfg = {{}}"))
        assert caught.value.part == "alchemy_cat.torch_tools.Network"
        assert str(caught.value).startswith(
            "alchemy_cat.torch_tools.Network is no part of the config system of Alchemy"
        )
        assert "configs/cfg.py:2" in caught.value.__notes__[0]

    def test_whoever_looks_through_all_modules_can_ask(self, write: Write) -> None:
        text = "import alchemy_cat\ncfg = {'has': [hasattr(alchemy_cat, name) for name in ('alg', 'Config')]}"
        assert load_config(write("configs/cfg.py", text), create_rslt_dir=False).has == [False, True]
        for name in [name for name in sys.modules if "alchemy_cat" in name]:
            assert not hasattr(sys.modules[name], "resize")

    def test_can_be_optional(self, write: Write) -> None:
        text = "try:\n    from alchemy_cat.alg import f\nexcept ImportError:\n    f = None\ncfg = {'f': f}"
        assert load_config(write("configs/cfg.py", text), create_rslt_dir=False).f is None


HELPER = """
    from alchemy_cat.py_tools import Config, DEP

    def sched(epochs):
        made = Config(epochs=epochs)
        made.warm = DEP(lambda c: c.epochs // 10)
        return made
"""


class TestHelpers:
    @pytest.mark.parametrize("statement", ["from lab.scheds import sched", "from ..scheds import sched"])
    @pytest.mark.parametrize("there", [False, True])
    def test_a_module_that_the_config_imports(
        self, write: Write, request: pytest.FixtureRequest, statement: str, there: bool
    ) -> None:
        if there:
            request.getfixturevalue("installed")
        write("lab/scheds.py", HELPER)
        text = f"from alchemy_cat import Config\n{statement}\ncfg = Config()\ncfg.sched = sched(30)"
        cfg = load_config(write("lab/base/cfg.py", text), create_rslt_dir=False)
        assert cfg.sched.warm == 3
        assert type(cfg.sched) is Config

    def test_which_imports_another_one(self, write: Write, installed: Write) -> None:
        write("lab/scheds.py", HELPER)
        write("lab/more.py", "from lab.scheds import sched")
        text = "from lab.more import sched\ncfg = {'sched': sched(30)}"
        assert load_config(write("configs/cfg.py", text), create_rslt_dir=False).sched.warm == 3

    def test_its_byte_code_is_not_left_for_others(self, write: Write, installed: Write) -> None:
        write("lab/scheds.py", HELPER)
        text = "from lab.scheds import sched\ncfg = {'sched': sched(30)}"
        load_config(write("configs/cfg.py", text), create_rslt_dir=False)
        forget()
        assert importlib.import_module("lab.scheds").Config is not Config

    def test_one_that_was_imported_before_with_alchemycat_itself(self, write: Write, installed: Write) -> None:
        write("lab/scheds.py", HELPER)
        sys.path.insert(0, "")
        assert importlib.import_module("lab.scheds").DEP is not Dependency
        text = "from alchemy_cat import Config\nfrom lab.scheds import DEP\ncfg = Config()\ncfg.a.warm = DEP()"
        with pytest.raises(ConfigContentError, match=r"a\.warm is a ItemLazy of the installed alchemy_cat") as caught:
            load_config(write("configs/cfg.py", text))
        assert "let it import from typedcat" in str(caught.value)


def small_project(write: Write) -> None:
    write(
        "configs/addons/sched.py",
        """
        from alchemy_cat.dl_config import Config, DEP
        cfg = config = Config()
        cfg.epochs = 30
        @cfg.set_IL(priority=0)
        def warm(c: Config) -> int:
            return c.epochs // 10
        cfg.main = DEP(lambda c: c.epochs - c.warm, priority=1)
        """,
    )
    write(
        "configs/base/cfg.py",
        """
        import alchemy_cat as ac
        cfg = ac.Config()
        cfg.loader.ini.batch_size = 128
        cfg.loader.ini.workers = 2
        cfg.opt.ini.lr = ac.DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01)
        cfg.sched = ac.Config('configs/addons/sched.py')
        """,
    )
    write(
        "configs/base,whole/cfg.py",
        """
        from alchemy_cat.py_tools import Config
        cfg = Config(cfgs_update_at_parser=('configs/base/cfg.py', 'configs/patch.yaml'))
        cfg.loader.ini.set_whole()
        cfg.loader.ini.batch_size = 256
        cfg.override(False).set_attribute('_cfgs_update_at_parser', cfg.get_attribute('_cfgs_update_at_parser'))
        cfg.sched.empty_leaf()
        """,
    )
    write("configs/patch.yaml", "seed: 3\n")
    write(
        "configs/tune/cfg.py",
        """
        from alchemy_cat import Cfg2Tune, Param2Tune, P_DEP
        cfg = Cfg2Tune(caps='configs/base/cfg.py')
        cfg.loader.ini.batch_size = Param2Tune([128, 256], optional_value_names=['1xbs', '2xbs'], priority=1)
        cfg.sched.epochs = Param2Tune(
            [10, 20], subject_to=lambda cur_val: cur_val * cfg.loader.ini.batch_size.cur_val <= 20 * 128
        )
        cfg.name = P_DEP(lambda c: f'bs{c.loader.ini.batch_size}')
        """,
    )


class TestConfigs:
    def test_composition_and_dependencies(self, write: Write) -> None:
        small_project(write)
        cfg = load_config("configs/base/cfg.py", create_rslt_dir=False)
        assert cfg.opt.ini.lr == 0.01
        assert (cfg.sched.warm, cfg.sched.main) == (3, 27)
        assert cfg.rslt_dir == "base"

    def test_inheritance_in_the_older_spelling(self, write: Write) -> None:
        small_project(write)
        cfg = load_config("configs/base,whole/cfg.py", create_rslt_dir=False)
        assert cfg.loader.ini == {"batch_size": 256}
        assert cfg.opt.ini.lr == 0.02
        assert cfg.seed == 3
        assert cfg.sched == {}

    def test_the_constructor_takes_such_a_file(self, write: Write) -> None:
        small_project(write)
        assert Config("configs/addons/sched.py").epochs == 30
        assert load_config(Config(caps="configs/base/cfg.py"), create_rslt_dir=False).sched.main == 27

    def test_a_grid_and_its_children(self, write: Write) -> None:
        small_project(write)
        tune = Cfg2Tune.load_cfg2tune("configs/tune/cfg.py", experiments_root="exp")
        files, _ = tune.dump_cfgs("children")
        assert files == [
            f"children/{point}/cfg.pkl"
            for point in ("batch_size=1xbs,epochs=10", "batch_size=1xbs,epochs=20", "batch_size=2xbs,epochs=10")
        ]
        forget()
        child = load_config(files[-1], create_rslt_dir=False)
        assert child.to_dict() == {
            "loader": {"ini": {"batch_size": 256, "workers": 2}},
            "opt": {"ini": {"lr": 0.02}},
            "sched": {"epochs": 10, "warm": 1, "main": 9},
            "name": "bs256",
            "rslt_dir": "exp/tune/batch_size=2xbs,epochs=10",
        }

    def test_what_alchemycat_has_saved_as_python(self, write: Write) -> None:
        text = """
            # -*- THIS CONFIG FILE IS AUTO-GENERATED BY AlchemyCat -*-
            from alchemy_cat.dl_config import Config

            cfg = Config()
            cfg.opt.override(True)
            # ------- ↓ LEAVES ↓ ------- #
            cfg.opt.lr = 0.1
            cfg.names = \\
            ['a',
             'b']
            # ------- ↓ EMPTY LEAVES ↓ ------- #
            cfg.empty = Config()
        """
        cfg = load_config(write("configs/cfg.py", text), create_rslt_dir=False)
        assert cfg.opt.is_whole
        assert (cfg.names, cfg.empty) == (["a", "b"], {})

    def test_a_run_of_mmengine_writes_into_the_result_folder(self, write: Write) -> None:
        mmengine = pytest.importorskip("mmengine")
        path = write("configs/net/cfg.py", "from alchemy_cat import Config\ncfg = Config(lr=1)")
        cfg = load_config(path, experiments_root="exp", create_rslt_dir=False)
        assert mmengine.Config.fromfile(cfg.save_mmcv("saved.py")).work_dir == "exp/net"
        assert "work_dir" not in cfg
        cfg = load_config({"lr": 1, "work_dir": "mine", "rslt_dir": "exp"}, create_rslt_dir=False)
        assert mmengine.Config.fromfile(cfg.save_mmcv("saved.py")).work_dir == "mine"
        cfg = load_config({"lr": 1}, create_rslt_dir=False)
        assert "work_dir" not in mmengine.Config.fromfile(cfg.save_mmcv("saved.py"))

    def test_init_env_comes_without_torch(self, write: Write) -> None:
        text = (
            "from alchemy_cat.torch_tools import init_env\nfrom alchemy_cat.torch_tools.env import init_env as same\n"
        )
        cfg = load_config(write("configs/cfg.py", f"{text}cfg = {{'f': init_env, 'g': same}}"), create_rslt_dir=False)
        assert cfg.f is cfg.g
        assert cfg.f.__module__.startswith("typedcat.torch_tools")

    def test_dependencies_are_computed_by_their_name(self, write: Write) -> None:
        text = "from alchemy_cat import Config, DEP, P_DEP\ncfg = Config(a=1)\ncfg.b = P_DEP(lambda c: c.a + 1)\n"
        path = write("configs/cfg.py", f"{text}cfg.c = DEP(lambda c: c.b + 1)")
        from typedcat import ItemLazy, ParamLazy

        cfg, _ = open_config(path)
        assert ParamLazy.compute_item_lazy(cfg) is cfg
        assert cfg.b == 2
        assert isinstance(dict.get(cfg, "c"), Dependency)
        assert ItemLazy.compute_item_lazy(cfg).c == 3

    @pytest.mark.parametrize(
        ("name", "ours"), [("compute_item_lazy", "load"), ("update_at_parser", "parse"), ("merge_from_file", "update")]
    )
    def test_methods_that_are_called_otherwise(self, name: str, ours: str) -> None:
        with pytest.raises(MissingValueError, match=rf"did you mean '{ours}'\?"):
            getattr(Config(), name)()

    def test_a_method_name_as_a_key(self, write: Write) -> None:
        path = write("configs/cfg.py", "from alchemy_cat import Config\ncfg = Config()\ncfg.items = 1")
        with pytest.raises(ReservedKeyError) as caught:
            load_config(path)
        assert "configs/cfg.py:3" in caught.value.__notes__[0]


class TestTools:
    @pytest.fixture
    def here(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        small_project(write)
        write("lab/scheds.py", HELPER)
        write(
            "configs/helped/cfg.py",
            """
            import alchemy_cat
            from alchemy_cat import Config
            from alchemy_cat.dl_config.examples import read_mmcv_metric
            from lab.scheds import sched
            cfg = Config(caps='configs/base/cfg.py')
            cfg.sched = sched(20)
            """,
        )
        write("pyproject.toml", "[tool.typedcat]\n")
        monkeypatch.setenv("COLUMNS", "200")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "typedcat", *command], capture_output=True, text=True, check=False)

    @pytest.mark.slow
    @pytest.mark.usefixtures("here")
    def test_stubs(self) -> None:
        done = self.run("stubs", "configs", "-o", "stubs")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "batch_size: Key[int, " in Path("stubs/configs/base/cfg.pyi").read_text(encoding="utf-8")

    @pytest.mark.slow
    @pytest.mark.usefixtures("here")
    def test_check(self, write: Write) -> None:
        pytest.importorskip("mypy")
        done = self.run("check")
        assert done.returncode == 0, done.stdout + done.stderr
        write("configs/wrong.py", "from alchemy_cat import Config\ncfg = Config()\ncfg.save_pkl(12)\n")
        done = self.run("check")
        assert "configs/wrong.py:3" in done.stdout
        assert "import-not-found" not in done.stdout

    @pytest.mark.slow
    @pytest.mark.usefixtures("here")
    def test_the_tuner_in_processes(self, write: Write) -> None:
        script = write(
            "tune.py",
            """
            import typedcat.compat
            from alchemy_cat.dl_config import Cfg2TuneRunner, Config

            runner = Cfg2TuneRunner('configs/tune/cfg.py', experiment_root='exp', pool_size=2, plots=False)

            @runner.register_work_fn
            def work(pkl_idx: int, cfg: Config, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: dict[str, str]) -> float:
                from alchemy_cat.py_tools import load_config
                return load_config(cfg_pkl).opt.ini.lr

            @runner.register_gather_metric_fn
            def gather_metric(cfg: Config, cfg_rslt_dir: str, run_rslt, param_comb) -> dict[str, float]:
                return {'lr': run_rslt, 'main': cfg.sched.main}

            if __name__ == '__main__':
                table = runner.tuning()
                print(*table['lr'], *table['main'])
            """,
        )
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
        assert done.stdout.splitlines()[-1:] == ["0.01 0.01 0.02 9 18 9"], done.stdout + done.stderr


class TestScripts:
    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
        )

    def test_a_script_of_alchemycat(self, write: Write) -> None:
        small_project(write)
        done = self.run("""
            import typedcat.compat
            from alchemy_cat.dl_config import ADict as Dict, Cfg2TuneRunner, Config, load_config
            import alchemy_cat.py_tools.config.parse_cfg
            cfg = load_config('configs/base/cfg.py', experiments_root='exp', config_root='configs')
            print(cfg.rslt_dir, Dict(a=Dict(b=1)).a.b, isinstance(cfg, Config))
        """)
        assert (done.stdout, done.stderr) == ("exp/base 1 True\n", "")

    def test_the_light_part_stays_light(self) -> None:
        done = self.run("""
            import sys, typedcat.compat
            from alchemy_cat.py_tools import config
            from typedcat.compat.alchemy_cat import torch_tools
            print(*{'torch', 'pandas', 'numpy', 'pydantic', 'yaml'} & sys.modules.keys())
        """)
        assert (done.stdout, done.stderr) == ("\n", "")

    def test_an_installed_alchemycat_is_not_hidden(self, installed: Write) -> None:
        assert importlib.import_module("alchemy_cat").Config is not Config

    def test_a_folder_of_its_name_is_no_alchemycat(self, write: Write) -> None:
        """Such as `pip uninstall`, or a part of a clone, leaves."""
        write(
            "alchemy_cat/dl_config/examples/configs/patches/cifar10.py",
            "from alchemy_cat import Config\ncfg = Config()",
        )
        done = self.run("""
            import typedcat.compat
            from alchemy_cat.dl_config import load_config
            cfg = load_config('alchemy_cat/dl_config/examples/configs/patches/cifar10.py', create_rslt_dir=False)
            try:
                import alchemy_cat.alg
            except ImportError as error:
                print(cfg == {}, str(error).partition(" of ")[0])
        """)
        assert (done.stdout, done.stderr) == ("True alchemy_cat.alg is no part\n", "")


# -- pickles. AlchemyCat is not there to write them, so classes of its names and of its state do.

THEIR_CLASSES = """
    class ADict(dict):
        def __init__(self, items=(), parent=None, key=None, caps=(), whole=False, frozen=False):
            self.__dict__.update({'__parent': parent, '__key': key, '__frozen': frozen, '_whole': whole})
            if type(self) is Config:
                self.__dict__.update({'__mounted': True, '_cfgs_update_at_parser': caps})
            for name, value in dict(items).items():
                self[name] = value
                if type(value) is Config:
                    value.__dict__.update({'__parent': self, '__key': name})

        def __getnewargs__(self):
            return ()

    class Config(ADict):
        pass

    class ItemLazy:
        def __init__(self, func, priority=1, level=None):
            self.func, self.priority, self._level = func, priority, level

    class ParamLazy(ItemLazy):
        pass

    class Param2Tune:
        pass
"""


@pytest.fixture
def pickled(tmp_path: Path, write: Write) -> Callable[..., Path]:
    """Writes `cfg.pkl` with the value of an expression, in a process in which AlchemyCat seems to be installed."""

    def pickled(value: str, package: str = "py_tools", protocol: int = 4) -> Path:
        root = tmp_path / "theirs"
        for module in (f"{package}/config/py_cfg", f"{package}/param_tuner/cfg2tune"):
            file = root / "alchemy_cat" / f"{module}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(THEIR_CLASSES), encoding="utf-8")
        code = f"""
import pickle, math, sys
sys.path[:0] = [{str(root)!r}, '']
from alchemy_cat.{package}.config.py_cfg import ADict, Config, ItemLazy
from alchemy_cat.{package}.param_tuner.cfg2tune import Param2Tune
cfg = {value}
with open('cfg.pkl', 'wb') as file:
    pickle.dump(cfg, file, {protocol})
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return Path("cfg.pkl")

    return pickled


class TestPickles:
    @pytest.mark.parametrize("protocol", [2, 4, 5])
    @pytest.mark.parametrize("package", ["py_tools", "dl_config"])
    def test_trees_and_leaves(self, pickled: Callable[..., Path], package: str, protocol: int) -> None:
        value = "Config({'lr': 0.1, 'net': Config({'cls': dict, 'deep': Config({'x': 1})}), 'plain': {'y': [2]}})"
        cfg: Any = load_config(pickled(value, package, protocol), create_rslt_dir=False)
        assert cfg.to_dict() == {"lr": 0.1, "net": {"cls": dict, "deep": {"x": 1}}, "plain": {"y": [2]}}
        assert {type(cfg), type(cfg.net), type(cfg.net.deep)} == {Config}
        assert type(cfg.plain) is dict
        assert cfg.is_frozen
        assert cfg.net.deep.find_root() is cfg
        assert (cfg.origin("net.deep.x")[0].file, cfg.origin("lr")[0].line) == (str(Path("cfg.pkl").absolute()), None)

    def test_what_is_made_of_it_needs_neither(self, pickled: Callable[..., Path]) -> None:
        cfg = load_config(pickled("Config({'net': Config({'x': 1})})"), create_rslt_dir=False)
        cfg.save_pkl("again.pkl")
        assert b"alchemy" not in Path("again.pkl").read_bytes().replace(b"cfg.pkl", b"")
        assert load_config("again.pkl", create_rslt_dir=False) == cfg

    def test_an_attribute_dict(self, pickled: Callable[..., Path]) -> None:
        value = "Config({'box': ADict({'a': ADict({'b': 1})}), 'boxes': [ADict({'c': 2}), Config({'d': 3})]})"
        cfg: Any = load_config(pickled(value), create_rslt_dir=False)
        assert type(cfg.box) is type(cfg.box.a) is type(cfg.boxes[0]) is ADict
        assert (cfg.box.a.b, cfg.boxes[0].c, cfg.boxes[1].d) == (1, 2, 3)

    def test_bases_are_inherited(self, write: Write, pickled: Callable[..., Path]) -> None:
        small_project(write)
        own = "{'loader': Config({'ini': Config({'batch_size': 512}, whole=True)})}"
        value = f"Config({own}, caps=('configs/base/cfg.py',))"
        cfg = load_config(pickled(value), create_rslt_dir=False)
        assert cfg.loader.ini == {"batch_size": 512}
        assert cfg.opt.ini.lr == 0.04
        assert cfg.sched.main == 27

    def test_a_config_that_was_loaded_needs_no_base(self, pickled: Callable[..., Path]) -> None:
        value = "Config({'lr': 1, 'net': Config({'x': 1}, frozen=True)}, caps=('gone.py',), frozen=True)"
        assert load_config(pickled(value), create_rslt_dir=False).lr == 1

    def test_dependencies(self, write: Write, pickled: Callable[..., Path]) -> None:
        write("lab/funcs.py", "def double(c):\n    return c.x * 2\n")
        sys.path.insert(0, "")
        inner = "Config({'x': 2, 'far': lazy(1), 'near': lazy(0), 'root': lazy(math.inf)})"
        lazy = "lambda level: ItemLazy(__import__('lab.funcs').funcs.double, 1, level)"
        file = pickled(f"(lambda lazy: Config({{'x': 1, 'all': lazy(0), 'a': {inner}}}))({lazy})")
        write("lab/funcs.py", "from alchemy_cat.dl_config import Config\ndef double(c):\n    return c.x * 2\n")
        cfg = load_config(file, create_rslt_dir=False)
        assert cfg.to_dict() == {"x": 1, "all": 2, "a": {"x": 2, "far": 2, "near": 4, "root": 2}}

    def test_a_subtree_that_was_pickled_alone(self, pickled: Callable[..., Path]) -> None:
        value = "Config({'net': Config({'x': 1}), 'lr': 2})['net']"
        assert load_config(pickled(value), create_rslt_dir=False).x == 1

    def test_a_tune_config_is_refused(self, pickled: Callable[..., Path]) -> None:
        with pytest.raises(ConfigContentError, match=r"cfg\.pkl: holds a tune config of alchemy_cat\n.*load the \.py"):
            load_config(pickled("Config({'lr': Param2Tune()})"))

    def test_a_function_of_a_module_that_is_not_there(self, write: Write, pickled: Callable[..., Path]) -> None:
        write("lab/funcs.py", "def double(c):\n    return c.x * 2\n")
        file = pickled("Config({'f': __import__('lab.funcs').funcs.double})")
        Path("lab/funcs.py").unlink()
        with pytest.raises(ConfigFormatError, match="put its folder on PYTHONPATH"):
            load_config(file)

    @pytest.mark.parametrize("cut", [20, 60, -1])
    def test_one_that_is_cut_off(self, pickled: Callable[..., Path], cut: int) -> None:
        file = pickled("Config({'net': Config({'x': 1})})")
        file.write_bytes(file.read_bytes()[:cut])
        with pytest.raises(ConfigFormatError):
            load_config(file)
