"""A partner that signs its harm: each shipment is refused as a whole, and its author is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.parquet.encryption import (
    CryptoFactory,
    EncryptionConfiguration,
    KmsClient,
    KmsConnectionConfig,
)
from tests.scenarios.crook import (
    all_goes_on,
    receipt_of,
    ship,
    take_one,
    under,
    with_a_bad_row,
)
from tests.scenarios.pair import BUYER, SUPPLIER, Pair, agreement_id

from tillit.exchange import shipments
from tillit.exchange.agreements import require
from tillit.exchange.seal import SealedPayload
from tillit.lake import Lake, Written
from tillit.ledger.bodies import AgreementRef, ShipmentBody

Spoil = Callable[[Path], None]
Lie = Callable[[ShipmentBody], ShipmentBody]
MEGABYTE = "x" * (1 << 20)
ROWS = 300


# ---- what may be in the file ---------------------------------------------------------------------


def select(query: str) -> Spoil:
    """Put what a query makes of the table ``honest`` in its place."""

    def spoil(path: Path) -> None:
        with duckdb.connect() as connection:
            connection.execute("create table honest as from read_parquet($1)", [str(path)])
            connection.sql(query).write_parquet(str(path))

    return spoil


def put(content: bytes) -> Spoil:
    """Put something else in its place."""

    def spoil(path: Path) -> None:
        path.write_bytes(content)

    return spoil


def table(change: Callable[[pa.Table], pa.Table]) -> Spoil:
    """Change it in ways that DuckDB does not write."""

    def spoil(path: Path) -> None:
        pq.write_table(change(pq.read_table(path)), path)

    return spoil


def twice(honest: pa.Table) -> pa.Table:
    """One name on two columns."""
    return honest.append_column(honest.schema.names[0], honest.column(0))


def bomb(honest: pa.Table) -> pa.Table:
    """A megabyte of text once in the file, and in every row."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * honest.num_rows), [MEGABYTE])
    return honest.set_column(text_column(honest), "item_id", texts.cast(pa.string()))


def text_column(honest: pa.Table) -> int:
    """The column of the item's id."""
    return honest.schema.get_field_index("item_id")


def footer_cut(path: Path) -> None:
    """Half a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def pages_changed(path: Path) -> None:
    """A whole footer over pages that are none."""
    content = bytearray(path.read_bytes())
    content[8 : len(content) // 4] = bytes(len(content) // 4 - 8)
    path.write_bytes(content)


class Keys(KmsClient):  # type: ignore[misc]
    """Keys that only the sender has."""

    def __init__(self, config: KmsConnectionConfig) -> None:
        super().__init__()
        self.config = config

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
        return f"{master_key_identifier}:{key_bytes.hex()}"


def encrypted(path: Path) -> None:
    """By Parquet's own means, footer and all."""
    honest = pq.read_table(path)
    wanted = EncryptionConfiguration(footer_key="f", uniform_encryption=True)
    factory = CryptoFactory(Keys)
    with pq.ParquetWriter(
        path,
        honest.schema,
        encryption_properties=factory.file_encryption_properties(KmsConnectionConfig(), wanted),
    ) as writer:
        writer.write_table(honest)
    assert path.read_bytes()[:4] == b"PARE"


FILES = {
    "no Parquet": (put(b"no parquet"), "payload.not-parquet"),
    "nothing": (put(b""), "payload.not-parquet"),
    "only its magic": (put(b"PAR1PAR1"), "payload.not-parquet"),
    "half a file": (footer_cut, "payload.not-parquet"),
    "broken pages": (pages_changed, "payload.not-parquet"),
    "encrypted": (encrypted, "payload.not-parquet"),
    "a row more": (select("from honest union all (from honest limit 1)"), "payload.rows"),
    "a row less": (select("from honest offset 1"), "payload.rows"),
    "no rows": (select("from honest limit 0"), "payload.rows"),
    "a column more": (select("select *, 1 as bonus from honest"), "table.extra-column"),
    "a column less": (select("select * exclude (item_id) from honest"), "table.missing-column"),
    "a column twice": (table(twice), "table.extra-column"),
    "a list": (select("select * replace ([item_id] as item_id) from honest"), "table.wrong-type"),
    "a struct": (
        select("select * replace ({a: {b: item_id}} as item_id) from honest"),
        "table.wrong-type",
    ),
    "a number for a text": (
        select("select * replace (1 as item_id) from honest"),
        "table.wrong-type",
    ),
    "a name with SQL": (
        select("""select *, 1 as "x"") ; drop table landed.order; --" from honest"""),
        "table.extra-column",
    ),
    "a bomb": (table(bomb), "payload.unpacks-too-large"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_what_was_stated(partners: Pair, name: str) -> None:
    spoil, code = FILES[name]
    refused_as(partners, code, ship(partners, spoil=spoil))


# ---- what may be in its statement ----------------------------------------------------------------


def of(pair: Pair, provider: str, kind: str) -> AgreementRef:
    """Another agreement that both have signed."""
    agreement, _ = require(pair.buyer.home, agreement_id(provider, kind), now=pair.now)
    return AgreementRef(agreement.id, agreement.version, agreement.digest)


LIES: dict[str, tuple[Callable[[Pair], Lie], str]] = {
    "an agreement that nobody signed": (
        lambda _: lambda b: replace(b, agreement=replace(b.agreement, digest="0" * 64)),
        "agreement.missing",
    ),
    "the partner's agreement": (
        lambda pair: lambda b: under(b, of(pair, SUPPLIER, "delivery")),
        "agreement.wrong-parties",
    ),
    "the agreement about another kind": (
        lambda pair: lambda b: under(b, of(pair, BUYER, "order")),
        "statement.agreement-mismatch",
    ),
    "another text of the kind": (
        lambda _: lambda b: replace(b, kind=replace(b.kind, digest="0" * 64)),
        "statement.agreement-mismatch",
    ),
    "a column that is not shared": (
        lambda _: (
            lambda b: replace(b, columns=(*b.columns, replace(b.columns[0], name="secret_margin")))
        ),
        "agreement.column-not-permitted",
    ),
    "another purpose": (
        lambda _: lambda b: replace(b, purposes=("marketing",)),
        "agreement.purpose",
    ),
    "a million rows": (
        lambda _: lambda b: replace(b, rows=1_000_000),
        "payload.rows",
    ),
    "more bytes unpacked": (
        lambda _: lambda b: replace(b, unpacked_bytes=b.unpacked_bytes + 1),
        "payload.unpacks-too-large",
    ),
    "fewer bytes unpacked": (
        lambda _: lambda b: replace(b, unpacked_bytes=b.unpacked_bytes - 1),
        "payload.unpacks-too-large",
    ),
    "fewer bytes opened": (
        lambda _: (
            lambda b: replace(
                b, payload=replace(b.payload, plaintext_bytes=b.payload.plaintext_bytes - 1)
            )
        ),
        "payload.unpacks-too-large",
    ),
    "more bytes opened": (
        lambda _: (
            lambda b: replace(
                b, payload=replace(b.payload, plaintext_bytes=b.payload.plaintext_bytes + 1)
            )
        ),
        "payload.size",
    ),
    "more bytes sealed": (
        lambda _: lambda b: replace(b, payload=replace(b.payload, bytes=b.payload.bytes + 1)),
        "payload.size",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_statement_that_says_what_is_not(partners: Pair, name: str) -> None:
    lie, code = LIES[name]
    refused_as(partners, code, ship(partners, lie=lie(partners)))


# ---- how it may be sealed ------------------------------------------------------------------------


def test_sealed_for_somebody_else(partners: Pair) -> None:
    refused_as(partners, "payload.no-identity", ship(partners, sealed_for=BUYER))


def test_not_sealed_at_all(partners: Pair) -> None:
    def open_file(sealed: SealedPayload) -> SealedPayload:
        content = b"PAR1, and anybody can read it"
        sealed.path.write_bytes(content)
        return replace(sealed, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    refused_as(partners, "payload.not-age", ship(partners, wrap=open_file))


def test_a_bomb_that_says_so(partners: Pair) -> None:
    """Stated honestly, and still more in a few rows than anybody has to hold in memory."""

    def heavy(path: Path) -> None:
        honest = pq.read_table(path)
        many = honest.take(pa.array([n % honest.num_rows for n in range(ROWS)]))
        texts = pa.DictionaryArray.from_arrays(pa.array([0] * ROWS), [MEGABYTE])
        whole = many.set_column(text_column(honest), "item_id", texts)
        pq.write_table(whole, path, store_schema=False)

    def lie(body: ShipmentBody) -> ShipmentBody:
        return replace(body, rows=ROWS, unpacked_bytes=ROWS * (8 * len(body.columns) + (1 << 21)))

    refused_as(partners, "payload.unpacks-too-large", ship(partners, spoil=heavy, lie=lie))


# ---- what may come back --------------------------------------------------------------------------


def returned_bomb(path: Path) -> None:
    """One refused row, and in it more than a shipment of this size can have held."""
    table(lambda t: t.set_column(3, "row", pa.array(["x" * (64 << 20)] * t.num_rows)))(path)


RETURNED: dict[str, tuple[Spoil, str]] = {
    "no Parquet": (put(b"no parquet"), "payload.not-parquet"),
    "more rows": (table(lambda t: pa.concat_tables([t, t])), "payload.rows"),
    "a column less": (table(lambda t: t.drop_columns(["row"])), "table.missing-column"),
    "a bomb": (returned_bomb, "payload.unpacks-too-large"),
}


@pytest.mark.parametrize("name", RETURNED)
def test_refused_rows_that_come_back_are(
    partners: Pair, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The supplier answers with a file that is not the refused rows."""
    spoil, code = RETURNED[name]

    def write_refused(lake: Lake, path: Path) -> Written:
        made = honest_write(lake, path)
        spoil(path)
        return made

    honest_write = shipments.write_refused
    with monkeypatch.context() as patch:
        patch.setattr(shipments, "write_refused", write_refused)
        shipment_id = ship(partners, spoil=with_a_bad_row)
        assert take_one(partners.supplier, partners).result == "partly"
    answer = take_one(partners.buyer, partners)
    assert (answer.type, answer.result, answer.code) == ("receipt", "refused", code)
    assert partners.buyer.rows(
        "select count(*) from quarantine.returned where shipment_id = ?", [shipment_id]
    ) == [(0,)]
    notice = take_one(partners.supplier, partners)
    assert (notice.type, notice.result) == ("notice", "recorded")
    (*_, kept) = partners.supplier.statements(type="notice")
    assert (kept.author, kept.statement.body.code) == (BUYER, code)
    all_goes_on(partners)


# ---- and then --------------------------------------------------------------------------------------


def refused_as(pair: Pair, code: str, shipment_id: str) -> None:
    """The shipment that waits is refused: nothing lands, both ledgers have it, all goes on."""
    before = pair.supplier.landed()
    outcome = take_one(pair.supplier, pair)
    assert (outcome.result, outcome.code, outcome.accepted) == ("refused", code, 0)
    assert outcome.shipment_id == shipment_id
    assert pair.supplier.landed() == before
    assert pair.supplier.rows(
        "select count(*) from exchange.shipments where shipment_id = ?", [shipment_id]
    ) == [(0,)]
    # What was signed stands in the receiver's ledger, and its author has the answer, signed.
    (kept,) = pair.supplier.statements(type="shipment", shipment=shipment_id)
    assert kept.direction == "received"
    assert receipt_of(pair.supplier, shipment_id) == code
    answer = take_one(pair.buyer, pair)
    assert (answer.type, answer.result) == ("receipt", "recorded")
    assert receipt_of(pair.buyer, shipment_id) == code
    all_goes_on(pair)
