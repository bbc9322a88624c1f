"""Speed of the presets' image towers relative to ViT-B/32, side by side in one process.

    python benchmarks/presets.py

Random weights take as long as trained ones, so nothing is downloaded. One core, fp32, batches of
4, by turns; the median of five rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time

import open_clip
import torch
from timm.utils import reparameterize_model

ARCHITECTURES = {
    "paper": "ViT-B-32-quickgelu",
    "fast": "MobileCLIP2-S0",
    "biology": "ViT-L-14",  # BioCLIP 2 is this architecture
    "general": "PE-Core-L-14-336",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    towers, seconds = {}, {}
    for preset, architecture in ARCHITECTURES.items():
        model = open_clip.create_model(architecture, load_weights=False).eval()
        millions = sum(tensor.numel() for tensor in model.parameters()) / 1e6
        size = open_clip.get_model_preprocess_cfg(model)["size"]
        height, width = (size, size) if isinstance(size, int) else size
        tower = reparameterize_model(model.visual)
        towers[preset] = tower, torch.rand(arguments.batch, 3, height, width), millions
        seconds[preset] = []
    with torch.inference_mode():
        for _ in range(arguments.rounds):
            for preset, (tower, images, _) in towers.items():
                start = time.perf_counter()
                tower(images)
                seconds[preset].append(time.perf_counter() - start)
    reference = statistics.median(seconds["paper"])
    for preset, times in seconds.items():
        ratio = reference / statistics.median(times)
        print(f"{preset:<8} {towers[preset][2]:6.1f} M parameters, {ratio:.3f} x ViT-B/32")


if __name__ == "__main__":
    main()
