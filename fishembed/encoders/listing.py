"""List of the encoders that can be named, and of those already on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from fishembed.encoders.hub import is_cached, is_downloaded


@dataclass(frozen=True)
class KnownEncoder:
    """An encoder that can be named.

    Attributes
    ----------
    name
        What to give to `--encoder`.
    here
        Whether its weights are on this machine.
    text
        Whether it has words, so that zero-shot scoring works.
    """

    name: str
    here: bool
    text: bool


def list_encoders() -> list[KnownEncoder]:
    """List `embedded`, every pair of architecture and weights of OpenCLIP, and timm's models.

    Pairs whose activation does not fit the weights are left out; they cannot be loaded.
    """
    return [KnownEncoder("embedded", here=True, text=True), *_openclip(), *_timm()]


def _openclip() -> list[KnownEncoder]:
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg

    known = []
    for architecture, tag in open_clip.list_pretrained():
        config = get_pretrained_cfg(architecture, tag)
        model = open_clip.get_model_config(architecture) or {}
        if bool(config.get("quick_gelu")) != bool(model.get("quick_gelu")):
            continue
        if config.get("hf_hub"):
            repo, _, filename = config["hf_hub"].rpartition("/")
            here = _cached(repo, filename or None)
        else:
            here = is_downloaded(config.get("url", ""))
        known.append(KnownEncoder(f"{architecture}/{tag}", here=here, text=True))
    return known


def _timm() -> list[KnownEncoder]:
    import timm

    known = []
    for name in timm.list_pretrained():
        config = timm.get_pretrained_cfg(name)
        here = bool(config.hf_hub_id) and _cached(config.hf_hub_id, config.hf_hub_filename)
        known.append(KnownEncoder(f"timm:{name}", here=here, text=False))
    return known


@cache
def _repos_here() -> frozenset[str]:
    """List the hub's models that left anything on this machine: few, where names are many."""
    from pathlib import Path

    from huggingface_hub.constants import HF_HUB_CACHE

    folders = Path(HF_HUB_CACHE).glob("models--*")
    return frozenset(f.name.removeprefix("models--").replace("--", "/") for f in folders)


def _cached(repo: str, filename: str | None) -> bool:
    return repo in _repos_here() and is_cached(repo, filename)
