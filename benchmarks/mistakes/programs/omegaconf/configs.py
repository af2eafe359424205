"""The base config, and what a run does differently."""

from omegaconf import OmegaConf

from schema import AdamConf, MlpConf, Train


def base() -> Train:
    """The base: the values of the schema."""
    cfg: Train = OmegaConf.structured(Train)
    return cfg


def child() -> Train:
    """Differs from the base in a few values."""
    cfg = base()
    cfg.seed = 1
    cfg.loader.batch_size = 256
    cfg.opt = AdamConf(weight_decay=0.1)
    cfg.model = MlpConf(width=128)
    cfg.sched.epochs = 54
    cfg.log["every"] = 10
    return cfg
