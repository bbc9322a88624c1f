"""timm's image-only models: pooled features before the classifier layer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fishembed._base.text import did_you_mean
from fishembed.encoders.encoder import EncoderSpec, Precision, Preprocessing, major
from fishembed.encoders.hub import require_hub_weights, short_reason, weights_out_of_reach
from fishembed.encoders.hub_models import check_timm_config, no_remote_code
from fishembed.encoders.names import EncoderName
from fishembed.encoders.torch_encoder import TorchEncoder, hash_weights, output_dim, prepare_network
from fishembed.errors import EncoderError, UnknownEncoderError

if TYPE_CHECKING:
    import torch


class TimmEncoder(TorchEncoder):
    """An image-only model of timm; see `load_encoder`.

    Raises
    ------
    UnknownEncoderError
        When timm has no such model with weights.
    WeightsError
        When the weights cannot be loaded.
    """

    def __init__(
        self, name: EncoderName, device: str = "cpu", precision: Precision = "fp32"
    ) -> None:
        import PIL
        import timm

        network, revision = _create(name)
        config: dict[str, Any] = timm.data.resolve_model_data_config(network)
        preprocessing = _preprocessing(name, config)
        spec = EncoderSpec(
            name=name.text,
            library="timm",
            architecture=name.architecture,
            weights=hash_weights(network.state_dict()),
            dim=output_dim(network.eval(), network, preprocessing.crop),
            preprocessing=preprocessing,
            precision=precision,
            revision=revision,
            versions={"timm": major(timm.__version__), "pillow": major(PIL.__version__)},
        )
        super().__init__(prepare_network(network, device, precision), spec, device)


def _create(name: EncoderName) -> tuple[torch.nn.Module, str]:
    """Return the network and its revision on the hub, or ""."""
    import timm

    _check(name)
    architecture, revision = name.architecture, ""
    try:
        with no_remote_code(name.text):
            if name.is_hub:
                revision = check_timm_config(name.text, name.repo, name.revision)
                architecture += f"@{revision}" if revision else ""
            network: torch.nn.Module = timm.create_model(
                architecture, pretrained=True, num_classes=0
            )
    except EncoderError:
        raise
    except Exception as error:  # timm and the hub raise many kinds
        raise weights_out_of_reach(name.text, short_reason(error)) from error
    return network, revision


def _check(name: EncoderName) -> None:
    """Refuse what cannot be loaded before anything is downloaded or built."""
    import timm

    if name.is_hub:
        require_hub_weights(name.text, name.repo, revision=name.revision)
        return
    if not timm.is_model(name.architecture):
        known = [f"timm:{one}" for one in timm.list_models()]
        hint = did_you_mean(f"timm:{name.architecture.split('.')[0]}", known)
        raise UnknownEncoderError(f"timm has no model {name.architecture!r}{hint}")
    config = timm.get_pretrained_cfg(name.architecture)
    if config is None or not config.has_weights:
        raise UnknownEncoderError(f"timm has no weights for {name.architecture!r}")
    if config.hf_hub_id:
        require_hub_weights(name.text, config.hf_hub_id, config.hf_hub_filename)


def _preprocessing(name: EncoderName, config: dict[str, Any]) -> Preprocessing:
    _, height, width = config["input_size"]
    if height != width:
        raise EncoderError(f"{name.text!r} takes {width} × {height}; only squares are supported")
    if config["crop_mode"] not in {"center", "squash"}:
        raise EncoderError(
            f"{name.text!r} crops by {config['crop_mode']!r}, which is not supported"
        )
    squash = config["crop_mode"] == "squash"
    return Preprocessing(
        resize=math.floor(height / config["crop_pct"]),
        crop=height,
        fit="squash" if squash else "shortest",
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
