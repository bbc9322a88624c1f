"""Names of encoders, parsed into architecture, weights and file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fishembed._base.text import did_you_mean
from fishembed.encoders.presets import PRESETS, full_name
from fishembed.errors import UnknownEncoderError, WeightsError

DEFAULT_ENCODER = "ViT-B-32-quickgelu/openai"
"""CLIP as OpenAI published it, with the activation it was trained with."""


_HUB = "hf-hub:"


@dataclass(frozen=True)
class EncoderName:
    """A name, taken apart.

    Attributes
    ----------
    text
        As it was given.
    kind
        embedded, timm or openclip.
    architecture
        OpenCLIP's or timm's name of the network; for a hub, `hf-hub:ORG/NAME`.
    pretrained, file
        OpenCLIP's tag of the weights, or a local file with them; at most one is set.
    revision
        Commit, branch or tag of a model on the hub; "" for its newest.
    """

    text: str
    kind: Literal["embedded", "timm", "openclip"]
    architecture: str
    pretrained: str | None = None
    file: str | None = None
    revision: str = ""

    @property
    def repo(self) -> str:
        """The model's name on the hub; "" for one that is not named there."""
        return self.architecture.removeprefix(_HUB) if self.is_hub else ""

    @property
    def needs_trust(self) -> bool:
        """Whether anybody may be behind it: a model on the hub, or a file of weights."""
        return self.is_hub or self.file is not None

    @property
    def is_hub(self) -> bool:
        """Whether the name means a model on the hub, configuration and all."""
        return self.architecture.startswith(_HUB)

    @property
    def file_state(self) -> dict[str, int] | None:
        """Size and time of the weights file: what "unchanged" means without reading it."""
        if self.file is None:
            return None
        try:
            state = Path(self.file).stat()
        except OSError as error:
            raise WeightsError(f"no weights file at {self.file!r}: {error.strerror}") from error
        return {"size": state.st_size, "mtime_ns": state.st_mtime_ns}


def parse_name(text: str) -> EncoderName:
    """Parse an encoder's name.

    Parameters
    ----------
    text
        A preset (biology, general, fast, paper); `embedded`; `timm:NAME`; `hf-hub:ORG/NAME`, also
        with `@REVISION`; `ARCH/PRETRAINED` or `ARCH@FILE` of OpenCLIP.

    Raises
    ------
    UnknownEncoderError
        When it has none of these forms.

    Examples
    --------
    >>> parse_name("ViT-B-32@weights.pt").file
    'weights.pt'
    """
    text = full_name(text)
    if text == "embedded":
        return EncoderName(text, "embedded", text)
    if text.startswith("timm:") and text != "timm:":
        architecture, revision = _revision(text.removeprefix("timm:"))
        return EncoderName(text, "timm", architecture, revision=revision)
    if text.startswith(_HUB) and text.partition("@")[0].count("/") == 1:
        architecture, revision = _revision(text)
        return EncoderName(text, "openclip", architecture, revision=revision)
    architecture, at, file = text.partition("@")
    if at and architecture and file and ":" not in architecture:
        return EncoderName(text, "openclip", architecture, file=file)
    architecture, slash, tag = text.rpartition("/")
    if slash and architecture and tag and ":" not in text:
        return EncoderName(text, "openclip", architecture, pretrained=tag)
    near = did_you_mean(text, ["embedded", *PRESETS]).removeprefix(":")
    raise UnknownEncoderError(
        f"{text!r} names no encoder:{near} write ARCH/PRETRAINED ({DEFAULT_ENCODER}), ARCH@FILE, "
        f"hf-hub:ORG/NAME, timm:NAME, embedded or a preset ({', '.join(PRESETS)}); 'fishembed "
        "encoders' lists them"
    )


def _revision(text: str) -> tuple[str, str]:
    """Split a revision off the name of a model on the hub."""
    if not text.startswith(_HUB):
        return text, ""
    name, _, revision = text.partition("@")
    return name, revision
