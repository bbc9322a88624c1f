"""JPEGs to an encoder's pixels on the encoder's own device, many at once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fishembed.errors import DeviceError, ImageError, MissingExtraError
from fishembed.images.decoding.decode import MAX_PIXELS
from fishembed.images.decoding.decode_limits import count_scans
from fishembed.images.decoding.image_pixels import TORCH_FILTERS, centre, resized_as
from fishembed.images.decoding.jpeg import orientation, plain_jpeg_size

if TYPE_CHECKING:
    import torch

_END = b"\xff\xd9"
_MOST_FLOATS = 1 << 27
"""Pixels that are resized at once, as float32: 512 MiB."""


def suits_device(data: bytes, geometry: dict[str, Any], max_pixels: int = MAX_PIXELS) -> bool:
    """Return whether a file is a whole, upright JPEG in grey or YCbCr that covers the crop.

    Only its header and its end are checked.
    """
    # Hardware decodes truncated files without an error.
    size = plain_jpeg_size(data) if data.endswith(_END) else None
    if size is None:
        return False
    try:
        count_scans(data)
    except ImageError:  # decoding it reports the error
        return False
    return (
        size[0] * size[1] <= max_pixels
        and geometry.get("interpolation", "bicubic") in TORCH_FILTERS
        and min(resized_as(size, geometry)) >= geometry["crop"]
        and orientation(data) == 1
    )


class DeviceDecoder:
    """Decodes whole JPEGs with torchcodec and resizes them there, with antialiasing.

    On CUDA torchcodec hands a list of files to nvJPEG, which uses the hardware decoder where
    the GPU has one.

    Parameters
    ----------
    device
        A torch device's name.
    geometry
        See `fishembed.images.crop_pixels`.

    Raises
    ------
    MissingExtraError
        When torchcodec is not installed.
    DeviceError
        When it cannot decode on that device.
    """

    def __init__(self, device: str, geometry: dict[str, Any]) -> None:
        self._device = device
        self._geometry = geometry
        self._try()

    def __call__(self, files: Sequence[npt.NDArray[np.uint8]]) -> torch.Tensor:
        """Return uint8 (n, crop, crop, 3) on the device, of the uint8 bytes of files that suit it.

        `RuntimeError` is raised when one of them is broken; nvJPEG does not name it.
        """
        import torch
        from torchcodec.decoders import decode_jpeg

        with torch.inference_mode():
            data = [torch.from_numpy(file) for file in files]
            images = decode_jpeg(data, mode="RGB", device=self._device)
            if len(images) != len(files):
                raise RuntimeError(f"{len(files)} files were decoded to {len(images)} images")
            blocks = [self._resized(block) for block in _blocks(images)]
            return torch.cat(blocks).permute(0, 2, 3, 1).contiguous()

    def _resized(self, images: Sequence[torch.Tensor]) -> torch.Tensor:
        """Resize uint8 (3, h, w) images of any sizes and cut their middles out, all at once.

        Resizing is linear along each axis, so that it is two products with a matrix for each
        image; images are laid into one array, whose rest has no weight.
        """
        import torch

        sizes = [(image.shape[2], image.shape[1]) for image in images]
        target = [resized_as(size, self._geometry) for size in sizes]
        crop, together = self._geometry["crop"], _laid_together(images).float()
        across, down = (
            axis_weights(
                [size[axis] for size in sizes],
                [size[axis] for size in target],
                [centre(size[axis], crop) for size in target],
                crop,
                interpolation=self._geometry.get("interpolation", "bicubic"),
                device=together.device,
            )
            for axis in (0, 1)
        )
        narrow = together @ across.transpose(1, 2).unsqueeze(1)
        small = down.unsqueeze(1) @ narrow
        return small.round_().clamp_(0, 255).to(torch.uint8)

    def _try(self) -> None:
        file = io.BytesIO()
        side = self._geometry["crop"]
        Image.new("RGB", (side, side)).save(file, "JPEG")
        try:
            self([np.frombuffer(bytearray(file.getvalue()), np.uint8)])
        except ImportError as error:
            raise MissingExtraError("--decoding device", "torchcodec", "device") from error
        except (RuntimeError, NotImplementedError) as error:
            raise DeviceError(
                f"torchcodec cannot decode JPEGs on {self._device!r} "
                f"({' '.join(str(error).split())[:200]}): use --decoding fast"
            ) from error


def axis_weights(
    sizes: Sequence[int],
    resized: Sequence[int],
    starts: Sequence[int],
    crop: int,
    *,
    interpolation: str,
    device: torch.device,
) -> torch.Tensor:
    """Return the weight of each pixel along an axis in each pixel of the crop.

    `sizes` and `resized` are the pixels of n images before and after, `starts` the first pixel of
    each that is in the crop, after resizing; `interpolation` is bilinear or bicubic, antialiased as
    Pillow's. Returns float32 (n, crop, longest of sizes), whose rows sum to 1.
    """
    import torch

    facts = torch.tensor([sizes, resized, starts], dtype=torch.float32).to(
        device, non_blocking=True
    )
    size, target, start = facts.view(3, -1, 1, 1)
    scale = size / target
    middle = (torch.arange(crop, device=device).view(1, -1, 1) + start + 0.5) * scale
    source = torch.arange(max(sizes), device=device).view(1, 1, -1)
    distance = ((source + 0.5 - middle) / scale.clamp(min=1)).abs()
    weights: torch.Tensor
    weights = _bicubic(distance) if interpolation == "bicubic" else (1 - distance).clamp(min=0)
    weights *= source < size
    weights /= weights.sum(2, keepdim=True)
    return weights


def _bicubic(x: torch.Tensor) -> torch.Tensor:
    """Return the cubic convolution kernel with a = -1/2 (Keys 1981, eq. 15)."""
    import torch

    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros((), device=x.device)))


def _blocks(images: Sequence[torch.Tensor]) -> list[list[torch.Tensor]]:
    """Divide images, in their order, into blocks that fit into memory when laid together."""
    blocks: list[list[torch.Tensor]] = []
    height = width = 0
    for image in images:
        height, width = max(height, image.shape[1]), max(width, image.shape[2])
        if not blocks or 3 * height * width * (len(blocks[-1]) + 1) > _MOST_FLOATS:
            blocks.append([])
            height, width = image.shape[1:]
        blocks[-1].append(image)
    return blocks


def _laid_together(images: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return uint8 (n, 3, height of the highest, width of the widest)."""
    import torch

    shapes = {tuple(image.shape) for image in images}
    if len(shapes) == 1:
        return torch.stack(list(images))
    height, width = (max(shape[axis] for shape in shapes) for axis in (1, 2))
    together = images[0].new_zeros(len(images), 3, height, width)
    for one, image in zip(together, images, strict=True):
        one[:, : image.shape[1], : image.shape[2]] = image
    return together
