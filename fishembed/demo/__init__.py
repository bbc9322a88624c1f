"""Drawn fish, so that everything runs without downloads.

`draw_dataset` draws 31 species in water, on deck and on paper into a folder with train, val and
test splits; `draw_fish` draws one image; `SPECIES` lists the species::

    import numpy as np
    from fishembed.demo import SPECIES, draw_dataset, draw_fish

    draw_fish(SPECIES[0], np.random.default_rng(7)).show()
    draw_dataset("data")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.runtime import lazy_names

if TYPE_CHECKING:
    from fishembed.demo.catalogue import SPECIES, Species
    from fishembed.demo.dataset import draw_dataset
    from fishembed.demo.scenes import Scene, caption, choose_scene, draw_fish, paint

_MODULES = {"SPECIES": "catalogue", "Species": "catalogue", "draw_dataset": "dataset"}
_MODULES |= dict.fromkeys(("Scene", "caption", "choose_scene", "draw_fish", "paint"), "scenes")

__all__ = ["SPECIES", "Scene", "Species", "caption", "choose_scene"]
__all__ += ["draw_dataset", "draw_fish", "paint"]

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
