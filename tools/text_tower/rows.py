"""The image side: what EfficientNet-Lite0 knows about the 1,000 classes of ImageNet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from fishembed.encoders.embedded.embedded_encoder import load_network


@dataclass(frozen=True)
class ClassRows:
    """The classifier's rows as directions to compare images with.

    Attributes
    ----------
    rows
        float32 (1000, 1280), unit length, free of what all images have in common.
    common
        float32 (1280,), unit length: the direction of the mean feature.
    scale
        Mean length of the rows before they were made unit.
    """

    rows: np.ndarray
    common: np.ndarray
    scale: float


def read_rows() -> ClassRows:
    """Take the rows from the classifier and remove the mean feature's direction from them.

    The mean needs no images: the last batch norm knows each channel's mean and spread
    over ImageNet, and the mean of a clipped normal variable follows from them.
    """
    network = load_network()
    norm, classifier = network.get_submodule("bn2"), network.get_submodule("classifier")
    with torch.no_grad():
        noise = torch.randn(4096, 1, generator=torch.Generator().manual_seed(0))
        mean = (norm.bias + norm.weight.abs() * noise).clamp(0, 6).mean(0).numpy()
        weight = classifier.weight.numpy()
    common = mean / np.linalg.norm(mean)
    rows = weight - weight.mean(0)
    rows -= np.outer(rows @ common, common)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return ClassRows((rows / lengths).astype("f4"), common.astype("f4"), float(lengths.mean()))


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors to length one; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)
