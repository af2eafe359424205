"""The 'Full Example' and the quick glance, with stand-ins for the classes of torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from typedcat import load_config

from .conftest import WriteFile

TORCH = """
    '''Stands for torch and torchvision.'''
    class LinearLR:
        def __init__(self, optimizer, start_factor=1/3, end_factor=1.0, total_iters=5): self.args = vars()
    class CosineAnnealingLR:
        def __init__(self, optimizer, T_max): self.T_max = T_max
    class AdamW:
        def __init__(self, params, lr=1e-3, weight_decay=0.01): self.lr = lr
    class MNIST:
        classes = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
        def __init__(self, root, transform=None): self.root, self.transform = root, transform
        def __len__(self): return 10
    class Compose:
        def __init__(self, steps): self.steps = steps
        def __repr__(self): return 'Compose(' + ''.join(f'\\n    {s}' for s in self.steps) + '\\n)'
    def resnet18(num_classes=1000): return ['resnet18', num_classes]
"""

ADDON = """
    import fake_torch as sched
    from typedcat import Config, DEP

    cfg = Config()
    cfg.epochs = 30

    @cfg.set_DEP(priority=0)  # warm_epochs = 10% of total epochs
    def warm_epochs(c: Config) -> int:
        return round(0.1 * c.epochs)

    cfg.warm.cls = sched.LinearLR
    cfg.warm.ini.total_iters = DEP(lambda c: c.warm_epochs, priority=1)
    cfg.warm.ini.start_factor = 1e-5
    cfg.warm.ini.end_factor = 1.

    cfg.main.cls = sched.CosineAnnealingLR
    cfg.main.ini.T_max = DEP(lambda c: c.epochs - c.warm.ini.total_iters,
                             priority=2)  # main_epochs = total_epochs - warm_epochs
"""

BASE = """
    import fake_torch as torch
    from typedcat import Config, DEP

    cfg = Config()
    cfg.rand_seed = 0

    # -* Set datasets.
    cfg.dt.cls = torch.MNIST
    cfg.dt.ini.root = '/tmp/data'
    cfg.dt.ini.transform = torch.Compose(['Grayscale(num_output_channels=3)', 'ToTensor()'])

    # -* Set data loader.
    cfg.loader.ini.batch_size = 128
    cfg.loader.ini.num_workers = 2

    # -* Set model.
    cfg.model.cls = torch.resnet18
    cfg.model.ini.num_classes = DEP(lambda c: len(c.dt.cls.classes))

    # -* Set optimizer.
    cfg.opt.cls = torch.AdamW
    cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size // 128 * 0.01)  # Linear scaling rule.

    # -* Set scheduler.
    cfg.sched = Config('configs/addons/linear_warm_cos_sched.py')

    # -* Set logger.
    cfg.log.save_interval = DEP(lambda c: c.sched.epochs // 5, priority=1)  # Save model at every 20% of total epochs.
"""

CHILD = """
    from typedcat import Config

    cfg = Config(caps='configs/mnist/base,sched_from_addon/cfg.py')

    cfg.loader.ini.batch_size = 256
    cfg.sched.epochs = 15
"""

TRAIN = """
    import argparse
    import json
    from typedcat import load_config

    parser = argparse.ArgumentParser()
    parser.add_argument('-c', '--config', type=str)
    args = parser.parse_args()

    cfg = load_config(args.config, experiments_root='exp', config_root='configs')
    print(cfg)
    dataset = cfg.dt.cls(**cfg.dt.ini)
    model = cfg.model.cls(**cfg.model.ini)
    opt = cfg.opt.cls(model, **cfg.opt.ini, weight_decay=0.)
    warm_sched = cfg.sched.warm.cls(opt, **cfg.sched.warm.ini)
    main_sched = cfg.sched.main.cls(opt, **cfg.sched.main.ini)
    saved = 0
    for epoch in range(1, cfg.sched.epochs + 1):
        if cfg.log and epoch % cfg.log.save_interval == 0:
            saved += 1
    if cfg.log:
        with open(f"{cfg.rslt_dir}/eval.json", 'w') as json_f:
            json.dump({'saved': saved, 'lr': opt.lr, 'model': model, 'T_max': main_sched.T_max}, json_f)
"""

CHILD_PATH = "configs/mnist/base,sched_from_addon,2xbs,2÷epo/cfg.py"


@pytest.fixture(autouse=True)
def project(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "fake_torch", raising=False)
    write("fake_torch.py", TORCH)
    write("configs/addons/linear_warm_cos_sched.py", ADDON)
    write("configs/mnist/base,sched_from_addon/cfg.py", BASE)
    write(CHILD_PATH, CHILD)


def test_the_printed_config() -> None:
    cfg = load_config(CHILD_PATH, create_rslt_dir=False)
    torch = sys.modules["fake_torch"]
    assert str(cfg).splitlines() == [
        "cfg = Config()",
        "# ------- ↓ LEAVES ↓ ------- #",
        "cfg.rand_seed = 0",
        "cfg.dt.cls = <class 'fake_torch.MNIST'>",
        "cfg.dt.ini.root = '/tmp/data'",
        "cfg.dt.ini.transform = Compose(",
        "    Grayscale(num_output_channels=3)",
        "    ToTensor()",
        ")",
        "cfg.loader.ini.batch_size = 256",
        "cfg.loader.ini.num_workers = 2",
        f"cfg.model.cls = {torch.resnet18!r}",
        "cfg.model.ini.num_classes = 10",
        "cfg.opt.cls = <class 'fake_torch.AdamW'>",
        "cfg.opt.ini.lr = 0.02",
        "cfg.sched.epochs = 15",
        "cfg.sched.warm_epochs = 2",
        "cfg.sched.warm.cls = <class 'fake_torch.LinearLR'>",
        "cfg.sched.warm.ini.total_iters = 2",
        "cfg.sched.warm.ini.start_factor = 1e-05",
        "cfg.sched.warm.ini.end_factor = 1.0",
        "cfg.sched.main.cls = <class 'fake_torch.CosineAnnealingLR'>",
        "cfg.sched.main.ini.T_max = 13",
        "cfg.log.save_interval = 3",
        "cfg.rslt_dir = 'mnist/base,sched_from_addon,2xbs,2÷epo'",
    ]


def test_the_base_is_not_touched_by_its_child() -> None:
    load_config(CHILD_PATH, create_rslt_dir=False)
    cfg = load_config("configs/mnist/base,sched_from_addon/cfg.py", create_rslt_dir=False)
    assert cfg.opt.ini.lr == 0.01
    assert cfg.sched.main.ini.T_max == 27
    assert cfg.log.save_interval == 6
    assert cfg.rslt_dir == "mnist/base,sched_from_addon"


def test_training_as_a_script(write: WriteFile, tmp_path: Path) -> None:
    write("train.py", TRAIN)
    run = subprocess.run(
        [sys.executable, "train.py", "--config", CHILD_PATH], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("cfg = Config()\n# ------- ↓ LEAVES ↓ ------- #\n")
    folder = tmp_path / "exp/mnist/base,sched_from_addon,2xbs,2÷epo"
    assert json.loads((folder / "eval.json").read_text()) == {
        "saved": 5,
        "lr": 0.02,
        "model": ["resnet18", 10],
        "T_max": 13,
    }


def test_a_copied_pickle_trains_without_its_files(tmp_path: Path) -> None:
    cfg = load_config(CHILD_PATH, experiments_root="exp", create_rslt_dir=False)
    file = cfg.save_pkl(tmp_path / "elsewhere/cfg.pkl")
    for source in (tmp_path / "configs").rglob("*.py"):
        source.unlink()
    again = load_config(file, create_rslt_dir=False)
    assert again.sched.main.ini.T_max == 13
    assert again.rslt_dir == cfg.rslt_dir
