"""OpenCLIP's models: ARCH/PRETRAINED, ARCH@FILE, hf-hub:ORG/NAME."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import did_you_mean
from fishembed.encoders.encoder import EncoderSpec, Precision, Preprocessing, major
from fishembed.encoders.hub import (
    DEFAULT_WEIGHTS,
    require_hub_weights,
    require_url_weights,
    safe_twins,
    short_reason,
    weights_out_of_reach,
)
from fishembed.encoders.hub_models import fetch_hub_model, no_remote_code, revision_of
from fishembed.encoders.names import EncoderName
from fishembed.encoders.parallel_encoders import own_stream
from fishembed.encoders.torch_encoder import (
    TorchEncoder,
    as_array,
    hash_weights,
    output_dim,
    prepare_network,
)
from fishembed.errors import (
    EncoderError,
    MissingExtraError,
    QuickGELUError,
    UnknownEncoderError,
    WeightsError,
)

if TYPE_CHECKING:
    import torch

_TEXTS_AT_ONCE = 256
_CONFIG = "fishembed_config"
"""Attribute of a model of the hub: the name of its configuration in OpenCLIP."""


class OpenCLIPEncoder(TorchEncoder):
    """A model of OpenCLIP, with an image tower and a text tower; see `load_encoder`.

    Raises
    ------
    UnknownEncoderError
        When OpenCLIP has no such architecture or weights.
    QuickGELUError
        When the weights were trained with the other activation.
    WeightsError
        When the weights cannot be had or do not fit.
    MissingExtraError
        When its texts need the package transformers, as SigLIP's do, and that is not installed.

    References
    ----------
    Radford et al. (2021). Learning Transferable Visual Models From Natural Language
    Supervision. ICML. Ilharco et al. (2021). OpenCLIP.
    """

    def __init__(
        self, name: EncoderName, device: str = "cpu", precision: Precision = "fp32"
    ) -> None:
        check_name(name)
        model, revision = _create(name)
        weights = hash_weights(model.state_dict())
        config = getattr(model, _CONFIG, name.architecture)
        model = prepare_network(model, device, precision)
        self._tokenizer: Any = _tokenizer(name, config)
        spec = _describe(name, model, weights, precision, config, revision)
        super().__init__(model, spec, device)

    @property
    def logit_scale(self) -> float | None:
        """Factor that turns cosines into logits."""
        return float(self._network.logit_scale.exp().item())

    @property
    def trunk_dim(self) -> int:
        """Length of the embedding before the projection; 0 where nothing is projected."""
        return trunk_dim(self._network.visual)

    def encode_with_trunk(
        self, batch: npt.NDArray[np.uint8] | torch.Tensor
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Encode to float32 (n, dim) and (n, trunk_dim) in one forward pass."""
        import torch

        with torch.inference_mode(), own_stream(self._device):
            features, trunk = with_trunk(self._network.visual, self._pixels(batch))
            return as_array(features), as_array(trunk)

    def _forward(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self._network.encode_image(pixels)
        return features

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Encode n texts to float32 (n, dim), not normalised."""
        import torch

        blocks = [np.zeros((0, self.spec.dim), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                tokens = self._tokenizer(list(texts[start : start + _TEXTS_AT_ONCE]))
                features = self._network.encode_text(tokens.to(self._device))
                blocks.append(features.to(torch.float32).cpu().numpy())
        return np.concatenate(blocks)


def check_name(name: EncoderName) -> None:
    """Refuse what cannot be loaded before anything is downloaded or built."""
    import open_clip

    if name.is_hub:
        require_hub_weights(name.text, name.repo, revision=name.revision)
        return
    known = open_clip.get_model_config(name.architecture)
    if known is None:
        raise UnknownEncoderError(
            f"OpenCLIP has no architecture {name.architecture!r}"
            f"{did_you_mean(name.architecture, open_clip.list_models()) or ':'} 'fishembed "
            "encoders' lists them"
        )
    _require_text_packages(name.text, known)
    if name.file is not None:
        if not Path(name.file).is_file():
            raise WeightsError(f"no weights file at {name.file!r}")
        return
    _check_tag(name.text, name.architecture, name.pretrained or "")


def _require_text_packages(text: str, config: Mapping[str, Any]) -> None:
    """Refuse, before a download, a model whose tokenizer or text network is transformers'."""
    text_config = config.get("text_cfg", {})
    if not (text_config.get("hf_tokenizer_name") or text_config.get("hf_model_name")):
        return
    for package in ("transformers", "sentencepiece"):
        if find_spec(package) is None:
            raise MissingExtraError(f"the encoder {text!r}", package, "text")


def _check_tag(text: str, architecture: str, tag: str) -> None:
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    tags = open_clip.list_pretrained_tags_by_model(architecture)
    plain = architecture.removesuffix("-quickgelu")
    twin = f"{plain}-quickgelu" if plain == architecture else plain
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
            f"OpenCLIP has no weights {tag!r} for {architecture!r}"
            f"{did_you_mean(tag, tags) or ':'} it has {', '.join(tags) or 'none'}"
        )


def _create(name: EncoderName) -> tuple[Any, str]:
    """Return the model, and the revision of the hub that it is of or ""."""
    try:
        with warnings.catch_warnings(), no_remote_code(name.text):
            warnings.filterwarnings("error", message="QuickGELU mismatch")
            if name.is_hub:
                return _create_hub_model(name)
            model = _create_model(name.architecture, name.file or name.pretrained)
            return model, "" if name.file else _tag_revision(name)
    except EncoderError:
        raise
    except Exception as error:  # OpenCLIP, torch and the hub raise many kinds
        if "QuickGELU mismatch" in str(error):
            raise QuickGELUError(f"{name.text!r}: {error}") from error
        if name.file is None:
            raise weights_out_of_reach(name.text, short_reason(error)) from error
        raise WeightsError(
            f"{name.file!r} does not load as weights of {name.architecture!r} "
            f"({short_reason(error)}): "
            "give a state dict as .safetensors, or a .pt that torch.load reads with "
            "weights_only=True"
        ) from error


def _create_model(architecture: str, pretrained: str | None, **options: Any) -> Any:
    import open_clip

    return open_clip.create_model(
        architecture,
        pretrained=pretrained,
        device="cpu",
        require_pretrained=True,
        weights_only=True,
        **options,
    )


def _create_hub_model(name: EncoderName) -> tuple[Any, str]:
    """Build a model of the hub by the allowed part of its configuration."""
    import open_clip

    found = fetch_hub_model(name.text, name.repo, name.revision)
    _require_text_packages(name.text, found.config)
    text = json.dumps(found.config, sort_keys=True)
    config = f"fishembed-hub-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    with TemporaryDirectory() as folder:
        file = Path(folder, f"{config}.json")
        file.write_text(text, encoding="utf-8")
        open_clip.add_model_config(file)
    pixels = {key: value for key, value in found.preprocessing.items() if key != "size"}
    model = _create_model(config, str(found.weights), force_preprocess_cfg=pixels)
    object.__setattr__(model, _CONFIG, config)
    return model, found.revision


def _tokenizer(name: EncoderName, config: str) -> Any:
    import open_clip

    try:
        with no_remote_code(name.text):
            return open_clip.get_tokenizer(config)
    except EncoderError:
        raise
    except Exception as error:  # transformers and the hub raise many kinds
        if not name.is_hub:
            raise
        raise EncoderError(
            f"the tokenizer of {name.text!r} cannot be had: {short_reason(error)}"
        ) from error


def _tag_revision(name: EncoderName) -> str:
    """Return the commit of the hub that OpenCLIP's own weights were read at; "" for none."""
    from huggingface_hub import try_to_load_from_cache
    from open_clip.pretrained import get_pretrained_cfg

    config = get_pretrained_cfg(name.architecture, name.pretrained or "") or {}
    repo, _, filename = str(config.get("hf_hub", "")).rpartition("/")
    names = [*safe_twins(filename), filename] if filename else list(DEFAULT_WEIGHTS)
    files = (try_to_load_from_cache(repo, one) for one in names) if repo else ()
    return next((revision_of(file) for file in files if isinstance(file, str)), "")


def _describe(  # noqa: PLR0917 - all that a description is made of
    name: EncoderName, model: Any, weights: str, precision: Precision, known: str, revision: str
) -> EncoderSpec:
    import open_clip
    import PIL

    pixels: dict[str, Any] = open_clip.get_model_preprocess_cfg(model)
    size = pixels["size"]
    side, other = (size, size) if isinstance(size, int) else size
    if side != other:
        raise EncoderError(f"{name.text!r} takes {size} pixels; only squares are supported")
    config = open_clip.get_model_config(known) or {}
    return EncoderSpec(
        name=name.text,
        library="open_clip",
        architecture=name.architecture,
        weights=weights,
        dim=output_dim(model.encode_image, model, side),
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
        revision=revision,
        versions={"open_clip": major(open_clip.__version__), "pillow": major(PIL.__version__)},
    )


def trunk_dim(visual: Any) -> int:
    """Return the length of the embedding that an OpenCLIP image tower, `model.visual`, projects.

    A vision transformer projects its pooled embedding, normalised by `ln_post`, by the matrix
    `proj`; a timm tower by a linear layer or an MLP. 0 where there is no such embedding: towers
    without a projection, CLIP's ResNets, whose attention pools and projects at once, and CoCa's,
    which return tokens beside it.
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
    """Run an image tower once; return (n, dim) and, before the projection, (n, width).

    Nothing of the tower, whose `trunk_dim` is above 0, is changed, so that several threads may do
    this at once. `pixels` are normalised (n, 3, crop, crop).
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

    def store_input(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        if threading.get_ident() == this:
            seen.append(inputs[0])

    hook = layer.register_forward_pre_hook(store_input)
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
