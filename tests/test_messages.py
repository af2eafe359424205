"""The exact text of what typedcat says, one snapshot per kind of mistake; bad files have theirs in `cli/`."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Snapshot

HEAD = """\
from dataclasses import dataclass
from typing import Annotated
from pydantic import BaseModel, Field, SecretStr
from typedcat import *
from typedcat.errors import *
class Loader(TypedConfig):
    batch_size: Annotated[int, Field(gt=0)] = 128
class Train(TypedConfig):
    loader: Loader = Loader()
    epochs: int
    token: SecretStr = SecretStr("x")
cfg = Config()
cfg.opt.ini.lr = 0.1
def load(tree, **options):
    return load_config(tree, create_rslt_dir=False, **options)
"""

CASES = {
    # -- the tree
    "absent_key_in_arithmetic": "cfg.opt.ini.lrr * 2",
    "absent_key_in_range": "range(cfg.opt.epochs)",
    "absent_key_called": "cfg.opt.cls()",
    "absent_key_ordered": "cfg.freeze().epochs < 3",
    "pop_of_an_absent_key": "cfg.opt.ini.pop('lrr')",
    "popitem_of_nothing": "Config().popitem()",
    "del_of_an_absent_key": "del cfg['opt']['in']",
    "strict_read": "load(cfg, strict=True).opt.ini.lrr",
    "frozen_write": "cfg.freeze().opt.ini.lr = 1",
    "frozen_write_of_a_new_subtree": "cfg.freeze().a.b.c = 1",
    "frozen_pop": "cfg.freeze().pop('opt')",
    "frozen_clear": "cfg.freeze().clear()",
    "frozen_merge": "cfg.freeze().update(a=1)",
    "frozen_adict": "ADict(num=1).freeze().nun",
    "method_name_as_attribute": "cfg.items = 1",
    "update_with_a_number": "cfg.dict_update(3)",
    "config_of_a_number": "Config(3)",
    "circular_reference": "d = {}\nd['d'] = d\nConfig(d)",
    "late_handle": "a = cfg.x\ncfg.x = 1\na.y = 2",
    "origin_of_an_absent_key": "cfg.origin('opt.ini.lrr')",
    "origin_below_a_leaf": "cfg.origin('opt.ini.lr.x')",
    "origin_of_no_path": "cfg.origin('opt..lr')",
    "empty_prefix": "cfg.to_txt(prefix='')",
    # -- lazy inheritance
    "pending_truth": "bool(Config(caps='base.py').log)",
    "pending_plus": "child = Config(caps='base.py')\nchild.sched.epochs += 5",
    "pending_mounted": "child = Config(caps='base.py')\nchild.a = child.b",
    "caps_of_a_number": "Config(caps=3)",
    "caps_under_two_names": "Config(caps='a.py', cfgs_update_at_parser='b.py')",
    "base_that_is_missing": "Config(caps='bse.py').load(create_rslt_dir=False)",
    "package_that_is_missing": "load_config('pkg:no_such_package/cfg.py')",
    "package_without_a_file": "load_config('pkg:typedcat')",
    "extend_of_text": "Extend('abc')",
    "extend_of_a_number": "load(Config(caps=Config(a=1), a=Extend([2])))",
    "drop_of_nothing": "cfg.b = Drop\nload(cfg)",
    "drop_with_a_typo": "cfg.momentum = 0.9\ncfg.momentun = Drop\nload(cfg)",
    # -- dependencies
    "dep_of_no_function": "cfg.a = DEP(3)",
    "dep_with_a_typo": "cfg.a = cfg.DEP(lambda c: c.opt.ini.lrr)\nload(cfg)",
    "dep_that_asks_for_what_may_be_absent": "cfg.a = cfg.DEP(lambda c: 1 if c.log else 2)\nload(cfg)",
    "dep_that_reads_what_is_not_loaded": """\
        cfg = Config(caps='base.py')
        cfg.a = DEP(lambda c: cfg.lr)
        load(cfg)""",
    "dep_that_raises": "cfg.a = cfg.DEP(lambda c: 1 / 0)\nload(cfg)",
    "dep_read_by_others": """\
        cfg.a = DEP(lambda c: c.b)
        cfg.b = DEP(lambda c: c.d)
        cfg.d = DEP(lambda c: {}[1])
        load(cfg)""",
    "several_deps_that_fail": """        cfg.a = cfg.DEP(lambda c: c.opt.ini.lrr)
        cfg.b = cfg.DEP(lambda c: c.a)
        cfg.c = cfg.DEP(lambda c: 1 / 0)
        cfg.d = cfg.DEP(lambda c: c.e)
        cfg.e = cfg.DEP(lambda c: c.d)
        load(cfg)""",
    "dep_cycle": "cfg.a = DEP(lambda c: c.b)\ncfg.b = DEP(lambda c: c.a)\nload(cfg)",
    "dep_that_raises_with_inputs": "cfg.a = cfg.DEP(lambda c: c.opt.ini.lr + c.n)\ncfg.n = 'x'\nload(cfg)",
    "dep_on_a_subtree": "cfg.n = 1\ncfg.opt.a = cfg.opt.DEP(lambda o: o.n)\nload(cfg)",
    "config_of_a_class": "Config(Train)",
    "dep_of_itself": "cfg.a = DEP(lambda c: c.a + 1)\nload(cfg)",
    "dep_of_another_config": "cfg.a = Config(b=1).DEP(lambda c: c.b)",
    "dep_cut_off": "cfg.s.t.a = DEP(lambda c: c.opt.ini.lr)\nload(cfg.s.t.copy())",
    "set_dep_without_a_name": "import functools\ncfg.set_DEP()(functools.partial(int))",
    # -- overrides
    "override_without_equals": "load(cfg, overrides=['opt.ini.lr'])",
    "override_of_an_unknown_key": "load(cfg, overrides=['opt.ini.lrr=1'])",
    "override_elsewhere": "load(cfg, overrides=['lr=1'])",
    "override_below_a_leaf": "load(cfg, overrides=['opt.ini.lr.x=1'])",
    "override_of_a_list_item": "cfg.steps = [1, 2]\nload(cfg, overrides=['steps[5]=1'])",
    "override_with_bad_yaml": "load(cfg, overrides=['opt.ini.lr=[1'])",
    "override_with_a_comment": "load(cfg, overrides=['opt.ini.lr=1 # fast'])",
    "override_import": "load(cfg, overrides=['opt.ini.lr=@torchh.optim.Adam'])",
    "override_as_one_string": "load(cfg, overrides='opt.ini.lr=1')",
    "override_no_string": "load(cfg, overrides=[3])",
    "several_bad_overrides": "load(cfg, overrides=['opt.ini.lrr=1', 'lr', 'opt.ini.lr=2', 'opt.ini.lr.x=1'])",
    "override_of_no_field": "load(Train(epochs=1), overrides=['+loader.batch_siz=1'])",
    # -- schemas
    "typed_unknown_read": "Train(epochs=1).loadr",
    "typed_unknown_write": "Train(epochs=1).loader.batch_siz = 1",
    "typed_unknown_argument": "Train(epoch=1)",
    "typed_required_read": "Train().epochs",
    "typed_below_a_leaf": "Train(epochs=1).epochs.x = 1",
    "typed_merge": "Train(epochs=1).update(loader={'batch_siz': 1})",
    "schema_that_is_none": "Config(schema=3)",
    "schema_of_load": "load(cfg, schema=dict)",
    "schemas_that_differ": "class Other(TypedConfig): a: int = 1\nload(Train(epochs=1), schema=Other)",
    "schemas_that_do_not_merge": "class Other(TypedConfig): a: int = 1\nload(Config(caps=(Other(), Train(epochs=1))))",
    "value_without_a_type": "class Bad(TypedConfig):\n    a = 1",
    "field_named_like_a_method": "class Bad(TypedConfig):\n    items: int = 1",
    "type_that_is_nowhere": "class Bad(TypedConfig):\n    a: 'Nowhere' = 1\nBad()",
    "default_in_annotated": "class Bad(TypedConfig):\n    a: Annotated[int, Field(default=1)]\nBad()",
    "several_problems": "load(Config(schema=Train, loader={'batch_size': -1}, epochs='many'))",
    "required": "load(Train())",
    "override_of_a_wrong_type": "load(Train(epochs=1), overrides=['loader.batch_size=many'])",
    "secret": "load(Train(epochs=1, token=3))",
    "secret_frozen": "Train(epochs=1).freeze().token = 'secret'",
    "model_unknown_key": "class M(BaseModel):\n    lr: float\nload(Config(lrr=1), schema=M)",
    "dataclass_wrong_type": "@dataclass\nclass D:\n    lr: float\nload(Config(lr='fast'), schema=D)",
    "to_model": "cfg.to_model(Train)",
    "to_model_of_no_model": "cfg.to_model(3)",
    # -- loading and saving
    "no_result_folder": "load_config(cfg)",
    "result_folder_of_a_wrong_type": "cfg.rslt_dir = 3\nload_config(cfg)",
    "result_folder_on_a_file": "load_config(cfg, rslt_dir='base.py/x')",
    "config_outside_the_root": "load_config('base.py', config_root='configs')",
    "result_dir_of_nothing": "auto_rslt_dir('')",
    "yaml_of_a_class": "cfg.opt.cls = type('Local', (), {})\ncfg.save_yaml('cfg.yaml')",
    "json_of_a_number_as_key": "cfg.steps = {1: 2}\ncfg.save_json('cfg.json')",
    "py_of_an_instance": "cfg.obj = object()\ncfg.save_py('saved.py')",
    "pickle_of_a_lock": "import threading\ncfg.lock = threading.Lock()\ncfg.save_pkl('cfg.pkl')",
    # -- tuning
    "no_values": "Param2Tune([])",
    "text_as_values": "Param2Tune('abc')",
    "names_that_do_not_fit": "Param2Tune([1, 2], optional_value_names=['one'])",
    "constraint_that_is_no_function": "Param2Tune([1], subject_to=3)",
    "parameter_in_a_config": "cfg.a = Param2Tune([1])\nload(cfg)",
    "nothing_to_tune": "list(Cfg2Tune(a=1).get_cfgs())",
    "nothing_left": "list(Cfg2Tune(rslt_dir='r', a=Param2Tune([1], subject_to=lambda v: False)).get_cfgs())",
    "constraint_that_reads_later": """\
        tune = Cfg2Tune(rslt_dir='r')
        tune.a = Param2Tune([1], subject_to=lambda v, c: c.b > v)
        tune.b = Param2Tune([2])
        list(tune.get_cfgs())""",
    "constraint_that_raises": "list(Cfg2Tune(rslt_dir='r', a=Param2Tune([1], subject_to=lambda v: v.x)).get_cfgs())",
    "value_that_is_not_chosen": "Param2Tune([1, 2]).cur_val",
    "parameter_in_a_list": "list(Cfg2Tune(a=[Param2Tune([1])]).get_cfgs())",
    "parameter_in_a_parameter": "list(Cfg2Tune(a=Param2Tune([Param2Tune([1])])).get_cfgs())",
    "no_result_folder_of_a_grid": "list(Cfg2Tune(a=Param2Tune([1, 2])).get_cfgs())",
    "tune_values_of_a_wrong_type": """\
        tune = Cfg2Tune(schema=Train, epochs=Param2Tune([1, 'x']), rslt_dir='r')
        list(Cfg2Tune.get_cfgs(tune))""",
    "runner_of_no_tune_config": "Cfg2TuneRunner('base.py', config_root='.')",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_message(name: str, snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "configs").mkdir()
    (tmp_path / "base.py").write_text("cfg = dict(log=dict(), sched=dict(epochs=1))")
    script = tmp_path / "script.py"
    body = textwrap.dedent(CASES[name])
    script.write_text(HEAD + body)
    module = type(sys)("script")
    monkeypatch.setitem(sys.modules, "script", module)
    names: dict[str, Any] = module.__dict__
    names["__file__"] = str(script)
    with pytest.raises(Exception) as raised:
        exec(compile(script.read_text(), str(script), "exec"), names)
    text = "\n".join([f"{type(raised.value).__name__}: {raised.value}", *getattr(raised.value, "__notes__", ())])
    text = re.sub(r"0x[0-9a-f]+", "0x...", text).replace(str(tmp_path), "/project")
    snapshot(f"messages/{name}", f"{body}\n\n{text}\n")
