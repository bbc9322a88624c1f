"""Adam in torch's arithmetic, without what `torch.optim` loads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_BETA1, _BETA2 = 0.9, 0.999
_EPSILON = 1e-8


class Adam:
    """Adam with torch's defaults; its steps are `torch.optim.Adam`'s.

    The first step of torch's own loads its compiler: more than a second, for nothing that a
    linear layer needs.

    Parameters
    ----------
    parameters
        Tensors that want a gradient; changed in place.
    learning_rate
        Length of a step; may be changed between steps.
    weight_decay
        L2 penalty, added to the gradient.

    Notes
    -----
    Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.
    """

    def __init__(
        self, parameters: Sequence[torch.Tensor], learning_rate: float, weight_decay: float
    ) -> None:
        import torch

        self.learning_rate = learning_rate
        self._parameters = list(parameters)
        self._weight_decay = weight_decay
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._n_steps = 0

    def step(self, loss: torch.Tensor) -> None:
        """Go one step down the gradient of `loss`."""
        import torch

        self._n_steps += 1
        size = self.learning_rate / (1 - _BETA1**self._n_steps)
        correction = (1 - _BETA2**self._n_steps) ** 0.5
        gradients = torch.autograd.grad(loss, self._parameters)
        with torch.no_grad():
            for parameter, slope, mean, square in zip(
                self._parameters, gradients, self._means, self._squares, strict=True
            ):
                decay = self._weight_decay
                gradient = slope.add(parameter, alpha=decay) if decay else slope
                mean.lerp_(gradient, 1 - _BETA1)
                square.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
                scale = (square.sqrt() / correction).add_(_EPSILON)
                parameter.addcdiv_(mean, scale, value=-size)
