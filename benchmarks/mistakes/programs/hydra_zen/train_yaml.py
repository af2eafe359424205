"""Trains as the base and a YAML file say."""

from pathlib import Path

from configs import Base
from hydra_zen import store, zen
from hydra_zen.third_party.pydantic import pydantic_parser
from task import train

store(Base, name="base")

if __name__ == "__main__":
    store.add_to_hydra_store()
    zen(train, instantiation_wrapper=pydantic_parser).hydra_main(
        config_name="child", config_path=str(Path.cwd()), version_base="1.3"
    )
