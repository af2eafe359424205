"""Tests of running `.py` configs."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path

import pytest

from typedcat import load_config
from typedcat.errors import (
    ConfigCodeError,
    ConfigFileError,
    ConfigNotFoundError,
    ReservedKeyError,
)
from typedcat.load import modules
from typedcat.load.modules import definition_key, register_for_pickling, run_config_file


@pytest.fixture(autouse=True)
def clean_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file


class TestRunning:
    def test_each_call_runs_the_file_once_more(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "runs = []\nruns.append(1)\ncfg = {'lr': 0.1}")
        first = run_config_file(file, import_root=tmp_path)
        second = run_config_file(file, import_root=tmp_path)
        assert first.runs == second.runs == [1]
        assert first is not second
        assert first.cfg is not second.cfg
        assert first.__file__ == str(file)

    def test_an_unchanged_file_is_compiled_once(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "code = (lambda: 0).__code__")
        codes = {id(run_config_file(file, import_root=tmp_path).code) for _ in range(3)}
        assert len(codes) == 1

    def test_an_edit_of_the_same_length_in_the_same_instant_is_seen(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "lr = 1")
        assert run_config_file(file, import_root=tmp_path).lr == 1
        file.write_text("lr = 2")
        assert run_config_file(file, import_root=tmp_path).lr == 2

    def test_an_imported_module_of_the_same_name_does_not_matter(self, tmp_path: Path) -> None:
        for project in ("one", "two"):
            write(tmp_path / project / "configs" / "json.py", f"name = {project!r}")
        for project in ("one", "two"):
            root = tmp_path / project
            assert run_config_file(root / "configs" / "json.py", import_root=root).name == project

    def test_declared_and_marked_encodings(self, tmp_path: Path) -> None:
        (tmp_path / "latin.py").write_bytes("# -*- coding: latin-1 -*-\nname = 'é'".encode("latin-1"))
        (tmp_path / "bom.py").write_bytes("\ufeffname = 'é'\r\nx = 1\r\n".encode())
        assert run_config_file(tmp_path / "latin.py", import_root=tmp_path).name == "é"
        assert run_config_file(tmp_path / "bom.py", import_root=tmp_path).name == "é"

    def test_dataclasses_and_string_annotations_work(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "cfg.py",
            """
            from __future__ import annotations
            from dataclasses import dataclass
            from typing import ClassVar, get_type_hints

            @dataclass
            class Net:
                width: int = 3
                kind: ClassVar[str] = 'net'

            net = Net(4)
            hints = get_type_hints(Net)
            """,
        )
        module = run_config_file(file, import_root=tmp_path)
        assert module.net.width == 4
        assert module.hints["width"] is int


class TestImports:
    def test_relative_imports_from_the_folder_and_above(self, tmp_path: Path) -> None:
        write(tmp_path / "configs" / "base" / "cfg.py", "cfg = {'lr': 1}")
        write(tmp_path / "configs" / "base,2xbs" / "helpers.py", "def double(x): return 2 * x")
        file = write(
            tmp_path / "configs" / "base,2xbs" / "cfg.py",
            """
            from . import helpers
            from .helpers import double
            from ..base.cfg import cfg as base
            cfg = {'lr': double(base['lr'])}
            """,
        )
        assert run_config_file(file, import_root=tmp_path).cfg == {"lr": 2}

    @pytest.mark.parametrize("statement", ["from ..base import {}", "from configs_of_imports.base import {}"])
    def test_a_config_that_is_imported_and_changed(self, tmp_path: Path, statement: str) -> None:
        """What a config does with its base is not seen by the next one."""
        folder = tmp_path / "configs_of_imports"
        write(
            folder / "base.py",
            """
            from typedcat import Config, DEP
            cfg = Config(lr=0.1, steps=DEP(lambda c: c.lr * 10))
            cfg.opt.name = "adam"
            opt = cfg.opt
            def original(): return cfg
            """,
        )
        for name, lr in (("one", 0.2), ("other", 0.3)):
            write(
                folder / name / "cfg.py",
                f"""
                {statement.format("cfg, opt, original")}
                cfg.lr = {lr}
                cfg[{name!r}] = True
                cfg.opt.name += "w"
                assert opt.name == "adam"
                assert original().lr == 0.1
                """,
            )
        for name, lr in (("one", 0.2), ("other", 0.3), ("one", 0.2)):
            cfg = load_config(folder / name / "cfg.py", create_rslt_dir=False)
            assert cfg == {"lr": lr, "steps": lr * 10, "opt": {"name": "adamw"}, name: True}
            assert [place.line for place in cfg.origin("lr")] == [3, 3]

    @pytest.mark.parametrize("statement", ["from .. import base", "import configs_of_attributes.base as base"])
    def test_a_config_that_is_changed_through_its_module(self, tmp_path: Path, statement: str) -> None:
        """A file has one copy, as it has one `cfg` by importing it; a helper has another one."""
        folder = tmp_path / "configs_of_attributes"
        write(folder / "base.py", "from typedcat import Config\ncfg = Config(lr=0.1)\nalias = cfg")
        write(folder / "other.py", f"{statement.replace('..', '.')}\nbase.cfg.lr = 9\nlr = base.cfg.lr")
        for name, lr in (("one", 0.2), ("other", 0.3), ("one", 0.2)):
            file = write(
                folder / name / "cfg.py",
                f"""
                {statement}
                base.cfg.opt.name = {name!r}
                base.cfg.lr = {lr}
                from ..other import lr
                assert lr == 9
                assert base.cfg is base.alias
                cfg = base.cfg
                """,
            )
            assert load_config(file, create_rslt_dir=False) == {"lr": lr, "opt": {"name": name}}

    def test_a_script_has_the_config_of_the_module_itself(self, tmp_path: Path) -> None:
        write(
            tmp_path / "base_of_a_script.py",
            "from typedcat import Config\ncfg = Config(lr=0.1)\ndef double(): cfg.lr *= 2",
        )
        file = write(tmp_path / "cfg.py", "from base_of_a_script import cfg")
        assert load_config(file, create_rslt_dir=False) == {"lr": 0.1}
        base = sys.modules["base_of_a_script"]
        base.cfg.lr = 1
        base.double()
        assert base.cfg.lr == 2

    @pytest.mark.parametrize("folder", ["wd=0.1", "v1.2/resnet", "γ=10, 10 epoch"])
    def test_relative_imports_in_folders_with_dots_and_other_signs(self, tmp_path: Path, folder: str) -> None:
        write(tmp_path / folder / "helpers.py", "from .more import value")
        write(tmp_path / folder / "more.py", "value = 3")
        file = write(tmp_path / folder / "cfg.py", "from .helpers import value")
        assert run_config_file(file, import_root=tmp_path).value == 3

    def test_a_file_outside_of_the_import_root(self, tmp_path: Path) -> None:
        write(tmp_path / "elsewhere" / "helpers.py", "value = 3")
        file = write(tmp_path / "elsewhere" / "a" / "cfg.py", "from ..helpers import value")
        (tmp_path / "project").mkdir()
        assert run_config_file(file, import_root=tmp_path / "project").value == 3

    def test_two_projects_with_the_same_paths_have_helpers_of_their_own(self, tmp_path: Path) -> None:
        for project in ("one", "two"):
            write(tmp_path / project / "configs" / "helpers.py", f"name = {project!r}")
            file = write(tmp_path / project / "configs" / "cfg.py", "from .helpers import name")
            assert run_config_file(file, import_root=tmp_path / project).name == project

    def test_a_helper_is_an_ordinary_module_that_runs_once(self, tmp_path: Path) -> None:
        write(tmp_path / "helpers.py", "class Net: ...")
        file = write(tmp_path / "cfg.py", "from .helpers import Net")
        first = run_config_file(file, import_root=tmp_path)
        assert run_config_file(file, import_root=tmp_path).Net is first.Net

    def test_relative_imports_inside_of_functions_that_run_later(self, tmp_path: Path) -> None:
        write(tmp_path / "a" / "late.py", "value = 3")
        file = write(tmp_path / "a" / "cfg.py", "def late():\n    from .late import value\n    return value")
        assert run_config_file(file, import_root=tmp_path).late() == 3

    def test_the_import_root_is_on_the_path_but_last(self, tmp_path: Path) -> None:
        write(tmp_path / "lab_only_here_xyz.py", "value = 3")
        write(tmp_path / "json.py", "raise RuntimeError('hides the standard library')")
        file = write(tmp_path / "configs" / "cfg.py", "import json\nfrom lab_only_here_xyz import value")
        assert run_config_file(file, import_root=tmp_path).value == 3
        assert sys.path[-1] == str(tmp_path)
        run_config_file(file, import_root=tmp_path)
        assert sys.path.count(str(tmp_path)) == 1


class TestPickling:
    SOURCE = """
        from dataclasses import dataclass
        from .helpers import scale

        @dataclass
        class Net:
            width: int

        def grow(net): return Net(scale(net.width))
        net = Net(4)
        """

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        write(tmp_path / "configs" / "helpers.py", "def scale(x): return 2 * x")
        return write(tmp_path / "configs" / "cfg.py", self.SOURCE)

    def test_by_reference_within_the_process(self, file: Path, tmp_path: Path) -> None:
        older = run_config_file(file, import_root=tmp_path)
        newer = run_config_file(file, import_root=tmp_path)
        for module in (older, newer):
            net, grow = pickle.loads(pickle.dumps((module.net, module.grow)))
            assert type(net) is module.Net
            assert grow is module.grow

    def test_by_value_for_another_process(self, file: Path, tmp_path: Path) -> None:
        cloudpickle = pytest.importorskip("cloudpickle")
        module = run_config_file(file, import_root=tmp_path)
        register_for_pickling()
        pickled = tmp_path / "net.pkl"
        pickled.write_bytes(cloudpickle.dumps((module.net, module.grow, lambda: module.Net)))
        (tmp_path / "configs").rename(tmp_path / "gone")
        script = f"import pickle; n, g, f = pickle.load(open({str(pickled)!r}, 'rb')); print(g(n), f().__name__)"
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd="/", check=True)
        assert shown.stdout == "Net(width=8) Net\n"

    def test_a_function_that_names_a_module_with_a_config(self, tmp_path: Path) -> None:
        cloudpickle = pytest.importorskip("cloudpickle")
        write(tmp_path / "configs" / "base.py", "from typedcat import Config\ncfg = Config(lr=1)\ndef f(x): return x")
        write(tmp_path / "base_by_name.py", "from typedcat import Config\ncfg = Config(lr=2)")
        source = "from . import base\nimport base_by_name\ndef g(x): return base.f(x), base.cfg.lr, base_by_name.cfg.lr"
        module = run_config_file(write(tmp_path / "configs" / "cfg.py", source), import_root=tmp_path)
        register_for_pickling()
        pickled = tmp_path / "g.pkl"
        pickled.write_bytes(cloudpickle.dumps(module.g))
        (tmp_path / "configs").rename(tmp_path / "gone")
        script = f"import pickle; print(pickle.load(open({str(pickled)!r}, 'rb'))(3))"
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
        assert shown.stdout == "(3, 1, 2)\n"
        with pytest.raises(TypeError, match="cannot pickle 'module' object"):
            pickle.dumps(sys.modules["base_by_name"])

    def test_in_a_config_a_function_comes_back_as_itself_where_it_is_known(self, tmp_path: Path) -> None:
        code = "from typedcat import Config\ndef f(): return 1\ncfg = Config(f=f, g=lambda: 2)"
        file = write(tmp_path / "configs" / "f" / "cfg.py", code)
        cfg = load_config(file, create_rslt_dir=False)
        again = pickle.loads(pickle.dumps(cfg))
        assert again.f is cfg.f
        assert again.g is not cfg.g
        assert again.g() == 2
        assert load_config(file, create_rslt_dir=False).f is not cfg.f

    def test_loading_a_config_does_not_import_cloudpickle(self, file: Path, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from typedcat.load.modules import run_config_file;"
            f"run_config_file(Path({str(file)!r}), import_root=Path({str(tmp_path)!r}));"
            "print([m for m in ('cloudpickle', 'yaml', 'pydantic') if m in sys.modules])"
        )
        shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert shown.stdout == "[]\n"

    def test_many_runs_do_not_pile_up(self, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(modules, "KEPT_RUNS", 4)
        first = run_config_file(file, import_root=tmp_path)
        first_class, first_net = weakref.ref(first.Net), first.net
        before = len(sys.modules)
        for _ in range(10):
            run_config_file(file, import_root=tmp_path)
        assert len(sys.modules) <= before + 3
        cloudpickle = pytest.importorskip("cloudpickle")
        register_for_pickling()
        assert pickle.loads(cloudpickle.dumps(first_net)).width == 4  # by value, though its module is gone
        del first, first_net
        gc.collect()
        assert first_class() is None

    def test_one_definition_has_one_key(self, file: Path, tmp_path: Path) -> None:
        one, two = (run_config_file(file, import_root=tmp_path) for _ in range(2))
        child = write(tmp_path / "configs" / "child.py", "from .cfg import Net")
        imported = run_config_file(child, import_root=tmp_path)
        assert one.Net is not two.Net
        assert definition_key(one.Net) == definition_key(two.Net) == definition_key(imported.Net) == (str(file), "Net")
        assert definition_key(dict) == ("builtins", "dict")


class TestErrors:
    def test_a_syntax_error_shows_the_line(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "cfg = {}\nlr = = 1\n")
        with pytest.raises(ConfigCodeError) as caught:
            run_config_file(file, import_root=tmp_path)
        assert str(caught.value) == "cfg.py:2:6: invalid syntax\n  lr = = 1\n       ^"
        assert isinstance(caught.value.__cause__, SyntaxError)

    def test_other_syntax_errors_say_what_is_wrong(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "x = 1\n" + "y" * 150 + " = [1, 2\n")
        with pytest.raises(ConfigCodeError) as caught:
            run_config_file(file, import_root=tmp_path)
        first, shown, caret = str(caught.value).split("\n")
        assert first == "cfg.py:2:154: invalid syntax: '[' was never closed"
        assert shown[caret.index("^")] == "["
        assert len(shown) <= 102

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (b"x = 1\n# caf\xe9\n", r"cfg\.py:2: not valid UTF-8: byte 0xe9 at offset 11"),
            (b"# coding: nonsense\nx = 1\n", "unknown encoding: nonsense"),
            (b"x = 1\0", "null bytes"),
            (b"-" * 200_000 + b"1", "nested too deeply"),
            (b"(" * 300, "too many nested parentheses"),
        ],
    )
    def test_what_does_not_compile(self, tmp_path: Path, source: bytes, message: str) -> None:
        file = tmp_path / "cfg.py"
        file.write_bytes(source)
        with pytest.raises(ConfigCodeError, match=message):
            run_config_file(file, import_root=tmp_path)

    def test_an_exception_has_the_line_inside_of_the_config(self, tmp_path: Path) -> None:
        write(tmp_path / "helpers.py", "def fail():\n    raise KeyError('lr')")
        file = write(
            tmp_path / "cfg.py",
            """\
            from .helpers import fail

            def inner():
                fail()

            inner()
            """,
        )
        before = set(sys.modules)
        with pytest.raises(ConfigCodeError) as caught:
            run_config_file(file, import_root=tmp_path)
        assert str(caught.value) == "cfg.py:4: KeyError: 'lr'\n  it was raised at helpers.py:2"
        assert isinstance(caught.value.__cause__, KeyError)
        assert not [name for name in set(sys.modules) - before if "cfg@" in name]

    def test_an_exception_without_a_message(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "raise ValueError")
        with pytest.raises(ConfigCodeError, match=r"cfg.py:1: ValueError$"):
            run_config_file(file, import_root=tmp_path)

    def test_exit_is_an_error_too(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "import sys\nsys.exit(3)")
        with pytest.raises(ConfigCodeError, match=r"cfg.py:2: SystemExit: 3\n  a config must not end the program"):
            run_config_file(file, import_root=tmp_path)

    def test_an_interrupt_passes(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "raise KeyboardInterrupt")
        before = set(sys.modules)
        with pytest.raises(KeyboardInterrupt):
            run_config_file(file, import_root=tmp_path)
        assert not [name for name in set(sys.modules) - before if "cfg@" in name]

    def test_endless_recursion(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "def f(): return f()\n\nf()")
        with pytest.raises(ConfigCodeError, match=r"cfg.py:1: RecursionError"):
            run_config_file(file, import_root=tmp_path)

    def test_a_missing_module_says_where_it_was_looked_for(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "import a_package_nobody_has")
        with pytest.raises(ConfigCodeError) as caught:
            run_config_file(file, import_root=tmp_path)
        assert str(caught.value) == (
            "cfg.py:1: ModuleNotFoundError: No module named 'a_package_nobody_has'\n"
            f"  it is neither installed for {sys.executable} nor a file in {tmp_path}"
        )

    @pytest.mark.parametrize(
        ("module", "extra"),
        [("yacs", "yacs"), ("mmengine", "mmcv"), ("ml_collections", "ml-collections"), ("omegaconf", "omegaconf")],
    )
    def test_a_library_of_an_extra(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, extra: str
    ) -> None:
        monkeypatch.setitem(sys.modules, module, None)
        file = write(tmp_path / "cfg.py", f"import {module}")
        with pytest.raises(ConfigCodeError) as caught:
            run_config_file(file, import_root=tmp_path)
        assert f"\n  pip install 'typedcat[{extra}]' brings it, for {sys.executable}" in str(caught.value)

    @pytest.mark.parametrize(
        ("assigned", "written"),
        [
            ("{'lr': 0.1}", "Config(lr=0.1)"),
            ("{}", "Config()"),
            ("{'a b': 1}", "Config({'a b': 1})"),
            ("{'class': 1}", "Config({'class': 1})"),
            ("{'name': 'x' * 99}", "Config({...})"),
        ],
    )
    def test_a_dict_that_is_taken_for_a_subtree(self, tmp_path: Path, assigned: str, written: str) -> None:
        for use, shown in (
            ("cfg.wd = cfg.opt.momentum", (written,)),
            ("cfg.opt.momentum = 1", (written, "Config({...})")),
        ):
            file = write(
                tmp_path / "cfg.py", f"from typedcat import Config\ncfg = Config()\ncfg.opt = {assigned}\n{use}"
            )
            with pytest.raises(ConfigCodeError) as caught:
                run_config_file(file, import_root=tmp_path)
            start = "a dict that is assigned is one value; a subtree is written "
            assert str(caught.value).splitlines()[-1].strip() in [start + one for one in shown]

    def test_a_dict_where_there_are_no_subtrees(self, tmp_path: Path) -> None:
        file = write(tmp_path / "cfg.py", "opt = {'lr': 0.1}\nopt.momentum = 1")
        with pytest.raises(ConfigCodeError) as caught:
            run_config_file(file, import_root=tmp_path)
        assert str(caught.value) == "cfg.py:2: AttributeError: 'dict' object has no attribute 'momentum'"

    @pytest.mark.parametrize("statement", ["from .halpers import f", "from ...helpers import f"])
    def test_a_wrong_relative_import(self, tmp_path: Path, statement: str) -> None:
        file = write(tmp_path / "configs" / "cfg.py", statement)
        with pytest.raises(ConfigCodeError, match=r"Import|ModuleNotFound") as caught:
            run_config_file(file, import_root=tmp_path)
        assert "_typedcat_" not in str(caught.value)
        assert "relative imports begin at the folder of the config and end at ." in str(caught.value)

    def test_our_own_errors_pass_with_a_note(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "cfg.py",
            "from typedcat.errors import ReservedKeyError\n\nraise ReservedKeyError('items', 'Config')",
        )
        with pytest.raises(ReservedKeyError) as caught:
            run_config_file(file, import_root=tmp_path)
        assert caught.value.__notes__ == ["while running cfg.py:3"]

    def test_a_config_that_runs_another_one(self, tmp_path: Path) -> None:
        write(tmp_path / "base.py", "1 / 0")
        file = write(
            tmp_path / "cfg.py",
            """\
            from pathlib import Path
            from typedcat.load.modules import run_config_file
            run_config_file(Path('base.py'), import_root=Path('.'))
            """,
        )
        with pytest.raises(ConfigCodeError, match=r"^base.py:1: ZeroDivisionError") as caught:
            run_config_file(file, import_root=tmp_path)
        assert caught.value.__notes__ == ["while running cfg.py:3"]

    def test_missing_and_unreadable_files(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigNotFoundError):
            run_config_file(tmp_path / "missing.py", import_root=tmp_path)
        with pytest.raises(ConfigFileError, match=r"is a directory"):
            run_config_file(tmp_path, import_root=tmp_path)
