"""Other people's files, made into tables by transforms/real/*.sql. I/O: reads a folder, DuckDB.

What lies in the folder is data that nobody here made. It is read as it stands; what cannot be read
stays text, because to refuse it is the exchange's work and not the reader's.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tillit import places
from tillit.engine import Engine, refused_as_query, translated
from tillit.errors import UsageError
from tillit.model import PARTY_ID

__all__ = [
    "FLUSIGHT",
    "SCMS",
    "STOCK",
    "Reader",
    "expected_rows",
    "party_ids",
    "reader",
    "teams",
    "vendors",
]

FLUSIGHT: Mapping[str, str] = {
    "flusight_forecast": "flusight/forecasts_2023-24.parquet",
    "flusight_vintage": "flusight/target_vintages.parquet",
}
SCMS: Mapping[str, str] = {"scms_file": "scms/scms_scheduled_to_2011.csv"}
"""Files by the name under which the SQL reads them; paths inside the folder."""

STOCK = "SCMS from RDC"
"""The vendor of lines that come from regional stock: no supplier, though most lines name it."""

_PAREN = re.compile(r"\(.*?(\)|$)")
_OTHER = re.compile(r"[^a-z0-9]+")


class Reader:
    """DuckDB over some files of the folder; `query` runs the SQL of a stem of transforms/real/."""

    def __init__(self, engine: Engine, sql: Path) -> None:
        self._connection = engine.connection
        self._sql = sql

    def give(self, name: str, table: pa.Table) -> None:
        """Let the SQL read an Arrow table under a name."""
        self._connection.register(name, table)

    def query(self, stem: str) -> pa.Table:
        """Run one file of SQL; what it gives can be read by the next under the file's stem."""
        text = (self._sql / f"{stem}.sql").read_text(encoding="utf-8")
        with translated(f"{stem}.sql", refused_as_query(f"{stem}.sql")):
            table = self._connection.execute(text).to_arrow_table()
        self.give(stem, table)
        return table


@contextmanager
def reader(folder: Path, files: Mapping[str, str]) -> Iterator[Reader]:
    """Open files of the folder for SQL; UsageError if one is not there."""
    for file in files.values():
        _present(folder, file)
    with (
        tempfile.TemporaryDirectory(prefix="tillit-") as spool,
        Engine.open(Path(spool)) as engine,
    ):
        for name, file in files.items():
            path = str(folder / file)
            with translated(file, refused_as_query(file)):
                if path.endswith(".csv"):
                    # Everything is text: a number or a day is read by the judge, or refused.
                    lines = engine.connection.read_csv(
                        path, header=True, all_varchar=True, delimiter=",", quotechar='"'
                    )
                    lines.create_view(name)
                else:
                    engine.connection.read_parquet(path).create_view(name)
        yield Reader(engine, places.transforms() / "real")


def _present(folder: Path, file: str) -> Path:
    path = folder / file
    if not path.is_file():
        raise UsageError(
            "not-found", "the real data is not there", expected=f"{file} in {folder}", found="none"
        )
    return path


def party_ids(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """An id for each name, none of them taken: ``LosAlamos_NAU-CModel`` -> losalamos-nau-cmodel.

    What stands in brackets is left out; a name whose id another has gets a number.
    """
    ids: dict[str, str] = {}
    used = set(taken)
    for name in sorted(set(names)):
        words = [word[:30] for word in _OTHER.split(_PAREN.sub(" ", name).lower()) if word]
        if not words or not words[0][0].isalpha():
            words.insert(0, "p")
        stem = "-".join(words[:3])
        found = next(
            candidate
            for candidate in (stem, *(f"{stem}-{number}" for number in range(2, 10_000)))
            if candidate not in used
        )
        if not PARTY_ID.fullmatch(found):
            raise ValueError(f"{found!r} is no party id")
        used.add(found)
        ids[name] = found
    return ids


def teams(folder: Path) -> list[str]:
    """The forecasting teams, by name."""
    path = _present(folder, FLUSIGHT["flusight_forecast"])
    found: list[str] = pq.read_table(path, columns=["model"])["model"].unique().to_pylist()
    return sorted(found)


def vendors(folder: Path) -> list[tuple[str, int]]:
    """Vendors with their number of lines, most first; stock among them."""
    count = Counter(line["Vendor"] for line in _lines(folder))
    return sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))


def expected_rows(folder: Path) -> dict[str, int]:
    """Rows that must be accepted or refused, by kind of each source, counted without any SQL.

    Raises UsageError when a file is missing.
    """
    path = _present(folder, FLUSIGHT["flusight_forecast"])
    quantiles: list[float] = pq.read_table(path, columns=["quantile"])["quantile"].to_pylist()
    count = Counter(line["Vendor"] == STOCK for line in _lines(folder))
    return {
        "flusight/demand_forecast": sum(abs(quantile - 0.5) < 1e-6 for quantile in quantiles),
        "scms/order": count.total(),
        "scms/delivery_commitment": count[False],
        "scms/delivery": count[False],
    }


def _lines(folder: Path) -> Iterator[dict[str, str]]:
    path = _present(folder, SCMS["scms_file"])
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)
