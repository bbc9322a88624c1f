"""Words to numbers: a small WordPiece tokenizer for English names and sentences."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence

START = "[start]"
MAX_TOKENS = 48

_WORD = re.compile(r"[a-z]+|[0-9]+")


def split_words(text: str) -> list[str]:
    """Split a text into lower-case words and numbers; accents and punctuation go."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _WORD.findall(plain.replace("'", "").lower())


class WordPieces:
    """Greedy longest-match pieces, with every letter and digit a piece of its own.

    A word that was never seen falls apart into shorter pieces, so no text is refused.

    Parameters
    ----------
    pieces
        The vocabulary: `START` first; pieces inside a word begin with `##`.

    References
    ----------
    Wu et al. (2016). Google's Neural Machine Translation System, section 4.1.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._number = {piece: number for number, piece in enumerate(self.pieces)}
        self._longest = max(map(len, self.pieces), default=0)
        self._of_word = functools.lru_cache(maxsize=1 << 15)(self._split)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str) -> list[int]:
        """Return the numbers of a text's pieces, `START` first, `MAX_TOKENS` at most."""
        numbers = [self._number[START]]
        for word in split_words(text):
            numbers.extend(self._of_word(word))
            if len(numbers) >= MAX_TOKENS:
                break
        return numbers[:MAX_TOKENS]

    def _split(self, word: str) -> tuple[int, ...]:
        numbers = []
        start, mark = 0, ""
        while start < len(word):
            stop = min(len(word), start + self._longest)
            while mark + word[start:stop] not in self._number and stop > start + 1:
                stop -= 1
            numbers.append(self._number[mark + word[start:stop]])
            start, mark = stop, "##"
        return tuple(numbers)


def letters() -> Iterable[str]:
    """Return the pieces that every vocabulary holds: letters and digits, at a start and inside."""
    for letter in "abcdefghijklmnopqrstuvwxyz0123456789":
        yield letter
        yield "##" + letter
