"""What is read out of a signed body, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.events import MAX_DEPTH, loads, parse
from ingress.signatures import BadDelivery
from tests.ingress.deliveries import sample, snapshot, thin

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


def reason(raw: bytes) -> str:
    """Why `raw` is refused."""
    with pytest.raises(BadDelivery) as caught:
        parse(raw)
    return caught.value.reason


def test_a_snapshot_event_is_read() -> None:
    """A snapshot event carries its object, and no account of its own."""
    event = parse(json.dumps(sample("04.payment_intent.succeeded")).encode())
    assert (event.event_id, event.type) == ("evt_3SCN000000000000000004", "payment_intent.succeeded")
    assert event.subject["id"] == "pi_3SCN000000000000000001"
    assert (event.thin, event.livemode, event.account) == (False, False, "")
    assert event.created == datetime.fromtimestamp(1785700005, UTC)


def test_a_thin_event_is_read() -> None:
    """A thin event carries the id of its object and nothing else of it."""
    event = parse(json.dumps(sample("thin.v1.payment_intent.succeeded")).encode())
    assert event.type == "v1.payment_intent.succeeded"
    assert event.subject == {"id": "pi_3SCN000000000000000001", "object": "payment_intent"}
    assert event.thin
    assert event.created == datetime(2026, 8, 2, 19, 46, 45, tzinfo=UTC)


@pytest.mark.parametrize("context", ["acct_2Other", "org_1/acct_2Other"])
def test_a_thin_event_tells_its_account(context: str) -> None:
    """The account of a thin event is the last part of its context."""
    event = thin("v1.invoice.paid", "in_1", "invoice", context=context)
    assert parse(json.dumps(event).encode()).account == "acct_2Other"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "evt_1\n"},
        {"id": "pi_1"},
        {"id": 7},
        {"object": "charge"},
        {"livemode": "false"},
        {"livemode": None},
        {"created": -1},
        {"created": 10**15},
        {"created": "2026-08-02T20:00:00Z"},
        {"type": ""},
        {"type": "x" * 200},
        {"data": None},
        {"data": {"object": []}},
        {"account": 5},
    ],
)
def test_what_is_no_event_is_refused(change: dict[str, Any]) -> None:
    """Every field that we rely on is checked."""
    event = snapshot("payment_intent.succeeded", {"id": "pi_1"})
    assert reason(json.dumps({**event, **change}).encode()) == "no-event"


def test_a_thin_event_of_the_first_century_is_refused() -> None:
    """A time that no datetime in UTC can hold is refused, not an overflow."""
    event = thin("v1.invoice.paid", "in_1", "invoice", created="0001-01-01T00:00:00+14:00")
    assert reason(json.dumps(event).encode()) == "no-event"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "malformed"),
        (b"not json", "malformed"),
        (b'{"a": NaN}', "malformed"),
        (b'{"a": -Infinity}', "malformed"),
        (b'{"a": ' + b"9" * 5000 + b"}", "malformed"),
        (b'{"a": "\xff"}', "malformed"),
        ('{"a": 1}'.encode("utf-16"), "malformed"),
        (b'{"a": 1, "a": 2}', "doubled-key"),
        (b'{"a": {"b": 1, "b": 1}}', "doubled-key"),
        (b"[" * 100_000, "malformed"),
        (b"[" * 100_000 + b"]" * 100_000, "too-deep"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too-deep"),
        (json.dumps(dict.fromkeys(map(str, range(2001)))).encode(), "too-wide"),
        (b"[]", "no-event"),
        (b"null", "no-event"),
    ],
)
def test_what_is_no_clean_json_is_refused(raw: bytes, why: str) -> None:
    """Bodies that parsers disagree about, or that cost too much, are refused by their reason."""
    assert reason(raw) == why


def test_brackets_in_strings_are_no_depth() -> None:
    """A text full of brackets and escaped quotes is a text."""
    value = {"note": '\\"' + "[{" * 500, "deep": json.loads("[" * 60 + "]" * 60)}
    assert loads(json.dumps(value).encode()) == value


def test_numbers_stay_exact() -> None:
    """A fraction is a Decimal with all its digits."""
    assert loads(b'{"rate": 0.1234567890123456789}') == {"rate": Decimal("0.1234567890123456789")}


@given(JSON.map(lambda value: json.dumps(value, allow_nan=False) if _finite(value) else "NaN"))
def test_any_json_is_an_event_or_refused(text: str) -> None:
    """No JSON value makes the parser fail in another way than by refusing."""
    assert reason(text.encode()) in {"no-event", "malformed"}


@given(st.binary(max_size=300) | st.text(alphabet='{}[]",:\\ a1').map(str.encode))
def test_any_bytes_are_refused_calmly(raw: bytes) -> None:
    """No bytes make the parser fail in another way than by refusing."""
    reason(raw)


def _finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
