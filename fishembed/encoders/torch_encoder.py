"""Encoder with a torch network: uint8 pixels in, float32 features out."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders.device import describe_device
from fishembed.encoders.encoder import EncoderSpec
from fishembed.encoders.parallel_encoders import (
    one_thread_each,
    other_devices,
    own_stream,
    to_device,
)

if TYPE_CHECKING:
    import torch
    from typing_extensions import Self


class TorchEncoder:
    """An encoder of images with a torch network on a device; subclasses add a text tower.

    The network maps a normalised (n, 3, crop, crop) tensor to (n, dim), on the device.
    """

    def __init__(self, network: torch.nn.Module, spec: EncoderSpec, device: str) -> None:
        import torch

        self.spec = spec
        self._network: Any = network
        self._dtype = next(network.parameters()).dtype
        self._place(torch.device(device))

    def _place(self, device: torch.device) -> None:
        import torch

        pixels = self.spec.preprocessing
        self._device = device
        # Read now: torch has fewer threads while parallel encoders work.
        self._described = describe_device(str(device))
        self._mean = torch.tensor(pixels.mean, device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(pixels.std, device=device).view(1, 3, 1, 1)

    def copied_to(self, device: torch.device) -> Self:
        """Return the same encoder on another device."""
        other = copy.copy(self)
        other._network = copy.deepcopy(self._network).to(device)
        other._place(device)
        return other

    @property
    def device(self) -> str:
        """Device in words."""
        return self._described

    @property
    def logit_scale(self) -> float | None:
        """Factor that turns cosines into logits; None without a text tower."""
        return None

    @property
    def trunk_dim(self) -> int:
        """Length of the embedding before a projection; 0, since nothing is projected."""
        return 0

    def encode_texts(
        self,
        texts: Sequence[str],  # noqa: ARG002 - the protocol's signature
    ) -> npt.NDArray[np.float32] | None:
        """Return None: there is no text tower."""
        return None

    @contextmanager
    def parallel_encoders(self) -> Iterator[Sequence[TorchEncoder]]:
        """Return encoders that may encode at the same time, each in a thread of its own.

        On a CPU one for each core, on CUDA two for each device, so that one batch is
        copied while another is computed.
        """
        if self._device.type == "cpu":
            with one_thread_each() as threads:
                yield [self] * threads
        elif self._device.type == "cuda":
            encoders = [self, *(self.copied_to(device) for device in other_devices(self._device))]
            yield [encoder for encoder in encoders for _ in range(2)]
        else:
            yield [self]

    def encode_images(self, batch: npt.NDArray[np.uint8] | torch.Tensor) -> npt.NDArray[np.float32]:
        """Encode uint8 (n, crop, crop, 3) to float32 (n, dim), not normalised.

        The batch may also be a tensor, on the device or not.
        """
        import torch

        with torch.inference_mode(), own_stream(self._device):
            return as_array(self._forward(self._pixels(batch)))

    def _forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Run the image side on normalised pixels."""
        features: torch.Tensor = self._network(pixels)
        return features

    def _pixels(self, batch: npt.NDArray[np.uint8] | torch.Tensor) -> torch.Tensor:
        """Normalise uint8 (n, crop, crop, 3) to (n, 3, crop, crop) on the device."""
        import torch

        if isinstance(batch, torch.Tensor):
            pixels = batch
        else:
            pixels = torch.from_numpy(np.require(batch, requirements=["C", "W"]))
        pixels = to_device(pixels, self._device)
        pixels = pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255)
        pixels = pixels.sub_(self._mean).div_(self._std).to(self._dtype)
        return pixels.contiguous(memory_format=torch.channels_last)


def as_array(features: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return features as a float32 array in memory."""
    return np.asarray(features.float().cpu().numpy(), dtype=np.float32)


def prepare_network(network: Any, device: str, precision: str) -> Any:
    """Move a network to its device and type, in the layout in which convolutions are fastest."""
    import torch

    placed = network.to(device, dtype_of(precision), memory_format=torch.channels_last)
    return placed.eval().requires_grad_(False)


def fold_batch_norms(network: torch.nn.Module) -> torch.nn.Module:
    """Fold each batch normalisation into the convolution that stands right before it.

    Only for networks that run their layers in the order in which they are listed. The
    features stay the same but for rounding, and a third of the time is saved.
    """
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    network.eval()
    for block in network.modules():
        children = list(block.named_children())
        for (name, conv), (norm_name, norm) in pairwise(children):
            if isinstance(conv, torch.nn.Conv2d) and isinstance(norm, torch.nn.BatchNorm2d):
                setattr(block, name, fuse_conv_bn_eval(conv, norm))
                # timm's normalisation includes the activation.
                setattr(block, norm_name, getattr(norm, "act", torch.nn.Identity()))
    return network


def output_dim(encode: Callable[[torch.Tensor], torch.Tensor], network: Any, side: int) -> int:
    """Return the length of an embedding, from a blank image of side × side pixels."""
    import torch

    first = next(network.parameters())
    with torch.inference_mode():
        blank = torch.zeros(1, 3, side, side, device=first.device, dtype=first.dtype)
        return int(encode(blank).shape[-1])


def dtype_of(precision: str) -> torch.dtype:
    """Return the torch type of a precision class."""
    import torch

    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]


def hash_weights(state: Mapping[str, torch.Tensor]) -> str:
    """Return the SHA-256 over the names, types and bytes of all tensors, sorted by name."""
    import torch

    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        if tensor.numel():
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
