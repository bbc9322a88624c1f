"""The text tower's network: a small transformer into the space of the image features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """Sizes of a `TextNetwork`.

    Attributes
    ----------
    vocabulary, positions
        Pieces in the vocabulary, and the longest text in pieces.
    width, heads, layers, inner
        Of the transformer; `inner` is the width of its feed-forward layers.
    atoms
        Hidden units of the last layer; each adds one direction of the image space.
    dim
        Length of a text embedding.
    """

    vocabulary: int
    positions: int
    width: int = 256
    heads: int = 4
    layers: int = 1
    inner: int = 512
    atoms: int = 1024
    dim: int = 1280


class Block(nn.Module):
    """Self-attention and a feed-forward layer, each after a layer norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.norm1 = nn.LayerNorm(shape.width)
        self.mix = nn.Linear(shape.width, 3 * shape.width)
        self.join = nn.Linear(shape.width, shape.width)
        self.norm2 = nn.LayerNorm(shape.width)
        self.widen = nn.Linear(shape.width, shape.inner)
        self.narrow = nn.Linear(shape.inner, shape.width)

    def forward(self, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """`x`: (n, length, width); `seen`: bool (n, length), False where padded."""
        n, length, width = x.shape
        parts = self.mix(self.norm1(x)).view(n, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=seen[:, None, None, :]
        )
        x = x + self.join(mixed.transpose(1, 2).reshape(n, length, width))
        inner: torch.Tensor = self.narrow(functional.gelu(self.widen(self.norm2(x))))
        return x + inner


class TextNetwork(nn.Module):
    """Pieces to an embedding: embed, mix, pool by a learnt weight, add up directions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocabulary, shape.width)
        self.place = nn.Embedding(shape.positions, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)
        self.weigh = nn.Linear(shape.width, 1)
        self.choose = nn.Linear(shape.width, shape.atoms)
        self.atoms = nn.Linear(shape.atoms, shape.dim, bias=False)

    def forward(self, pieces: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Return unit features, float32 (n, dim).

        `pieces`: int64 (n, length); `seen`: bool (n, length), False where padded.
        """
        x = self.embed(pieces) + self.place.weight[: pieces.shape[1]]
        for block in self.blocks:
            x = block(x, seen)
        x = self.norm(x)
        weights = self.weigh(x).squeeze(-1).masked_fill(~seen, -torch.inf).softmax(dim=1)
        pooled = (weights.unsqueeze(-1) * x).sum(dim=1)
        features = self.atoms(functional.gelu(self.choose(pooled)))
        return functional.normalize(features.float(), dim=1)


def pad(texts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pieces as int64 (n, longest) and as bool (n, longest) where they are."""
    rows = [torch.tensor(text, dtype=torch.int64) for text in texts]
    pieces = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(text) for text in texts])
    return pieces, torch.arange(pieces.shape[1]) < lengths[:, None]
