"""The training script: `python train.py [KEY=VALUE ...]`."""

from configs import Base, Child
from hydra_zen import store, zen
from hydra_zen.third_party.pydantic import pydantic_parser
from task import train

store(Base, name="config")
store(Child, group="experiment", package="_global_", name="child")

if __name__ == "__main__":
    store.add_to_hydra_store()
    zen(train, instantiation_wrapper=pydantic_parser).hydra_main(
        config_name="config", config_path=None, version_base="1.3"
    )
