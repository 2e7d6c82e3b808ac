"""What an event changed, whose echo it is, and whom it concerns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.changes import changed_keys, concerns_zoho, is_echo, is_news, may_change, may_tell_fee, says_paid
from domain.mapping_policy import MappingPolicy
from tests.domain.stripe_like import PROPERTY

MAPPING = MappingPolicy(write_back={"zoho_invoice": "invoice_id", "batch": "cf_batch"})
OWN = sorted(MAPPING.own_keys())
KEYS = st.sampled_from([*OWN, "cart", "zoho_salesorder_ids", "ZOHO_SALESORDER_ID", "metadata"]) | st.text(max_size=8)
FIELDS = st.sampled_from(["shipping", "receipt_email", "balance_transaction", "description", *OWN]) | st.text(
    max_size=8
)


@PROPERTY
@given(metadata=st.dictionaries(KEYS, st.none() | st.text()), others=st.dictionaries(FIELDS, st.none() | st.text()))
def test_an_update_is_ignored_only_if_every_changed_key_is_ours(
    metadata: dict[str, Any], others: dict[str, Any]
) -> None:
    """One foreign key, or one field besides the metadata, and the event is looked at."""
    others.pop("metadata", None)
    previous = others | ({"metadata": metadata} if metadata else {})
    ours = bool(metadata) and not others and metadata.keys() <= set(OWN)
    assert is_echo(changed_keys(previous), OWN) is ours


@pytest.mark.parametrize("previous", [None, {}, {"metadata": {}}, {"metadata": None}, {"metadata": "x"}])
def test_an_event_that_does_not_say_what_changed_is_no_echo(previous: Any) -> None:
    """Thin events say nothing, and metadata may be cleared as a whole."""
    assert not is_echo(changed_keys(previous), OWN)


def test_changed_keys_hold_no_values() -> None:
    """Names of fields cross Temporal, people's data does not."""
    previous = {"email": "canary@example.com", "metadata": {"cart": "canary"}, "shipping": {"name": "canary"}}
    assert changed_keys(previous) == ("email", "metadata.cart", "shipping")


def test_a_key_that_is_written_is_never_read() -> None:
    """Read and written, each change would cause the next."""
    for mapping in (
        {"metadata_fields": {"zoho_salesorder_id": "cf_a"}},
        {"metadata_fields": {"batch": "cf_a"}, "write_back": {"batch": "cf_b"}},
        {"write_back": {"x" * 41: "cf_b"}},
        {"write_back": {"batch": "email"}},
    ):
        with pytest.raises(ValidationError):
            MappingPolicy.model_validate(mapping)


@pytest.mark.parametrize(
    ("kind", "begins", "changes"),
    [
        ("payment_intent.succeeded", True, False),
        ("charge.captured", True, True),
        ("charge.updated", False, True),
        ("v1.charge.updated", False, True),
        ("customer.updated", False, True),
        ("payment_intent.canceled", False, False),
    ],
)
def test_what_an_event_may_begin(kind: str, begins: bool, changes: bool) -> None:
    """Only what says paid begins a payment's run; only what may say something new begins a change's."""
    assert (says_paid(kind), may_change(kind)) == (begins, changes)


@pytest.mark.parametrize(
    ("changed", "fee", "news_while_fee_known", "news_without"),
    [
        (("balance_transaction",), True, False, True),
        (("shipping",), False, True, True),
        ((), True, True, True),
    ],
)
def test_a_fee_is_news_until_it_is_known(
    changed: tuple[str, ...], fee: bool, news_while_fee_known: bool, news_without: bool
) -> None:
    """Any other change is news in either case; so is an event that does not say what changed."""
    assert may_tell_fee("charge.updated", changed) is fee
    assert is_news("charge.updated", changed, fee_known=True) is news_while_fee_known
    assert is_news("charge.updated", changed, fee_known=False) is news_without
    assert not is_news("charge.succeeded", changed, fee_known=False)


def test_only_what_reaches_zoho_of_a_customer_is_listened_to() -> None:
    """A new default card is none of Zoho's business."""
    assert concerns_zoho(("email", "invoice_settings"))
    assert concerns_zoho(())
    assert not concerns_zoho(("invoice_settings", "default_source"))
