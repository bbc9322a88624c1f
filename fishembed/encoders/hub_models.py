"""Models of the hub, at one revision, with known configuration keys only and no code of theirs."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from fishembed.errors import EncoderError

_LARGEST = 1 << 20
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")
_NETWORK = re.compile(r"\w+(?:\.\w+)?")
_TOKENIZER_OPTIONS = frozenset(
    {
        "clean",
        "strip_sep_token",
        "language",
        "context_length",
        "reduction_mask",
        "padding_side",
        "truncation_side",
        "model_max_length",
        "use_fast",
        "legacy",
        "add_prefix_space",
        "add_bos_token",
        "add_eos_token",
        "clean_up_tokenization_spaces",
        "do_lower_case",
        "additional_special_tokens",
        "pad_token",
        "eos_token",
        "bos_token",
        "unk_token",
        "sep_token",
        "cls_token",
        "mask_token",
        "src_lang",
        "tgt_lang",
    }
)
_OTHER_WEIGHTS = ("file", "url", "state_dict", "custom_load")
_WEIGHTS_ONLY, _NOT_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


class RemoteCodeError(EncoderError):
    """A model would run code of its own."""


@dataclass(frozen=True)
class HubModel:
    """An OpenCLIP model of the hub at one revision.

    `config` and `preprocessing` are its `model_cfg` and `preprocess_cfg`, with allowed keys only;
    `weights` is the file on this machine.
    """

    config: dict[str, Any]
    preprocessing: dict[str, Any]
    weights: Path
    revision: str


def fetch_hub_model(name: str, repo: str, revision: str = "") -> HubModel:
    """Fetch an OpenCLIP model from the hub, or find it in the hub's cache.

    Raises
    ------
    EncoderError
        When its configuration is invalid or has what is not allowed.
    Exception
        Whatever the hub's client raises.
    """
    from open_clip.pretrained import download_pretrained_from_hf

    file = download_pretrained_from_hf(repo, "open_clip_config.json", revision=revision or None)
    document, commit = _read_config(name, Path(file), revision)
    config, pixels = document.get("model_cfg"), document.get("preprocess_cfg") or {}
    if not isinstance(config, dict) or not isinstance(pixels, dict):
        raise EncoderError(f"{name!r} has no configuration of OpenCLIP")
    checked = _checked_openclip(name, config)
    weights = download_pretrained_from_hf(repo, revision=commit or None)
    return HubModel(checked, pixels, Path(weights), commit)


def check_timm_config(name: str, repo: str, revision: str = "") -> str:
    """Refuse a timm model whose configuration refers to other places; return its revision."""
    from huggingface_hub import hf_hub_download

    file = hf_hub_download(repo, "config.json", revision=revision or None)
    document, commit = _read_config(name, Path(file), revision)
    pretrained = document.get("pretrained_cfg", document)
    if not isinstance(pretrained, dict):
        raise EncoderError(f"{name!r} has no configuration of timm")
    for key in _OTHER_WEIGHTS:
        if pretrained.get(key):
            raise EncoderError(f"{name!r} has its weights elsewhere ({key}), which is not followed")
    filename = str(pretrained.get("hf_hub_filename") or "")
    if "/" in filename or "\\" in filename or filename.endswith((".py", ".pkl", ".pickle")):
        raise EncoderError(f"{name!r} names {filename!r} as its weights, which is not read")
    _check_network(name, document.get("architecture", pretrained.get("architecture")))
    arguments = document.get("model_args") or {}
    if not isinstance(arguments, dict) or not all(map(_is_plain, arguments.values())):
        raise EncoderError(f"{name!r} has arguments that are no plain values")
    return commit


def revision_of(file: str | Path) -> str:
    """Return the commit of a file in the hub's cache; "" for a file outside of it."""
    parts = Path(file).parts
    at = parts.index("snapshots") if "snapshots" in parts else -1
    return parts[at + 1] if 0 <= at < len(parts) - 2 else ""


def _read_config(name: str, file: Path, revision: str) -> tuple[dict[str, Any], str]:
    commit = revision_of(file)
    if file.stat().st_size > _LARGEST:
        raise EncoderError(f"{name!r} has a configuration of more than {_LARGEST:,} bytes")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise EncoderError(f"{name!r} has a configuration that is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise EncoderError(f"{name!r} has a configuration that is no JSON object")
    return document, commit or revision


def _checked_openclip(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenCLIP configuration without references to other places; refuse any other."""
    texts, vision = config.get("text_cfg"), config.get("vision_cfg")
    if not isinstance(texts, dict) or not isinstance(vision, dict) or "embed_dim" not in config:
        raise EncoderError(f"{name!r} has a configuration without its two towers")
    if "timm_model_name" in vision:
        _check_network(name, vision["timm_model_name"])
    for key in ("hf_model_name", "hf_tokenizer_name"):
        if texts.get(key):
            _check_repo(name, texts[key])
    options = texts.get("tokenizer_kwargs") or {}
    if not isinstance(options, dict):
        raise EncoderError(f"{name!r} has options of a tokenizer that are no JSON object")
    options = {key: value for key, value in options.items() if key != "trust_remote_code"}
    if odd := sorted(set(options) - _TOKENIZER_OPTIONS):
        raise EncoderError(f"{name!r} has options of a tokenizer that are not known: {odd}")
    if texts.get("hf_tokenizer_name"):
        options["trust_remote_code"] = False
    return {**config, "text_cfg": {**texts, "tokenizer_kwargs": options}}


def _check_network(name: str, network: object) -> None:
    if not isinstance(network, str) or not _NETWORK.fullmatch(network):
        raise EncoderError(f"{name!r} is built of {network!r}, which is no network of timm's own")


def _check_repo(name: str, repo: object) -> None:
    """Refuse local paths, which transformers would read before it queries the hub."""
    if not isinstance(repo, str) or not _REPO.fullmatch(repo) or Path(repo).exists():
        raise EncoderError(f"{name!r} takes files from {repo!r}, which is no model of the hub")


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return len(value) <= 64 and all(map(_is_plain, value))
    if isinstance(value, str):
        return "/" not in value and "\\" not in value
    return value is None or isinstance(value, (bool, int, float))


@contextmanager
def no_remote_code(model: str) -> Iterator[None]:
    """Prevent a model's files from running code while it is loaded, whatever their content.

    That blocks the modules that transformers imports from a repository, also where it would ask
    on the terminal, and pickles that torch reads in full.
    """
    with ExitStack() as stack:
        _set(stack, os.environ, _WEIGHTS_ONLY, "1")
        _set(stack, os.environ, _NOT_ONLY, None)
        if importlib.util.find_spec("transformers") is not None:
            _shut(stack, model)
        yield


def _shut(stack: ExitStack, model: str) -> None:
    from transformers import dynamic_module_utils as door

    def refuse(*_: object, **__: object) -> NoReturn:
        raise RemoteCodeError(
            f"{model!r} wants to run code that came with it, which is never done: name a model "
            "that OpenCLIP or timm has the code of"
        )

    for name in ("get_class_in_module", "get_cached_module_file"):
        if hasattr(door, name):
            _set(stack, vars(door), name, refuse)
    _set(stack, vars(door), "TIME_OUT_REMOTE_CODE", 0)


def _set(stack: ExitStack, where: Any, name: str, value: Any) -> None:
    """Set a value, or remove it for None, until the stack ends."""
    stack.callback(_assign, where, name, where.get(name))
    _assign(where, name, value)


def _assign(where: Any, name: str, value: Any) -> None:
    if value is None:
        where.pop(name, None)
    else:
        where[name] = value
