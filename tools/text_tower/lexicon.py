"""Names and the directions they should get, before any network learns them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

from text_tower.kernel import Ancestry, Described, DirectionModel
from text_tower.rows import unit_length
from text_tower.sentences import SentenceModel
from text_tower.wordnet import PERSON, Nouns, imagenet_keys, listed

SHARES = {
    "class": 0.27,
    "kind": 0.1,
    "shown": 0.41,
    "other": 0.07,
    "word": 0.09,
    "definition": 0.03,
    "fish": 0.025,
    "caption": 0.005,
}
"""How much of the training each group of texts is; the rarer the thing, the less."""

SENTENCES = {"definition", "caption"}
"""The groups whose texts are no names; they are trained as they stand."""

SEEN_WITH_PEOPLE = listed(
    """
suit, Windsor tie, bow tie, bolo tie, neck brace, academic gown, bulletproof vest, military
uniform, sweatshirt, jersey, lab coat, trench coat, vestment, wig, pickelhaube, cardigan,
sunglasses, hair spray, lipstick, stethoscope, oboe, bassoon, panpipe, flute, groom, ballplayer
"""
)
"""ImageNet has no class of people; an image of somebody looks like these to its classifier."""

PEOPLE = listed(
    """
people, person, man, woman, men, women, boy, girl, child, children, human, human being, face,
faces, human face, head, portrait, portrait of a person, selfie, smile, family, crowd
"""
)


@dataclass
class Lexicon:
    """Texts and their directions.

    Attributes
    ----------
    texts, groups
        Each text with its group, one of `SHARES`.
    rows
        int (n,): each text's row of `directions`.
    directions
        float32 (m, 1280); their length says how much is known.
    """

    texts: list[str]
    groups: list[str]
    rows: np.ndarray
    directions: np.ndarray

    @classmethod
    def of(cls, found: Sequence[tuple[str, str, np.ndarray]]) -> Lexicon:
        """Build one from texts, groups and directions."""
        texts, groups, vectors = zip(*found, strict=True)
        return cls(list(texts), list(groups), np.arange(len(texts)), np.stack(vectors).astype("f4"))

    def __add__(self, other: Lexicon) -> Lexicon:
        return Lexicon(
            self.texts + other.texts,
            self.groups + other.groups,
            np.concatenate([self.rows, other.rows + len(self.directions)]),
            np.concatenate([self.directions, other.directions]),
        )

    def probabilities(self) -> np.ndarray:
        """Return how often each text is drawn, float64 (n,), summing to one."""
        groups = np.array(self.groups)
        chance = np.zeros(len(groups))
        for group, share in SHARES.items():
            member = groups == group
            chance[member] = share / max(member.sum(), 1)
        return chance / chance.sum()


@dataclass
class Teacher:
    """Everything that is known about the depictable synsets and about loose words."""

    nouns: Nouns
    classes: list[str]
    ancestry: Ancestry
    things: DirectionModel
    words: DirectionModel
    keys: list[str]
    directions: np.ndarray


def teach(nouns: Nouns, rows: np.ndarray, described: np.ndarray, model: SentenceModel) -> Teacher:
    """Fit both models and give every depictable synset a direction.

    Parameters
    ----------
    nouns
        WordNet.
    rows
        The classes' directions, float32 (1000, 1280).
    described
        What `describe` gave.
    model
        MiniLM, for the classes' names.
    """
    keys, classes = nouns.depictable, imagenet_keys("imagenet")
    place = {key: row for row, key in enumerate(keys)}
    known = [place[key] for key in classes]
    ancestry = Ancestry(nouns, classes)
    member = ancestry.membership(classes)
    things = DirectionModel(Described(member, (described[known],)), rows, ancestry.bins)
    named = model.encode([", ".join(nouns.synsets[key].names[:3]) for key in classes])
    words = DirectionModel(Described(None, (named,)), rows, ancestry.bins)
    parts = [slice(start, start + 4000) for start in range(0, len(keys), 4000)]
    directions = np.concatenate(
        [
            things.predict(Described(ancestry.membership(keys[part]), (described[part],)))
            for part in parts
        ]
    ).astype("f4")
    directions[known] = rows
    _dress_people(nouns, keys, directions, people_direction(nouns, classes, rows))
    return Teacher(nouns, classes, ancestry, things, words, keys, directions)


def people_direction(nouns: Nouns, classes: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """Return the mean direction of what is seen with people: clothes, flutes at a mouth."""
    worn = [
        row
        for row, key in enumerate(classes)
        if set(nouns.synsets[key].names) & {*SEEN_WITH_PEOPLE}
    ]
    return unit_length(rows[worn].mean(0))


def _dress_people(
    nouns: Nouns, keys: Sequence[str], directions: np.ndarray, people: np.ndarray
) -> None:
    for row, key in enumerate(keys):
        if PERSON in nouns.above(key):
            directions[row] += 0.5 * people


def describe(model: SentenceModel, nouns: Nouns) -> np.ndarray:
    """Return MiniLM's embeddings of the depictable synsets' names and definitions."""
    synsets = [nouns.synsets[key] for key in nouns.depictable]
    return model.encode(
        [f"{', '.join(synset.names[:3])}: {synset.definition}" for synset in synsets]
    )


def compile_names(teacher: Teacher, rows: np.ndarray) -> Lexicon:
    """Collect every name of a depictable synset, and the definitions."""
    place = {key: row for row, key in enumerate(teacher.keys)}
    people = 0.8 * people_direction(teacher.nouns, teacher.classes, rows)
    found = [(text, "kind", people) for text in PEOPLE]
    curated = {text: rows[row] for row, text in enumerate(IMAGENET_CLASSNAMES)}
    found += [(text, "class", vector) for text, vector in curated.items()]
    taken = {*PEOPLE} | {text.lower() for text in curated}
    for name in teacher.nouns.senses:
        if name not in taken and (senses := list(_senses(teacher, place, name))):
            total = sum(weight for _, weight in senses)
            vector = sum(weight / total * teacher.directions[place[k]] for k, weight in senses)
            key = max(senses, key=lambda sense: sense[1])[0]
            found.append((name, _group(teacher, key, name), vector))
    definitions = [teacher.nouns.synsets[key].definition for key in teacher.keys]
    loose = Lexicon(
        definitions,
        ["definition"] * len(definitions),
        np.arange(len(definitions)),
        teacher.directions,
    )
    return Lexicon.of(found) + loose


def compile_words(teacher: Teacher, model: SentenceModel, taken: set[str]) -> Lexicon:
    """Find a direction for MiniLM's other words, from what MiniLM finds them like."""
    words = [word for word in model.words() if word not in taken]
    directions = teacher.words.predict(Described(None, (model.encode(words),)))
    return Lexicon(words, ["word"] * len(words), np.arange(len(words)), directions.astype("f4"))


def _group(teacher: Teacher, key: str, name: str) -> str:
    if key in teacher.classes:
        return "class"
    if key in teacher.ancestry.below:
        return "kind"
    # A capital marks a person, a place or a Latin name: seldom what a class is called.
    common = name in teacher.nouns.synsets[key].names
    return "shown" if common and key in _shown() else "other"


def _senses(teacher: Teacher, place: dict[str, int], name: str) -> Iterator[tuple[str, float]]:
    """Return a name's depictable senses; a sense counts by its use and by how visible it is."""
    for key, count in teacher.nouns.senses[name]:
        if key in place:
            visible = 4 * (key in teacher.classes) + 2 * (key in teacher.ancestry.below)
            yield key, (count + 1) * (0.05 + visible + (key in _shown()))


@functools.cache
def _shown() -> frozenset[str]:
    return frozenset(imagenet_keys("imagenet22k_ms"))
