"""Expressions in YAML of detectron2, `!!python/object/apply:eval ["..."]`: worked out as data, never run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from typedcat import Config, load_config
from typedcat.errors import ConfigFormatError

TAG = "!!python/object/apply:eval"
RETINANET = "[[x, x * 2**(1.0/3), x * 2**(2.0/3) ] for x in [32, 64, 128, 256, 512 ]]"


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("expressions"))
        yield


def value_of(text: str) -> Any:
    """What a config has for an expression."""
    Path("a.yaml").write_text(f"a: {TAG} [{json.dumps(text, ensure_ascii=False)}]\n", encoding="utf-8")
    return load_config("a.yaml", create_rslt_dir=False)["a"]


def run(text: str) -> Any:
    """What Python makes of it."""
    return eval(text, {"__builtins__": {one.__name__: one for one in (int, float, list, tuple, range)}})


class TestFiles:
    def test_the_anchors_of_detectron2(self) -> None:
        Path("Base-RetinaNet.yaml").write_text(
            f'MODEL:\n  ANCHOR_GENERATOR:\n    SIZES:\n      {TAG} [\n        "{RETINANET}",\n      ]\nVERSION: 2\n',
            encoding="utf-8",
        )
        Path("retinanet.yaml").write_text("_BASE_: Base-RetinaNet.yaml\nVERSION: 3\n", encoding="utf-8")
        cfg = load_config("retinanet.yaml", create_rslt_dir=False)
        assert run(RETINANET) == cfg.MODEL.ANCHOR_GENERATOR.SIZES
        assert [str(place) for place in cfg.origin("MODEL.ANCHOR_GENERATOR.SIZES")] == ["Base-RetinaNet.yaml:3"]

    def test_yacs_reads_the_same(self) -> None:
        yacs = pytest.importorskip("yacs.config")
        text = f'A:\n  SIZES: {TAG} ["{RETINANET}"]\n  STEPS: {TAG} ["(1, 2 * 3)"]\n'
        Path("a.yaml").write_text(text, encoding="utf-8")
        there = yacs.CfgNode({"A": {"SIZES": [], "STEPS": ()}})
        there.merge_from_other_cfg(yacs.CfgNode({"A": {"SIZES": run(RETINANET), "STEPS": run("(1, 2 * 3)")}}))
        assert load_config("a.yaml", create_rslt_dir=False).A == {**there.A}

    def test_anchors_copies_and_overrides(self) -> None:
        text = f'a: &x {TAG} ["[[y, y] for y in [[1]]]"]\nb: *x\nc: {{d: {TAG} [2 * 3], e: [{TAG} ["1 / 4"]]}}\n'
        Path("a.yaml").write_text(text, encoding="utf-8")
        cfg = load_config("a.yaml", create_rslt_dir=False, overrides=["b[0][0]=7"])
        assert (cfg.a, cfg.c) == ([[[1], [1]]], {"d": 6, "e": [0.25]})
        assert cfg.b == [[7, [1]]]
        assert load_config(str(cfg.save_yaml("b.yaml")), create_rslt_dir=False).c == cfg.c

    @pytest.mark.parametrize(
        "written",
        [
            f"{TAG} [[1]]",
            f'{TAG} ["1", "2"]',
            f"{TAG} []",
            f"{TAG} {{args: ['1']}}",
            f"{TAG} '1'",
            "!!python/object/apply:exec ['1']",
            "!!python/object/new:eval ['1']",
            "!!python/name:eval ''",
        ],
    )
    def test_other_tags_and_shapes_are_refused(self, written: str) -> None:
        Path("a.yaml").write_text(f"A: 1\nB: {written}\n", encoding="utf-8")
        with pytest.raises(ConfigFormatError, match=r"^a\.yaml:2:4: the tag .* is not known: YAML configs are data"):
            load_config("a.yaml")


ATTACKS = [
    "__import__('os').system('touch ran')",
    "open('ran', 'w')",
    "print(1)",
    "().__class__.__bases__",
    "(1).real",
    "[].append",
    "[1][0]",
    "f'{1}'",
    "lambda: 1",
    "(x := 1)",
    "[y := 1]",
    "x",
    "__builtins__",
    "int",
    "int()",
    "int(1, 2)",
    "int('9' * 4000)",
    "int('1')",
    "int(x=1)",
    "int(*[1])",
    "int([1])",
    "int.from_bytes",
    "float('nan')",
    "[int(1) for int in [2]]",
    "range(3)",
    "[x for x in range(10**9)]",
    "[x for x in range(10**30)]",
    "list(range(-(10**9), 0))",
    "[x for x in range(1.5)]",
    "[x for x in range()]",
    "[x for x in range(1, 2, 3, 4)]",
    "[x for x in range(1, 2, 0)]",
    "[x for range in [1] for x in range(3)]",
    "tuple(3)",
    "list(list)",
    "len([1])",
    "list(map(int, [1]))",
    "[x for x in x]",
    "[z for x in [1]]",
    "[[x for x in [1]], x]",
    "[[x for y in [1] for x in [x]] for x in [1]]",
    "[x for x in [1] if x]",
    "[x for x in open('ran')]",
    "[x for x.y in [1]]",
    "[x for x[0] in [1]]",
    "[x for *x, in [[1]]]",
    "[x for x, y in [1]]",
    "[x for x, y in [[1]]]",
    "[x for x in 'abc']",
    "[x for x in 3]",
    "[x async for x in [1]]",
    "(x for x in [1])",
    "{x for x in [1]}",
    "{x: 1 for x in [1]}",
    "[*[1]]",
    "{1: 2}",
    "{1}",
    "1 if 1 else 2",
    "1 < 2",
    "1 and 2",
    "not 1",
    "~1",
    "1 << 9999999999",
    "1 @ 2",
    "1j",
    "b'a'",
    "...",
    "await x",
    "(yield)",
    "import os",
    "x = 1",
    "1; 2",
    "",
    " ",
    "\0",
    "'%9999999999d' % 1",
    "'a' * 10**9",
    "'a' + 'b'",
    "[0] * 10**10",
    "10**10 * (0,)",
    "[1] + [2]",
    "-[1]",
    "9**9**9",
    "9**9**9**9",
    "(9**99)**(9**9)",
    "2**4096 * 2",
    "1**10**20",
    "(-8) ** 0.5",
    "10.0**400",
    "0.5**10**400",
    "1 / 0",
    "1 // 0",
    "1 % 0",
    "0 ** -1",
    "[" * 1500 + "]" * 1500,
    "-" * 3000 + "1",
    "(" * 150 + "1" + ")" * 150 + "!",
    "1" + "+1" * 1900,
    "9" * 4001,
    "[" + "1," * 3000 + "]",
    "[[1 for " + ", ".join(f"a{i}" for i in range(300)) + " in []] for b in [0,0,0,0,0,0,0,0,0,0] for c in [0,0,0,0]]",
    "[1 for a in [1,1,1,1,1,1,1,1,1,1]" + "".join(f" for a{i} in [1,1,1,1,1,1,1,1,1,1]" for i in range(9)) + "]",
]


class TestAttacks:
    @pytest.mark.parametrize("text", ATTACKS, ids=lambda text: ascii(text)[:40])
    def test_it_is_refused_at_its_place_at_once(self, text: str) -> None:
        with pytest.raises(ConfigFormatError) as caught:
            value_of(text)
        assert str(caught.value).startswith("a.yaml:1:32: the expression ")
        assert "YAML configs are data" in str(caught.value)
        assert not Path("ran").exists()

    @pytest.mark.parametrize("lists", ["[{0}, {0}]", "({0}, {0}, 1)"])
    def test_what_a_name_stands_for_counts_each_time(self, lists: str) -> None:
        text = "1"
        for number in range(40):
            text = f"[{lists.format(f'x{number}')} for x{number} in [{text}]]"
        with pytest.raises(ConfigFormatError, match="has more than 10,000 values"):
            value_of(text)

    def test_names_of_python_are_names_like_others(self) -> None:
        assert value_of("[__import__ + open for __import__, open in [(1, 2)]]") == [3]

    def test_python_does_not_warn(self) -> None:
        assert value_of(r"['\d']") == [r"\d"]

    def test_the_message(self) -> None:
        with pytest.raises(ConfigFormatError) as caught:
            value_of("[x, y]")
        more = "is more than numbers, lists, tuples, arithmetic and comprehensions over them"
        assert str(caught.value).splitlines() == [
            f"a.yaml:1:32: the expression 'x' {more}",
            "  YAML configs are data: write the value itself, or what needs Python in a .py config",
        ]


# -- generated expressions mean what they mean to Python

literals = st.one_of(st.integers(0, 999), st.floats(0, 1e6), st.booleans()).map(repr)
operators = st.sampled_from(["+", "-", "*", "/", "//", "%"])
signs = st.sampled_from(["-", "+", "- -"])


@st.composite
def numbers(draw: st.DrawFn, names: tuple[str, ...], depth: int) -> str:
    """The text of an arithmetic expression over literals and names of numbers."""
    atoms = st.one_of(literals, st.sampled_from(names)) if names else literals
    kind = draw(st.integers(0, 4)) if depth else 0
    if kind == 0:
        return draw(atoms)
    if kind == 1:
        return f"{draw(signs)}({draw(numbers(names, depth - 1))})"
    if kind == 2:  # the root of a negative number is complex, so that of a name is not asked for
        roots = draw(literals), draw(st.sampled_from(["0.5", "(1.0/3)"]))
        base, exponent = draw(
            st.one_of(st.just(roots), st.tuples(atoms, st.sampled_from(["0", "2", "3", "-1", "True"])))
        )
        return f"({base})**{exponent}"
    left, right = draw(numbers(names, depth - 1)), draw(numbers(names, depth - 1))
    spaces = " " * draw(st.integers(0, 1))
    text = f"{left}{spaces}{draw(operators)}{spaces}{right}"
    return f"({text})" if kind == 3 else text


@st.composite
def expressions(draw: st.DrawFn, names: tuple[str, ...] = (), depth: int = 3) -> str:
    """The text of a number, a text, a list or tuple, or a comprehension."""
    kind = draw(st.integers(0, 5)) if depth else 0
    if kind <= 1:
        return draw(numbers(names, depth))
    if kind == 2:
        return repr(
            draw(st.one_of(st.none(), st.text(max_size=4).filter(lambda text: text.isprintable() and "$" not in text)))
        )
    if kind in (3, 4):
        items = [draw(expressions(names, depth - 1)) for _ in range(draw(st.integers(0, 3)))]
        return f"[{', '.join(items)}]" if kind == 3 else f"({''.join(f'{item}, ' for item in items)})"
    loops, inner = [], names
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from("abc"))
        pair = draw(st.booleans())
        rounds = [draw(numbers(inner, 1)) for _ in range(draw(st.integers(0, 3)))]
        if pair:
            loops.append(f"for {name}, d in [{', '.join(f'({one}, {one})' for one in rounds)}]")
        else:
            loops.append(f"for {name} in [{', '.join(rounds)}]")
        inner = (*inner, name, "d") if pair else (*inner, name)
    return f"[{draw(expressions(inner, depth - 1))} {' '.join(loops)}]"


class TestArithmetic:
    @settings(max_examples=300, deadline=None)
    @given(expressions())
    def test_it_is_what_python_makes_of_it(self, text: str) -> None:
        try:
            expected = run(text)
        except (ArithmeticError, UnboundLocalError):
            with pytest.raises(ConfigFormatError):
                value_of(text)
            return
        assert repr(value_of(text)) == repr(expected)

    @pytest.mark.parametrize(
        "text",
        [
            "[int(x * 0.1 * 1024) for x in range(5, 21)]",
            "[list(range(10, 0, -3)), tuple([1, float(2)]), int(-1.5), int(True), list(tuple(range(0)))]",
            "[[y for y in range(x)] for x in range(3)]",
        ],
    )
    def test_sizes_of_images_as_detectron2_has_them(self, text: str) -> None:
        assert repr(value_of(text)) == repr(run(text))

    @pytest.mark.parametrize("text", ["2**2000", "-2**64", "[x for x in [1, 2]]", " 1 ", "\n[1,\n 2]\n", "9" * 3000])
    def test_limits(self, text: str) -> None:
        assert value_of(text) == run(text.strip())

    def test_it_can_be_inherited(self) -> None:
        value_of(RETINANET)
        child = Config(caps="a.yaml")
        child.a = child.DEP(lambda c: [c.b])
        child.b = 1
        assert load_config(child, create_rslt_dir=False).a == [1]
