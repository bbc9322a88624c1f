"""The text tower of the embedded encoder: names and sentences to features in its image space.

The weights in the package were trained by `tools/train_text_tower.py`; docs/model-card.md has the
training data and the accuracy.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import struct
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed.errors import WeightsError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import torch

    from fishembed.encoders.embedded.text_network import TextNetwork


FILE = "text-tower.safetensors"
STEP = ".step"
"""Suffix of the tensor with the quantisation steps, one for each row of an int8 tensor."""


class TextTower:
    """English texts to unit features that are compared with pooled EfficientNet-Lite0 features.

    Attributes
    ----------
    dim
        Length of an embedding, 1280.
    logit_scale
        Factor for cosines before a softmax. They then have the size of the image
        classifier's own logits, so that probabilities are about as confident.
    fingerprint
        SHA-256 of the weights file's bytes, in hexadecimal digits.
    """

    def __init__(
        self, network: TextNetwork, pieces: WordPieces, logit_scale: float, fingerprint: str
    ) -> None:
        self.dim = network.shape.dim
        self.logit_scale = logit_scale
        self.fingerprint = fingerprint
        self._network = network
        self._pieces = pieces

    @classmethod
    def load(cls, path: str | Path | None = None) -> TextTower:
        """Read a tower from a safetensors file; without a path, the one in the package.

        Raises
        ------
        WeightsError
            When the file is missing, cut short, or holds something else.
        """
        source = _installed() if path is None else Path(path)
        try:
            data = source.read_bytes()
            network, pieces, logit_scale = _build(data)
        except Exception as error:  # a foreign file's bytes may raise anything
            remedy = (
                "reinstall fishembed"
                if path is None
                else "name a file written by tools/train_text_tower.py"
            )
            raise WeightsError(
                f"the text tower {str(source)!r} cannot be loaded "
                f"({type(error).__name__}: {error}): {remedy}"
            ) from error
        return cls(network, pieces, logit_scale, _hash(data))

    def encode(self, texts: Sequence[str], batch_size: int = 256) -> npt.NDArray[np.float32]:
        """Turn texts into unit features.

        Parameters
        ----------
        texts
            Names or sentences. Case, accents and punctuation do not matter; a text
            without a Latin letter or digit gets the embedding of the empty text.
        batch_size
            Texts that go through the network at once.

        Returns
        -------
        ndarray
            float32 (n_texts, dim), in the order of `texts`.
        """
        import torch

        from fishembed.encoders.embedded.text_network import pad

        pieces = [self._pieces.encode(text) for text in texts]
        # Texts of like length share a batch, so that little is padding.
        order = sorted(range(len(pieces)), key=lambda row: len(pieces[row]))
        features = np.empty((len(pieces), self.dim), np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                features[rows] = self._network(*pad([pieces[row] for row in rows])).numpy()
        return features


def installed_fingerprint() -> str:
    """Return the fingerprint of the tower in the package, without loading torch.

    Returns
    -------
    str
        That of `TextTower.load()`, or "" where the file cannot be read.
    """
    try:
        return _hash(_installed().read_bytes())
    except OSError:
        return ""


def _installed() -> Traversable:
    return resources.files("fishembed.encoders") / "weights" / FILE


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _build(data: bytes) -> tuple[TextNetwork, WordPieces, float]:
    """Build the network and the tokenizer from a file's bytes."""
    from safetensors.torch import load

    from fishembed.encoders.embedded.text_network import Shape, TextNetwork

    (length,) = struct.unpack("<Q", data[:8])
    about: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]  # `load` has it not
    pieces = WordPieces(about["pieces"].split(" "))
    network = TextNetwork(Shape(**json.loads(about["shape"])))
    network.load_state_dict(_to_float(load(data)))
    return network.eval(), pieces, float(about["logit_scale"])


def _to_float(stored: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Undo the rounding of rows to int8 and return everything as float32."""
    return {
        name: tensor.float() * stored[name + STEP].float()[:, None]
        if name + STEP in stored
        else tensor.float()
        for name, tensor in stored.items()
        if not name.endswith(STEP)
    }


START = "[start]"
MAX_TOKENS = 48

_WORD = re.compile(r"[a-z]+|[0-9]+")


def split_words(text: str) -> list[str]:
    """Split a text into lower-case words and numbers, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _WORD.findall(plain.replace("'", "").lower())


class WordPieces:
    """Tokenizer by greedy longest match; every letter and digit is also a piece of its own.

    An unknown word is split into shorter pieces, so no text is refused.

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
    """Return the pieces of every vocabulary: letters and digits, at a start and inside a word."""
    for letter in "abcdefghijklmnopqrstuvwxyz0123456789":
        yield letter
        yield "##" + letter
