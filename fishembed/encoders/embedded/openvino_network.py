"""EfficientNet-Lite0 compiled by OpenVINO: uint8 pixels in, float32 features out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders.encoder import Precision, Preprocessing

if TYPE_CHECKING:
    import torch

ROWS = 4
"""Images per block: a layer's output then stays in a core's own cache."""

_SINGLE_THREAD_ROWS = 32
"""A call with more images than this comes from a caller with a single thread."""


class OpenVINONetwork:
    """A network that may be called from several threads, compiled when first called.

    Every thread has buffers of its own and computes on one core. Images go through in
    blocks of `ROWS`, the last one filled up, so that features do not depend on how the
    images were put into batches.

    Parameters
    ----------
    network
        timm's EfficientNet without squeeze-and-excitation, without classifier, its batch
        normalisations folded (`fishembed.encoders.torch_encoder.fold_batch_norms`), in fp32.
    pixels
        Size, mean and standard deviation of what goes in.
    precision
        fp32 or bf16.
    threads
        How many cores to use.
    """

    _lock = threading.Lock()  # of all networks: see `_touch_tensors`

    def __init__(
        self, network: torch.nn.Module, pixels: Preprocessing, precision: Precision, threads: int
    ) -> None:
        self._network = network
        self._pixels = pixels
        self._precision = precision
        self._threads = threads
        self._compiled: list[Any] = []
        self._of_thread = threading.local()

    def __call__(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode uint8 (n, crop, crop, 3) to float32 (n, dim)."""
        starts = range(0, len(batch), ROWS)
        blocks = (batch[start : start + ROWS] for start in starts)
        if len(batch) <= _SINGLE_THREAD_ROWS or self._threads == 1:
            features = [self._infer(block) for block in blocks]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                features = list(pool.map(self._infer, blocks))
        if not features:
            return np.empty((0, self._compile()[-1].output(0).shape[1]), np.float32)
        return np.concatenate(features)

    def _infer(self, block: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        requests = getattr(self._of_thread, "requests", None)
        if requests is None:
            requests = self._of_thread.requests = self._new_requests()
        requests[0].get_input_tensor().data[: len(block)] = block
        for request in requests:
            request.infer()
        features: npt.NDArray[np.float32] = requests[-1].get_output_tensor().data
        return features[: len(block)].copy()

    def _new_requests(self) -> list[Any]:
        """Make buffers for one thread; each part reads where the one before it writes."""
        requests = [part.create_infer_request() for part in self._compile()]
        for before, after in pairwise(requests):
            after.set_input_tensor(before.get_output_tensor())
        return requests

    def _compile(self) -> list[Any]:
        import openvino

        with self._lock:
            if not self._compiled:
                settings = {
                    "NUM_STREAMS": self._threads,
                    "INFERENCE_NUM_THREADS": self._threads,
                    # Decoders and other processes use the same cores.
                    "ENABLE_CPU_PINNING": False,
                }
                core = openvino.Core()
                self._compiled = [
                    core.compile_model(
                        model, "CPU", {**settings, "INFERENCE_PRECISION_HINT": precision}
                    )
                    for model, precision in build_models(
                        self._network, self._pixels, self._precision
                    )
                ]
                _touch_tensors(self._compiled[0])
            return self._compiled


def _touch_tensors(part: Any) -> None:
    """Access the tensors' memory from Python once, in one thread, to avoid a deadlock.

    The first time, OpenVINO's bindings initialise shared state. Two threads that do so at once
    wait for each other for ever: one, holding the interpreter's lock, for that initialisation,
    the other for that lock.
    """
    request = part.create_infer_request()
    request.get_input_tensor().data, request.get_output_tensor().data


def build_models(
    network: Any, pixels: Preprocessing, precision: Precision
) -> list[tuple[Any, str]]:
    """Build the graph of an EfficientNet, the normalisation of pixels included.

    In bf16 the stem and the first block are a part of their own, in fp32, as in torch: with
    everything in bf16, features of small images turned by a cosine of 0.9965 on average, so by
    0.9991.

    Returns one or two parts and the precision of each by OpenVINO's name: from uint8
    (`ROWS`, crop, crop, 3) to float32 (`ROWS`, dim).
    """
    import openvino
    from openvino import opset13 as ops

    planes_first, planes_last = np.array([0, 3, 1, 2]), np.array([0, 2, 3, 1])
    mean, std = (np.array(of, np.float32).reshape(1, 3, 1, 1) for of in (pixels.mean, pixels.std))
    inputs = ops.parameter([ROWS, pixels.crop, pixels.crop, 3], np.uint8, name="pixels")
    x = ops.convert(ops.transpose(inputs, planes_first), "f32")
    x = ops.subtract(x, 255 * mean)
    x = _activate(_convolve(network.conv_stem, x, scale=1 / (255 * std)))
    first, *others = (block for stage in network.blocks for block in stage)
    x = _run_block(first, x)
    parts = []
    if precision == "bf16":
        x = ops.convert(ops.transpose(x, planes_last), "bf16")
        parts.append((openvino.Model([x], [inputs], "start"), "f32"))
        inputs = ops.parameter(x.shape, openvino.Type.bf16)
        x = ops.convert(ops.transpose(inputs, planes_first), "f32")
    for block in others:
        x = _run_block(block, x)
    x = _activate(_convolve(network.conv_head, x))
    pooled = ops.reduce_mean(x, np.array([2, 3]), keep_dims=False)
    model = openvino.Model([pooled], [inputs], "embedded")
    return [*parts, (model, "bf16" if precision == "bf16" else "f32")]


def _convolve(layer: Any, x: Any, scale: Any = 1) -> Any:
    """Add a convolution, depthwise or not, and its bias to the graph."""
    from openvino import opset13 as ops

    weight = layer.weight.detach().numpy() * scale
    none, stride = [0, 0], list(layer.stride)  # "same_upper" is the padding
    if layer.groups == 1:
        y = ops.convolution(x, weight, stride, none, none, [1, 1], "same_upper")
    else:
        weight = weight[:, np.newaxis]  # one channel a group
        y = ops.group_convolution(x, weight, stride, none, none, [1, 1], "same_upper")
    return ops.add(y, layer.bias.detach().numpy().reshape(1, -1, 1, 1))


def _activate(x: Any) -> Any:
    """Add ReLU6 to the graph."""
    from openvino import opset13 as ops

    return ops.clamp(x, 0.0, 6.0)


def _run_block(block: Any, x: Any) -> Any:
    """Add a depthwise-separable block or an inverted residual to the graph."""
    from openvino import opset13 as ops

    if hasattr(block, "conv_pwl"):
        y = _activate(_convolve(block.conv_pw, x))
        y = _convolve(block.conv_pwl, _activate(_convolve(block.conv_dw, y)))
    else:
        y = _convolve(block.conv_pw, _activate(_convolve(block.conv_dw, x)))
    return ops.add(y, x) if block.has_skip else y
