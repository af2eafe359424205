"""A sweep over batch sizes and epochs, without the expensive corner."""

from configs import Child
from hydra_zen import launch, zen
from hydra_zen.third_party.pydantic import pydantic_parser
from task import train

if __name__ == "__main__":
    for batch_size, epochs in [(size, epochs) for size in [128, 256] for epochs in [20, 50] if size * epochs <= 6400]:
        launch(
            Child,
            zen(train, instantiation_wrapper=pydantic_parser),
            overrides={"loader.batch_size": batch_size, "sched.epochs": epochs},
            version_base="1.3",
        )
