"""A patch: whatever it is added to trains a network with a hidden layer."""

from models import Mlp
from schema import Train
from typedcat import Config

cfg = Config(schema=Train)

cfg.model.cls = Mlp
cfg.model.ini.num_hidden = 64
