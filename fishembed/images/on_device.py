"""JPEGs to an encoder's pixels on the encoder's own device, many at once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from fishembed.errors import DeviceError, MissingExtraError
from fishembed.images.decode import MAX_PIXELS
from fishembed.images.geometry import centre, resized_as
from fishembed.images.pixels import TORCH_FILTERS

_MODES = ("RGB", "L")


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
    max_pixels
        Width × height above which a picture is left to others.

    Raises
    ------
    MissingExtraError
        When torchcodec is not installed.
    DeviceError
        When it cannot decode on that device.
    """

    def __init__(self, device: str, geometry: dict[str, Any], max_pixels: int = MAX_PIXELS) -> None:
        self._device = device
        self._geometry = geometry
        self._max_pixels = max_pixels
        self._try()

    def suits(self, data: bytes) -> bool:
        """Tell whether a file is a whole, upright JPEG in RGB or grey that covers the crop.

        Only its header and its end are looked at.
        """
        if not data.endswith(b"\xff\xd9"):  # hardware decodes what was cut off without a word
            return False
        try:
            image = Image.open(io.BytesIO(data), formats=("JPEG",))
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
        except Exception:  # whoever decodes it says what is wrong
            return False
        width, height = image.size
        return (
            image.mode in _MODES
            and not turned
            and 0 < width * height <= self._max_pixels
            and self._geometry.get("interpolation", "bicubic") in TORCH_FILTERS
            and min(resized_as(image.size, self._geometry)) >= self._geometry["crop"]
        )

    def __call__(self, files: Sequence[bytes]) -> list[npt.NDArray[np.uint8]]:
        """Give uint8 (crop, crop, 3) of each file.

        Raises
        ------
        RuntimeError
            When one of them is broken; nvJPEG does not say which.
        """
        import torch
        from torchcodec.decoders import decode_jpeg

        with torch.inference_mode():
            whole = decode_jpeg(list(files), mode="RGB", device=self._device)
            pixels = torch.stack([self._cropped(image) for image in whole])
            return list(pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy())

    def _cropped(self, image: Any) -> Any:
        """Resize uint8 (3, height, width) and cut the middle out."""
        import torch
        from torch.nn.functional import interpolate

        width, height = resized_as((image.shape[2], image.shape[1]), self._geometry)
        small = interpolate(
            image.unsqueeze(0).float(),
            size=(height, width),
            mode=self._geometry.get("interpolation", "bicubic"),
            antialias=True,
        )[0]
        crop = self._geometry["crop"]
        left, top = centre(width, crop), centre(height, crop)
        seen = small[:, top : top + crop, left : left + crop]
        return seen.round().clamp(0, 255).to(torch.uint8)

    def _try(self) -> None:
        file = io.BytesIO()
        side = self._geometry["crop"]
        Image.new("RGB", (side, side)).save(file, "JPEG")
        try:
            self([file.getvalue()])
        except ImportError as error:
            raise MissingExtraError("--decoding device", "torchcodec", "device") from error
        except (RuntimeError, NotImplementedError) as error:
            raise DeviceError(
                f"torchcodec cannot decode JPEGs on {self._device!r} "
                f"({' '.join(str(error).split())[:200]}): use --decoding fast"
            ) from error
