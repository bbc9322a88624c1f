"""Write a torch network as an ONNX file."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from fishembed.errors import BundleError
from fishembed.sharing.bundle_network import OUTPUTS

if TYPE_CHECKING:
    from fishembed.encoders.torch_encoder import TorchEncoder

_OPSET = 18
_MOST_IN_ONE_FILE = 1_800_000_000
"""Bytes; an ONNX file ends at 2 GiB, larger networks have their weights in a file beside it."""


class _Called(nn.Module):
    """A network whose forward pass is some function of it."""

    def __init__(self, network: nn.Module, call: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network
        self._call = call

    def forward(self, pixels: Tensor) -> Tensor:
        return self._call(self.network, pixels)


def image_network(encoder: TorchEncoder, *, trunk: bool) -> nn.Module:
    """Return the network from normalised pixels to the features, or those before the projection.

    Parameters
    ----------
    encoder
        In fp32, on the CPU, by torch.
    trunk
        Whether to return the features before the projection.
    """
    network: Any = copy.deepcopy(encoder._network).to(memory_format=torch.contiguous_format).eval()
    if not hasattr(network, "visual"):
        plain: nn.Module = network
        return plain
    if trunk:
        from fishembed.encoders.openclip import with_trunk

        return _Called(network.visual, lambda visual, pixels: with_trunk(visual, pixels)[1])
    return _Called(network, lambda model, pixels: model.encode_image(pixels))


def export_network(network: nn.Module, side: int, path: Path) -> None:
    """Write a network that takes uint8 (n, side, side, 3) images, n any number.

    Raises
    ------
    BundleError
        When torch cannot express it in ONNX.
    """
    # Not one image: torch would take the number for fixed.
    images = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    size = sum(one.numel() * one.element_size() for one in network.parameters())
    try:
        with warnings.catch_warnings(), torch.inference_mode(mode=False), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network.eval(),
                (images,),
                path,
                input_names=["images"],
                output_names=list(OUTPUTS),
                opset_version=_OPSET,
                dynamo=True,
                dynamic_shapes={"images": {0: torch.export.Dim("n", min=1, max=4096)}},
                external_data=size > _MOST_IN_ONE_FILE,
                verbose=False,
            )
    except Exception as error:  # torch's exporter raises many kinds
        text = " ".join(str(error).split())[:300]
        raise BundleError(f"this encoder cannot be exported to ONNX: {text}") from error
