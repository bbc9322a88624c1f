"""Files of a bundle's folder, and how they are opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fishembed.encoders import EncoderSpec
from fishembed.errors import BundleError, RunNotFoundError
from fishembed.experiments import Run
from fishembed.experiments.runs.find_runs import fetch_hub_run, is_hub_run
from fishembed.experiments.runs.run_documents import check_file, read_json
from fishembed.sharing.onnx_encoder import OnnxEncoder

BUNDLE_JSON = "bundle.json"
MODEL_ONNX = "model.onnx"
MODEL_DATA = "model.onnx.data"
INT8_ONNX = "model.int8.onnx"
SCRIPT = "predict.py"

FORMAT = "fishembed-bundle"
VERSION = 1


@dataclass(frozen=True)
class OpenedBundle:
    """A bundle that is ready to predict.

    Attributes
    ----------
    run
        The run that it was made of, as far as `predict` needs it.
    encoder
        Its network.
    about
        `bundle.json`.
    """

    run: Run
    encoder: OnnxEncoder
    about: Mapping[str, Any]


def open_bundle(folder: str | Path, *, int8: bool = False) -> OpenedBundle:
    """Open a bundle; its files are compared with their digests first.

    Parameters
    ----------
    folder
        What `bundle_run` wrote, or ``hf:OWNER/NAME`` of a run that was pushed with it.
    int8
        Whether to take the network with integer weights.

    Raises
    ------
    RunNotFoundError
        When there is no bundle.
    RunFormatError
        When a file is not as it was written, or cannot be used.
    MissingExtraError
        When onnxruntime is not installed.
    """
    if is_hub_run(folder):
        network = (INT8_ONNX,) if int8 else (MODEL_ONNX, MODEL_DATA)
        folder, _ = fetch_hub_run(folder, (BUNDLE_JSON, *network))
    folder = Path(folder)
    run = check_bundle(folder)
    name = INT8_ONNX if int8 else MODEL_ONNX
    if int8 and not (folder / name).is_file():
        raise BundleError(
            f"the bundle {str(folder)!r} has no {name}: export it anew with 'fishembed bundle RUN "
            "--int8'"
        )
    for file in (BUNDLE_JSON, name, MODEL_DATA):
        if file != MODEL_DATA or not int8:
            check_file(folder, run.info, file)
    encoder = OnnxEncoder(folder / name, recorded_spec(run))
    return OpenedBundle(run, encoder, read_json(folder / BUNDLE_JSON))


def check_bundle(folder: Path) -> Run:
    """Return the run of a bundle, once its record is known to be one of this version.

    Raises
    ------
    RunNotFoundError
        When there is no bundle.
    RunFormatError
        When it is of another version, or its record is damaged.
    """
    about = read_json(folder / BUNDLE_JSON) if (folder / BUNDLE_JSON).is_file() else {}
    if about.get("format") != FORMAT:
        raise RunNotFoundError(f"no bundle at {str(folder)!r}: 'fishembed bundle RUN' makes one")
    if about.get("version") != VERSION:
        raise BundleError(
            f"{str(folder)!r} is a bundle of version {about.get('version')!r}, this program reads "
            f"{VERSION}: pip install -U fishembed"
        )
    return Run.open(folder)


def recorded_spec(run: Run) -> EncoderSpec:
    """Return the description of the encoder that a run was made with."""
    known = dict(run.info["encoder"])
    for key in ("fingerprint", "weights_file", "has_text"):
        known.pop(key, None)
    return EncoderSpec.from_json(known)
