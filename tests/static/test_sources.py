"""Which files are taken for configs by `typedcat stubs` and `typedcat check`."""

from __future__ import annotations

from pathlib import Path

import pytest

from typedcat.static.sources import find_configs

CONFIG = "from typedcat import Config\ncfg = Config(a=1)\n"


def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]) -> list[str]:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return [path.as_posix() for path in find_configs(Path())]


def test_results_are_no_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "configs/base/cfg.py": CONFIG,
        "configs/base/run.json": "{}",  # somebody trains without an experiments root: a record beside the config
        "runs/a/run.json": "{}",
        "runs/a/eval.json": '{"acc": 1}',
        "runs/a/logs/hparams.yaml": "lr: 1",
        "runs/b/eval.json": '{"acc": 1}',
        "digits/pyproject.toml": "[tool.typedcat]\nexperiments_root = 'out'\n",
        "digits/configs/cfg.yaml": "a: 1",
        "digits/out/a/eval.json": '{"acc": 1}',
    }
    assert found(tmp_path, monkeypatch, files) == [
        "configs/base/cfg.py",
        "digits/configs/cfg.yaml",
        "runs/b/eval.json",
    ]


@pytest.mark.parametrize("root", ["", ".", "..", "configs/.."])
def test_an_experiments_root_that_holds_the_project_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    settings = f"[tool.typedcat]\nexperiments_root = '{root}'\n"
    assert found(tmp_path, monkeypatch, {"pyproject.toml": settings, "cfg.py": CONFIG}) == ["cfg.py"]
