"""Generated fish, so that everything runs with no download.

`draw_dataset` draws 31 species in water, on deck and on paper into a folder with train, val and
test splits; `draw_fish` draws one picture; `SPECIES` lists what there is to draw::

    import numpy as np
    from fishembed.demo import SPECIES, draw_dataset, draw_fish

    draw_fish(SPECIES[0], np.random.default_rng(7)).show()
    draw_dataset("data")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.lazy import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
