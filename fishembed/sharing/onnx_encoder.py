"""The network of a bundle, computed by onnxruntime, in the place of an encoder."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders import EncoderSpec
from fishembed.errors import BundleError, MissingExtraError


class OnnxEncoder:
    """Images to the features that a bundle's head reads.

    Parameters
    ----------
    path
        The ONNX file.
    spec
        The encoder that it was exported from.

    Raises
    ------
    MissingExtraError
        When onnxruntime is not installed.
    BundleError
        When the file cannot be run.
    """

    def __init__(self, path: Path, spec: EncoderSpec) -> None:
        self.spec = spec
        self._path = path
        self._session = _session(path, threads=0)

    @property
    def device(self) -> str:
        """Where it runs, as a person would say it."""
        return "cpu (onnxruntime)"

    @property
    def logit_scale(self) -> float | None:
        """None: a bundle has no words."""
        return None

    @property
    def trunk_dim(self) -> int:
        """Length of the features, which are the trunk's where the head reads those."""
        return self.spec.dim

    def encode_images(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode uint8 (n, crop, crop, 3) to float32 (n, dim)."""
        images = np.ascontiguousarray(batch)
        features: npt.NDArray[np.float32] = self._session.run(["features"], {"images": images})[0]
        return features

    def encode_with_trunk(
        self, batch: npt.NDArray[np.uint8]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the features twice: the network has one kind, which the head reads."""
        features = self.encode_images(batch)
        return features, features

    def encode_texts(
        self,
        texts: Sequence[str],  # noqa: ARG002 - the protocol's signature
    ) -> npt.NDArray[np.float32] | None:
        """Return None: a bundle has no words."""
        return None

    @contextmanager
    def parallel_encoders(self) -> Iterator[Sequence[OnnxEncoder]]:
        """Return one for each core, each computing a batch in one thread."""
        single = copy.copy(self)
        single._session = _session(self._path, threads=1)
        yield [single] * (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)


def _session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("a bundle", "onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            path, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises many kinds of its own
        text = " ".join(str(error).split())[:200]
        raise BundleError(
            f"{str(path)!r} cannot be run ({text}): export the bundle anew"
        ) from error
