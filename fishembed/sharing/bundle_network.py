"""Network from an image's pixels to the prediction, in torch, and its export to ONNX."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from fishembed.classifiers.head_function import FittedMap, FittedSum, NeighborVotes, Part
from fishembed.classifiers.novelty import columns
from fishembed.classifiers.saved.saved_head import SavedHead
from fishembed.errors import BundleError

if TYPE_CHECKING:
    from fishembed.classifiers.novelty import ClassDistances, Spread
    from fishembed.encoders.torch_encoder import TorchEncoder
    from fishembed.experiments.held_out import HeldOut

OUTPUTS = ("features", "logits", "probabilities", "unknown", "like_none")
"""Names of the network's outputs, in order."""

_TINY = float(np.finfo(np.float64).tiny)
_FEWEST_IN_TAIL = 10
_ONE_IN_A_HUNDRED = float(np.log(100))


class BundleNetwork(nn.Module):
    """Network from uint8 (n, side, side, 3) images to features, calibrated logits and refusal.

    Parameters
    ----------
    encode
        Network from normalised (n, 3, side, side) to (n, dim) features.
    mean, std
        Mean and standard deviation of each channel, on a scale from 0 to 1.
    head
        The calibrated head.
    kept
        Scores of held-out images; None where no image is ever sent back as unknown.
    send_back
        Share of images of known classes that may be sent back as unknown.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        encode: nn.Module,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        *,
        head: SavedHead,
        kept: HeldOut | None,
        send_back: float,
    ) -> None:
        super().__init__()
        self.encode = encode
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.head = _Sum(_as_sum(head))
        self.refusal = None if kept is None else _Refusal(kept, send_back)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs that `OUTPUTS` names."""
        pixels = (images.permute(0, 3, 1, 2).to(torch.float32) / 255 - self.mean) / self.std
        features = self.encode(pixels).to(torch.float32)
        logits = self.head(features)
        probabilities = torch.softmax(logits, dim=1)
        if self.refusal is None:
            nothing = logits[:, 0] != logits[:, 0]
            return features, logits, probabilities, nothing, nothing & nothing
        unknown, like_none = self.refusal(features, logits)
        return features, logits, probabilities, unknown, like_none


def _as_sum(head: SavedHead) -> FittedSum:
    fitted: FittedMap | None = getattr(head, "fitted_map", None)
    if fitted is None:
        whole: FittedSum = head.fitted_sum
        return whole
    unit = head.normalize == "l2"
    return FittedSum((Part(fitted, unit),), np.zeros(len(head.classes_)))


class _Sum(nn.Module):
    """Logits of a head, summed in double precision as by `FittedSum`."""

    shift: Tensor

    def __init__(self, fitted: FittedSum) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            _Votes(part.fitted, len(fitted.shift))
            if isinstance(part.fitted, NeighborVotes)
            else _Map(part.fitted)
            for part in fitted.parts
        )
        self.units = [part.unit for part in fitted.parts]
        self.scales = [float(part.scale) for part in fitted.parts]
        self.register_buffer("shift", _double(fitted.shift))

    def forward(self, features: Tensor) -> Tensor:
        total = self.shift
        for part, unit, scale in zip(self.parts, self.units, self.scales, strict=True):
            total = total + scale * part(_unit(features) if unit else features)
        return total


class _Map(nn.Module):
    """A linear map of rows, plus one of their whitened directions."""

    coef: Tensor
    intercept: Tensor
    whitening: Tensor
    centre: Tensor
    angular_coef: Tensor

    def __init__(self, fitted: FittedMap) -> None:
        super().__init__()
        self.register_buffer("coef", _single(fitted.coef.T))
        self.register_buffer("intercept", _double(fitted.intercept))
        self.angular = fitted.angular is not None
        if fitted.angular is not None:
            self.register_buffer("whitening", _single(fitted.angular.whitening.matrix))
            self.register_buffer("centre", _single(fitted.angular.whitening.centre))
            self.register_buffer("angular_coef", _single(fitted.angular.coef.T))

    def forward(self, rows: Tensor) -> Tensor:
        logits = rows @ self.coef
        if self.angular:
            logits = logits + _unit(rows @ self.whitening - self.centre) @ self.angular_coef
        return logits.to(torch.float64) + self.intercept


class _Votes(nn.Module):
    """Logarithms of the classes' shares among the votes of the nearest rows."""

    rows: Tensor
    own: Tensor

    def __init__(self, votes: NeighborVotes, n_classes: int) -> None:
        super().__init__()
        self.register_buffer("rows", _single(votes.rows))
        self.register_buffer("own", torch.eye(n_classes, dtype=torch.float64)[votes.codes])
        self.n, self.by_distance = votes.n_neighbors, votes.weights == "distance"

    def forward(self, rows: Tensor) -> Tensor:
        squares = _squares(rows.to(torch.float64), self.rows.to(torch.float64))
        nearest, places = torch.topk(squares, self.n, dim=1, largest=False)
        classes = self.own[places]  # (n, n_neighbors, n_classes)
        if self.by_distance:
            weights = 1 / torch.sqrt(torch.clamp(nearest, min=1e-24))
            classes = classes * weights[:, :, None]
        votes = classes.sum(dim=1)
        return torch.log(torch.clamp(votes / votes.sum(dim=1, keepdim=True), min=_TINY))


class _Refusal(nn.Module):
    """Whether an image is sent back as unknown, as decided by `KnownScores`."""

    def __init__(self, held_out: HeldOut, send_back: float) -> None:
        super().__init__()
        self.distances = _Distances(held_out.distances)
        self.indecision = _LogShare(held_out.indecision)
        self.farness = nn.ModuleList(_LogShare(known) for known in columns(held_out.distance).T)
        self.threshold = held_out.known.threshold(send_back)

    def forward(self, features: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        z = torch.log_softmax(logits, dim=1)
        ordered = torch.sort(z, dim=1, descending=True).values
        undecided = torch.logsumexp(ordered[:, 1:], dim=1) - ordered[:, 0]
        unsure, distances = self.indecision(undecided), self.distances(features)
        shares = [share(distances[:, k]) for k, share in enumerate(self.farness)]
        far = torch.stack(shares, dim=1)
        unknown, most = unsure + far.sum(dim=1) > self.threshold, far.amax(dim=1)
        return unknown, unknown & ((most >= unsure) | (most >= _ONE_IN_A_HUNDRED))


class _Distances(nn.Module):
    """Distance to the nearest class mean, and 1 minus the cosine, see `ClassDistances`."""

    of_means: Tensor

    def __init__(self, distances: ClassDistances) -> None:
        super().__init__()
        self.within = _SpreadSquares(distances.within, distances.means)
        self.overall = _SpreadSquares(distances.overall, distances.centre[None])
        self.middle = _SpreadSquares(distances.within, distances.middle)
        self.register_buffer("of_means", self.middle(_double(distances.means)).T)

    def forward(self, features: Tensor) -> Tensor:
        rows = _unit(features).to(torch.float64)
        squares, own = self.within(rows), self.middle(rows)
        product = torch.sqrt(torch.clamp(own * self.of_means, min=1e-12))
        cosine = (own + self.of_means - squares) / (2 * product)
        distance = squares.amin(dim=1) - self.overall(rows)[:, 0]
        return torch.stack([distance, 1 - cosine.amax(dim=1)], dim=1)


class _SpreadSquares(nn.Module):
    """Squared Mahalanobis distances to some centres."""

    directions: Tensor
    centres: Tensor

    def __init__(self, spread: Spread, centres: np.ndarray[Any, Any]) -> None:
        super().__init__()
        self.register_buffer("directions", _single(spread.directions.T))
        self.register_buffer("centres", _single(centres))
        self.precision = float(spread.precision)

    def forward(self, rows: Tensor) -> Tensor:
        directions, centres = self.directions.to(torch.float64), self.centres.to(torch.float64)
        whole = self.precision * _squares(rows, centres)
        return whole - _squares(rows @ directions, centres @ directions)


class _LogShare(nn.Module):
    """Negative logarithm of the share of known scores not below a score, see `KnownScores`."""

    known: Tensor

    def __init__(self, known: np.ndarray[Any, Any]) -> None:
        super().__init__()
        ordered = np.sort(np.asarray(known, np.float64))
        self.n = len(ordered)
        self.register_buffer("known", torch.from_numpy(ordered.copy()))
        if self.n:
            m = min(self.n, max(_FEWEST_IN_TAIL, self.n // 20))
            self.start, self.last = float(ordered[-m]), float(ordered[-1])
            self.scale = float((ordered[-m:] - ordered[-m]).mean()) + 1e-9
            self.shift = float(np.log(m / (self.n + 1)))

    def forward(self, score: Tensor) -> Tensor:
        if not self.n:
            return torch.zeros_like(score)
        reach = (self.known[None, :] >= score[:, None]).to(torch.float64).sum(dim=1)
        counted = -torch.log((reach + 1) / (self.n + 1))
        tail = (score - self.start) / self.scale - self.shift
        return torch.where(score > self.last, torch.maximum(counted, tail), counted)


def _squares(rows: Tensor, centres: Tensor) -> Tensor:
    own, other = (rows * rows).sum(dim=1, keepdim=True), (centres * centres).sum(dim=1)
    return own + other - 2 * (rows @ centres.T)


def _unit(rows: Tensor) -> Tensor:
    lengths = torch.sqrt((rows * rows).sum(dim=1, keepdim=True))
    return rows / torch.where(lengths > 0, lengths, torch.ones_like(lengths))


def _single(values: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(np.array(values, np.float32, order="C"))


def _double(values: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(np.array(values, np.float64, order="C"))


_OPSET = 18
_MOST_IN_ONE_FILE = 1_800_000_000
"""Bytes; an ONNX file has at most 2 GiB, larger networks have their weights in a second file."""


class _Called(nn.Module):
    """A network whose forward pass is a function of it."""

    def __init__(self, network: nn.Module, call: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.network = network
        self._call = call

    def forward(self, pixels: Tensor) -> Tensor:
        return self._call(self.network, pixels)


def image_network(encoder: TorchEncoder, *, trunk: bool) -> nn.Module:
    """Return the network from normalised pixels to features.

    Parameters
    ----------
    encoder
        A torch encoder in fp32 on the CPU.
    trunk
        Whether to return the features before the projection.
    """
    network: Any = copy.deepcopy(encoder._network).to(memory_format=torch.contiguous_format).eval()
    if not hasattr(network, "visual"):
        plain: nn.Module = network
        return plain
    if trunk:
        from fishembed.encoders.openclip import with_trunk

        return _Called(network.visual, lambda visual, pixels: with_trunk(visual, pixels)[1])
    return _Called(network, lambda model, pixels: model.encode_image(pixels))


def export_network(network: nn.Module, side: int, path: Path) -> None:
    """Write a network of uint8 (n, side, side, 3) images to an ONNX file, for any n.

    Raises
    ------
    BundleError
        When torch cannot export it to ONNX.
    """
    # Two images: with one, torch would treat the number as fixed.
    images = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    size = sum(one.numel() * one.element_size() for one in network.parameters())
    try:
        with warnings.catch_warnings(), torch.inference_mode(mode=False), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network.eval(),
                (images,),
                path,
                input_names=["images"],
                output_names=list(OUTPUTS),
                opset_version=_OPSET,
                dynamo=True,
                dynamic_shapes={"images": {0: torch.export.Dim("n", min=1, max=4096)}},
                external_data=size > _MOST_IN_ONE_FILE,
                verbose=False,
            )
    except Exception as error:  # torch's exporter raises many kinds
        text = " ".join(str(error).split())[:300]
        raise BundleError(f"this encoder cannot be exported to ONNX: {text}") from error
