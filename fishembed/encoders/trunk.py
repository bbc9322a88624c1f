"""The features before the projection, from the same forward pass as those after it."""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def trunk_dim(visual: Any) -> int:
    """Return the length of the embedding that an OpenCLIP image tower projects.

    Parameters
    ----------
    visual
        `model.visual`. A vision transformer projects its pooled embedding, normalised by
        `ln_post`, by the matrix `proj`; a timm tower by a linear layer or an MLP.

    Returns
    -------
    int
        0 where there is no such embedding: towers without a projection, CLIP's ResNets, whose
        attention pools and projects at once, and CoCa's, which return tokens beside it.
    """
    if getattr(visual, "output_tokens", False):
        return 0
    matrix = _matrix(visual)
    if matrix is not None:
        return int(matrix.shape[0])
    layer = _layer(visual)
    if layer is None:
        return 0
    linear = getattr(layer, "fc1", layer)  # an MLP begins with fc1
    return int(linear.in_features)


def with_trunk(visual: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Run an image tower once and give (n, dim) and, before the projection, (n, width).

    Nothing of the tower is changed, so that several threads may do this at once.

    Parameters
    ----------
    visual
        `model.visual` with a `trunk_dim` above 0.
    pixels
        Normalised (n, 3, crop, crop).
    """
    matrix = _matrix(visual)
    if matrix is None:
        return _with_hook(visual, _layer(visual), pixels)
    before_projection = copy.copy(visual)  # shares the weights
    before_projection._parameters = {**visual._parameters, "proj": None}
    trunk = before_projection(pixels)
    return trunk @ matrix, trunk


def _with_hook(visual: Any, layer: Any, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    seen: list[torch.Tensor] = []
    this = threading.get_ident()

    def look(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        if threading.get_ident() == this:
            seen.append(inputs[0])

    hook = layer.register_forward_pre_hook(look)
    try:
        features = visual(pixels)
    finally:
        hook.remove()
    return features, seen[0]


def _matrix(visual: Any) -> Any:
    """Return a vision transformer's projection."""
    matrix = getattr(visual, "proj", None)
    return matrix if getattr(matrix, "ndim", 0) == 2 else None


def _layer(visual: Any) -> Any:
    """Return a timm tower's projection: OpenCLIP's head over it, or its own classifier."""
    import torch

    if not hasattr(visual, "trunk"):
        return None
    head = dict(visual.head.named_children())
    if head:
        return head.get("proj", head.get("mlp"))
    classifier = visual.trunk.get_classifier()
    return classifier if isinstance(classifier, torch.nn.Linear) else None
