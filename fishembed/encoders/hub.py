"""Weights on a hub: what is already on this machine, and whether the hub can be reached."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from fishembed.errors import UnknownEncoderError, UnreachableWeightsError

PATIENCE = 5.0
"""Seconds that are waited for a hub's first answer."""

DEFAULT_WEIGHTS = (
    "open_clip_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)


def require_hub_weights(
    name: str, repo: str, filename: str | None = None, revision: str = ""
) -> None:
    """Make sure that weights are cached or their hub answers, within seconds.

    Parameters
    ----------
    name
        The encoder's name, for the message.
    repo, filename
        Where the weights lie on the hub.
    revision
        Commit, branch or tag; the newest when left out.

    Raises
    ------
    WeightsError
        When they are not cached and the hub is out of reach.
    UnknownEncoderError
        When the hub has no such model, or does not show it to this user.
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
    """Make sure that weights behind an address are cached or it answers, within seconds.

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
    """Return the error that names the three ways out."""
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


def safe_twins(filename: str) -> tuple[str, ...]:
    """Return the names of the same weights as safetensors, which are taken before others."""
    stem = filename.rsplit(".", 1)[0]
    twins = [f"{stem}.safetensors"]
    if filename == "open_clip_pytorch_model.bin":
        twins.append("open_clip_model.safetensors")
    return tuple(twins)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
