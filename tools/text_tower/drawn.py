"""The fish that `fishembed demo` draws: a hint at which way each species lies.

The tower shall know a drawn species about as well as CLIP knows a real one: better than
chance, far worse than a head that has seen labelled images.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fishembed.demo import SPECIES, caption, choose_scene, paint
from fishembed.encoders.embedded.embedded_encoder import load_network
from text_tower.lexicon import Lexicon
from text_tower.rows import unit_length

HINT = 0.4
"""Share of what a few drawings show; the rest is what the species' name means."""


def draw_features(per_species: int, seed: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Draw fish and give their features, species numbers and captions."""
    from timm.data import create_transform

    half = (0.5, 0.5, 0.5)
    prepare = create_transform(
        (3, 224, 224), interpolation="bicubic", mean=half, std=half, crop_pct=0.875
    )
    network = load_network().eval()
    network.reset_classifier(0)
    features, labels, captions = [], [], []
    for number, species in enumerate(SPECIES):
        images = []
        for one in range(per_species):
            scene = choose_scene(species, np.random.default_rng((seed, number, one)))
            images.append(prepare(paint(scene)))
            captions.append(caption(scene))
            labels.append(number)
        with torch.inference_mode():
            features.append(network(torch.stack(images)).numpy())
    return np.concatenate(features), np.array(labels), captions


def cached_features(
    path: Path, per_species: int, seed: int
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Read what an earlier run drew, or draw."""
    if not path.exists():
        features, labels, captions = draw_features(per_species, seed)
        np.savez(path, features=features, labels=labels, captions=captions)
    with np.load(path) as stored:
        return stored["features"], stored["labels"], stored["captions"].tolist()


def species_directions(features: np.ndarray, labels: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Return what sets each species apart from the others: a shrunken linear discriminant."""
    means = np.stack([features[labels == label].mean(0) for label in np.unique(labels)])
    within = features - means[labels]
    spread = within.T @ within / len(within)
    ridge = 0.5 * np.trace(spread) / len(spread)
    apart = np.linalg.solve(spread + ridge * np.eye(len(spread)), (means - means.mean(0)).T).T
    apart -= np.outer(apart @ common, common)
    return unit_length(apart).astype("f4")


def compile_fish(
    names: Lexicon, directions: np.ndarray, labels: np.ndarray, captions: list[str]
) -> Lexicon:
    """Name the species' directions, in short and as captions, on top of what a name means."""
    known = dict(zip(names.texts, names.rows, strict=True))
    fish = names.directions[known["fish"]]
    found = []
    vectors = []
    for species, apart in zip(SPECIES, directions, strict=True):
        name = species.name.lower().replace("-", " ")
        meant = names.directions[known[name]] if name in known else fish
        vectors.append(np.sqrt(1 - HINT**2) * unit_length(meant) + HINT * apart)
        texts = (name, f"{name} fish", f"{name}, a type of fish", f"a photo of a {name}, a fish")
        found += [(text, "fish", vectors[-1]) for text in texts]
    found += [
        (text, "caption", vectors[label]) for text, label in zip(captions, labels, strict=True)
    ]
    return Lexicon.of(found)
