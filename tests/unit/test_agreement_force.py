"""An agreement is in force or it is not, and the refusal says which step failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.agreements import END, KIND, START, text

from tillit.agreement.force import in_force, require_parties
from tillit.agreement.language import read
from tillit.errors import AgreementRefused

BOTH = frozenset({"nordvik", "fjordstal"})
NOON = datetime(2026, 6, 1, 12, tzinfo=START.tzinfo)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("now", [START, NOON, END - SECOND])
def test_in_force_from_its_start_to_before_its_end(now: datetime) -> None:
    agreement = read(text())
    assert in_force(agreement, signers=BOTH, kind=KIND, now=now) is agreement


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"signers": frozenset()}, "one-signature"),
        ({"signers": frozenset({"nordvik"})}, "one-signature"),
        ({"signers": frozenset({"fjordstal"})}, "one-signature"),
        ({"signers": frozenset({"nordvik", "havglass"})}, "one-signature"),
        ({"now": START - SECOND}, "not-yet-in-force"),
        ({"now": END}, "expired"),
        ({"revoked": NOON}, "revoked"),
        ({"revoked": START - SECOND}, "revoked"),
    ],
)
def test_one_failing_step_is_enough(facts: dict[str, Any], code: str) -> None:
    whole: dict[str, Any] = {"signers": BOTH, "kind": KIND, "now": NOON, **facts}
    with pytest.raises(AgreementRefused) as refused:
        in_force(read(text()), **whole)
    assert refused.value.code == f"agreement.{code}"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"dataContractId": "urn:tillit:kind:delivery"}, "agreement.wrong-kind"),
        ({"dataContractDigest": "sha256:" + "0" * 64}, "agreement.kind-changed"),
        ({"dataContractVersion": "2.0.0"}, "agreement.kind-changed"),
    ],
)
def test_the_kind_is_pinned(changes: dict[str, str], code: str) -> None:
    with pytest.raises(AgreementRefused) as refused:
        in_force(read(text(**changes)), signers=BOTH, kind=KIND, now=NOON)
    assert refused.value.code == code


def test_a_revocation_in_the_future_does_not_count_yet() -> None:
    agreement = read(text())
    assert in_force(agreement, signers=BOTH, kind=KIND, now=NOON, revoked=NOON + SECOND)


def test_a_local_time_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="zone"):
        in_force(read(text()), signers=BOTH, kind=KIND, now=NOON.replace(tzinfo=None))


def test_it_speaks_of_one_direction() -> None:
    agreement = read(text())
    assert require_parties(agreement, provider="nordvik", consumer="fjordstal") is agreement
    for provider, consumer in (("fjordstal", "nordvik"), ("nordvik", "havglass")):
        with pytest.raises(AgreementRefused) as refused:
            require_parties(agreement, provider=provider, consumer=consumer)
        assert refused.value.code == "agreement.wrong-parties"
