"""The likelihood of a discrete-time hazard whose log-odds are a period's intercept plus one number a row, and its derivatives.

Rows are not repeated for the periods they are at risk in: what does not depend on the period is summed over it first. The rest of the
design are tables of coded terms, so that products of the design are products of small tables with counts.

Sources: Tutz and Schmid, Modeling Discrete Time-to-Event Data (2016), chapters 3 and 8; Li and Wood, Statistics and Computing 30 (2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
BLOCK = 8192  # clusters whose scores are laid out at once


@dataclass(frozen=True, slots=True)
class Spells:
    """Each row is at risk in the periods from `entry` to `exit`, both included, and has the event in the last of them, or is censored.

    A row whose exit lies before its entry is not at risk. `log_share` is an offset in the entry period (the log of the share of it that
    is left), `offset` one in all of them. `scale` multiplies what scaled terms add. `cluster` are small non-negative integers. Arrays
    have shape (n,).
    """

    entry: Ints
    exit: Ints
    event: Bools
    log_share: Floats
    cluster: Ints
    periods: int
    offset: Floats | None = None
    scale: Floats | None = None

    def __len__(self) -> int:
        return len(self.entry)

    def take(self, rows: Bools | Ints) -> Spells:
        """Some of the rows."""
        offset, scale = (None if each is None else each[rows] for each in (self.offset, self.scale))
        arrays = self.entry[rows], self.exit[rows], self.event[rows], self.log_share[rows], self.cluster[rows]
        return Spells(*arrays, self.periods, offset, scale)


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """A term: `table[codes]` are its columns of the design. `groups` names the penalty of each run of columns, with its length.

    The columns of a scaled term are multiplied by the rows' scale.
    """

    name: str
    codes: NDArray[np.integer]
    table: Floats
    groups: tuple[tuple[str, int], ...]
    scaled: bool = False

    def take(self, rows: Bools | Ints) -> CodedTerm:
        """Some of the rows."""
        return CodedTerm(self.name, self.codes[rows], self.table, self.groups, self.scaled)


@dataclass(frozen=True, slots=True)
class Sums:
    """At some coefficients, by row the residual and the weight, summed over its periods.

    `residual_at` and `weight_at` hold the same by live period, for the rows at risk in it.
    """

    residual: Floats
    weight: Floats
    residual_at: tuple[Floats, ...]
    weight_at: tuple[Floats, ...]


class HazardLikelihood:
    """Rows sorted by cluster, with who is at risk in each period. Periods in which nobody has the event are left out: hazard 0.

    Parameters run: the intercepts of the live periods, then the columns of the terms.
    """

    def __init__(self, spells: Spells, terms: Sequence[CodedTerm]) -> None:
        held = np.flatnonzero(spells.exit >= spells.entry)
        order = held[np.argsort(spells.cluster[held], kind="stable")]
        self.spells = spells.take(order)
        self.terms = tuple(term.take(order) for term in terms)
        self.starts = np.concatenate([[0], np.cumsum([term.table.shape[1] for term in terms], dtype=np.int64)])
        self.columns = int(self.starts[-1])
        self._scale = np.ones(len(order)) if self.spells.scale is None else self.spells.scale
        events = np.bincount(self.spells.exit[self.spells.event], minlength=spells.periods)
        self.live = np.flatnonzero(events)
        spell = self.spells
        self._at = tuple(np.flatnonzero((spell.entry <= i) & (spell.exit >= i)).astype(np.int32) for i in self.live)
        self._entering = tuple(np.flatnonzero(spell.entry[at] == i) for i, at in zip(self.live, self._at, strict=True))
        self._log_share = tuple(spell.log_share[at[own]] for at, own in zip(self._at, self._entering, strict=True))
        self._event = tuple(np.flatnonzero(spell.event[at] & (spell.exit[at] == i)) for i, at in zip(self.live, self._at, strict=True))

    def start(self) -> Floats:
        """Parameters at which every row has its period's rate."""
        rates = [(len(event) + 0.1) / (len(at) + 0.2) for at, event in zip(self._at, self._event, strict=True)]
        return np.concatenate([special.logit(np.array(rates)), np.zeros(self.columns)])

    def linear(self, parameters: Floats) -> Floats:
        """What the terms add up to by row."""
        found = np.zeros(len(self.spells))
        for term, begin in zip(self.terms, self.starts, strict=False):
            own = parameters[len(self.live) + begin : len(self.live) + begin + term.table.shape[1]]
            if own.any():
                added = (term.table @ own)[term.codes]
                found += added * self._scale if term.scaled else added
        return found

    def loss(self, parameters: Floats) -> float:
        """The negative log likelihood."""
        linear, total = self._with_offset(parameters), 0.0
        for i, event in enumerate(self._event):
            log_odds = self._log_odds(i, parameters, linear)
            total += float(np.log1p(np.exp(-np.abs(log_odds))).sum() + np.maximum(log_odds, 0.0).sum() - log_odds[event].sum())
        return total

    def sums(self, parameters: Floats) -> Sums:
        """Residuals and weights."""
        linear = self._with_offset(parameters)
        residual, weight = np.zeros(len(linear)), np.zeros(len(linear))
        residual_at, weight_at = [], []
        for i, (at, event) in enumerate(zip(self._at, self._event, strict=True)):
            hazard = special.expit(self._log_odds(i, parameters, linear))
            weight_at.append(hazard * (1 - hazard))
            weight[at] += weight_at[-1]
            hazard[event] -= 1.0
            residual_at.append(hazard)
            residual[at] += hazard
        return Sums(residual, weight, tuple(residual_at), tuple(weight_at))

    def _with_offset(self, parameters: Floats) -> Floats:
        linear = self.linear(parameters)
        return linear if self.spells.offset is None else linear + self.spells.offset

    def _log_odds(self, i: int, parameters: Floats, linear: Floats) -> Floats:
        """Of those at risk in a live period."""
        found = linear[self._at[i]]
        found += parameters[i]
        found[self._entering[i]] += self._log_share[i]
        return found

    def gradient(self, sums: Sums) -> Floats:
        """Of the loss, shape (parameters,)."""
        residual = self._by_scaling(sums.residual)
        parts = [np.array([each.sum() for each in sums.residual_at])]
        parts += [np.bincount(term.codes, weights=residual[term.scaled], minlength=len(term.table)) @ term.table for term in self.terms]
        return np.concatenate(parts)

    def hessian(self, sums: Sums) -> Floats:
        """Of the loss, shape (parameters, parameters): every pair of terms by the summed weights of its pairs of codes."""
        live, size = len(self.live), len(self.live) + self.columns
        found, weights = np.zeros((size, size)), self._by_scaling(sums.weight)
        found[np.arange(live), np.arange(live)] = [each.sum() for each in sums.weight_at]
        for j, term in enumerate(self.terms):
            own = slice(live + self.starts[j], live + self.starts[j + 1])
            found[:live, own] = self._by_period(term, sums.weight_at)
            alone = np.bincount(term.codes, weights=weights[2 * term.scaled], minlength=len(term.table))
            found[own, own] = (term.table * alone[:, None]).T @ term.table
            for k in range(j + 1, len(self.terms)):
                other = self.terms[k]
                weight = weights[term.scaled + other.scaled]
                found[own, live + self.starts[k] : live + self.starts[k + 1]] = _crossed(term, other, weight)
        return np.triu(found) + np.triu(found, 1).T

    def _by_scaling(self, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Values of rows as they count where none, one or both of two columns are scaled."""
        if not any(term.scaled for term in self.terms):
            return values, values, values
        once = values * self._scale
        return values, once, once * self._scale

    def meat(self, sums: Sums) -> Floats:
        """The summed outer products of the clusters' scores, times G/(G - 1)."""
        size, cluster = len(self.live) + self.columns, self.spells.cluster
        begins = np.flatnonzero(np.concatenate([[True], cluster[1:] != cluster[:-1]]))
        found, edges = np.zeros((size, size)), np.append(begins, len(cluster))
        by_period, residual = np.zeros((len(begins), len(self.live))), self._by_scaling(sums.residual)
        of_row = np.repeat(np.arange(len(begins)), np.diff(edges))
        for i, (at, own) in enumerate(zip(self._at, sums.residual_at, strict=True)):
            by_period[:, i] = np.bincount(of_row[at], weights=own, minlength=len(begins))
        for first in range(0, len(begins), BLOCK):
            part = edges[first : first + BLOCK + 1]
            scores = np.hstack([by_period[first : first + BLOCK], *(_summed(term, residual[term.scaled], part) for term in self.terms)])
            found += scores.T @ scores
        return found * (len(begins) / max(len(begins) - 1, 1))

    def _by_period(self, term: CodedTerm, weight_at: Sequence[Floats]) -> Floats:
        counted = [
            np.bincount(term.codes[at], weights=weight * self._scale[at] if term.scaled else weight, minlength=len(term.table))
            for at, weight in zip(self._at, weight_at, strict=True)
        ]
        return np.array(counted) @ term.table


def _crossed(one: CodedTerm, other: CodedTerm, weight: Floats) -> Floats:
    pair = one.codes.astype(np.int32) * len(other.table) + other.codes
    counted = np.bincount(pair, weights=weight, minlength=len(one.table) * len(other.table))
    return one.table.T @ counted.reshape(len(one.table), len(other.table)) @ other.table


def _summed(term: CodedTerm, residual: Floats, edges: Ints) -> Floats:
    """A term's scores summed over runs of rows, from each edge to the next: runs are rows of a sparse matrix of residuals by code."""
    rows = slice(int(edges[0]), int(edges[-1]))
    by_code = sparse.csr_array((residual[rows], term.codes[rows], edges - edges[0]), shape=(len(edges) - 1, len(term.table)))
    return np.asarray(by_code @ term.table)
