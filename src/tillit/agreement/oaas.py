"""Agreements in the field names of Bitol's draft Open Access Agreement Standard. Pure.

The draft has no terms that a machine can enforce and no pin by digest: both travel as custom
properties, as Bitol's standards have them, so that nothing is lost.
"""

from __future__ import annotations

from typing import Any

from tillit import safe_yaml
from tillit.model import Agreement

__all__ = ["to_oaas"]

_OURS = ("dataContractDigest", "terms")


def to_oaas(agreement: Agreement) -> dict[str, Any]:
    """The agreement as a document of the draft, ready for YAML or JSON."""
    said = safe_yaml.load(agreement.text, what="the agreement")
    document = {key: value for key, value in said.items() if key not in _OURS}
    document["customProperties"] = [
        {"property": "tillit.digest", "value": f"sha256:{agreement.digest}"},
        *({"property": f"tillit.{key}", "value": said[key]} for key in _OURS),
    ]
    return document
