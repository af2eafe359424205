"""Secrets are never printed nor written, however they are declared; only pickles, which runs need, hold them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr
from typing_extensions import TypedDict

from typedcat import DEP, Config, Extend, Param2Tune, TypedConfig, load_config
from typedcat.cli import main
from typedcat.errors import OverrideError, SaveError, TypedcatError, ValidationError

SECRET = "hunterX"


class MyToken(SecretStr):
    pass


class Login(BaseModel):
    tok: SecretStr | None = None
    user: str = "me"


@dataclass
class Plain:
    tok: SecretStr
    user: str = "me"


class Typed(TypedDict, total=False):
    tok: SecretStr
    user: str


class Inner(TypedConfig):
    tok: SecretStr | None = None
    lr: float = 0.1


class Harmless(TypedConfig):
    lr: float = 0.1


class S(TypedConfig):
    key: SecretStr = SecretStr("")
    raw: SecretBytes | None = None
    mine: MyToken | None = None
    ks: list[SecretStr] = []
    pair: tuple[str, SecretStr] | None = None
    by_name: dict[str, SecretStr] = {}
    m: Login | None = None
    ms: list[Login] = []
    p: Plain | None = None
    t: Typed | None = None
    e: Login | Inner | None = None
    i: Inner = Inner()
    ok: Harmless = Harmless()
    note: str = ""


def typed(**values: Any) -> Any:
    return S(**values)


class Defaults(TypedConfig):
    key: SecretStr = SECRET  # type: ignore[assignment]  # as people write it
    ks: list[SecretStr] = [SECRET]  # type: ignore[list-item]
    by_name: dict[str, SecretStr] = {"a": SECRET}  # type: ignore[dict-item]
    p: Plain = field(default_factory=lambda: Plain(SECRET))  # type: ignore[arg-type]


class Model(BaseModel):
    key: SecretStr = SecretStr("")
    login: Login = Login()
    ms: list[Login] = []
    note: str = ""


VALUES: dict[str, Any] = {
    "key": SECRET,
    "raw": SECRET.encode(),
    "mine": SECRET,
    "ks": [SECRET],
    "pair": ("a", SECRET),
    "by_name": {"a": SECRET},
    "m": {"tok": SECRET},
    "ms": [{"tok": SECRET}],
    "p": {"tok": SECRET},
    "t": {"tok": SECRET},
    "e": {"tok": SECRET},
    "i": {"tok": SECRET},
}
TREES: dict[str, Callable[[], Any]] = {
    **{key: functools.partial(typed, **{key: value}) for key, value in VALUES.items()},
    "assigned": lambda: _assigned(Config(schema=S)),
    "in a model": lambda: Config(schema=Model, key=SECRET, login={"tok": SECRET}, ms=[{"tok": SECRET}]),
    "defaults": lambda: Defaults(),  # noqa: PLW0108 - one type for all of them
    "extended": lambda: Config(schema=S, caps=typed(), ks=Extend([SECRET])),
    "inherited": lambda: Config(schema=S, caps=Config(ks=[SECRET], key=SECRET)),
    "a dependency": lambda: typed(key=DEP(lambda c: SECRET), ks=DEP(lambda c: [SECRET])),
    "to tune": lambda: typed(key=Param2Tune([SECRET])),
    "an instance": lambda: typed(p=Plain(SECRET), m=Login(tok=SecretStr(SECRET))),  # type: ignore[arg-type]
    "a wrong type": lambda: typed(ks=SECRET, by_name=[SECRET]),
}


def _assigned(cfg: Any) -> Any:
    cfg.i.tok = SECRET
    cfg.by_name["a"] = SECRET
    cfg.ks = []
    cfg.ks.append(SECRET)
    return cfg


def load(cfg: Any, *overrides: str) -> Any:
    return load_config(cfg, create_rslt_dir=False, overrides=overrides)


@pytest.mark.parametrize("name", TREES)
class TestPrinting:
    def test_before_and_after_loading(self, name: str) -> None:
        cfg = TREES[name]()
        for tree in (cfg, cfg.copy(), *([load(cfg)] if name not in ("to tune", "a wrong type") else [])):
            for text in (str(tree), repr(tree), tree._repr_html_()):
                assert SECRET not in text
        assert SECRET not in str(Config(inner=cfg))

    def test_saved(self, name: str, tmp_path: Path) -> None:
        cfg = TREES[name]()
        for ending in ("py", "yaml", "json"):
            file = tmp_path / f"cfg.{ending}"
            try:
                getattr(cfg, f"save_{ending}")(file)
            except TypedcatError as error:
                assert SECRET not in str(error)
            else:  # a default is not written, nor what is still a function
                assert SECRET not in file.read_text().replace("lambda c: SECRET", "")


def test_a_part_of_a_tree_is_masked_as_the_whole_is() -> None:
    cfg = Config(schema=Model, login={"tok": SECRET, "user": "you"})
    assert str(cfg.login).splitlines()[-2:] == ["cfg.tok = '**********'", "cfg.user = 'you'"]


def test_what_is_no_secret_is_printed() -> None:
    assert "note = 'hello'" in str(typed(note="hello"))
    assert "ok.lr = 0.2" in str(typed(ok={"lr": 0.2}))
    assert "tok = None" in str(typed(i={"tok": None}))
    assert "cfg.rslt_dir = 'x'" in str(Config(schema=Model, rslt_dir="x"))


class Unset(TypedConfig):
    key: SecretStr | None = SecretStr("x")


def test_an_unset_secret_is_saved_as_none(tmp_path: Path) -> None:
    file = Unset(key=None).save_py(tmp_path / "cfg.py")
    assert load(file).key is None


def folder(cfg: Any, *overrides: str) -> str:
    cfg = cfg.copy()
    cfg.rslt_dir = "runs/s1"
    return str(load(cfg, *overrides).rslt_dir)


class TestResultFolders:
    @pytest.mark.parametrize(
        "override",
        [
            f"key={SECRET}",
            f"ks=[{SECRET}]",
            f"pair=[a, {SECRET}]",
            f"by_name={{a: {SECRET}}}",
            f"+by_name.b={SECRET}",
            f"m={{tok: {SECRET}}}",
            f"m.tok={SECRET}",
            f"ms=[{{tok: {SECRET}}}]",
            f"p={{tok: {SECRET}}}",
            f"t={{tok: {SECRET}}}",
            f"e={{tok: {SECRET}, lr: 1}}",
            f"i={{tok: {SECRET}}}",
            f"mine={SECRET}",
        ],
    )
    def test_on_disk(self, override: str) -> None:
        assert SECRET not in folder(typed(), override)
        assert "hidden" in folder(typed(), override)

    def test_inside_of_lists(self) -> None:
        assert folder(typed(ks=["a"], ms=[{"tok": None}]), f"ks.0={SECRET}", f"ms.0.tok={SECRET}").count("hidden") == 2

    def test_what_is_no_secret_tells_runs_apart(self) -> None:
        assert folder(typed(), "ok={lr: 2}") == "runs/s1,ok={lr: 2}"
        assert folder(typed(), "i={lr: 2}") == "runs/s1,i={lr: 2}"
        assert folder(typed(), f"i={{lr: 2, tok: {SECRET}}}") == "runs/s1,i={'lr': 2.0, 'tok': 'hidden'}".replace(
            "2.0", "2"
        )
        assert folder(typed(), "note=x") == "runs/s1,note=x"

    def test_keys_of_open_schemas(self) -> None:
        class Open(BaseModel, extra="allow"):
            key: SecretStr = SecretStr("")

        assert folder(Config(schema=Open), "+note=x", f"key={SECRET}") == "runs/s1,note=x,key=hidden"


class TestErrors:
    @pytest.mark.parametrize(
        "override",
        [
            f"keyy={SECRET}",
            f"+keyy={SECRET}",
            f"i.tokk={SECRET}",
            f"m.tokk={SECRET}",
            f"m={{tokk: {SECRET}}}",
            f"i={{tokk: {SECRET}}}",
            f"key.x={SECRET}",
            f"ks.3={SECRET}",
            f"by_name.b={SECRET}",
            f"key=@{SECRET}.x",
            f"key=@{SECRET}",
            f"ks=@{SECRET}.x",
            f"ks=[{SECRET}",
            f"ks={SECRET}",
            f"m={SECRET}",
            f"m={{tok: {SECRET}, user: [1]}}",
            f"ms=[{{tok: {SECRET}, user: [1]}}]",
            f"e={{tok: {SECRET}, lr: [1], user: [2]}}",
            f"t={{tok: {SECRET}, user: [1]}}",
        ],
    )
    def test_overrides(self, override: str) -> None:
        with pytest.raises(TypedcatError) as caught:
            load(typed(), override)
        assert SECRET not in str(caught.value)
        assert override.partition("=")[0].removeprefix("+").partition(".")[0] in str(caught.value)

    def test_what_is_no_secret_is_named(self) -> None:
        with pytest.raises(OverrideError, match=r"'ok.lrr=0.3'"):
            load(typed(), "ok.lrr=0.3")
        with pytest.raises(OverrideError, match=r"'keyy=\*{10}'"):
            load(typed(), "keyy=0.3")

    def test_where_a_secret_was_set_and_what_it_overrode(self) -> None:
        cfg = Config(schema=S, caps=Config(m={"tok": [SECRET], "userr": SECRET}, ks=SECRET), ks=[1])
        with pytest.raises(ValidationError) as caught:
            load(cfg, f"m={{tok: [{SECRET}, 1]}}", f"ks={SECRET}")
        assert SECRET not in str(caught.value)
        assert "m.tok" in str(caught.value)
        assert "override 'm={'tok': " in str(caught.value)

    def test_saving_names_the_key_only(self, tmp_path: Path) -> None:
        with pytest.raises(SaveError, match=r"m: is a secret"):
            typed(m={"tok": SECRET}).save_py(tmp_path / "cfg.py")
        with pytest.raises(SaveError, match=r"ms: is a secret"):
            typed(ms=[{"tok": SECRET}]).save_py(tmp_path / "cfg.py")


SCHEMA = """
from pydantic import BaseModel, SecretStr
from typedcat import TypedConfig
class Login(BaseModel):
    tok: SecretStr = SecretStr('')
class typed(TypedConfig):
    key: SecretStr = SecretStr('')
    ks: list[SecretStr] = []
    login: Login | None = None
    ls: list[Login] = []
cfg = typed()
"""


def test_diff_masks_what_either_side_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "typed.py").write_text(SCHEMA)
    lines = [f"key: {SECRET}", f"ks: [{SECRET}]", f"login: {{tok: {SECRET}}}", f"ls: [{{tok: {SECRET}}}]", "other: 1"]
    (tmp_path / "base.yaml").write_text("\n".join(lines))
    for sides in (["typed.py", "base.yaml"], ["base.yaml", "typed.py"]):
        assert main(["diff", *sides]) == 1
        shown = capsys.readouterr().out
        assert SECRET not in shown
        assert "key = '**********'" in shown
        assert "login.tok = '**********'" in shown
        assert "other = 1" in shown
        assert "login = None" in shown
