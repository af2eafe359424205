"""Configs of MMCV and mmengine: read as mmengine reads them, inherited, tuned; and what is wrong with one is said."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Snapshot
from typedcat import Cfg2Tune, Config, Param2Tune, load_config
from typedcat.cli.main import main
from typedcat.errors import (
    ConfigCodeError,
    ConfigContentError,
    ConfigFileError,
    InheritanceError,
    MissingExtraError,
    TypedcatError,
)
from typedcat.static.sources import find_configs

Files = dict[str, str]
PURE = "from mmengine.config import read_base\n"
SEGMENTATION: Files = {
    "configs/_base_/model.py": """
        norm_cfg = dict(type='SyncBN', requires_grad=True)
        model = dict(
            type='EncoderDecoder',
            backbone=dict(type='ResNetV1c', depth=50, dilations=(1, 1, 2, 4), norm_cfg=norm_cfg),
            decode_head=dict(type='FCNHead', channels=256),
            auxiliary_head=dict(loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4)))
        """,
    "configs/_base_/runtime.py": """
        import math
        default_scope = 'mmseg'
        work_dir = '{{ fileDirname }}/{{ fileBasenameNoExtension }}'
        env_cfg = dict(workers={{'$NO_SUCH_NUMBER:4'}})
        param_scheduler = [dict(type='PolyLR', end=40000, by_epoch=False)]

        def helper():
            return math.pi
        """,
    "configs/deeplab/r101.py": """
        _base_ = ['../_base_/model.py', '../_base_/runtime.py']
        crop_size = (512, 512)
        model = dict(
            data_preprocessor=dict(size=crop_size),
            backbone=dict(depth=101),
            decode_head=dict(_delete_=True, type='ASPPHead', norm_cfg={{ _base_.norm_cfg }}))
        train_cfg = dict(type='IterBasedTrainLoop', max_iters=40000)
        train_dataloader = dict(batch_size=8)
        optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
        """,
}
CHILD = "configs/deeplab/r101.py"


def write(files: Files) -> None:
    for name, text in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def contents(path: str) -> dict[str, Any]:
    cfg = load_config(path, create_rslt_dir=False).to_dict()
    cfg.pop("rslt_dir", None)
    return cfg


def theirs(path: str) -> dict[str, Any]:
    from mmengine.config import Config as TheirConfig

    read: dict[str, Any] = TheirConfig.fromfile(path, lazy_import=False).to_dict()
    return read


class TestTextStyle:
    @pytest.fixture(autouse=True)
    def segmentation(self) -> None:
        pytest.importorskip("mmengine")
        write(SEGMENTATION)

    def test_it_reads_as_mmengine_does(self) -> None:
        mine = contents(CHILD)
        assert mine == theirs(CHILD)
        assert mine["model"]["decode_head"] == {"type": "ASPPHead", "norm_cfg": mine["norm_cfg"]}
        assert mine["model"]["backbone"]["dilations"] == (1, 1, 2, 4)
        assert mine["work_dir"] == f"{Path.cwd().as_posix()}/configs/_base_/runtime"
        assert mine["env_cfg"] == {"workers": 4}
        assert not {"math", "helper", "_base_"} & mine.keys()

    def test_from_any_working_directory(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        inside = contents(CHILD)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert contents(f"{tmp_path}/{CHILD}") == inside

    def test_every_way_in(self) -> None:
        whole = contents(CHILD)
        assert Config(CHILD).to_dict() == whole
        mounted = Config()
        mounted.net = Config(CHILD)
        assert load_config(mounted, create_rslt_dir=False).net.to_dict() == whole
        write({"configs/deeplab/child/cfg.py": "from typedcat import Config\ncfg = Config(caps='../r101.py')"})
        assert contents("configs/deeplab/child/cfg.py") == whole

    def test_a_child_overrides_by_attributes(self) -> None:
        write(
            {
                "configs/deeplab/child/cfg.py": """
            from typedcat import Config
            cfg = Config(caps='configs/deeplab/r101.py')
            cfg.model.auxiliary_head.loss_decode.loss_weight = 0.2
            cfg.param_scheduler = [dict(type='CosineAnnealingLR')]
            cfg.crop_size = (256, 256)
            """
            }
        )
        base, child = contents(CHILD), contents("configs/deeplab/child/cfg.py")
        base["model"]["auxiliary_head"]["loss_decode"]["loss_weight"] = 0.2
        base |= {"param_scheduler": [{"type": "CosineAnnealingLR"}], "crop_size": (256, 256)}
        assert child == base
        assert type(child["model"]["backbone"]["dilations"]) is tuple

    def test_it_can_be_tuned(self) -> None:
        tune = Cfg2Tune(caps=CHILD, rslt_dir="work_dirs")
        tune.train_cfg.max_iters = Param2Tune([20_000, 40_000])
        assert [cfg.train_cfg.max_iters for cfg in tune.get_cfgs()] == [20_000, 40_000]
        assert all(cfg.model.backbone.depth == 101 for cfg in tune.get_cfgs())

    def test_values_know_their_lines(self) -> None:
        cfg = load_config(CHILD, create_rslt_dir=False)
        assert str(cfg.origin("model.backbone.depth")[0]) == "configs/deeplab/r101.py:5"
        assert str(cfg.origin("model.auxiliary_head.loss_decode.loss_weight")[0]) == "configs/_base_/model.py:6"
        assert str(cfg.origin("model.decode_head.norm_cfg.type")[0]) == "configs/deeplab/r101.py:6"

    def test_nothing_is_left_behind_and_nothing_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        write({"configs/old.py": "_base_ = './deeplab/r101.py'\n_deprecation_ = dict(expected='new')\nx = '\\d'"})
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(scratch))  # other tests write into the real one
        monkeypatch.setenv("NO_SUCH_NUMBER", "6")
        assert contents("configs/old.py")["env_cfg"] == {"workers": 6}
        assert list(scratch.iterdir()) == []
        assert capfd.readouterr() == ("", "")

    def test_delete_of_what_no_base_has(self) -> None:
        write({"configs/a.py": "_base_ = './_base_/model.py'\noptimizer = dict(_delete_=True, type='AdamW')\n"})
        assert contents("configs/a.py")["optimizer"] == {"type": "AdamW"}

    def test_a_document_as_base(self) -> None:
        write({"configs/b.yaml": "data:\n  size: 3\n", "configs/a.py": "_base_ = 'b.yaml'\ndata = dict(root='d')\n"})
        assert contents("configs/a.py") == {"data": {"size": 3, "root": "d"}}
        cfg = load_config("configs/a.py", create_rslt_dir=False)
        assert str(cfg.origin("data.size")[0]) == "configs/b.yaml:2"

    def test_variables_in_comments_are_comments(self) -> None:
        write(
            {
                "configs/a.py": "x = '#'\n# x = {{ _base_.x }}\ny = 1  # {{ fileDirname }}\n",
                "configs/b.py": "_base_ = 'a.py'  # '{{ _base_.x }}/y'\ny = 2  # was {{ _base_.no_such_key }}\n",
            }
        )
        assert contents("configs/a.py") == theirs("configs/a.py") == {"x": "#", "y": 1}
        assert contents("configs/b.py") == theirs("configs/b.py") == {"x": "#", "y": 2}

    def test_what_a_config_imports(self) -> None:
        write(
            {
                "parts/__init__.py": "loaded = True",
                "configs/a.py": "_base_ = './_base_/model.py'\ncustom_imports = dict(imports=['parts'])",
            }
        )
        sys.modules.pop("parts", None)
        contents("configs/a.py")
        assert sys.modules.pop("parts").loaded

    @pytest.mark.slow
    def test_it_gets_stubs_and_mypy_leaves_it_alone(self, capsys: pytest.CaptureFixture[str]) -> None:
        child = "from typedcat_catalog import Config\n\ncfg = Config(caps='configs/deeplab/r101.py')\n"
        write({"configs/tune/cfg.py": child})
        found = [str(path) for path in find_configs(Path("configs"))]
        assert found == ["configs/_base_/runtime.py", CHILD, "configs/tune/cfg.py"]
        assert main(["check", "configs"]) == 0, capsys.readouterr()
        write({"configs/tune/cfg.py": f"{child}cfg.model.backbone.dept = 18\n"})
        assert main(["check", "configs"]) == 1
        assert 'maybe "depth"' in capsys.readouterr().out


class TestPureStyle:
    @pytest.fixture(autouse=True)
    def needs(self) -> None:
        pytest.importorskip("mmengine")

    def test_classes_are_the_classes(self) -> None:
        write(
            {
                "configs/_base_/model.py": "from fractions import Fraction\nmodel = dict(type=Fraction, depth=50)\n",
                "configs/a.py": PURE
                + textwrap.dedent("""
                import collections
                from decimal import Decimal as D
                with read_base():
                    from ._base_.model import model as net
                net.update(dict(depth=18))
                optimizer = dict(type=D, more=[dict(type=collections.OrderedDict), D])
                """),
            }
        )
        from collections import OrderedDict
        from decimal import Decimal
        from fractions import Fraction

        assert contents("configs/a.py") == {
            "net": {"type": Fraction, "depth": 18},
            "optimizer": {"type": Decimal, "more": [{"type": OrderedDict}, Decimal]},
        }
        cfg = load_config("configs/a.py", create_rslt_dir=False)
        assert cfg.net.type is Fraction
        assert str(cfg.origin("net.depth")[0]) == "configs/a.py:7"

    def test_a_file_without_bases_is_run(self) -> None:
        write({"configs/a.py": "from fractions import Fraction\nmodel = dict(type=Fraction)\n"})
        from fractions import Fraction

        assert contents("configs/a.py") == {"model": {"type": Fraction}}


class TestPlainVariables:
    def test_they_need_no_mmengine(self) -> None:
        write(
            {"configs/a.py": "import os\nlr = 0.1\nmodel = dict(type='A', size=(1, 2))\ndef f(): pass\nclass C: pass\n"}
        )
        code = "\n".join(
            [
                "import sys; sys.modules['mmengine'] = None",
                "from typedcat import load_config",
                "print(load_config('configs/a.py', create_rslt_dir=False).to_dict())",
            ]
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "{'lr': 0.1, 'model': {'type': 'A', 'size': (1, 2)}, 'rslt_dir': '.'}"

    def test_bases_need_it(self) -> None:
        write({"configs/a.py": "_base_ = 'b.py'\n", "configs/b.py": "x = 1\n"})
        code = "\n".join(
            [
                "import sys; sys.modules['mmengine'] = sys.modules['mmengine.config'] = None",
                "from typedcat import load_config",
                "load_config('configs/a.py')",
            ]
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert MissingExtraError.__name__ in done.stderr
        assert "pip install 'typedcat[mmcv]'" in done.stderr

    def test_delete_overrides_as_a_whole_in_a_patch(self) -> None:
        write(
            {
                "configs/a.py": "model = dict(type='A', size=1)\n",
                "configs/patch.py": "model = dict(_delete_=True, type='B')\n",
            }
        )
        cfg = load_config(Config(caps=["configs/a.py", "configs/patch.py"]), create_rslt_dir=False)
        assert cfg.model.to_dict() == {"type": "B"}

    def test_the_order_of_preference(self) -> None:
        styles = {
            "cfg": "cfg = dict(x='cfg')",
            "get_cfg_defaults": "def get_cfg_defaults(): return dict(x='get_cfg_defaults')",
            "_C": "_C = dict(x='_C')",
            "get_config": "def get_config(): return dict(x='get_config')",
            "variables": "x = 'variables'",
        }
        names = list(styles)
        for number, name in enumerate(names):
            write({f"configs/c{number}.py": "\n".join(styles[one] for one in reversed(names[number:]))})
            assert load_config(f"configs/c{number}.py", create_rslt_dir=False).x == name

    def test_the_variable_of_a_loop_is_not_the_config(self) -> None:
        loop = "sizes = []\nfor config in [dict(size=1), dict(size=2)]:\n    sizes.append(config['size'])\n"
        write({"configs/a.py": loop, "configs/b.py": f"{loop}config = dict(sizes=sizes)\n"})
        assert contents("configs/a.py") == {"sizes": [1, 2], "config": {"size": 2}}
        assert contents("configs/b.py") == {"sizes": [1, 2]}

    @pytest.mark.parametrize("text", ["cgf = dict(lr=1)\n", "def f(): pass\n", "import os\n", "# nothing\n"])
    def test_what_is_no_config(self, text: str) -> None:
        write({"configs/a.py": text})
        with pytest.raises(ConfigContentError, match="defines no 'cfg'"):
            load_config("configs/a.py")

    def test_a_script_is_no_config(self) -> None:
        write({"configs/train.py": "lr = 1\nif __name__ == '__main__':\n    print(lr)\n"})
        with pytest.raises(ConfigContentError, match=r"defines no 'cfg'\n  a file that asks for __name__ is a script"):
            load_config("configs/train.py")


MISTAKES: dict[str, tuple[type[TypedcatError], Files]] = {
    "a missing base": (ConfigFileError, {"a.py": "x = 1\n_base_ = ['bse.py']\n", "base.py": "y = 1\n"}),
    "a cycle": (InheritanceError, {"a.py": "_base_ = 'b.py'\n", "b.py": "x = 1\n_base_ = ['./a.py']\n"}),
    "a syntax error in a base": (ConfigCodeError, {"a.py": "_base_ = 'b.py'\n", "b.py": "x = 1\ny = dict(a=1\n"}),
    "an exception in a base": (ConfigCodeError, {"a.py": "_base_ = 'b.py'\n", "b.py": "x = 1\ny = z + 1\n"}),
    "a tuple of bases": (ConfigContentError, {"a.py": "_base_ = ('b.py',)\n", "b.py": "x = 1\n"}),
    "a variable as base": (ConfigContentError, {"a.py": "b = 'b.py'\n_base_ = [b]\n", "b.py": "x = 1\n"}),
    "a dict over a number": (
        InheritanceError,
        {"a.py": "_base_ = 'b.py'\nm = dict(\n    head=dict(size=1))\n", "b.py": "m = dict(head=3)\n"},
    ),
    "delete at the top": (ConfigContentError, {"a.py": "_base_ = 'b.py'\n_delete_ = True\n", "b.py": "x = 1\n"}),
    "one key in two bases": (
        InheritanceError,
        {"a.py": "x = 1\n_base_ = ['b.py', 'c.py']\n", "b.py": "y = 1\n", "c.py": "y = 2\n"},
    ),
    "a typo in a variable": (
        ConfigContentError,
        {"a.py": "_base_ = 'b.py'\nd = {{ _base_.model.dpth }}\n", "b.py": "model = dict(depth=1)\n"},
    ),
    "a variable in a text": (
        ConfigContentError,
        {"a.py": "_base_ = 'b.py'\nd = '{{ _base_.root }}/a'\n", "b.py": "root = 'd'\n"},
    ),
    "a variable without a base": (ConfigContentError, {"a.py": "x = 1\nd = {{ _base_.root }}\n"}),
    "an environment variable": (ConfigContentError, {"a.py": "x = 1\nd = {{'$NO_SUCH_VARIABLE:'}}\n"}),
    "an unknown package": (ConfigContentError, {"a.py": "x = 1\n_base_ = 'mmnone::a/b.py'\n"}),
    "two styles": (
        ConfigContentError,
        {"a.py": "_base_ = 'b.py'\n", "b.py": PURE + "with read_base():\n    from .c import *\n", "c.py": "x = 1\n"},
    ),
    "a base of typedcat": (
        ConfigContentError,
        {"a.py": "_base_ = 'b.py'\n", "b.py": "from typedcat import Config\ncfg = Config(x=1)\n"},
    ),
    "a missing base of the pure style": (
        ConfigFileError,
        {"a.py": PURE + "with read_base():\n    from .bb import *\n"},
    ),
    "a name that a base lacks": (
        ConfigContentError,
        {"a.py": PURE + "with read_base():\n    from .b import modle\n", "b.py": "model = 1\n"},
    ),
    "an import in read_base": (ConfigContentError, {"a.py": PURE + "with read_base():\n    import b\n"}),
    "a class that is not there": (
        ConfigCodeError,
        {
            "a.py": PURE + "from fractions import Fracton\nwith read_base():\n    from .b import *\n"
            "model = dict(type=Fracton)\n",
            "b.py": "x = 1\n",
        },
    ),
    "a module that is not there": (
        ConfigCodeError,
        {
            "a.py": PURE
            + "from mmnone.models import Net\nwith read_base():\n    from .b import *\nm = dict(type=Net)\n",
            "b.py": "x = 1\n",
        },
    ),
    "a call of what is imported": (
        ConfigContentError,
        {
            "a.py": PURE + "from fractions import Fraction\nwith read_base():\n    from .b import *\n"
            "half = Fraction(1, 2)\n",
            "b.py": "x = 1\n",
        },
    ),
    "a custom import": (
        ConfigCodeError,
        {"a.py": "_base_ = 'b.py'\ncustom_imports = dict(\n    imports=['mmnone.x'])\n", "b.py": "x = 1\n"},
    ),
    "a custom import that fails itself": (
        ConfigCodeError,
        {
            "a.py": "_base_ = 'b.py'\ncustom_imports = dict(imports=['configs.parts'])\n",
            "b.py": "x = 1\n",
            "parts.py": "import mmnone.ops\n",
        },
    ),
    "typedcat and a base": (
        ConfigContentError,
        {"a.py": "from typedcat import DEP\n_base_ = 'b.py'\nx = 1\n", "b.py": "y = 1\n"},
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str, snapshot: Snapshot, project: Path) -> None:
    pytest.importorskip("mmengine")
    kind, files = MISTAKES[name]
    write({f"configs/{file}": text for file, text in files.items()})
    with pytest.raises(kind) as caught:
        load_config("configs/a.py")
    snapshot(f"load/mmcv/{name.replace(' ', '_')}", str(caught.value).replace(str(project), "<project>") + "\n")
    assert sorted(Path("configs").iterdir()) == sorted(Path("configs", file) for file in files)
    gc.collect()  # a file that was left open warns here
