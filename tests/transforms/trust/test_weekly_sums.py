"""The figures that Python makes of weekly sums are those of the marts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import duckdb
import numpy as np
import pytest
from tests.trusts import insert, run_models

from tillit.trust.weekly import figures, weekly

WEEKS = 70
FIRST = 2800
Row = dict[str, Any]

GIVEN = """
create temp table int_week (partner varchar, direction varchar, week_no bigint, week date);
create temp table int_measured_column (
    partner varchar, direction varchar, kind varchar, column_name varchar, column_no ubigint,
    level integer, weight double, witness varchar, place bigint);
create temp table int_column_week (
    column_no ubigint, week_no bigint, due bigint, arrived bigint, late bigint, missing bigint,
    scored bigint, bits double, told_square double, used_square double);
create temp table int_column_asked (
    column_no ubigint, week_no bigint, asked bigint, answered bigint);
create temp table int_part_week (
    partner varchar, direction varchar, week_no bigint, week date, has_promises boolean,
    has_candour boolean, has_ideas boolean, promises bigint, unpromised bigint,
    promised_value double, kept_value double, troubles bigint, troubles_told bigint,
    told_beyond double, ideas bigint, ideas_accepted bigint);
"""


def drawn(rng: np.random.Generator, partner: str, has: tuple[bool, bool, bool]) -> list[Row]:
    """Weeks of promises, candour and ideas, some of them empty."""
    rows = []
    for week in range(WEEKS):
        promises, troubles = int(rng.poisson(2)), int(rng.poisson(1)) if has[1] else 0
        value = float(rng.gamma(2.0)) * promises
        rows.append(
            {
                "partner": partner,
                "direction": "in",
                "week_no": FIRST + week,
                "week": np.datetime64("1970-01-05") + 7 * (FIRST + week),
                **dict(zip(("has_promises", "has_candour", "has_ideas"), has, strict=True)),
                "promises": promises,
                "unpromised": 0,
                "promised_value": value,
                "kept_value": value * float(rng.beta(8, 2)),
                "troubles": troubles,
                "troubles_told": int(rng.binomial(troubles, 0.6)),
                # Of some weeks less is told than if all lines were complained of.
                "told_beyond": troubles * float(rng.uniform(-0.4, 1.0)),
                "ideas": 1,
                "ideas_accepted": int(rng.poisson(0.1)),
            }
        )
    return [{**row, "week": row["week"].item()} for row in rows]


@pytest.fixture(scope="module")
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """Partners with everything, without ideas, without anything but promises, and with no cells."""
    rng = np.random.default_rng(3)
    has = {
        "all": (True, True, True),
        "some": (True, True, False),
        "little": (False, False, False),
        "new": (True, True, True),
    }
    cells: list[Row] = []
    columns: list[Row] = []
    for at, partner in enumerate(has):
        for place in range(3):
            number = 10 * at + place
            columns.append(
                {"partner": partner, "direction": "in", "kind": "plan", "witness": "w"}
                | {"column_name": f"c{place}", "column_no": number, "level": place + 1}
                | {"weight": 2.0**place, "place": place}
            )
            # One column of which nothing arrives, and one with too few cells to be judged.
            weeks = range(0, WEEKS, 9) if place == 1 else range(WEEKS)
            for week in weeks if partner != "new" else ():
                due = 1 if place == 1 else int(rng.integers(1, 5))
                arrived = 0 if place == 2 else int(rng.integers(0, due + 1))
                cells.append(
                    {"column_no": number, "week_no": FIRST + week, "due": due}
                    | {"arrived": arrived, "late": 0, "missing": due - arrived, "scored": arrived}
                    | {"bits": arrived * float(rng.normal(0.4, 0.5))}
                    | {"told_square": arrived * float(rng.gamma(2, 2))}
                    | {"used_square": arrived * float(rng.gamma(2, 1))}
                )
    parts = [row for partner, flags in has.items() for row in drawn(rng, partner, flags)]
    with duckdb.connect() as connection:
        connection.execute(GIVEN)
        weeks = [{n: r[n] for n in ("partner", "direction", "week_no", "week")} for r in parts]
        insert(connection, "int_week", weeks)
        insert(connection, "int_measured_column", columns)
        insert(connection, "int_column_week", cells)
        insert(connection, "int_part_week", parts)
        run_models(connection, ("definition", "column_week", "direction_week"))
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    found = connection.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("end", [9, 30, 51, 52, 53, WEEKS])
@pytest.mark.parametrize("partner", ["all", "some", "little", "new"])
def test_with_all_weights_one_the_figures_are_the_marts(
    marts: duckdb.DuckDBPyConnection, partner: str, end: int
) -> None:
    weeks = rows(marts, f"from direction_week where partner = '{partner}' order by week")[:end]
    listed = rows(marts, f"from column_week where partner = '{partner}' order by column_name, week")
    columns = [list(some)[:end] for _, some in groupby(listed, key=lambda r: r["column_name"])]
    found = figures(weekly(weeks, columns), np.ones((1, min(end, 52))))

    last = weeks[-1]
    for name in ("information", "promises", "candour", "ideas"):
        counted = last[f"counted_{name}"]
        factor = getattr(found, name)[0]
        if counted is None:
            assert np.isnan(factor)
        else:
            wanted = max(factor, 0.01) if name == "information" else factor
            assert counted == pytest.approx(wanted, rel=1e-12)
    assert last["score"] is None or last["score"] == pytest.approx(found.score[0], rel=1e-12)
    assert (last["score"] is None) == np.isnan(found.score[0])
    for place, history in enumerate(columns):
        for name in ("u", "bits_per_cell"):
            wanted = history[-1][name]
            figure = getattr(found, name)[0, place]
            assert np.isnan(figure) if wanted is None else wanted == pytest.approx(figure)
