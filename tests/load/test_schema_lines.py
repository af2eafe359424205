"""The lines of schemas: who sets a default is the line that declares the field, in classes of any kind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from typedcat import Config, load_config

SCHEMAS = '''\
import dataclasses

import pydantic
from pydantic import BaseModel, Field, create_model
from typing_extensions import TypedDict


class Base(BaseModel):
    """What others derive from.

    lr: int = 3
    """

    lr: float = 0.1
    name: str = """a
b: int = 3
"""


class Model(Base):
    steps: list[int] = Field(
        default_factory=list,
    )
    alias: int = Field(3, alias="other")


@dataclasses.dataclass(
    kw_only=True,
)
class Data:
    lr: float = 0.1
    steps: list[int] = dataclasses.field(default_factory=list)


@pydantic.dataclasses.dataclass
class Checked(Data):
    more: int = 1


class Outer(BaseModel):
    model: Model = Model(lr=0.5)
    data: Data


class Keys(TypedDict):
    lr: float


class More(Keys, total=False):
    steps: list[int]


def make():
    class Local(BaseModel):
        lr: float = 0.1

    return Local


Local = make()
Made = create_model("Made", lr=(float, 0.1))
'''


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module with the classes."""
    (tmp_path / "schemas_with_lines.py").write_text(SCHEMAS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("schemas_with_lines", None)
    import schemas_with_lines  # type: ignore[import-not-found]  # written just now

    return schemas_with_lines


def line_of(text: str) -> int:
    lines: list[str] = [*SCHEMAS.splitlines()]
    return lines.index(text) + 1


@pytest.mark.parametrize(
    ("name", "key", "line"),
    [
        ("Base", "lr", "    lr: float = 0.1"),
        ("Model", "lr", "    lr: float = 0.1"),
        ("Model", "name", '    name: str = """a'),
        ("Model", "steps", "    steps: list[int] = Field("),
        ("Model", "alias", '    alias: int = Field(3, alias="other")'),
        ("Data", "steps", "    steps: list[int] = dataclasses.field(default_factory=list)"),
        ("Checked", "steps", "    steps: list[int] = dataclasses.field(default_factory=list)"),
        ("Checked", "more", "    more: int = 1"),
        ("Outer", "model.lr", "    model: Model = Model(lr=0.5)"),
        ("Outer", "model.steps", "    steps: list[int] = Field("),
        ("Outer", "data.steps", "    steps: list[int] = dataclasses.field(default_factory=list)"),
        ("Local", "lr", "        lr: float = 0.1"),
    ],
)
def test_the_line_of_a_default(name: str, key: str, line: str, schemas: Any) -> None:
    cfg = load_config(Config(), schema=getattr(schemas, name), create_rslt_dir=False)
    assert str(cfg.origin(key)[0]) == f"schemas_with_lines.py:{line_of(line)}"


def test_a_class_that_no_source_defines(schemas: Any) -> None:
    cfg = load_config(Config(), schema=schemas.Made, create_rslt_dir=False)
    assert cfg.origin("lr")[0].line is None


def test_a_class_of_a_config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "from pydantic import BaseModel\nfrom typedcat import Config\nclass M(BaseModel):\n    lr: float = 0.1\n"
    (tmp_path / "cfg.py").write_text(f"{text}cfg = Config(schema=M)\n", encoding="utf-8")
    assert str(load_config("cfg.py", create_rslt_dir=False).origin("lr")[0]) == "cfg.py:4"


def test_the_keys_of_a_typed_dict(schemas: Any) -> None:
    from typedcat.load.schema_fields import fields_of
    from typedcat.tree.origin import place

    lines = {name: place(field.where).line for name, field in fields_of(schemas.More).items()}
    assert lines == {"lr": line_of("class Keys(TypedDict):") + 1, "steps": line_of("    steps: list[int]")}
