"""The encoder `embedded` by torch and by OpenVINO: images/s side by side, and how near they are.

    python benchmarks/backends.py [--rounds 7] [--fish FOLDER]

By turns in one process, a thread for each core with batches of 8, as extraction encodes. Images
are counted by seconds of the processor, not of the clock, so that what runs beside takes nothing
but the caches. With the folder of Fish4Knowledge (images and manifest.csv), every image is encoded
by each, and a head fitted on exact features (torch, fp32) predicts.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import threading
import time
from pathlib import Path

import numpy as np
from parity import AGREEMENT, LEAST, LEAST_MEAN, cosines

from fishembed import LogisticHead
from fishembed.encoders import Encoder, choose_precision, load_encoder, parallel_encoders
from fishembed.images import picture_pixels

BATCH = 8
SECONDS = 1.0


def encoders() -> dict[tuple[str, str], Encoder]:
    precisions = ["fp32", "bf16"] if choose_precision("cpu") == "bf16" else ["fp32"]
    return {
        (precision, backend): load_encoder(
            "embedded", device="cpu", precision=precision, backend=backend
        )
        for precision in precisions
        for backend in ("torch", "openvino")
    }


def rate(encoder: Encoder) -> float:
    """Count images a second when the cores have nothing else to do."""
    batch = np.random.default_rng(0).integers(0, 256, (BATCH, 224, 224, 3), np.uint8)
    done = [0]

    def go(lane: Encoder, until: float) -> None:
        while time.perf_counter() < until:
            lane.encode_images(batch)
            done[0] += BATCH

    with parallel_encoders(encoder) as several:
        until = time.perf_counter() + SECONDS
        threads = [threading.Thread(target=go, args=(lane, until)) for lane in several]
        began = time.process_time()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done[0] / (time.process_time() - began) * len(several)


def measure_speed(several: dict[tuple[str, str], Encoder], rounds: int) -> None:
    rates: dict[tuple[str, str], list[float]] = {which: [] for which in several}
    for encoder in several.values():
        encoder.encode_images(np.zeros((BATCH, 224, 224, 3), np.uint8))
    for _ in range(rounds):
        for which, encoder in several.items():
            rates[which].append(rate(encoder))
    median = {which: statistics.median(of) for which, of in rates.items()}
    print("\n| images/s, median | torch | OpenVINO | ratio (of each round) |\n|---|---:|---:|---:|")
    for precision in dict.fromkeys(precision for precision, _ in several):
        torch, openvino = (rates[precision, backend] for backend in ("torch", "openvino"))
        ratios = sorted(b / a for a, b in zip(torch, openvino, strict=True))
        print(
            f"| {precision} | {median[precision, 'torch']:.0f} | "
            f"{median[precision, 'openvino']:.0f} | {statistics.median(ratios):.2f} × "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}) |"
        )
    best = median[precision, "openvino"] / median["fp32", "torch"]
    print(f"\nOpenVINO in {precision} against torch in fp32: {best:.2f} ×")


def measure_parity(several: dict[tuple[str, str], Encoder], fish: Path) -> bool:
    geometry = next(iter(several.values())).spec.preprocessing.geometry()
    with (fish / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pixels = np.stack([picture_pixels((fish / r["path"]).read_bytes(), geometry) for r in rows])
    labels, split = (np.array([row[column] for row in rows]) for column in ("label", "split"))
    is_train, is_test = split == "train", split == "test"
    features = {which: encoder.encode_images(pixels) for which, encoder in several.items()}
    exact = features["fp32", "torch"]
    head = LogisticHead().fit(exact[is_train], labels[is_train])
    expected = head.predict(exact[is_test])
    print(f"\n{len(pixels):,} photos of Fish4Knowledge, {is_test.sum()} for testing\n")
    print("| against torch in fp32 | cosine, mean (least) | same predictions |\n|---|---:|---:|")
    passed = True
    for (precision, backend), found in features.items():
        near = cosines(found, exact)
        agree = np.mean(head.predict(found[is_test]) == expected)
        passed &= near.mean() >= LEAST_MEAN and near.min() >= LEAST and agree >= AGREEMENT
        print(f"| {backend}, {precision} | {near.mean():.5f} ({near.min():.4f}) | {agree:.2%} |")
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--fish", type=Path, help="the folder of Fish4Knowledge")
    options = parser.parse_args()
    several = encoders()
    for (precision, _), encoder in several.items():
        print(f"{encoder.device}: {precision}, fingerprint {encoder.spec.fingerprint}")
    measure_speed(several, options.rounds)
    if options.fish is None:
        return 0
    passed = measure_parity(several, options.fish)
    print(f"\nthe gate is {'passed' if passed else 'NOT passed'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
