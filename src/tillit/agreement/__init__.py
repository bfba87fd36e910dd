"""Access agreements: what one party lets another have of one kind, when and for what. Pure.

- `tillit.agreement.language`: from YAML to `tillit.model.Agreement`, and the JSON Schema.
- `tillit.agreement.terms`: what each term is and does; an open set, one entry each.
- `tillit.agreement.force`: whether an agreement is in force at an instant.
- `tillit.agreement.new`: the draft of a new one, and pins to a kind that has changed.

Signing is not here: both sides sign the exact bytes of the YAML as payload of type `PAYLOAD_TYPE`.
"""

from __future__ import annotations

__all__ = ["PAYLOAD_TYPE"]

PAYLOAD_TYPE = "application/vnd.tillit.agreement.v1+yaml"
