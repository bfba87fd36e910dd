"""A small kind and an agreement about it, for tests of the language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import yaml

from tillit.model import Column, Kind

DIGEST = "0123456789abcdef" * 4
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)

KIND = Kind(
    name="order",
    version="1.0.0",
    digest=DIGEST,
    columns=(
        Column("order_id", "VARCHAR", required=True, key=1),
        Column("line", "INTEGER", required=True, key=2),
        Column("quantity", "DECIMAL(18,3)", required=True, level=2),
        Column("unit_price", "DECIMAL(18,4)", level=3),
        Column("secret_cost", "DECIMAL(18,4)", level=4),
    ),
    rules=(),
    purpose="Tell the supplier what is bought.",
)


def document(**changes: Any) -> dict[str, Any]:
    """An agreement as a mapping; a change of None takes a key away."""
    whole: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "AccessAgreement",
        "id": "nordvik--fjordstal.order",
        "version": "1.0.0",
        "provider": "nordvik",
        "consumer": "fjordstal",
        "dataContractId": "urn:tillit:kind:order",
        "dataContractVersion": "1.0.0",
        "dataContractDigest": f"sha256:{DIGEST}",
        "description": {"purpose": "Tell the supplier what is bought."},
        "startTimestamp": "2026-01-01T00:00:00Z",
        "endTimestamp": "2027-01-01T00:00:00Z",
        "terms": {
            "columns": {
                "order_id": "clear",
                "line": "clear",
                "quantity": "clear",
                "unit_price": "withheld",
            },
            "purposes": ["order-fulfilment"],
            "cadence": {"every": "week", "cutOffHours": -192},
        },
    }
    for path, value in changes.items():
        *above, last = path.split("__")
        place = whole
        for step in above:
            place = place[step]
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return whole


def text(**changes: Any) -> bytes:
    """The same as YAML."""
    return written(document(**changes))


def written(value: Any) -> bytes:
    """Any value as YAML that means only it: texts in quotes."""
    return yaml.dump(
        value, default_style='"', sort_keys=False, allow_unicode=True, Dumper=_Quoted
    ).encode()


class _Quoted(yaml.SafeDumper):
    """Quotes texts only, and never writes an anchor."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _plain(dumper: yaml.SafeDumper, value: Any) -> yaml.Node:
    said = "null" if value is None else str(value).lower()
    tag = {bool: "bool", int: "int", float: "float"}.get(type(value), "null")
    return dumper.represent_scalar(f"tag:yaml.org,2002:{tag}", said, style="")


for _type in (bool, int, float, type(None)):
    _Quoted.add_representer(_type, _plain)
