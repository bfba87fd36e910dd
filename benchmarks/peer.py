"""What many do today, on the same rows: pandas, Great Expectations on it, CSV, gpg. I/O.

Sender: read, validate, write CSV, sign and encrypt. Receiver: decrypt and verify, read, validate,
write Parquet. A throw-away key for each, in a folder of gpg's own. Every check of the kind that has
an expectation of its own in pandas is asked for; those on weekdays have none and are left out.

Run: python -m benchmarks.peer exchange FOLDER SHARE
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import world
from benchmarks.measure import PROMISED, Row, child, say, tell, timed

SHARE = 10
_KEY = ("item_id", "ship_to", "period_start", "period")
_NAME = "^[!-~]([ -~]*[!-~])?$"
_UNSEEN = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]"
_REQUIRED = (*_KEY, "quantity", "commitment", "unit")
_LISTS = {
    "period": "day week month",
    "commitment": "firm production material planning",
    "unit": "C62 EA H87 PR SET DZN KGM GRM TNE LBR LTR MLT MTR CMT MMT MTK MTQ HUR DAY KWH",
}


def rows(folder: Path, size: int, seconds: float) -> list[Row]:
    """The table's rows; ``seconds`` are the product's for all rows, both ways."""
    what = "publish + receive"
    target = 3.0 if size >= PROMISED else None
    if shutil.which("gpg") is None:
        missing = "skipped: gpg is missing (apt-get install gnupg, or brew install gnupg)"
        return [Row("peer", what, seconds, "s", target=target, bound=">=", note=missing)]
    share = 1 if size < 1_000_000 else SHARE
    say(f"the peer: CSV, gpg, Great Expectations on pandas, 1/{share} of the rows")
    told = child("peer", "exchange", folder, share)
    scaled = told["seconds"] * size / told["rows"]
    note = f"{told['rows']:,} rows measured, peak {told['peak_mb']:,.0f} MB"
    note += ", scaled to all of them" if share > 1 else ""
    against = "CSV + gpg --sign --encrypt + Great Expectations on pandas"
    ratio = scaled / seconds
    return [Row("peer", what, seconds, "s", scaled, against, ratio, target, ">=", note=note)]


def validate(frame: Any) -> None:
    """The kind's rules as Great Expectations' own expectations on a pandas frame."""
    import great_expectations as gx
    import great_expectations.expectations as expect

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    whole = context.data_sources.add_pandas("memory").add_dataframe_asset("forecast")
    batch = whole.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="forecast")
    asked: list[Any] = [expect.ExpectColumnValuesToNotBeNull(column=name) for name in _REQUIRED]
    for name in ("item_id", "ship_to", "supplier_item_id"):
        asked.append(
            expect.ExpectColumnValueLengthsToBeBetween(column=name, min_value=1, max_value=64)
        )
        asked.append(expect.ExpectColumnValuesToMatchRegex(column=name, regex=_NAME))
    asked.append(
        expect.ExpectColumnValueLengthsToBeBetween(column="note", min_value=1, max_value=500)
    )
    asked.append(expect.ExpectColumnValuesToNotMatchRegex(column="note", regex=_UNSEEN))
    for name, values in _LISTS.items():
        asked.append(expect.ExpectColumnValuesToBeInSet(column=name, value_set=values.split()))
    asked.extend(
        expect.ExpectColumnValuesToBeBetween(column=name, min_value=0, max_value=999999999999)
        for name in ("quantity", "quantity_low", "quantity_high")
    )
    for high, low in (
        ("quantity", "quantity_low"),
        ("quantity_high", "quantity"),
        ("quantity_high", "quantity_low"),
    ):
        asked.append(
            expect.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=high, column_B=low, or_equal=True, ignore_row_if="either_value_is_missing"
            )
        )
    asked.append(expect.ExpectCompoundColumnsToBeUnique(column_list=list(_KEY)))
    for expectation in asked:
        suite.add_expectation(expectation)
    verdict = batch.validate(suite, result_format="BASIC")
    broken = [result.expectation_config.type for result in verdict.results if not result.success]
    assert verdict.success, broken


def exchange(folder: Path, source: Path, run: Any) -> int:
    """Both ways, from the sender's Parquet to the receiver's; the number of rows."""
    import pandas as pd

    types = dict.fromkeys(("quantity", "quantity_low", "quantity_high"), "float64")
    frame = pd.read_parquet(source).astype(types)
    frame = frame.drop(columns=["partner", "recorded_at"])
    validate(frame)
    sent, sealed, opened = (folder / name for name in ("sent.csv", "sealed.gpg", "opened.csv"))
    frame.to_csv(sent, index=False)
    run("--sign", "--encrypt", "-u", "sender", "-r", "receiver", "-o", sealed, sent)
    del frame
    run("-o", opened, "--decrypt", sealed)
    texts = dict.fromkeys((*_KEY, *_LISTS, "supplier_item_id", "note"), "str")
    taken = pd.read_csv(opened, dtype=texts)
    validate(taken)
    taken.to_parquet(folder / "landed.parquet", compression="zstd")
    return len(taken)


@contextmanager
def keys(folder: Path) -> Iterator[Any]:
    """Run gpg with two throw-away keys; whoever holds them goes with the folder."""
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}

    def run(*arguments: object) -> None:
        command = ["gpg", "--batch", "--quiet", "--trust-model", "always", "--pinentry-mode"]
        command += ["loopback", "--passphrase", "", *map(str, arguments)]
        subprocess.run(command, env=environment, check=True, capture_output=True)

    try:
        for name in ("sender", "receiver"):
            run("--quick-generate-key", name, "default", "default", "never")
        yield run
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False)


def main(folder: Path, share: int) -> None:
    warnings.simplefilter("ignore")
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import duckdb
    import great_expectations
    import pandas as pd

    assert great_expectations
    assert pd
    # gpg's sockets need a short path, which the working folder may not be.
    with tempfile.TemporaryDirectory(prefix="peer-") as name, keys(Path(name)) as run:
        part = folder / "part.parquet"
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(
                f"copy (from read_parquet('{world.source(folder)}') "
                f"limit (select count(*) // {share} from read_parquet('{world.source(folder)}'))) "
                f"to '{part}' (format parquet, compression zstd)"
            )
        spent = timed(lambda: exchange(Path(name), part, run))
    tell(seconds=spent["seconds"], cpu=spent["cpu"], rows=spent["result"])


if __name__ == "__main__":
    main(Path(sys.argv[2]), int(sys.argv[3]))
