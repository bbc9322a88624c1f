"""Training texts: names as people write them, in prompts, with other words, misspelt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

from text_tower.lexicon import SENTENCES, Lexicon
from text_tower.rows import unit_length
from text_tower.wordnet import listed

FRAMES = (
    *(template("{}") for template in OPENAI_IMAGENET_TEMPLATES),
    *("{}", "a {}", "the {}", "an image of a {}", "a picture of the {}", "photo of {}"),
    *("a photo of one {}", "a photo of two {}", "a {} in the water", "a {} on a table"),
    *("a {} in the street", "a {} in a room", "a {} on grass", "there is a {}", "look at my {}"),
    *("a photo of a {}, a type of thing", "a {} seen from the side", "a blurry {} at night"),
)
BEFORE = listed(
    """
red, blue, green, yellow, black, white, brown, grey, orange, pink, purple, golden, silver, big,
small, large, tiny, old, new, young, modern, antique, wooden, metal, plastic, glass, striped,
spotted, bright, dark, colourful, wild, domestic, beautiful, strange, common, single, whole,
cute, real, toy, electric, front of, side of, part of, many
"""
)
AFTER = listed(
    """
head, body, face, side, front, back, top, tail, leg, view, close up, scene, object, thing,
image, picture, photo, model, toy, easy, hard, one, two, part, detail, outdoors, indoors,
portrait, animal, species, machine, item, logo, drawing
"""
)


def plural(name: str) -> str:
    """Form a plural by rule."""
    if name.endswith("y") and name[-2:-1] not in {*"aeiou"}:
        return name[:-1] + "ies"
    return name + ("es" if name.endswith(("s", "x", "ch", "sh")) else "s")


def misspell(name: str, rng: np.random.Generator) -> str:
    """Double, drop or swap one letter of a name."""
    if len(name) < 5:
        return name
    place = int(rng.integers(1, len(name) - 1))
    change = rng.integers(3)
    if change == 0:
        return name[:place] + name[place] + name[place:]
    if change == 1:
        return name[:place] + name[place + 1 :]
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


Batch = tuple[list[str], np.ndarray, np.ndarray]
_POOL = 8
"""Batches that are drawn together."""


class Corpus:
    """Draws texts with the directions they should get.

    Parameters
    ----------
    lexicon
        Names and directions.
    hidden
        bool (n,): texts that are kept back, to see what unknown names get.
    seed
        Of the draws.
    """

    def __init__(self, lexicon: Lexicon, hidden: np.ndarray, seed: int) -> None:
        self._lexicon = lexicon
        chance = np.where(hidden, 0, lexicon.probabilities())
        self._summed = np.cumsum(chance / chance.sum())
        self._rng = np.random.default_rng(seed)

    def _choose(self, n: int) -> np.ndarray:
        rows = np.searchsorted(self._summed, self._rng.random(n))
        return np.minimum(rows, len(self._summed) - 1)

    def batches(self, n: int, size: int) -> Iterator[Batch]:
        """Yield n batches; texts of like length share one, so that little is padding."""
        for start in range(0, n, _POOL):
            count = min(_POOL, n - start)
            texts, directions, weights = self.draw(count * size)
            order = np.argsort([len(text) for text in texts], kind="stable")
            for part in self._rng.permutation(np.split(order, count)):
                yield [texts[row] for row in part], directions[part], weights[part]

    def draw(self, n: int) -> Batch:
        """Return n texts, their unit directions, and weights: what is known better counts more."""
        lexicon = self._lexicon
        first, second = self._choose(n), self._choose(n)
        directions = lexicon.directions[lexicon.rows[first]]
        others = lexicon.directions[lexicon.rows[second]]
        texts = []
        for row, (one, two) in enumerate(zip(first, second, strict=True)):
            text, share = self._dress(one, two)
            texts.append(text)
            if share:
                directions[row] += share * others[row]
        lengths = np.linalg.norm(directions, axis=1)
        return texts, unit_length(directions), np.sqrt(lengths.clip(0.05, 1))

    def _dress(self, one: int, two: int) -> tuple[str, float]:
        """Write a text down in one of many ways; say how much the second text is part of it."""
        lexicon, rng = self._lexicon, self._rng
        name, other = lexicon.texts[one], lexicon.texts[two]
        if lexicon.groups[one] in SENTENCES:
            return name, 0.0
        name = self._spell(name)
        way = rng.random() if lexicon.groups[two] not in SENTENCES else 0.9 * rng.random()
        if way < 0.75:
            return name if way < 0.4 else _choice(FRAMES, rng).replace("{}", name), 0.0
        if way < 0.9:
            before = way < 0.82
            added = _choice(BEFORE if before else AFTER, rng)
            return f"{added} {name}" if before else f"{name} {added}", 0.0
        if way < 0.95:
            return f"{other} {name}", 0.5
        return f"{name} {_choice(('and', 'with a', 'next to a'), rng)} {other}", 1.0

    def _spell(self, name: str) -> str:
        way = self._rng.random()
        if way < 0.15:
            return plural(name)
        if way < 0.22:
            return misspell(name, self._rng)
        return name.replace(" ", "") if way < 0.26 else name


def _choice(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]
