"""OpenCLIP's models: ARCH/PRETRAINED, ARCH@FILE, hf-hub:ORG/NAME."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders.cuda import own_stream
from fishembed.encoders.hub import require_hub_weights, require_url_weights, weights_out_of_reach
from fishembed.encoders.names import EncoderName
from fishembed.encoders.network import ImageTower, as_array, hash_weights, ready
from fishembed.encoders.spec import EncoderSpec, Precision, Preprocessing, major
from fishembed.encoders.trunk import trunk_dim, with_trunk
from fishembed.errors import EncoderError, QuickGELUError, UnknownEncoderError, WeightsError

if TYPE_CHECKING:
    import torch

_TEXTS_AT_ONCE = 256


class OpenCLIPEncoder(ImageTower):
    """A two-tower model of OpenCLIP.

    Parameters
    ----------
    name
        See `fishembed.encoders.parse_name`.
    device
        A torch device's name.
    precision
        Arithmetic of the forward pass.

    Raises
    ------
    UnknownEncoderError
        When OpenCLIP has no such architecture or weights.
    QuickGELUError
        When the weights were trained with the other activation.
    WeightsError
        When the weights cannot be had or do not fit.

    References
    ----------
    Radford et al. (2021). Learning Transferable Visual Models From Natural Language
    Supervision. ICML. Ilharco et al. (2021). OpenCLIP.
    """

    def __init__(
        self, name: EncoderName, device: str = "cpu", precision: Precision = "fp32"
    ) -> None:
        import open_clip

        check_name(name)
        model = _create(name)
        weights = hash_weights(model.state_dict())
        model = ready(model, device, precision)
        self._tokenizer: Any = open_clip.get_tokenizer(name.architecture)
        spec = _describe(name, model, weights, precision)
        super().__init__(model, spec, device)

    @property
    def _model(self) -> Any:
        return self._network

    @property
    def logit_scale(self) -> float | None:
        """Factor that turns cosines into logits."""
        return float(self._model.logit_scale.exp().item())

    @property
    def trunk_dim(self) -> int:
        """Length of the embedding before the projection; 0 where nothing is projected."""
        return trunk_dim(self._model.visual)

    def encode_with_trunk(
        self, batch: npt.NDArray[np.uint8] | torch.Tensor
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Encode to float32 (n, dim) and (n, trunk_dim) in one forward pass."""
        import torch

        with torch.inference_mode(), own_stream(self._device):
            features, trunk = with_trunk(self._model.visual, self._pixels(batch))
            return as_array(features), as_array(trunk)

    def _forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self._model.encode_image(pixels)
        return features

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Encode n texts to float32 (n, dim), not normalised."""
        import torch

        blocks = [np.zeros((0, self.spec.dim), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                tokens = self._tokenizer(list(texts[start : start + _TEXTS_AT_ONCE]))
                features = self._model.encode_text(tokens.to(self._device))
                blocks.append(features.to(torch.float32).cpu().numpy())
        return np.concatenate(blocks)


def check_name(name: EncoderName) -> None:
    """Refuse what cannot be loaded before anything is downloaded or built."""
    import open_clip

    if name.is_hub:
        require_hub_weights(name.text, name.architecture.removeprefix("hf-hub:"))
        return
    if open_clip.get_model_config(name.architecture) is None:
        raise UnknownEncoderError(
            f"OpenCLIP has no architecture {name.architecture!r}"
            f"{_close(name.architecture, open_clip.list_models())}: 'fishembed encoders' lists them"
        )
    if name.file is not None:
        if not Path(name.file).is_file():
            raise WeightsError(f"no weights file at {name.file!r}")
        return
    _check_tag(name.text, name.architecture, name.pretrained or "")


def _check_tag(text: str, architecture: str, tag: str) -> None:
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    tags = open_clip.list_pretrained_tags_by_model(architecture)
    twin = _quickgelu_twin(architecture)
    config = get_pretrained_cfg(architecture, tag)
    quick = bool((open_clip.get_model_config(architecture) or {}).get("quick_gelu", False))
    if config and bool(config.get("quick_gelu", False)) == quick:
        if config.get("hf_hub"):
            repo, _, filename = config["hf_hub"].rpartition("/")
            require_hub_weights(text, repo, filename or None)
        else:
            require_url_weights(text, config["url"])
    elif config or get_pretrained_cfg(twin, tag):
        right = "QuickGELU" if not quick else "plain GELU"
        raise QuickGELUError(
            f"the weights {tag!r} were trained with {right}, which {architecture!r} does not have: "
            f"name {twin + '/' + tag!r}"
        )
    else:
        raise UnknownEncoderError(
            f"OpenCLIP has no weights {tag!r} for {architecture!r}{_close(tag, tags)}; it has "
            f"{', '.join(tags) or 'none'}"
        )


def _quickgelu_twin(architecture: str) -> str:
    suffix = "-quickgelu"
    return (
        architecture.removesuffix(suffix)
        if architecture.endswith(suffix)
        else (architecture + suffix)
    )


def _create(name: EncoderName) -> Any:
    import open_clip

    pretrained = name.file or name.pretrained
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="QuickGELU mismatch")
            return open_clip.create_model(
                name.architecture,
                pretrained=pretrained,
                device="cpu",
                require_pretrained=True,
                weights_only=True,
            )
    except Exception as error:  # OpenCLIP, torch and the hub raise many kinds
        if "QuickGELU mismatch" in str(error):
            raise QuickGELUError(f"{name.text!r}: {error}") from error
        if name.file is None:
            raise weights_out_of_reach(name.text, _short(error)) from error
        raise WeightsError(
            f"{name.file!r} does not load as weights of {name.architecture!r} ({_short(error)}): "
            "give a state dict as .safetensors, or a .pt that torch.load reads with "
            "weights_only=True"
        ) from error


def _describe(name: EncoderName, model: Any, weights: str, precision: Precision) -> EncoderSpec:
    import open_clip
    import PIL

    pixels: dict[str, Any] = open_clip.get_model_preprocess_cfg(model)
    size = pixels["size"]
    side, other = (size, size) if isinstance(size, int) else size
    if side != other:
        raise EncoderError(f"{name.text!r} takes {size} pixels; only squares are supported")
    config = open_clip.get_model_config(name.architecture) or {}
    return EncoderSpec(
        name=name.text,
        library="open_clip",
        architecture=name.architecture,
        weights=weights,
        dim=_image_dim(model, side),
        preprocessing=Preprocessing(
            resize=side,
            crop=side,
            fit=pixels.get("resize_mode") or "shortest",
            interpolation=pixels.get("interpolation") or "bicubic",
            fill=int(pixels.get("fill_color") or 0),
            mean=tuple(pixels["mean"]),
            std=tuple(pixels["std"]),
        ),
        precision=precision,
        quickgelu=bool(config.get("quick_gelu", False)),
        versions={
            "open_clip": major(open_clip.__version__),
            "pillow": major(PIL.__version__),
        },
    )


def _image_dim(model: Any, side: int) -> int:
    import torch

    first = next(model.parameters())
    with torch.inference_mode():
        blank = torch.zeros(1, 3, side, side, device=first.device, dtype=first.dtype)
        return int(model.encode_image(blank).shape[-1])


def _close(word: str, known: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
