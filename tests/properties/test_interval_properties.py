"""Intervals of any weekly sums: in range, about the figure, and numbers."""

from __future__ import annotations

import json
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tillit.trust.interval import resample
from tillit.trust.weekly import Weekly, figures

COUNT = st.integers(0, 40).map(float)
SHARE = st.floats(0.0, 1.0)


@st.composite
def weeklies(draw: st.DrawFn) -> Weekly:
    weeks, columns = draw(st.integers(1, 52)), draw(st.integers(0, 3))
    due = draw(arrays(float, (columns, weeks), elements=COUNT))
    share = draw(arrays(float, (columns, weeks), elements=SHARE))
    gain = draw(st.floats(-50.0, 50.0))
    square = draw(st.sampled_from([0.0, 1e-12, 1.0, 1e30]))
    promises, troubles = (draw(arrays(float, weeks, elements=COUNT)) for _ in range(2))
    kept = draw(arrays(float, weeks, elements=SHARE))
    return Weekly(
        names=tuple(("kind", str(n)) for n in range(columns)),
        weight=2.0 ** np.arange(columns),
        enough=due.sum(axis=1) >= 26,
        columns=np.stack([due, due * share * gain, due * square, due * share]),
        parts=np.stack(
            [promises, promises * 3, promises * 3 * kept, troubles, troubles * kept, kept > 0.9]
        ),
        has=draw(st.tuples(st.booleans(), st.booleans(), st.booleans())),
    )


@settings(deadline=None, max_examples=60)
@given(weeklies(), st.integers(0, 5))
def test_bounds_are_numbers_in_range_about_the_figure(of: Weekly, seed: int) -> None:
    measured = figures(of, np.ones((1, of.weeks)))
    found = resample(of, seed=seed, replicates=50)
    if found is None:
        assert of.weeks < 20
        return
    for name, bounds in found.parts().items():
        value = float(getattr(measured, name)[0])
        assert (bounds is None) <= (name in {"score", "information"})
        if bounds is not None:
            low, high = bounds
            assert 0 <= low <= value <= high <= (100 if name == "score" else 1) + 1e-12
    for bounds in found.columns().values():
        assert (bounds["u"] is None) == (bounds["bits_per_cell"] is None)
    assert "NaN" not in json.dumps(found.parts())
    assert "Infinity" not in json.dumps([list(found.columns().values())])


@settings(deadline=None, max_examples=30)
@given(weeklies(), st.floats(0.5, 4.0))
def test_figures_do_not_know_the_unit_of_money(of: Weekly, rate: float) -> None:
    parts = of.parts.copy()
    parts[1:3] *= rate
    weights = np.ones((1, of.weeks))
    other = Weekly(of.names, of.weight, of.enough, of.columns, parts, of.has)
    one, two = figures(of, weights).score[0], figures(other, weights).score[0]
    assert math.isnan(one) == math.isnan(two)
    assert math.isnan(one) or math.isclose(one, two, rel_tol=1e-9)
