"""A sweep over batch sizes and epochs, without the expensive corner: every config is made before the first runs."""

from train import train

from schema import AdamConfig, Loader, MlpConfig, Sched, Train


def point(batch_size: int, epochs: int) -> Train:
    """One config of the sweep."""
    return Train(
        seed=1,
        loader=Loader(batch_size=batch_size),
        opt=AdamConfig(weight_decay=0.1),
        model=MlpConfig(width=128),
        sched=Sched(epochs=epochs),
        log={"every": 10},
    )


if __name__ == "__main__":
    points = [point(batch_size, epochs) for batch_size in [128, 256] for epochs in [20, 50]]
    for cfg in [cfg for cfg in points if cfg.sched.epochs * cfg.loader.batch_size <= 6400]:
        train(cfg)
