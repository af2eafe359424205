"""OmegaConf's YAML: interpolations are dependencies, `???` has to be set, values are what OmegaConf makes of them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from typedcat import Cfg2Tune, Config, load_config, parse_config
from typedcat.errors import (
    ConfigContentError,
    ConfigFormatError,
    DependencyCycleError,
    DependencyError,
    MandatoryValueError,
    OverrideError,
    SaveError,
)

omegaconf = pytest.importorskip("omegaconf")
OmegaConf: Any = omegaconf.OmegaConf


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    OmegaConf.clear_resolvers()


def write(text: str, name: str = "c.yaml") -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return name


def load(text: str, *overrides: str, name: str = "c.yaml") -> Config:
    return load_config(write(text, name), create_rslt_dir=False, overrides=overrides)


def message(text: str, *overrides: str, kind: type[Exception] = DependencyError) -> str:
    with pytest.raises(kind) as caught:
        load(text, *overrides)
    return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])


def same(text: str) -> None:
    """What is loaded is what OmegaConf makes of the file."""
    assert load(text) == OmegaConf.to_container(OmegaConf.load("c.yaml"), resolve=True)


SHAPES = {
    "types stay": "n: 4\nf: 1.5\nb: true\nz: null\nl: [1, 2]\nvals: ['${n}', '${f}', '${b}', '${z}', '${l}']\nm: ${n}",
    "text": "n: 4\nz: null\nb: true\nl: [1, x]\nd: {a: 1}\nt: 'n=${n} ${z} ${b} ${l} ${d}'",
    "relative": "a:\n  x: 1\n  y: ${.x}\n  b:\n    z: ${..x}\n    w: ${...top}-${..b.z}\ntop: t",
    "nested": "which: adam\nopts: {adam: {lr: 1}, sgd: {lr: 2}}\nlr: ${opts.${which}.lr}",
    "brackets": "l: [1, {a: 2}]\na: ${l[0]}\nb: ${l[1].a}\nc: ${l.1.a}\nd: ${[l][0]}",
    "whole containers": "opt: {lr: 1, betas: [0.9, '${beta}']}\nbeta: 0.5\ncopy: ${opt}\nbetas: ${opt.betas}",
    "inside of lists": "l:\n- 1\n- ${.0}\n- {x: 3, y: '${.x}', z: '${l[0]}', u: '${..0}', v: ['${..x}']}\n"
    "m: ${l}\nn: ${l[2]}",
    "a chain": "a: ${b}\nb: ${c}\nc: ${d.e}\nd: ${f}\nf: {e: 1}",
    "escapes": r"""x: 1
a: \${x}
b: \\${x}
c: \\\${x}
d: 'C:\dir\${x}'
e: "${x}\\${x}"
f: $x $ ${x}$
""",
    "oc.select": "a: ${oc.select:nope,7}\nb: ${oc.select:c.d,1}\nc: {d: 5, e: '${oc.select:.d}'}\nf: ${oc.select:nope}",
    "oc.dict": "d: {a: 1, b: '${n}'}\nn: 2\nk: ${oc.dict.keys:d}\nv: ${oc.dict.values:d}\n"
    "w: {x: '${oc.dict.keys:..d}'}",
    "oc.decode": "n: 3\na: '${oc.decode:\"[1, ${n}, {x: 2.5}]\"}'\nb: ${oc.decode:null}\nc: ${oc.decode:'true'}",
    "oc.create": "a: '${oc.create:[1, {b: 2}]}'",
    "numbers": "x: ${a}\na: 1e-3\nb: 1.5e3\nc: 5e10\nd: -1e+2\ne: 2024-01-02\nf: 12:30\ng: 010\nh: 1_000\ni: .5e-1",
    "merge keys": "a: &a {x: '${y}', z: 1}\nb: {<<: *a, z: '${.x}'}\ny: 5",
    "keys with a dash": "a-b: 1\nc_d: ${a-b}",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_values_are_those_of_omegaconf(text: str) -> None:
    same(text)


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "/data")
    monkeypatch.delenv("NOT_SET", raising=False)
    same("a: ${oc.env:DATA_ROOT}/x\nb: ${oc.env:NOT_SET,/tmp}\nc: ${oc.env:NOT_SET,null}\nd: ${oc.env:NOT_SET,1}")
    assert message("a: ${oc.env:NOT_SET}") == (
        "a: the dependency set at c.yaml:1 cannot be computed: the environment variable NOT_SET is not set\n"
        "  set it, or write a default: ${oc.env:NOT_SET,...}"
    )


# -- random configs

KEYS = st.sampled_from(["a", "b", "c", "lr", "opt_2", "x-y"])
TEXTS = st.text("ab 1:.,/'\"\\{}-", max_size=6)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(-5, 5), TEXTS)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)


def slots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a tree."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(item, (dict, list)):
            yield from slots(item, (*path, key))


def put(tree: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        tree = tree[key]
    tree[path[-1]] = value


def name_of(target: tuple[Any, ...], at: tuple[Any, ...], relative: bool) -> str:
    shared = 0
    while shared < min(len(target), len(at)) - 1 and target[shared] == at[shared]:
        shared += 1
    dots = "." * (len(at) - shared) if relative else ""
    first, *rest = target[shared:] if relative else target
    return dots + str(first) + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in rest)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
@pytest.mark.slow
def test_random_configs_are_what_omegaconf_makes_of_them(data: st.DataObject) -> None:
    tree: Any = data.draw(st.dictionaries(KEYS, TREES, min_size=1, max_size=4))
    for _ in range(data.draw(st.integers(1, 4))):
        paths = list(slots(tree))
        at, target = (data.draw(st.sampled_from(paths)) for _ in range(2))
        name = name_of(target, at, data.draw(st.booleans()))
        around = data.draw(st.sampled_from(["{}", "{}", "v={}!", "{0}{0}", "\\\\{}"]))
        put(tree, at, around.format(f"${{{name}}}"))
    OmegaConf.save(OmegaConf.create({}), "c.yaml")
    import yaml

    Path("c.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    try:
        wanted = OmegaConf.to_container(OmegaConf.load("c.yaml"), resolve=True)
    except (omegaconf.errors.OmegaConfBaseException, RecursionError):
        return  # cycles, what is below a number, what holds itself; the tests below are about those
    if "${" in str(wanted):  # the text of a container is made before what is in it is computed; here it is afterwards
        return
    try:
        cfg = load_config("c.yaml", create_rslt_dir=False)
    except DependencyCycleError:
        return  # a key that stands for a whole container, in which something reads that key
    assert cfg == wanted


# -- overriding and inheriting


def test_what_depends_on_an_overridden_value_is_computed_anew() -> None:
    text = "base_lr: 0.1\nopt:\n  lr: ${base_lr}\n  warmup: ${.lr}\nname: run-${opt.lr}\n"
    cfg = load(text, "base_lr=0.5")
    assert (cfg.opt.lr, cfg.opt.warmup, cfg.name) == (0.5, 0.5, "run-0.5")
    cfg = load(text, "opt.lr=2")
    assert (cfg.base_lr, cfg.opt.lr, cfg.opt.warmup) == (0.1, 2, 2)


def test_a_config_that_inherits_sets_what_is_read_or_replaces_what_reads() -> None:
    write("base_lr: 0.1\nopt: {lr: '${base_lr}', wd: '${base_lr}'}\nlist: ['${base_lr}', 1]\n", "base.yaml")
    write("from typedcat import Config\ncfg = Config(caps='base.yaml')\ncfg.base_lr = 3\ncfg.opt.wd = 0\n", "child.py")
    cfg = load_config("child.py", create_rslt_dir=False)
    assert cfg == {"base_lr": 3, "opt": {"lr": 3, "wd": 0}, "list": [3, 1]}


def test_a_dependency_in_python_and_an_interpolation_read_each_other() -> None:
    write("n: 2\nboth: ${twice}/x\ntwice: 0\n", "base.yaml")
    write("from typedcat import Config\ncfg = Config(caps='base.yaml')\ncfg.twice = cfg.DEP(lambda c: c.n * 2)\n"
          "cfg.length = cfg.DEP(lambda c: len(c.both))\n", "child.py")  # fmt: skip
    assert load_config("child.py", create_rslt_dir=False) == {"n": 2, "both": "4/x", "twice": 4, "length": 3}


def test_an_override_may_be_an_interpolation() -> None:
    cfg = load(
        "lr: 0.1\nopt: {wd: 0, l: [1, 2]}\nx: {y: 1}",
        "opt.wd=${lr}",
        "opt.l.1=${.0}",
        "x.y='${..lr}!'",
        "+z={a: '${lr}'}",
    )
    assert cfg == {"lr": 0.1, "opt": {"wd": 0.1, "l": [1, 1]}, "x": {"y": "0.1!"}, "z": {"a": 0.1}}
    assert message("a: 1", "a=${b", kind=OverrideError).startswith(
        "override 'a=${b': a: '${b' is no valid interpolation"
    )


def test_a_file_that_is_mounted_reads_itself_first_and_then_the_whole_config() -> None:
    write("root: /data\ntrain: ${root}/train\nseed: ${rand_seed}\nsame: {x: '${.y}', y: 1}\n", "data.yaml")
    write("from typedcat import Config\ncfg = Config(root='/other', rand_seed=7)\ncfg.deep.data = Config('data.yaml')\n"
          "cfg.deep.data.root = '/mnt'\n", "main.py")  # fmt: skip
    data = load_config("main.py", create_rslt_dir=False).deep.data
    assert data == {"root": "/mnt", "train": "/mnt/train", "seed": 7, "same": {"x": 1, "y": 1}}


def test_tuned() -> None:
    write("base_lr: 0.1\nopt: {lr: '${base_lr}'}\nname: lr${opt.lr}\n", "configs/base.yaml")
    write("from typedcat import Cfg2Tune, Param2Tune\ncfg = Cfg2Tune(caps='configs/base.yaml')\n"
          "cfg.base_lr = Param2Tune([1, 2])\n", "configs/tune.py")  # fmt: skip
    tune = Cfg2Tune.load_cfg2tune("configs/tune.py", experiments_root="runs")
    files, children = tune.dump_cfgs("configs/tune")
    loaded = [load_config(child, create_rslt_dir=False) for child in tune.get_cfgs()]
    assert [(child.opt.lr, child.name) for child in loaded] == [(1, "lr1"), (2, "lr2")]
    assert [load_config(file, create_rslt_dir=False).name for file in files] == ["lr1", "lr2"]
    assert len(children) == 2


def test_a_tuned_file_as_it_is() -> None:
    write("base_lr: ???\nlr: ${base_lr}\n", "configs/base.yaml")
    write("from typedcat import Cfg2Tune, Param2Tune\ncfg = Cfg2Tune('configs/base.yaml')\n"
          "cfg.base_lr = Param2Tune([1, 2])\n", "configs/tune.py")  # fmt: skip
    tune = Cfg2Tune.load_cfg2tune("configs/tune.py", experiments_root="runs")
    assert [load_config(child, create_rslt_dir=False).lr for child in tune.get_cfgs()] == [1, 2]


def test_values_know_the_line_that_set_them() -> None:
    cfg = load("base_lr: 0.1\nopt:\n  lr: ${base_lr}\n")
    assert [str(step) for step in cfg.origin("opt.lr")] == ["c.yaml:3"]


# -- before loading, and afterwards


def test_an_unloaded_config_can_be_pickled_and_says_that_python_needs_values() -> None:
    raw = parse_config(
        write("a: 1\nb: ['${a}', {c: '${.d}', d: 2}]\ne: ${b[1].c}\nf: ${oc.select:a}\n"), create_rslt_dir=False
    )
    again = pickle.loads(pickle.dumps(raw))
    again.a = 5
    assert load_config(again, create_rslt_dir=False) == {"a": 5, "b": [5, {"c": 2, "d": 2}], "e": 2, "f": 5}
    with pytest.raises(SaveError, match=r"e: DEP\('\${b\[1\].c}'\) is not computed yet: save the loaded config"):
        raw.save_py("saved.py")
    raw.save_yaml("saved.yaml")
    assert load_config("saved.yaml", create_rslt_dir=False).b == [1, {"c": 2, "d": 2}]


def test_another_process_loads_the_pickle() -> None:
    parse_config(write("a: 1\nb: ${a}x\n"), create_rslt_dir=False).save_pkl("c.pkl")
    code = "from typedcat import load_config; assert load_config('c.pkl', create_rslt_dir=False).b == '1x'"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("text", ["${x}", r"\${x}", r"\\${x}", "a${", "???", "$x", r"a\b", "$${x}", "1e-3", "${x}${y}"])
def test_texts_come_back_from_saved_yaml(text: str) -> None:
    Config(a=text, b=[text]).save_yaml("saved.yaml")
    assert load_config("saved.yaml", create_rslt_dir=False) == {"a": text, "b": [text]}


def test_json_and_toml_have_texts_only() -> None:
    write('{"a": "${b}", "c": "???"}', "c.json")
    write('a = "${b}"\nc = "???"\n', "c.toml")
    assert load_config("c.json", create_rslt_dir=False) == load_config("c.toml", create_rslt_dir=False)
    assert load_config("c.json", create_rslt_dir=False) == {"a": "${b}", "c": "???"}


# -- mandatory values

MANDATORY = "lr: ???\nmodel:\n  name: ???\n  dims: ['???', 1]\n  lr: ${lr}\n"


def test_mandatory_values_have_to_be_set_somewhere() -> None:
    assert message(MANDATORY, kind=MandatoryValueError) == (
        "c.yaml has 3 values that are mandatory and not set\n"
        "  lr (c.yaml:1)\n"
        "  model.name (c.yaml:3)\n"
        "  model.dims (c.yaml:4)\n"
        "  set it in a config that inherits, or by an override: -o lr=... (null if nothing reads it)"
    )
    cfg = load(MANDATORY, "lr=1", "model.name=x", "model.dims=[2]")
    assert cfg.model == {"name": "x", "dims": [2], "lr": 1}
    write("from typedcat import Config\ncfg = Config(caps='c.yaml')\ncfg.lr = 3\n"
          "cfg.model.name = 'y'\ncfg.model.dims = [1]\n", "child.py")  # fmt: skip
    assert load_config("child.py", create_rslt_dir=False).model.lr == 3
    assert "???" not in str(cfg)


def test_three_question_marks_in_quotes_are_text_where_nothing_is_of_omegaconf() -> None:
    assert load("token: '???'\nlr: 1e-3") == {"token": "???", "lr": "1e-3"}
    assert "token" in message("token: '???'\nlr: ${x}\nx: 1", kind=MandatoryValueError)


@pytest.mark.slow
def test_check_takes_a_base_for_complete_when_a_config_sets_what_it_lacks() -> None:
    write("lr: ???\nwd: ${lr}\n", "configs/base.yaml")
    write("from typedcat import Config\ncfg = Config(caps='configs/base.yaml')\ncfg.lr = 1\n", "configs/child.py")
    command = [sys.executable, "-m", "typedcat", "check"]
    assert subprocess.run([*command, "configs"], check=False).returncode == 0
    Path("configs/child.py").unlink()
    done = subprocess.run([*command, "configs"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "configs/base.yaml:1: error: lr: is mandatory ('???'), and nothing sets it" in done.stdout


# -- what OmegaConf's users register


def test_registered_resolvers() -> None:
    OmegaConf.register_new_resolver("mul", lambda x, y: x * y)
    OmegaConf.register_new_resolver("size", len)
    OmegaConf.register_new_resolver("lr_of", lambda opt: opt.lr)
    OmegaConf.register_new_resolver("plain", lambda: {"a": [1]})
    same(
        "n: 3\na: ${mul:${n},2}\nb: ${size:${l}}\nl: [1, '${n}']\nc: ${lr_of:${opt}}\n"
        "opt: {lr: '${n}'}\nd: ${mul:'x',2}\n"
    )
    cfg = load("p: ${plain:}\nn: 3\na: ${mul:${n},2}", "n=5")
    assert (cfg.p.a, cfg.a) == ([1], 10)


def test_a_resolver_with_a_cache_is_called_once_per_config() -> None:
    calls = iter(range(9))
    OmegaConf.register_new_resolver("next", lambda _: next(calls), use_cache=True)
    write("a: ${next:x}\nb: ['${next:x}', '${next:y}']\nc: ${next:x}")
    first, second = (load_config("c.yaml", create_rslt_dir=False) for _ in range(2))
    assert first.a == first.b[0] == first.c
    assert second.a != first.a


def test_resolvers_that_take_the_config() -> None:
    OmegaConf.register_new_resolver("root", lambda key, _root_: OmegaConf.select(_root_, key))
    OmegaConf.register_new_resolver("beside", lambda key, _parent_: _parent_[key])
    OmegaConf.register_new_resolver("here", lambda _node_: _node_._get_full_key(None))
    same("a: 1\nb: {c: '${root:d}', e: '${beside:f}', f: 2, g: '${here:}'}\nd: ${a}\nl: ['${beside:1}', 5]\n")


def test_unknown_resolvers_and_what_resolvers_raise() -> None:
    assert message("a: ${nope:1}") == (
        "a: the dependency set at c.yaml:1 cannot be computed: '${nope:1}' names the resolver 'nope', which nobody has "
        "registered\n  call OmegaConf.register_new_resolver('nope', ...) before the config is loaded"
    )
    OmegaConf.register_new_resolver("div", lambda x, y: x / y)
    assert message("a: ${div:1,0}") == "a: the dependency set at c.yaml:1 raised ZeroDivisionError: division by zero"


# -- mistakes


def test_a_key_that_is_not_there() -> None:
    assert message("data: {root: /x}\ntrain: ${data.rot}/train") == (
        "train: the dependency set at c.yaml:2 reads 'data.rot', but there is no such key\n  did you mean 'root'?"
    )
    assert message("a: ${nothing}/x") == (
        "a: the dependency set at c.yaml:1 reads 'nothing', but there is no such key (for text that has '${' in it "
        r"write '\${')"
    )
    assert "'a.b', which is 1 and has no keys" in message("a: {b: 1}\nc: ${a.b.d}")
    assert "reads item 5 of 'l', which has 2" in message("l: [1, '${n}']\nn: 1\nc: ${l[5]}")
    assert "begins above the root of the config" in message("a: ${...b}")


def test_what_is_meant_for_a_shell() -> None:
    assert message("a: ${HOME}/x") == (
        "a: the dependency set at c.yaml:1 reads 'HOME', but there is no such key (the environment variable is "
        r"'${oc.env:HOME}'; for text that has '${' in it write '\${')"
    )
    assert message("a: ${TAG:-latest}").endswith("\n  if it is an environment variable write ${oc.env:TAG,latest}")
    assert message("a: ${env:HOME}/x").endswith("\n  write ${oc.env:HOME}")
    assert message("a: ${env:HOME,/root}/x").endswith("\n  write ${oc.env:HOME,/root}")


def test_interpolations_inside_of_brackets_need_quotes() -> None:
    text = message("a: 1\nb: [${a}, 2]", kind=ConfigFormatError)
    assert text.endswith("\n  inside of [ ] and { } put ${...} in quotes")


def test_cycles() -> None:
    text = message("a: ${b}\nb: x${c}\nc: ${a}", kind=DependencyCycleError)
    assert text.startswith("dependencies form a cycle: a -> b -> c -> a\n  a is set at c.yaml:1\n")
    message("a: {b: '${a}'}", kind=DependencyCycleError)
    message("l: ['${.1}', '${.0}']", kind=DependencyCycleError)


def test_a_text_that_cannot_be_parsed() -> None:
    assert message("a: 1\nb:\n  c: ${a", kind=ConfigContentError) == (
        "c.yaml:3: b.c: '${a' is no valid interpolation: no viable alternative at input '${a'\n"
        r"  for text that has '${' in it write '\${'"
    )


def test_without_omegaconf_the_message_names_the_extra() -> None:
    write("a: 1\nb:\n  c: ${a}\n")
    code = (
        "import sys; sys.modules['omegaconf'] = None\n"
        "from typedcat import load_config\n"
        "from typedcat.errors import MissingExtraError\n"
        "try: load_config('c.yaml')\n"
        "except MissingExtraError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == (
        "c.yaml:3: b.c = '${a}' is an interpolation of OmegaConf, which needs the package 'omegaconf': "
        "pip install 'typedcat[omegaconf]'\n"
    )


# -- DictConfig objects


def test_a_dictconfig_is_a_config() -> None:
    made = OmegaConf.create({"lr": 1, "opt": {"lr": "${lr}", "l": ["${lr}"]}, "x": "???"})
    cfg = load_config(made, create_rslt_dir=False, overrides=["lr=2", "x=0"])
    assert cfg == {"lr": 2, "opt": {"lr": 2, "l": [2]}, "x": 0}
    child = Config(caps=made)
    child.lr, child.x = 3, 1
    child.load(create_rslt_dir=False)
    assert child.opt.lr == 3
    whole = Config(lr=9)
    whole.sub = Config(OmegaConf.create({"a": "${lr}", "b": {"c": "${..d}"}, "d": 4}))
    assert load_config(whole, create_rslt_dir=False).sub == {"a": 9, "b": {"c": 4}, "d": 4}
    assert made.opt.lr == 1


def test_a_dictconfig_that_is_a_value_stays_one() -> None:
    cfg = Config()
    cfg.made = made = OmegaConf.create({"a": 1})
    assert cfg.made is made
