"""Everyday photos that were kept as CLIP features: a stand-in for what this encoder would see.

Of 4,114 photos of 100 classes only OpenAI's ViT-B/32 vectors are at hand. They are compared
with CLIP's own text vectors of ImageNet's classes; the probabilities, times the classes'
rows, show what an image classifier would see in the photo. Names are then scored on that.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

from fishembed.encoders.embedded.text_tower import TextTower
from text_tower.rows import unit_length
from text_tower.wordnet import listed

NAMES = listed(
    """
Faces, Leopards, Motorbikes, accordion, airplanes, anchor, ant, barrel, bass, beaver, binocular,
bonsai, brain, brontosaurus, buddha, butterfly, camera, cannon, car side, ceiling fan, cellphone,
chair, chandelier, cougar body, cougar face, crab, crayfish, crocodile, crocodile head, cup,
dalmatian, dollar bill, dolphin, dragonfly, electric guitar, elephant, emu, euphonium, ewer, ferry,
flamingo, flamingo head, garfield, gerenuk, gramophone, grand piano, hawksbill, headphone, hedgehog,
helicopter, ibis, inline skate, joshua tree, kangaroo, ketch, lamp, laptop, llama, lobster, lotus,
mandolin, mayfly, menorah, metronome, minaret, nautilus, octopus, okapi, pagoda, panda, pigeon,
pizza, platypus, pyramid, revolver, rhino, rooster, saxophone, schooner, scissors, scorpion,
sea horse, snoopy, soccer ball, stapler, starfish, stegosaurus, stop sign, strawberry, sunflower,
tick, trilobite, umbrella, watch, water lilly, wheelchair, wild cat, windsor chair, wrench, yin yang
"""
)


def score_photos(tower: TextTower, rows: np.ndarray, folder: Path) -> dict[str, float]:
    """Call each photo by the class whose name is nearest, and by matching words alone.

    Parameters
    ----------
    tower
        The words.
    rows
        The classifier's directions, float32 (1000, 1280).
    folder
        Holds caltech101.npz and imagenet1000.npz.
    """
    with np.load(folder / "imagenet1000.npz") as known, np.load(folder / "caltech101.npz") as kept:
        words = unit_length(known["text_features"])
        vectors, labels = unit_length(kept["features"].astype("f4")), kept["labels"]
    logits = 100 * vectors @ words.T
    chance = np.exp(logits - logits.max(1, keepdims=True))
    seen = (chance / chance.sum(1, keepdims=True)) @ rows

    def right(texts: np.ndarray) -> float:
        return float(((seen @ texts.T).argmax(1) == labels).mean())

    plain, prompted = tower.encode(NAMES), tower.encode([f"a photo of a {n}" for n in NAMES])
    return {
        "everyday photo through CLIP: plain name right": right(plain),
        "everyday photo through CLIP: prompted name right": right(prompted),
        "everyday photo through CLIP: right by matching words": right(matching_words(rows)),
    }


def matching_words(rows: np.ndarray) -> np.ndarray:
    """Return for each name the mean row of the ImageNet names that share most of its words."""
    known = [_words(name) for name in IMAGENET_CLASSNAMES]
    found = np.zeros((len(NAMES), rows.shape[1]), "f4")
    for number, name in enumerate(NAMES):
        ours = _words(name)
        shared = np.array([len(ours & theirs) / len(ours | theirs) for theirs in known])
        if shared.max() > 0:
            found[number] = rows[shared == shared.max()].mean(0)
    return unit_length(found)


def _words(name: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall("[a-z]+", name.lower())}
