"""Quantize a network's weights to integers of eight bits."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

_AT_ONCE = 8
_EXACT = 3
"""First convolutions that stay in floating point: they have hardly any weights. With them as
integers the features of EfficientNet-Lite0 have a mean cosine of 0.970 to the exact ones, else of
0.992."""


def write_int8(model: Path, target: Path, images: npt.NDArray[np.uint8]) -> None:
    """Write a network with integer weights; its head stays in floating point.

    Parameters
    ----------
    model
        File that `export_network` wrote.
    target
        File to write.
    images
        uint8 (n, side, side, 3), on which the ranges of convolutions' activations are measured.
        Transformers need none: their ranges are computed for each image.
    """
    import onnx
    from onnxruntime import quantization

    graph = onnx.load(model, load_external_data=False).graph
    encoder = _nodes_before(graph, "features")
    excluded = [node.name for node in graph.node if node.name not in encoder]
    excluded += [node.name for node in graph.node if node.op_type == "Conv"][:_EXACT]
    convolutional = _is_convolutional(graph)
    logging.getLogger().addFilter(_is_serious)
    try:
        with TemporaryDirectory() as folder:
            prepared = Path(folder, "prepared.onnx")
            quantization.quant_pre_process(
                str(model), str(prepared), skip_symbolic_shape=True, skip_optimization=True
            )
            if convolutional:
                quantization.quantize_static(
                    prepared,
                    target,
                    _Batches(images),
                    # Without Clip, values that a ReLU6 cuts off would be part of the range.
                    op_types_to_quantize=["Conv", "Gemm", "MatMul", "Add", "Clip", "Relu"],
                    activation_type=quantization.QuantType.QUInt8,
                    per_channel=True,
                    nodes_to_exclude=excluded,
                    calibrate_method=quantization.CalibrationMethod.MinMax,
                )
            else:
                quantization.quantize_dynamic(
                    prepared,
                    target,
                    op_types_to_quantize=["MatMul", "Gemm"],
                    per_channel=True,
                    nodes_to_exclude=excluded,
                )
    finally:
        logging.getLogger().removeFilter(_is_serious)


def _is_serious(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _nodes_before(graph: Any, output: str) -> set[str]:
    """Return the names of the nodes that an output depends on."""
    maker = {name: node for node in graph.node for name in node.output}
    found: set[str] = set()
    wanted = [output]
    while wanted:
        node = maker.get(wanted.pop())
        if node is not None and node.name not in found:
            found.add(node.name)
            wanted.extend(node.input)
    return found


def _is_convolutional(graph: Any) -> bool:
    """Return whether convolutions have more weights than matrix products."""
    sizes = {one.name: int(np.prod(one.dims)) for one in graph.initializer}
    count = {"Conv": 0, "MatMul": 0, "Gemm": 0}
    for node in graph.node:
        if node.op_type in count:
            count[node.op_type] += sum(sizes.get(name, 0) for name in node.input)
    return count["Conv"] > count["MatMul"] + count["Gemm"]


class _Batches:
    """Small batches of images for the calibration of onnxruntime."""

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        starts = range(0, len(images), _AT_ONCE)
        self._inputs = ({"images": images[start : start + _AT_ONCE]} for start in starts)

    def get_next(self) -> dict[str, npt.NDArray[np.uint8]] | None:
        """Return the next input; None after the last."""
        return next(self._inputs, None)
