"""Load an encoder only when something must be encoded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from fishembed._base.progress import NoProgress, Progress, report_detail
from fishembed.cache import FeatureStore
from fishembed.encoders import (
    DEFAULT_ENCODER,
    Decoding,
    Encoder,
    EncoderSpec,
    Precision,
    full_name,
    load_encoder,
    parse_name,
    recorded_backend,
    text_fingerprint,
)
from fishembed.errors import StoreMismatchError, UnknownEncoderError
from fishembed.extraction.recorded_encoder import trusted_document

_FIELD_NAMES = {
    "library": "library",
    "architecture": "architecture",
    "weights": "weights",
    "preprocessing": "preprocessing",
    "decoding": "decoding mode",
    "precision": "precision",
    "quickgelu": "QuickGELU",
    "versions": "library versions",
    "dim": "dim",
    "backend": "backend",
}


class EncoderLoader:
    """The encoder of an extraction, not loaded until it is needed.

    A store that the same encoder made contains its description, so that an extraction with nothing
    to encode does not import torch.

    Parameters
    ----------
    wanted
        A name, or an encoder; None for the store's own, or the default where there is no store.
    store
        The store to continue, or None.
    reporter
        Receives the device, precision and decoding that are used.
    device, precision, decoding
        See `fishembed.encoders.load_encoder`; `auto` means the store's precision and decoding
        where there is one.

    Raises
    ------
    StoreMismatchError
        When the store's features come from another encoder.
    """

    def __init__(
        self,
        wanted: str | Encoder | None,
        store: FeatureStore | None = None,
        reporter: Progress | None = None,
        *,
        device: str = "auto",
        precision: Precision | Literal["auto"] = "auto",
        decoding: Decoding | Literal["auto"] = "auto",
    ) -> None:
        self._is_recorded = wanted is None and store is not None
        wanted = _recorded_name(store) if wanted is None else wanted
        wanted = full_name(wanted) if isinstance(wanted, str) else wanted
        self._wanted = wanted
        self._loaded = None if isinstance(wanted, str) else wanted
        self._name = wanted if isinstance(wanted, str) else wanted.spec.name
        self._state = parse_name(wanted).file_state if isinstance(wanted, str) else None
        recorded = {} if store is None else store.encoder
        same = recorded if recorded.get("name") == self._name else {}
        self._options: dict[str, Any] = {
            "device": device,
            "precision": recorded.get("precision", "auto") if precision == "auto" else precision,
            "decoding": recorded.get("decoding", "auto") if decoding == "auto" else decoding,
            "backend": recorded_backend(same),
            "revision": str(same.get("revision", "")),
        }
        self._store = store
        self._reporter = reporter or NoProgress()
        self.load_seconds = 0.0
        self._load_with: Callable[[EncoderLoader], Encoder] | None = None
        if store is not None and not self._is_stores():
            self._check(self.load())

    @property
    def spec(self) -> EncoderSpec:
        """Specification of the encoder, from the store where that describes it."""
        if self._loaded is None and self._store is not None:
            return EncoderSpec.of_record(self._store.encoder)
        return self.load().spec

    @property
    def is_loaded(self) -> bool:
        """Whether the encoder is loaded."""
        return self._loaded is not None

    @property
    def device(self) -> str:
        """Device of the encoder; "" while it is not loaded."""
        return "" if self._loaded is None else self._loaded.device

    @property
    def has_text(self) -> bool:
        """Whether the encoder has a text tower."""
        if self._loaded is None and self._store is not None:
            return bool(self._store.encoder.get("has_text"))
        return self.load().logit_scale is not None

    @property
    def text_fingerprint(self) -> str:
        """Identity of the text tower, see `fishembed.encoders.text_fingerprint`."""
        return text_fingerprint(self._name)

    def load_with(self, load: Callable[[EncoderLoader], Encoder]) -> None:
        """Set the function that loads it in another process and returns a proxy."""
        self._load_with = load

    def load(self) -> Encoder:
        """Return the encoder, loaded where it was not yet."""
        if self._loaded is None:
            self._reporter.message(f"loading encoder {self._name}")
            began = time.perf_counter()
            encoder = self._load()
            self.load_seconds = time.perf_counter() - began
            self._check(encoder)
            self._loaded = encoder
            as_before = "" if self._store is None else ", as in the store"
            report_detail(
                self._reporter,
                f"encoding on {encoder.device}: {encoder.spec.precision}, "
                f"{encoder.spec.decoding} decoding{as_before}",
            )
        return self._loaded

    def _load(self) -> Encoder:
        if self._is_recorded and self._store is not None and parse_name(self._name).needs_trust:
            place = self._store.path
            own = trusted_document(
                self._store.encoder,
                beside=place if isinstance(place, Path) else None,
                remedy="--encoder names it",
            )
            self._options["revision"] = str(own.get("revision", ""))
        if self._load_with is not None:
            return self._load_with(self.for_worker())
        return load_encoder(self._name, **self._options)

    def trunk_name(self, *, wanted: bool) -> Literal["image", "trunk"] | None:
        """Return the features before the projection that the store shall have.

        `image` where nothing is projected; None where they are neither wanted nor in the store.
        """
        if not wanted and not (self._store is not None and self._store.has_trunk):
            return None
        return "trunk" if self.trunk_dim else "image"

    @property
    def trunk_dim(self) -> int:
        """Length of the embedding before the projection; 0 where that is the image embedding."""
        if self._loaded is None and self._store is not None and self._store.has_trunk:
            return 0 if self._store.trunk_is_image else int(self._store.trunk.shape[1])
        return int(getattr(self.load(), "trunk_dim", 0))

    def for_worker(self) -> EncoderLoader:
        """Return a loader that can be sent to another process and loads the same encoder there.

        Where this one is neither loaded nor described by a store, `auto` is decided there.
        """
        for_worker = EncoderLoader(self._wanted)
        for_worker._options = dict(self._options)
        if self._loaded is not None:
            spec = self._loaded.spec
            names = ("precision", "decoding", "revision")
            for_worker._options |= {name: getattr(spec, name) for name in names}
            for_worker._options["backend"] = recorded_backend(spec.to_json())
        return for_worker

    def describe(self) -> dict[str, Any]:
        """Return the encoder's description for the store."""
        spec = self.spec
        return {
            **spec.to_json(),
            "fingerprint": spec.fingerprint,
            "has_text": self.has_text,
            "weights_file": self._state,
        }

    def _is_stores(self) -> bool:
        """Return whether the store describes the encoder, so that it need not be loaded."""
        if self._store is None or self._loaded is not None:
            return False
        known = self._store.encoder
        asked = (self._name, self._options["precision"], self._options["decoding"], self._state)
        keys = ("name", "precision", "decoding", "weights_file")
        return asked == tuple(known.get(key) for key in keys)

    def _check(self, encoder: Encoder) -> None:
        store = self._store
        if store is None or store.encoder_fingerprint == encoder.spec.fingerprint:
            return
        ours = encoder.spec.to_json()
        differing = [
            name for key, name in _FIELD_NAMES.items() if ours.get(key) != store.encoder.get(key)
        ]
        other = store.path.with_name(f"{store.name}-{name_tag(encoder.spec.name)}.h5")
        raise StoreMismatchError(
            f"{str(store.path)!r} holds features of {store.encoder_name!r}; {encoder.spec.name!r} "
            f"differs in {', '.join(differing)}. Features of two encoders never mix: "
            f"give --store {str(other)!r}"
        )


def name_tag(encoder: str) -> str:
    """Return an encoder's name as used in the name of a store."""
    return "".join(c if c.isalnum() else "-" for c in encoder).strip("-")


def _recorded_name(store: FeatureStore | None) -> str:
    """Return the name of a store's encoder; the default without a store.

    Raises
    ------
    UnknownEncoderError
        When the features were imported and their encoder is not known.
    """
    if store is None:
        return DEFAULT_ENCODER
    try:
        return parse_name(str(store.encoder.get("name"))).text
    except UnknownEncoderError as error:
        raise UnknownEncoderError(
            f"{str(store.path)!r} holds features of {store.encoder_name!r}, which is no encoder "
            "that can be loaded: name one with --encoder, and another --store"
        ) from error
