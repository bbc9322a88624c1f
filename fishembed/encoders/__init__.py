"""Encoders of images and texts to features: OpenCLIP, timm, and the one in the package."""

from fishembed.encoders.device import (
    choose_device,
    choose_precision,
    describe_device,
    good_batch_size,
    recorded_backend,
)
from fishembed.encoders.encoder import (
    Decoding,
    Encoder,
    EncoderSpec,
    Precision,
    Preprocessing,
    TrunkEncoder,
)
from fishembed.encoders.hub import KnownEncoder, list_encoders
from fishembed.encoders.names import (
    BIOBENCH,
    DEFAULT_ENCODER,
    PRESETS,
    EncoderName,
    Preset,
    full_name,
    parse_name,
)
from fishembed.encoders.parallel_encoders import lane_stream, page_locked, parallel_encoders
from fishembed.encoders.prompts import (
    PROMPT_SETS,
    PromptSet,
    encode_prompts,
    load_aliases,
    load_prompts,
    spoken_name,
)
from fishembed.encoders.registry import load_encoder, text_fingerprint

text_vectors = encode_prompts
"""The earlier name of `encode_prompts`."""

__all__ = [
    "BIOBENCH",
    "DEFAULT_ENCODER",
    "PRESETS",
    "PROMPT_SETS",
    "Decoding",
    "Encoder",
    "EncoderName",
    "EncoderSpec",
    "KnownEncoder",
    "Precision",
    "Preprocessing",
    "Preset",
    "PromptSet",
    "TrunkEncoder",
    "choose_device",
    "choose_precision",
    "describe_device",
    "encode_prompts",
    "full_name",
    "good_batch_size",
    "lane_stream",
    "list_encoders",
    "load_aliases",
    "load_encoder",
    "load_prompts",
    "page_locked",
    "parallel_encoders",
    "parse_name",
    "recorded_backend",
    "spoken_name",
    "text_fingerprint",
    "text_vectors",
]
