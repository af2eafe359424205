"""What a config file defines, in a process that has not run the file."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from typedcat import load_config
from typedcat.errors import readable
from typedcat.load.modules import definition_key, run_config_file

DATASET = """
from typedcat import Config
from ..helpers import scale

class Dataset:
    def __init__(self, n): self.n = n
    def __len__(self): return self.n
    def item(self, i): return scale(i, self.n)

def double(x): return 2 * x

cfg = Config()
cfg.data = Dataset(4)
cfg.double = double
"""


@pytest.fixture(autouse=True)
def clean_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture(params=["configs/base", "configs/v1.2,4xbs/a@b"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / request.param
    folder.mkdir(parents=True)
    (folder.parent / "helpers.py").write_text("def scale(x, n): return 10 * x + n")
    return written(folder / "cfg.py", DATASET)


def written(file: Path, code: str) -> Path:
    file.write_text(code)
    return file


def load(file: Path) -> Any:
    return load_config(file, create_rslt_dir=False)


def elsewhere(code: str, cwd: Path | str = "/") -> str:
    """What a new process prints, or its error."""
    script = "import pickle, sys, typedcat\n" + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=cwd, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr.rpartition("\nImportError")[2]


def pickled(file: Path, value: object) -> Path:
    file.write_bytes(pickle.dumps(value))
    return file


def test_a_new_process_runs_the_file_once(file: Path, tmp_path: Path) -> None:
    cfg, other = load(file), load(file)
    saved = pickled(tmp_path / "saved.pkl", (cfg.data, cfg.double, cfg.data.item, other.data))
    shown = elsewhere(f"""
        for _ in range(2):
            data, double, item, other = pickle.load(open({str(saved)!r}, "rb"))
        print(len(data), double(3), item(2), type(data) is type(other), len([m for m in sys.modules if "cfg@" in m]))
        """)
    assert shown == "4 6 24 False 2"


def test_a_spawned_pool(file: Path) -> None:
    cfg = load(file)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, initializer=_same, initargs=(0,)) as pool:  # which imports typedcat there
        assert list(pool.map(cfg.data.item, range(3))) == [4, 14, 24]
        (back,) = pool.map(cfg.double, [cfg.data.n])
        assert back == 8
        assert type(pool.submit(_same, cfg.data).result()) is type(cfg.data)


def _same(value: Any) -> Any:
    return value


def test_the_other_process_may_load_the_file_as_well(file: Path, tmp_path: Path) -> None:
    saved = pickled(tmp_path / "saved.pkl", load(file).data)
    shown = elsewhere(f"""
        data = pickle.load(open({str(saved)!r}, "rb"))
        mine = typedcat.load_config({str(file)!r}, create_rslt_dir=False).data
        again, mine = pickle.loads(pickle.dumps((data, mine)))
        print(type(again) is type(data), type(mine) is type(data), len(mine))
        """)
    assert shown == "True False 4"


def test_a_config_in_which_such_a_value_stands_still_goes_by_value(file: Path, tmp_path: Path) -> None:
    saved = pickled(tmp_path / "saved.pkl", load(file))
    file.write_text("raise RuntimeError")
    assert elsewhere(f"print(pickle.load(open({str(saved)!r}, 'rb')).data.n)") == "4"


def test_a_definition_keeps_its_key(file: Path, tmp_path: Path) -> None:
    cfg = load(file)
    saved = pickled(tmp_path / "saved.pkl", cfg.data)
    shown = elsewhere(f"""
        from typedcat.load.modules import definition_key
        print(definition_key(type(pickle.load(open({str(saved)!r}, "rb")))))
        """)
    assert shown == repr(definition_key(type(cfg.data))) == repr((str(file), "Dataset"))


def test_files_below_no_import_root_and_odd_roots(tmp_path: Path) -> None:
    root = tmp_path / "my lab.v2 (é@1)%2E"
    root.mkdir()
    file = root / "my.cfg.py"
    file.write_text("class K: n = 5")
    for where in (root, tmp_path / "elsewhere"):
        saved = pickled(tmp_path / "saved.pkl", run_config_file(file, import_root=where).K())
        assert elsewhere(f"print(pickle.load(open({str(saved)!r}, 'rb')).n)") == "5"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (None, "cfg.py: no such file"),
        ("def f(:", "cfg.py:1:7: invalid syntax"),
        ("1 / 0", "cfg.py:1: ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_is_gone_or_broken(source: str | None, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "cfg.py"
    file.write_text("class K: pass\ncfg = dict(k=K())")
    saved = pickled(tmp_path / "saved.pkl", {"k": load(file).k})
    if source is None:
        file.unlink()
    else:
        file.write_text(source)
    shown = elsewhere(f"pickle.load(open({str(saved)!r}, 'rb'))", cwd=tmp_path)
    code = f"typedcat.load_config({str(saved)!r}, create_rslt_dir=False)"
    for text in (shown, elsewhere(f"try: {code}\nexcept typedcat.TypedcatError as e: print(e)", cwd=tmp_path)):
        assert "what cfg.py defines is needed, and that file cannot be run" in text
        assert reason in text
        assert "_typedcat_" not in text


def test_messages_name_the_class_as_the_user_does(file: Path, tmp_path: Path) -> None:
    cls = type(load(file).data)
    dotted = ".".join(file.relative_to(tmp_path).with_suffix("").parts).replace("v1.2", "v1\u20242")
    assert readable(repr(cls)) == f"<class '{dotted}.Dataset'>"
    assert readable(f"{sys.modules[cls.__module__]!r}, {cls!r}").startswith(f"<module '{dotted}' (")
    helpers = sys.modules[cls.__module__.rpartition(".")[0].rpartition(".")[0] + ".helpers"]
    assert "_typedcat_" not in readable(f"{helpers.scale.__module__} and {cls.__module__} of one file")


def test_a_name_that_is_not_there(file: Path, tmp_path: Path) -> None:
    saved = pickled(tmp_path / "saved.pkl", {"d": load(file).data})
    file.write_text("cfg = {}")
    shown = elsewhere(f"""
        try: typedcat.load_config({str(saved)!r}, create_rslt_dir=False)
        except typedcat.TypedcatError as e: print(e)
        """)
    assert "the pickle needs a name that its module does not have" in shown
    assert "_typedcat_" not in shown


TRAIN = """
import sys
from torch.utils.data import DataLoader
from typedcat import load_config

if __name__ == "__main__":
    data = load_config(sys.argv[1], create_rslt_dir=False).data
    loader = DataLoader(data, num_workers=1, multiprocessing_context="spawn", batch_size=2)
    print([batch.tolist() for batch in loader])
"""


@pytest.mark.slow
def test_a_spawned_data_loader(tmp_path: Path) -> None:
    pytest.importorskip("torch.utils.data")
    written(tmp_path / "cfg.py", DATASET.replace("def item", "def __getitem__").replace("..helpers", ".helpers"))
    written(tmp_path / "helpers.py", "def scale(x, n): return 10 * x + n")
    script = written(tmp_path / "train.py", TRAIN)
    done = subprocess.run([sys.executable, script, "cfg.py"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout == "[[4, 14], [24, 34]]\n", done.stderr
