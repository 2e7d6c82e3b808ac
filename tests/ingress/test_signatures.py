"""What passes as Stripe's signature, and what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.signatures import BadDelivery, verify
from tests.ingress.deliveries import NOW, OLD_SECRET, SECRET, sign

BODY = b'{"id": "evt_1"}'


def reason(body: bytes, headers: list[str], secrets: tuple[str, ...] = (SECRET,)) -> str:
    """Why the delivery is refused."""
    with pytest.raises(BadDelivery) as caught:
        verify(body, headers, secrets, NOW)
    return caught.value.reason


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET])
def test_every_active_secret_opens_the_door(secret: str) -> None:
    """While a secret is rolled, deliveries signed with the old and with the new one pass."""
    verify(BODY, [sign(BODY, secret)], (SECRET, OLD_SECRET), NOW)


def test_a_retired_secret_opens_nothing() -> None:
    """A secret that is no longer configured signs in vain."""
    assert reason(BODY, [sign(BODY, OLD_SECRET)]) == "forged"


def test_no_secret_is_no_door() -> None:
    """Without secrets nothing is genuine, not even what is signed with the empty key."""
    assert reason(BODY, [sign(BODY, "")], ()) == "forged"


def test_any_of_several_signatures_counts() -> None:
    """Stripe sends one v1 for each active secret; one that fits is enough."""
    timestamp, _, wrong = sign(BODY, "whsec_other").partition(",")
    right = sign(BODY).partition(",")[2]
    verify(BODY, [f"{timestamp},{wrong},{right}"], (SECRET,), NOW)


def test_only_scheme_v1_counts() -> None:
    """A right digest under another scheme's name is no signature."""
    assert reason(BODY, [sign(BODY).replace("v1=", "v0=")]) == "forged"


@given(position=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
def test_one_changed_byte_breaks_the_signature(position: int, flip: int) -> None:
    """The signature is over the raw bytes: none of them may change."""
    changed = bytearray(BODY)
    changed[position] ^= flip
    assert reason(bytes(changed), [sign(BODY)]) == "forged"


@pytest.mark.parametrize(("headers", "why"), [(0, "unsigned"), (2, "signed-twice")])
def test_exactly_one_header_is_right(headers: int, why: str) -> None:
    """A missing or doubled header is refused, even where each is genuine."""
    assert reason(BODY, [sign(BODY)] * headers) == why


@pytest.mark.parametrize("age", [-60, 0, 300])
def test_the_window_is_closed_at_both_ends(age: int) -> None:
    """300 s old and 60 s ahead still pass."""
    verify(BODY, [sign(BODY, at=NOW - timedelta(seconds=age))], (SECRET,), NOW)


@pytest.mark.parametrize(("age", "why"), [(301, "stale"), (-61, "from-the-future")])
def test_outside_the_window_is_a_replay(age: int, why: str) -> None:
    """A genuine signature is refused when it is too old or too far ahead."""
    assert reason(BODY, [sign(BODY, at=NOW - timedelta(seconds=age))]) == why


def test_a_second_timestamp_cannot_renew_a_signature() -> None:
    """Two timestamps in a header are refused, so an old signature cannot be made to look new."""
    old = sign(BODY, at=NOW - timedelta(hours=1))
    assert reason(BODY, [f"t={int(NOW.timestamp())},{old}"]) == "forged"


@given(
    header=st.one_of(
        st.text(max_size=200),
        st.builds("t={},v1={}".format, st.integers() | st.text(max_size=20), st.text(max_size=80)),
        st.builds(lambda many: "t=1785700800," + ",".join(["v1=0"] * many), st.integers(0, 40)),
    )
)
def test_no_header_can_do_more_than_be_refused(header: str) -> None:
    """Whatever the header holds, the answer is a refusal and not an error."""
    assert reason(BODY, [header]) == "forged"
