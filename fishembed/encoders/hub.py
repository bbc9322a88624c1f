"""Weights on a hub: checks of its availability and of the local cache; a list of all encoders."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fishembed.errors import UnknownEncoderError, UnreachableWeightsError

PATIENCE = 5.0
"""Seconds to wait for a hub's first response."""

DEFAULT_WEIGHTS = (
    "open_clip_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)


def require_hub_weights(
    name: str, repo: str, filename: str | None = None, revision: str = ""
) -> None:
    """Check within seconds that the weights of encoder `name` are cached or their hub responds.

    Raises
    ------
    WeightsError
        When they are not cached and the hub is out of reach.
    UnknownEncoderError
        When the hub has no such model, or denies it to this user.
    """
    at: Any = {"revision": revision} if revision else {}
    if is_cached(repo, filename, **at):
        return
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
        raise weights_out_of_reach(name, "HF_HUB_OFFLINE is set and they are not cached")
    try:
        HfApi().model_info(repo, timeout=PATIENCE, **at)
    except RepositoryNotFoundError as error:
        raise UnknownEncoderError(
            f"{name!r}: the hub has no model {repo!r}, or it is private: check the spelling, or "
            "log in with 'hf auth login'"
        ) from error
    except HfHubHTTPError as error:
        raise weights_out_of_reach(name, f"the hub answered {_first_line(error)}") from error
    except Exception as error:  # the hub's client raises its transport's own errors
        raise weights_out_of_reach(name, f"no answer from the hub: {_first_line(error)}") from error


def require_url_weights(name: str, url: str) -> None:
    """Check within seconds that the weights of an address are cached or it responds.

    Raises
    ------
    WeightsError
        When they are not cached and the address is out of reach.
    """
    if is_downloaded(url):
        return
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - OpenCLIP's own table
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310
            return
    except (urllib.error.URLError, OSError) as error:
        raise weights_out_of_reach(name, f"no answer: {_first_line(error)}") from error


def weights_out_of_reach(name: str, why: str) -> UnreachableWeightsError:
    """Return an error that names the three remedies."""
    architecture = name.split("/", maxsplit=1)[0].split("@", maxsplit=1)[0]
    if ":" in architecture:
        architecture = "ARCH"
    return UnreachableWeightsError(
        f"the weights of {name!r} cannot be had ({why}). Three ways out: run once where there is "
        f"a network and take its cache along (HF_HOME), name a local file ({architecture}@FILE), "
        "or take the encoder that comes with the install (--encoder embedded)"
    )


def is_cached(repo: str, filename: str | None = None, revision: str = "") -> bool:
    """Return whether a file of a hub's model, or any weights of it, is on this machine."""
    from huggingface_hub import try_to_load_from_cache

    names = DEFAULT_WEIGHTS if filename is None else (*safe_twins(filename), filename)
    return any(
        isinstance(try_to_load_from_cache(repo, one, revision=revision or None), str)
        for one in names
    )


def is_downloaded(url: str) -> bool:
    """Return whether OpenCLIP has fetched this address before."""
    folder = Path("~/.cache/clip").expanduser()
    return (folder / url.rsplit("/", 1)[-1]).is_file()


def short_reason(error: BaseException) -> str:
    """Return a library's error in one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


def safe_twins(filename: str) -> tuple[str, ...]:
    """Return the names of the same weights as safetensors, which take precedence."""
    twin = f"{filename.rsplit('.', 1)[0]}.safetensors"
    openclips_own = filename == "open_clip_pytorch_model.bin"
    return (twin, "open_clip_model.safetensors") if openclips_own else (twin,)


@dataclass(frozen=True)
class KnownEncoder:
    """An encoder that can be named.

    Attributes
    ----------
    name
        The value of `--encoder`.
    here
        Whether its weights are on this machine.
    text
        Whether it has a text tower, so that zero-shot scoring works.
    """

    name: str
    here: bool
    text: bool


def list_encoders() -> list[KnownEncoder]:
    """List `embedded`, every pair of architecture and weights of OpenCLIP, and timm's models.

    Pairs whose activation does not fit the weights are left out; they cannot be loaded.
    """
    return [
        KnownEncoder("embedded", here=True, text=True),
        *_openclip_encoders(),
        *_timm_encoders(),
    ]


def _openclip_encoders() -> list[KnownEncoder]:
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
            here = _is_here(repo, filename or None)
        else:
            here = is_downloaded(config.get("url", ""))
        known.append(KnownEncoder(f"{architecture}/{tag}", here=here, text=True))
    return known


def _timm_encoders() -> list[KnownEncoder]:
    import timm

    known = []
    for name in timm.list_pretrained():
        config = timm.get_pretrained_cfg(name)
        here = bool(config.hf_hub_id) and _is_here(config.hf_hub_id, config.hf_hub_filename)
        known.append(KnownEncoder(f"timm:{name}", here=here, text=False))
    return known


@cache
def _repos_here() -> frozenset[str]:
    """List the hub's models with any file on this machine: few, where names are many."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folders = Path(HF_HUB_CACHE).glob("models--*")
    return frozenset(f.name.removeprefix("models--").replace("--", "/") for f in folders)


def _is_here(repo: str, filename: str | None) -> bool:
    return repo in _repos_here() and is_cached(repo, filename)
