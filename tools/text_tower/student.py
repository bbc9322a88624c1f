"""The network that ships: its vocabulary, its training, its file."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch.nn import functional

from fishembed.encoders.embedded.text_network import Shape, TextNetwork, pad
from fishembed.encoders.embedded.text_tower import (
    MAX_TOKENS,
    START,
    STEP,
    WordPieces,
    letters,
    split_words,
)
from text_tower.corpus import Corpus
from text_tower.lexicon import Lexicon
from text_tower.sentences import SentenceModel

RATE, WORD_RATE = 2e-3, 2e-2
"""Peaks of the learning rate; a word is met a few times only and must learn from each."""
_SHARPNESS = 20.0
"""Factor for cosines in the comparison of a batch's texts with each other's directions."""


def choose_pieces(lexicon: Lexicon, n_words: int, n_inside: int) -> WordPieces:
    """Take the words that the training meets most, and pieces for the rest of the words."""
    chance = lexicon.probabilities()
    words: Counter[str] = Counter()
    for text, share in zip(lexicon.texts, chance, strict=True):
        for word in split_words(text):
            words[word] += share
    ranked = sorted(words, key=lambda word: (-words[word], word))
    inside: Counter[str] = Counter()
    for word in ranked[n_words // 2 :]:
        for size in (2, 3, 4, 5):
            for start in range(1, len(word) - size + 1):
                inside["##" + word[start : start + size]] += size
    ends = sorted(inside, key=lambda piece: (-inside[piece], piece))[:n_inside]
    return WordPieces(list(dict.fromkeys([START, *letters(), *ranked[:n_words], *ends])))


def start_network(
    pieces: WordPieces, rows: np.ndarray, model: SentenceModel, seed: int
) -> TextNetwork:
    """Build a network that begins with what is known: MiniLM's words, the classes' rows."""
    torch.manual_seed(seed)
    network = TextNetwork(Shape(vocabulary=len(pieces), positions=MAX_TOKENS))
    shape = network.shape
    vectors = model.encode([piece.removeprefix("##") for piece in pieces.pieces])
    vectors = torch.from_numpy(vectors - vectors.mean(0))
    _, _, axes = torch.linalg.svd(vectors, full_matrices=False)
    embedded = vectors @ axes[: shape.width].T
    with torch.no_grad():
        network.embed.weight.copy_(embedded / embedded.std() * 0.5)
        network.place.weight.mul_(0.02)
        network.atoms.weight[:, : len(rows)] = torch.from_numpy(rows.T)
        network.atoms.weight[:, len(rows) :].mul_(0.1)
    return network


def train(
    network: TextNetwork, pieces: WordPieces, corpus: Corpus, steps: int, batch_size: int = 512
) -> None:
    """Teach the network its texts' directions.

    The loss is one minus the cosine, and beside it the divergence between how a text
    compares with the directions of its batch and how its own direction does.
    """
    network.train()
    words = [*network.embed.parameters()]
    others = [weight for name, weight in network.named_parameters() if "embed" not in name]
    optimiser = torch.optim.AdamW(
        [
            {"params": words, "peak": WORD_RATE, "weight_decay": 0.0},
            {"params": others, "peak": RATE, "weight_decay": 0.01},
        ],
        betas=(0.9, 0.98),
        fused=True,
    )
    for step, (texts, directions, weights) in enumerate(corpus.batches(steps, batch_size)):
        warm = min(1.0, (step + 1) / 50)
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * warm * _fade(step / steps)
        loss, cosine = _loss(network, pieces, texts, directions, weights)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if step % 50 == 0 or step == steps - 1:
            print(
                f"step {step:5d}  loss {float(loss.detach()):.3f}  cosine {cosine:.3f}", flush=True
            )
    network.eval()


def _fade(done: float) -> float:
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done))


def _loss(
    network: TextNetwork,
    pieces: WordPieces,
    texts: list[str],
    directions: np.ndarray,
    weights: np.ndarray,
) -> tuple[torch.Tensor, float]:
    wanted, weight = torch.from_numpy(directions), torch.from_numpy(weights)
    with torch.autocast("cpu", torch.bfloat16):
        given = network(*pad([pieces.encode(text) for text in texts]))
    cosines = (given * wanted).sum(1)
    with torch.no_grad():
        alike = (_SHARPNESS * wanted @ wanted.T).log_softmax(1)
    found = (_SHARPNESS * given @ wanted.T).log_softmax(1)
    apart = functional.kl_div(found, alike, log_target=True, reduction="none").sum(1)
    loss = (weight * (1 - cosines + 0.2 * apart)).sum() / weight.sum()
    return loss, float(cosines.detach().mean())


def write(
    path: Path, network: TextNetwork, pieces: WordPieces, common: np.ndarray, logit_scale: float
) -> None:
    """Write the file that `TextTower.load` reads; matrices as int8 with a step for each row.

    The direction that all images share is taken out of the last layer, so that no text
    vector has any of it.
    """
    state = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    shared = torch.from_numpy(common)
    atoms = state["atoms.weight"]
    state["atoms.weight"] = atoms - torch.outer(shared, shared @ atoms)
    stored: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        if tensor.ndim == 1:
            stored[name] = tensor.half()
            continue
        step = (tensor.abs().amax(1) / 127).clamp_min(1e-8).half().clamp_min(6e-8)
        stored[name] = (tensor / step.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
        stored[name + STEP] = step
    about = {
        "pieces": " ".join(pieces.pieces),
        "shape": json.dumps(vars(network.shape)),
        "logit_scale": f"{logit_scale:.2f}",
    }
    path.write_bytes(save(stored, about))
