"""Images and words to features: OpenCLIP, timm, and the encoder that comes with the install."""

from fishembed.encoders.backend import recorded_backend
from fishembed.encoders.cuda_streams import lane_stream, page_locked
from fishembed.encoders.device import (
    choose_device,
    choose_precision,
    describe_device,
    good_batch_size,
)
from fishembed.encoders.listing import KnownEncoder, list_encoders
from fishembed.encoders.names import DEFAULT_ENCODER, EncoderName, parse_name
from fishembed.encoders.parallel_encoders import parallel_encoders
from fishembed.encoders.presets import BIOBENCH, PRESETS, Preset, full_name
from fishembed.encoders.prompts import (
    PROMPT_SETS,
    PromptSet,
    load_aliases,
    load_prompts,
    spoken_name,
    text_vectors,
)
from fishembed.encoders.protocol import Encoder, TrunkEncoder
from fishembed.encoders.registry import load_encoder, text_fingerprint
from fishembed.encoders.spec import Decoding, EncoderSpec, Precision, Preprocessing

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
