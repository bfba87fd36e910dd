"""Rank correlations, and what can be counted without a measure. Pure."""

from __future__ import annotations

import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tillit.validation.histories import History
from tillit.validation.nature import COLUMNS

__all__ = ["COUNTS", "counts", "kendall", "spearman"]

Floats = NDArray[np.float64]

COUNTS = ("messages", "rows", "filled cells", "share of cells filled", "compressed bytes")


def kendall(first: Floats, second: Floats) -> float:
    """Kendall's tau-b: pairs in the same order less pairs in the other, ties left out."""
    at, other = np.triu_indices(len(first), 1)
    a, b = np.sign(first[at] - first[other]), np.sign(second[at] - second[other])
    untied = np.sqrt(float(np.sum(a != 0)) * float(np.sum(b != 0)))
    return float(np.sum(a * b) / untied) if untied else 0.0


def spearman(first: Floats, second: Floats) -> float:
    """Pearson's correlation of the ranks; those that are alike share their mean rank."""
    a, b = _ranks(first), _ranks(second)
    spread = a.std() * b.std()
    return float(np.mean((a - a.mean()) * (b - b.mean())) / spread) if spread else 0.0


def _ranks(values: Floats) -> Floats:
    _, place, many = np.unique(values, return_inverse=True, return_counts=True)
    mean: Floats = np.cumsum(many) - (many - 1) / 2.0
    return mean[place]


def counts(history: History, names: list[str]) -> dict[str, Floats]:
    """What is easily counted, by relationship in the order of the names."""
    filled, due = np.zeros(len(names)), np.zeros(len(names))
    rows, size = np.zeros(len(names)), np.zeros(len(names))
    for kind, flow in dict.fromkeys((c.kind, c.direction) for c in COLUMNS):
        told = history.tables[kind]
        told = told.filter(pc.equal(told["flow"], flow))
        columns = [c.name for c in COLUMNS if (c.kind, c.direction) == (kind, flow)]
        owner = _owners(told, names)
        cells = np.stack([told[name].to_numpy() for name in columns])
        filled += np.bincount(owner, np.isfinite(cells).sum(axis=0), len(names))
        due += np.bincount(owner, minlength=len(names)) * len(columns)
        order = np.argsort(owner, kind="stable")
        parts = np.split(
            cells[:, order], np.cumsum(np.bincount(owner, minlength=len(names)))[:-1], 1
        )
        size += [len(zlib.compress(np.ascontiguousarray(part).tobytes(), 6)) for part in parts]
    for told in history.tables.values():
        rows += np.bincount(_owners(told, names), minlength=len(names))
    messages = np.bincount(_owners(history.arrivals, names), minlength=len(names))
    share = filled / np.maximum(due, 1)
    values = (messages.astype(np.float64), rows, filled, share, size)
    return dict(zip(COUNTS, values, strict=True))


def _owners(rows: pa.Table, names: list[str]) -> NDArray[np.int64]:
    found = pc.index_in(rows["relationship_id"], value_set=pa.array(names))
    owners: NDArray[np.int64] = found.to_numpy().astype(np.int64)
    return owners
