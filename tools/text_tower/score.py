"""What the teacher and the tower reach, without photos."""

from __future__ import annotations

import numpy as np
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES

from fishembed.demo import SPECIES
from fishembed.encoders.embedded.text_tower import TextTower
from text_tower.everyday import EVERYDAY
from text_tower.lexicon import Lexicon, Teacher
from text_tower.rows import unit_length


def score_teacher(teacher: Teacher, rows: np.ndarray) -> dict[str, float]:
    """Find classes whose rows were hidden, among all 1,000 and among the 200 hidden with them."""
    guess = unit_length(teacher.things.held_out())
    scores = guess @ rows.T
    own = np.take_along_axis(scores, np.arange(len(rows))[:, None], 1)
    ranks = (scores > own).sum(1)
    order = np.random.default_rng(0).permutation(len(rows))
    among = [
        (scores[h][:, h].argmax(1) == np.arange(len(h))).mean()
        for h in (order[fold::5] for fold in range(5))
    ]
    return {
        "hidden class: cosine with its row": float(own.mean()),
        "hidden class: its row among the first 10 of 1000": float((ranks < 10).mean()),
        "hidden class: its row first of 200 hidden": float(np.mean(among)),
    }


def score_names(tower: TextTower, rows: np.ndarray) -> dict[str, float]:
    """Find each class's row by its name, plain and in prompts."""
    truth = np.arange(len(rows))
    plain = tower.encode(IMAGENET_CLASSNAMES)
    frames = [
        template(name) for name in IMAGENET_CLASSNAMES for template in OPENAI_IMAGENET_TEMPLATES
    ]
    prompted = tower.encode(frames).reshape(len(rows), -1, tower.dim)
    single = np.einsum("npd,cd->npc", prompted, rows).argmax(2)
    averaged = unit_length(prompted.mean(1))
    return {
        "class name: cosine with its row": float((plain * rows).sum(1).mean()),
        "class name: its row first of 1000": float(((plain @ rows.T).argmax(1) == truth).mean()),
        "class name in one of 80 prompts: first": float((single == truth[:, None]).mean()),
        "class name, mean of 80 prompts: first": float(
            ((averaged @ rows.T).argmax(1) == truth).mean()
        ),
    }


def score_kinds(tower: TextTower, teacher: Teacher, rows: np.ndarray) -> dict[str, float]:
    """Ask for kinds, such as dog: how many of the nearest rows are dogs, of as many as exist."""
    precision = []
    for key, n_below in teacher.ancestry.below.items():
        if 3 <= n_below <= 150:
            below = [key in teacher.nouns.above(one) for one in teacher.classes]
            vector = tower.encode([teacher.nouns.synsets[key].names[0]])[0]
            nearest = np.argsort(-(rows @ vector))[:n_below]
            precision.append(np.array(below)[nearest].mean())
    return {"kind of 3 to 150 classes: precision": float(np.mean(precision))}


def score_hidden_names(tower: TextTower, lexicon: Lexicon, hidden: np.ndarray) -> dict[str, float]:
    """Compare names that training never met, and as many that it did, with their directions."""
    known = np.flatnonzero(~hidden & np.isin(lexicon.groups, ["shown"]))
    known = np.random.default_rng(0).permutation(known)[: hidden.sum()]

    def cosine(chosen: np.ndarray) -> float:
        given = tower.encode([lexicon.texts[row] for row in chosen])
        return float((given * unit_length(lexicon.directions[lexicon.rows[chosen]])).sum(1).mean())

    return {
        "name met in training: cosine with its direction": cosine(known),
        "name never met: cosine with its direction": cosine(np.flatnonzero(hidden)),
    }


def score_everyday(tower: TextTower, rows: np.ndarray) -> dict[str, float]:
    """See whether everyday names land on a class that an honest person would take for them."""
    number = {name: row for row, name in enumerate(IMAGENET_CLASSNAMES)}
    hits = []
    for name, accepted in EVERYDAY.items():
        vector = tower.encode([f"a photo of a {name.replace('_', ' ')}"])[0]
        first = np.argsort(-(rows @ vector))[:3]
        hits.append(any(number[one] in first for one in accepted))
        if not hits[-1]:
            print("  missed:", name, "->", ", ".join(IMAGENET_CLASSNAMES[row] for row in first))
    return {"everyday name: a fitting class among the first 3 rows": float(np.mean(hits))}


def score_drawn(tower: TextTower, features: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Classify drawn fish by their species' names, with other drawings than in training."""
    texts = [f"a photo of a {species.name.lower()}" for species in SPECIES]
    guess = (features @ tower.encode(texts).T).argmax(1)
    return {"drawn fish: species right (31 species)": float((guess == labels).mean())}
