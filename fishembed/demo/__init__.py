"""Generated fish, so that everything runs with no download.

`draw_dataset` draws 31 species in water, on deck and on paper into a folder with train, val and
test splits; `draw_fish` draws one picture; `SPECIES` lists what there is to draw::

    import numpy as np
    from fishembed.demo import SPECIES, draw_dataset, draw_fish

    draw_fish(SPECIES[0], np.random.default_rng(7)).show()
    draw_dataset("data")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fishembed.demo.captions import caption
    from fishembed.demo.dataset import draw_dataset
    from fishembed.demo.picture import Scene, choose_scene, draw_fish, paint
    from fishembed.demo.species import SPECIES
    from fishembed.demo.traits import Species

_HOMES = {
    "SPECIES": "species",
    "Scene": "picture",
    "Species": "traits",
    "caption": "captions",
    "choose_scene": "picture",
    "draw_dataset": "dataset",
    "draw_fish": "picture",
    "paint": "picture",
}

__all__ = [
    "SPECIES",
    "Scene",
    "Species",
    "caption",
    "choose_scene",
    "draw_dataset",
    "draw_fish",
    "paint",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'fishembed.demo' has no attribute {name!r}")
    value = getattr(import_module(f"fishembed.demo.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
