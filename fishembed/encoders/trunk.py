"""The vectors before the projection, from the same forward pass as those after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    Forward = Callable[[torch.Tensor], torch.Tensor]


def trunk_dim(visual: Any) -> int:
    """Give the length of the vector that an OpenCLIP image tower projects.

    Parameters
    ----------
    visual
        `model.visual`. A vision transformer projects its pooled vector, normalised by
        `ln_post`, by the matrix `proj`; a timm tower by a linear layer or an MLP.

    Returns
    -------
    int
        0 where there is no such vector: towers without a projection, and CLIP's ResNets,
        whose attention pools and projects at once.
    """
    matrix = _matrix(visual)
    if matrix is not None:
        return int(matrix.shape[0])
    layer = _layer(visual)
    if layer is None:
        return 0
    linear = getattr(layer, "fc1", layer)  # an MLP begins with fc1
    return int(linear.in_features)


def with_trunk(
    visual: Any, forward: Forward, pixels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run an image tower once and give (n, dim) and, before the projection, (n, width).

    Parameters
    ----------
    visual
        `model.visual` with a `trunk_dim` above 0.
    forward
        `model.encode_image`.
    pixels
        Normalised (n, 3, crop, crop).
    """
    matrix = _matrix(visual)
    if matrix is None:
        return _with_hook(_layer(visual), forward, pixels)
    visual.proj = None
    try:
        trunk = forward(pixels)
    finally:
        visual.proj = matrix
    return trunk @ matrix, trunk


def _with_hook(
    layer: Any, forward: Forward, pixels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    seen: list[torch.Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        vectors = forward(pixels)
    finally:
        hook.remove()
    return vectors, seen[0]


def _matrix(visual: Any) -> Any:
    """Give a vision transformer's projection."""
    matrix = getattr(visual, "proj", None)
    return matrix if getattr(matrix, "ndim", 0) == 2 else None


def _layer(visual: Any) -> Any:
    """Give a timm tower's projection: OpenCLIP's head over it, or its own classifier."""
    import torch

    if not hasattr(visual, "trunk"):
        return None
    head = dict(visual.head.named_children())
    if head:
        return head.get("proj", head.get("mlp"))
    classifier = visual.trunk.get_classifier()
    return classifier if isinstance(classifier, torch.nn.Linear) else None
