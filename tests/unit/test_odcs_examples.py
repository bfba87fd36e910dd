"""Contracts of others: the examples of ODCS itself load, or are refused by the part that is wrong.

A contract that loads with a part of it passed over would let data through that it forbids, so each
example says here what becomes of it, and contracts/README.md says the same to people.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tillit.errors import ContractRefused
from tillit.model import Kind
from tillit.quality.rules import load_kind

HERE = Path(__file__).resolve()
EXAMPLES = HERE.parents[3] / "shared" / "data" / "standards" / "odcs" / "examples"
README = HERE.parents[2] / "contracts" / "README.md"


@dataclass(frozen=True)
class Loads:
    """Columns as `name TYPE`, rules by name."""

    columns: tuple[str, ...]
    rules: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{counted(len(self.columns), 'column')}, {counted(len(self.rules), 'rule')}"


@dataclass(frozen=True)
class Refused:
    """By the code and the place that the refusal begins with."""

    code: str
    place: str

    def __str__(self) -> str:
        return f"`{self.code}`: `{self.place}`"


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


NO_TABLE = Refused("contract.unsupported", "schema")
NOT_A_NAME = "contract.wrong-value"
FILES: dict[str, Loads | Refused] = {
    "all/full-example": NO_TABLE,
    "all/postgresql-adventureworks-contract": NO_TABLE,
    "data-types/all-data-types": Refused(
        "contract.unsupported",
        "schema[transactions_tbl].properties[txn_timestamp_tz].logicalTypeOptions.defaultTimezone",
    ),
    "fundamentals/table-column-description": Loads(("txn_ref_dt DATE",)),
    "quality/column-accuracy": Refused(NOT_A_NAME, "schema[Air_Quality].name"),
    "quality/column-completeness": Refused(NOT_A_NAME, "schema[Air_Quality].name"),
    "quality/column-custom": Refused(NOT_A_NAME, "schema[Air_Quality].name"),
    "quality/column-validity": Refused(NOT_A_NAME, "schema[Air_Quality].name"),
    "roles/service-and-operational-roles": NO_TABLE,
    "schema/all-schema-types": NO_TABLE,
    "schema/kafka-schema": Refused(NOT_A_NAME, "schema[Orders].name"),
    "schema/kafka-schemaregistry": Refused(NOT_A_NAME, "schema[Orders].name"),
    "schema/table-column": Loads(
        ("rcvr_cntry_code VARCHAR",), ("length:rcvr_cntry_code", "text:rcvr_cntry_code")
    ),
    "schema/table-columns-with-partition": Loads(
        ("rcvr_cntry_code VARCHAR", "rcvr_id VARCHAR", "year INTEGER", "amount DOUBLE"),
        (
            *("required:rcvr_cntry_code", "length:rcvr_cntry_code", "text:rcvr_cntry_code"),
            *("required:rcvr_id", "length:rcvr_id", "text:rcvr_id", "finite:amount", "key"),
        ),
    ),
    "server/azure-server": NO_TABLE,
    "server/kafka-server": Refused(NOT_A_NAME, "schema[Orders].name"),
    "sla/database-table-sla": NO_TABLE,
    "stakeholders/basic-four-dpo": NO_TABLE,
}
# Contracts about several tables, read for the one that is named.
TABLES: dict[tuple[str, str], Loads | Refused] = {
    ("all/full-example", "tbl"): Refused("contract.unsupported", "schema[tbl].relationships"),
    ("all/full-example", "receivers"): Refused(
        "contract.unsupported", "schema[receivers].properties[receiver_type].relationships"
    ),
    ("all/full-example", "nobody"): Refused("contract.wrong-value", "schema"),
    ("schema/all-schema-types", "tbl"): Refused(
        "contract.unsupported", "schema[tbl].properties[rcvr_id].encryptedName"
    ),
    ("schema/all-schema-types", "AnObject"): Refused(NOT_A_NAME, "schema[AnObject].name"),
    ("all/postgresql-adventureworks-contract", "department"): Refused(
        "contract.unsupported", "schema[department].properties[name].logicalType"
    ),
    ("all/postgresql-adventureworks-contract", "currencyrate"): Refused(
        "contract.unsupported", "schema[currencyrate].properties[averagerate].physicalType"
    ),
    ("all/postgresql-adventureworks-contract", "customer"): Loads(
        (
            *("customerid INTEGER", "personid INTEGER", "storeid INTEGER", "territoryid INTEGER"),
            *("rowguid VARCHAR", "modifieddate TIMESTAMP"),
        ),
        ("required:customerid", "format:rowguid", "text:rowguid", "key"),
    ),
    ("all/postgresql-adventureworks-contract", "salesterritoryhistory"): Loads(
        (
            *("businessentityid INTEGER", "territoryid INTEGER", "startdate TIMESTAMP"),
            *("enddate TIMESTAMP", "rowguid VARCHAR", "modifieddate TIMESTAMP"),
        ),
        (
            *("required:businessentityid", "required:territoryid", "required:startdate"),
            *("format:rowguid", "text:rowguid", "key"),
        ),
    ),
}
# What is refused for a name alone, with names as they are here: the next refusal, or what it says.
RENAMED: dict[str, Loads | Refused] = {
    "quality/column-accuracy": Refused(
        "contract.unsupported", "schema[air_quality].properties[data_value].physicalType"
    ),
    "quality/column-completeness": Loads(
        ("unique_id INTEGER",), ("required:unique_id", "key", "unique_id_library_1")
    ),
    "quality/column-custom": Refused(
        "contract.unsupported", "schema[air_quality].properties[unique_id].quality[0].engine"
    ),
    "quality/column-validity": Refused(
        "contract.unsupported",
        "schema[air_quality].properties[air_quality_status].quality[0].mustBeLessOrEqualTo",
    ),
    "schema/kafka-schema": Loads(
        ("cust_id VARCHAR", "prod_id VARCHAR", "qty INTEGER"),
        (
            *("required:cust_id", "text:cust_id", "required:prod_id", "text:prod_id"),
            "required:qty",
        ),
    ),
    "schema/kafka-schemaregistry": Refused("contract.missing-key", "schema[orders].properties"),
    "server/kafka-server": Refused("contract.missing-key", "schema[orders].properties"),
}
NAMES = {
    "Air_Quality": "air_quality",
    "UniqueID": "unique_id",
    "DataValue": "data_value",
    "- name: Orders": "- name: orders",
}


def example(name: str) -> bytes:
    if not EXAMPLES.is_dir():
        pytest.skip(f"the examples of ODCS are not there: {EXAMPLES.name}")
    return (EXAMPLES / f"{name}.odcs.yaml").read_bytes()


def becomes(text: bytes, expected: Loads | Refused, table: str | None = None) -> None:
    if isinstance(expected, Loads):
        kind = load_kind(text, table)
        assert tuple(f"{c.name} {c.sql_type}" for c in kind.columns) == expected.columns
        assert tuple(rule.name for rule in kind.rules) == expected.rules
        return
    with pytest.raises(ContractRefused) as caught:
        load_kind(text, table)
    assert caught.value.code == expected.code
    # The whole place: nothing of it goes on after what is expected.
    assert re.split(r":? ", caught.value.message, maxsplit=1)[0] == expected.place


def test_all_examples_are_here() -> None:
    if not EXAMPLES.is_dir():
        pytest.skip(f"the examples of ODCS are not there: {EXAMPLES.name}")
    found = {p.relative_to(EXAMPLES).as_posix() for p in EXAMPLES.rglob("*.yaml")}
    assert found == {f"{name}.odcs.yaml" for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_an_example_loads_or_is_refused_by_its_part(name: str) -> None:
    becomes(example(name), FILES[name])


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_a_table_of_several_is_read_when_it_is_named(name: str, table: str) -> None:
    becomes(example(name), TABLES[name, table], table)


@pytest.mark.parametrize("name", RENAMED)
def test_what_is_behind_a_name_that_is_refused(name: str) -> None:
    text = example(name).decode("utf-8")
    for theirs, ours in NAMES.items():
        text = text.replace(theirs, ours)
    becomes(text.encode("utf-8"), RENAMED[name])


def test_every_table_of_the_largest_example_loads_or_is_refused_by_a_type() -> None:
    text = example("all/postgresql-adventureworks-contract")
    names = re.findall(r'^  - name: "([a-z]+)"$', text.decode("utf-8"), re.MULTILINE)
    why: list[str] = []
    loaded: list[Kind] = []
    for name in names:
        try:
            loaded.append(load_kind(text, name))
        except ContractRefused as refused:
            why.append(refused.message.removeprefix(f"schema[{name}].properties["))
    assert [kind.name for kind in loaded] == [
        *("employeedepartmenthistory", "businessentity", "businessentityaddress"),
        *("businessentitycontact", "productmodelillustration"),
        *("productmodelproductdescriptionculture", "workorder", "customer", "personcreditcard"),
        *("salesorderheadersalesreason", "salesterritoryhistory", "specialofferproduct"),
    ]
    assert all(kind.key for kind in loaded)
    # A user's own type (Name), a list (varchar[50]), XML; and numbers of any precision.
    assert Counter(reason.partition("].")[2] for reason in why) == {
        "logicalType: nested values are not supported": 24,
        "physicalType: no such type": 18,
        "physicalType: a decimal says its digits: DECIMAL(p,s)": 14,
    }
    assert len(names) == 68


def test_people_read_the_same() -> None:
    """The table of contracts/README.md, under its heading, row by row."""
    text = README.read_text(encoding="utf-8").partition("\n## Other contracts\n")[2]
    section = text.partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z/-]+)` \| (.+?) \| .*\|$", section, re.MULTILINE)
    assert dict(rows) == {name: str(expected) for name, expected in FILES.items()}


# ---- what these examples turned up, in contracts of our own --------------------------------------


def contract(*properties: str, version: str = "v3.1.0") -> bytes:
    lines = [
        *(f"apiVersion: {version}", "kind: DataContract", "id: a", "version: 1.0.0"),
        *("status: active", "schema:", "  - name: goods", "    properties:"),
        *(f"      - {{{it}}}" for it in ("name: item, logicalType: string", *properties)),
    ]
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0"])
def test_a_contract_of_an_earlier_version_means_the_same(version: str) -> None:
    text = contract(
        "name: weight, logicalType: number, logicalTypeOptions: {minimum: 0}", version=version
    )
    assert load_kind(text).rules == load_kind(contract_now(text)).rules
    assert load_kind(text).columns == load_kind(contract_now(text)).columns


def contract_now(text: bytes) -> bytes:
    return re.sub(rb"apiVersion: \S+", b"apiVersion: v3.1.0", text)


@pytest.mark.parametrize("version", ["v2.2.2", "v3.2.0", "v3.0.3", "3.1.0", "v4.0.0"])
def test_other_versions_are_refused(version: str) -> None:
    """Of those before the words differ; of those to come nobody knows what they add."""
    becomes(contract(version=version), Refused("contract.unsupported", "apiVersion"))


@pytest.mark.parametrize(
    ("written", "old", "new"),
    [
        ("logicalType: date, physicalType: timestamp", "TIMESTAMP", "physicalType"),
        ("logicalType: date, physicalType: time", "TIME", "physicalType"),
        ("logicalType: date, physicalType: date", "DATE", "DATE"),
        ("logicalType: date", "logicalType", "DATE"),
        (
            "logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd}",
            "DATE",
            "DATE",
        ),
        (
            "logicalType: date, logicalTypeOptions: {format: yyyy-MM-dd'T'HH:mm}",
            "logicalTypeOptions.format",
            "logicalTypeOptions.format",
        ),
        (
            "logicalType: date, physicalType: date, logicalTypeOptions: {format: 'd.M.yy, h a'}",
            "logicalTypeOptions.format",
            "logicalTypeOptions.format",
        ),
        (
            "logicalType: date, logicalTypeOptions: {format: \"d. MMMM 'Anno' yyyy\"}",
            "DATE",
            "DATE",
        ),
    ],
)
def test_a_date_that_may_have_a_time_is_read_as_one_or_refused(
    written: str, old: str, new: str
) -> None:
    for version, expected in (("v3.0.2", old), ("v3.1.0", new)):
        text = contract(f"name: made, {written}", version=version)
        if expected.isupper():
            assert load_kind(text).columns[1].sql_type == expected
            continue
        with pytest.raises(ContractRefused) as caught:
            load_kind(text)
        assert caught.value.message.startswith(f"schema[goods].properties[made].{expected}")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("logicalTypeOptions: {timezone: true}", "TIMESTAMP WITH TIME ZONE"),
        ("logicalTypeOptions: {timezone: false}", "TIMESTAMP"),
        (
            "physicalType: timestamp, logicalTypeOptions: {timezone: true}",
            "TIMESTAMP WITH TIME ZONE",
        ),
        (
            "physicalType: timestamptz, logicalTypeOptions: {timezone: true}",
            "TIMESTAMP WITH TIME ZONE",
        ),
        ("physicalType: timestamptz", "TIMESTAMP WITH TIME ZONE"),
        ("physicalType: timestamp", "TIMESTAMP"),
        ("physicalType: timestamptz, logicalTypeOptions: {timezone: false}", None),
        ("physicalType: datetime, logicalTypeOptions: {timezone: true}", None),
        ("physicalType: timestamp without time zone, logicalTypeOptions: {timezone: true}", None),
    ],
)
def test_a_zone_that_the_contract_promises_is_kept(written: str, expected: str | None) -> None:
    text = contract(f"name: made, logicalType: timestamp, {written}")
    if expected:
        assert load_kind(text).columns[1].sql_type == expected
        return
    place = "schema[goods].properties[made].logicalTypeOptions.timezone"
    becomes(text, Refused("contract.wrong-value", place))


def test_a_time_of_day_with_a_zone_is_refused() -> None:
    text = contract("name: made, logicalType: time, logicalTypeOptions: {timezone: true}")
    place = "schema[goods].properties[made].logicalTypeOptions.timezone"
    becomes(text, Refused("contract.unsupported", place))


@pytest.mark.parametrize(
    ("physical", "sql_type"),
    [("serial", "INTEGER"), ("bigserial", "BIGINT"), ("smallserial", "SMALLINT")],
)
def test_numbers_that_a_database_counts_up_are_whole_numbers(physical: str, sql_type: str) -> None:
    text = contract(f"name: number, logicalType: integer, physicalType: {physical}")
    assert load_kind(text).columns[1].sql_type == sql_type


@pytest.mark.parametrize("physical", ["numeric", "DECIMAL", "dec"])
def test_a_decimal_without_digits_is_refused_lest_it_be_rounded(physical: str) -> None:
    text = contract(f"name: rate, logicalType: number, physicalType: {physical}")
    place = "schema[goods].properties[rate].physicalType"
    becomes(text, Refused("contract.unsupported", place))


def test_a_decimal_with_digits_alone_is_whole() -> None:
    text = contract("name: rate, logicalType: number, physicalType: numeric(9)")
    assert load_kind(text).columns[1].sql_type == "DECIMAL(9,0)"


def test_a_uuid_is_text_that_is_held_to_its_form() -> None:
    kind = load_kind(contract("name: it, logicalType: string, physicalType: uuid"))
    assert kind.columns[1].sql_type == "VARCHAR"
    (rule,) = [rule for rule in kind.rules if rule.name == "format:it"]
    assert rule.reason == "it is not a uuid"


def test_two_tables_of_one_name_cannot_be_named() -> None:
    text = contract() + b"  - name: goods\n    properties:\n      - name: other\n"
    for table in (None, "goods"):
        code = "contract.unsupported" if table is None else "contract.wrong-value"
        becomes(text, Refused(code, "schema"), table)


def test_the_rules_of_a_table_that_was_not_named_are_not_looked_at() -> None:
    text = contract() + b"  - name: Other Table\n    relationships: []\n    what: unknown\n"
    assert load_kind(text, "goods").columns == load_kind(contract()).columns
