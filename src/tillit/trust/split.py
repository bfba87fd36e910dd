"""Why a score moved: the logarithmic-mean split of its change over its parts. Pure.

The score is 100 (I P' C' D)^(1/4). With L the logarithmic mean, L(a, b) = (a - b) / ln(a / b), each
part x adds L(T1, T0) / 4 * ln(x1 / x0); the parts add up to T1 - T0 exactly (Ang 2015, LMDI-I).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["PARTS", "factors", "split"]

PARTS = ("information", "promises", "candour", "ideas")


def factors(week: Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    """The four factors of a week's score, as they are multiplied; None if one is not measured."""
    values = [week[part] for part in PARTS]
    if any(value is None for value in values):
        return None
    information, promises, candour, ideas = map(float, values)
    return (
        max(information, 0.01),
        min(max((promises - 0.6) / 0.4, 0.02), 1.0),
        min(candour / 0.8, 1.0),
        ideas,
    )


def split(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, float] | None:
    """Points by part from one week's score to another's; None if either is not measured."""
    earlier, later = factors(before), factors(after)
    if earlier is None or later is None:
        return None
    start, end = _score(earlier), _score(later)
    mean = (
        start if math.isclose(start, end, rel_tol=1e-12) else (end - start) / math.log(end / start)
    )
    return {
        part: mean / 4 * math.log(new / old)
        for part, old, new in zip(PARTS, earlier, later, strict=True)
    }


def _score(values: tuple[float, float, float, float]) -> float:
    return 100 * math.prod(values) ** 0.25
