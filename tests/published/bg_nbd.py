"""BG/NBD: how often a customer without a contract buys, and whether they still do.

Source: Fader, Hardie and Lee, Marketing Science 24 (2005) 275-284, equations 6 and (from 7) the probability of being alive. A customer buys
at rate lambda ~ Gamma(r, alpha) and leaves after each purchase with probability p ~ Beta(a, b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import betaln, expit, gammaln

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histories:
    """By customer: repeat purchases, time of the last one since the first purchase (0 where none), and time observed since the first."""

    repeats: Floats
    last: Floats
    age: Floats


@dataclass(frozen=True, slots=True)
class BgNbd:
    """The four parameters, and the log likelihood at them."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def buys_within(self, histories: Histories, time: float) -> Floats:
        """P(at least one purchase in the next `time`): alive, and not silent. Who is alive leaves only upon the next purchase."""
        silent = ((self.alpha + histories.age) / (self.alpha + histories.age + time)) ** (self.r + histories.repeats)
        return self.alive(histories) * (1 - silent)

    def alive(self, histories: Histories) -> Floats:
        """P(the customer has not left)."""
        x = histories.repeats
        log_odds = (
            np.log(self.a)
            - np.log(self.b + np.maximum(x, 1) - 1)
            + (self.r + x) * np.log((self.alpha + histories.age) / (self.alpha + histories.last))
        )
        return np.where(x > 0, expit(-log_odds), 1.0)


def log_likelihood(parameters: Floats, histories: Histories) -> Floats:
    """Of each customer's history, shape (n,)."""
    r, alpha, a, b = parameters
    x, last, age = histories.repeats, histories.last, histories.age
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    stays = -(r + x) * np.log(alpha + age)
    leaves = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last)
    return common + np.where(x > 0, np.logaddexp(stays, leaves), stays)


def fit(histories: Histories) -> BgNbd:
    """Maximum likelihood, on logarithms of the parameters."""

    def loss(logs: Floats) -> float:
        return -float(log_likelihood(np.exp(np.clip(logs, -12, 12)), histories).mean())

    scale = float(histories.age.mean())
    found = optimize.minimize(loss, np.log([0.5, 0.2 * scale, 0.8, 2.5]), method="L-BFGS-B", options={"maxiter": 500})
    r, alpha, a, b = np.exp(found.x).tolist()
    return BgNbd(r, alpha, a, b, -float(found.fun) * len(histories.repeats))
