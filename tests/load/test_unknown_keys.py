"""A key that a model does not declare is an error wherever the model stands; pydantic alone would drop it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from typedcat import Config, TypedConfig, load_config
from typedcat.errors import ValidationError


class A(BaseModel):
    x: int = 0
    inner: list[A] = []
    named: int = Field(0, alias="nick")


class Other(BaseModel):
    y: int = 0


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    bark: str = ""


class Open(BaseModel, extra="allow"):
    x: int = 0


class Ignoring(BaseModel, extra="ignore"):
    x: int = 0


@dataclass
class D:
    x: int = 0


class T(TypedDict, total=False):
    x: int


class Leaf(TypedConfig):
    x: int = 0


class InTyped(TypedConfig):
    a: A = A.model_construct()
    o: A | None = None
    d: dict[str, A] = {}
    l: list[A] = []  # noqa: E741
    ll: list[list[A]] = []
    tup: tuple[int, A] | None = None
    dl: dict[str, list[A]] = {}
    data: D = field(default_factory=D)
    datas: list[D] = []
    td: T = {}
    tds: list[T] = []
    u: A | Other | None = None
    us: list[A | Other] = []
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat()
    lvs: list[Leaf] = []
    open: Open = Open()
    opens: list[Open] = []
    ignoring: Ignoring = Ignoring()
    ignorings: list[Ignoring] = []
    anything: Any = None
    free: dict[str, int] | A = {}


class InModel(BaseModel):
    a: A = A.model_construct()
    o: A | None = None
    d: dict[str, A] = {}
    l: list[A] = []  # noqa: E741
    ll: list[list[A]] = []
    tup: tuple[int, A] | None = None
    dl: dict[str, list[A]] = {}
    data: D = D()
    datas: list[D] = []
    td: T = {}
    tds: list[T] = []
    u: A | Other | None = None
    us: list[A | Other] = []
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat()
    lvs: list[Leaf] = []
    open: Open = Open()
    opens: list[Open] = []
    ignoring: Ignoring = Ignoring()
    ignorings: list[Ignoring] = []
    anything: Any = None
    free: dict[str, int] | A = {}


WRONG: dict[str, tuple[Any, str]] = {
    "a": ({"xx": 1}, "a.xx"),
    "o": ({"xx": 1}, "o.xx"),
    "d": ({"k": {"xx": 1}}, "d.k.xx"),
    "l": ([{"x": 1, "xx": 1}], "l[0].xx"),
    "ll": ([[], [{"xx": 1}]], "ll[1][0].xx"),
    "tup": ((1, {"xx": 1}), "tup[1].xx"),
    "dl": ({"k": [{"xx": 1}]}, "dl.k[0].xx"),
    "data": ({"xx": 1}, "data.xx"),
    "datas": ([{"xx": 1}], "datas[0].xx"),
    "td": ({"xx": 1}, "td.xx"),
    "tds": ([{"xx": 1}], "tds[0].xx"),
    "u": ({"x": 1, "xx": 1}, "u.xx"),
    "us": ([{"x": 1, "y": 1}], "us[0].y"),
    "pet": ({"kind": "cat", "bark": "x"}, "pet.bark"),
    "lvs": ([{"xx": 1}], "lvs[0].xx"),
}
RIGHT: dict[str, Any] = {
    "a": {"x": 1, "nick": 2, "inner": [{"x": 1}]},
    "l": [{"nick": 2}],
    "us": [{"x": 1}, {"y": 2}, {"inner": [{"x": 1}]}],
    "pet": {"kind": "dog", "bark": "x"},
    "open": {"x": 1, "xx": 1},
    "opens": [{"x": 1, "xx": 1}],
    "ignoring": {"x": 1, "xx": 1},
    "ignorings": [{"x": 1, "xx": 1}],
    "anything": {"xx": [{"y": 1}]},
    "free": {"xx": 1},
    "tds": [{"x": 1}],
    "tup": (1, {"x": 1}),
    "lvs": [{"x": 1}],
}
schemas = pytest.mark.parametrize("schema", [InTyped, InModel])


def load(tree: Any, **options: Any) -> Any:
    return load_config(tree, create_rslt_dir=False, **options)


@schemas
@pytest.mark.parametrize("key", WRONG)
@pytest.mark.parametrize("how", ["schema of the config", "schema of load_config", "one by one"])
def test_unknown(schema: Any, key: str, how: str) -> None:
    value, path = WRONG[key]
    cfg = Config({key: value}, schema=schema) if how == "schema of the config" else Config({key: value})
    if how == "one by one":
        cfg = schema() if schema is InTyped else Config(schema=schema)
        cfg[key] = value
    with pytest.raises(ValidationError) as caught:
        load(cfg, schema=schema)
    (problem,) = caught.value.problems
    assert (problem.key, problem.code) == (path, "unknown_key")
    assert problem.place
    if path.endswith("xx"):
        assert problem.suggestions == ("x",)


@schemas
@pytest.mark.parametrize("key", RIGHT)
def test_known(schema: Any, key: str) -> None:
    load(Config({key: RIGHT[key]}), schema=schema)


@schemas
def test_with_other_problems(schema: Any) -> None:
    cfg = Config(l=[{"x": "no", "xx": 1}], a={"xx": 1, "x": "no"}, nope=1, us=[{"xx": 1}])
    with pytest.raises(ValidationError) as caught:
        load(cfg, schema=schema)
    keys = sorted(problem.key for problem in caught.value.problems)
    assert keys == ["a.x", "a.xx", "l[0].x", "l[0].xx", "nope", "us[0].xx"]


@schemas
def test_in_overrides_and_files(schema: Any, tmp_path: Path) -> None:
    file = tmp_path / "cfg.yaml"
    file.write_text("l:\n- x: 1\n  xx: 1\n")
    with pytest.raises(ValidationError, match=r"l\[0\].xx: is an unknown key\n.*cfg.yaml:1"):
        load(file, schema=schema)
    with pytest.raises(ValidationError, match=r"l\[0\].xx: is an unknown key\n.*override 'l=\[\{xx: 1\}\]'"):
        load(Config(), schema=schema, overrides=["l=[{xx: 1}]"])


def test_in_a_model_that_is_asked_for() -> None:
    with pytest.raises(ValidationError, match=r"l\[0\].xx: is an unknown key"):
        Config({"l": [{"xx": 1}]}).to_model(InModel)


def test_a_computed_list() -> None:
    cfg: Any = Config(schema=InTyped)
    cfg.l = cfg.DEP(lambda c: [{"xx": 1}])
    with pytest.raises(ValidationError, match=r"l\[0\].xx: is an unknown key"):
        load(cfg)


def test_of_a_class_and_a_model_it_is_the_one_that_the_keys_speak_for() -> None:
    class Holder(BaseModel):
        either: Leaf | Other | None = None

    load(Config(either={"y": 1}), schema=Holder)
    with pytest.raises(ValidationError, match=r"either.yy: is an unknown key"):
        load(Config(either={"y": 1, "yy": 1}), schema=Holder)
    with pytest.raises(ValidationError, match=r"either.xx: is an unknown key"):
        load(Config(either={"x": 1, "xx": 1}), schema=Holder)
