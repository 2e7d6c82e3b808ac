"""What Stripe was told of shipments follows what Zoho shows, and people hear only of what is new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import ShipmentDocument
from domain.drift import told_by_us
from domain.policy import ShipmentKeys
from domain.shipping import ShipmentWritten, shipped_as
from domain.tracking import ShipmentWords, shipments_told

KEYS = ShipmentKeys()
NAMES = KEYS.named()
TOLD = {"zoho_shipment_id": "sh-1", "tracking_number": "A", "carrier": "DHL", "shipment_status": "shipped"}


def without(*keys: str) -> dict[str, str]:
    """What is told when these keys have nothing to say."""
    return {key: word for key, word in TOLD.items() if key not in keys}


def test_a_key_is_over_when_nothing_is_said_there_any_more() -> None:
    """With each word of ours that may stand there: what was said, and what was begun and nobody saw end."""
    words = ShipmentWords(said=TOLD)
    assert words.looked(TOLD, NAMES).over == {}
    begun = words.looked({**TOLD, "tracking_number": "B"}, NAMES)
    assert begun.looked(without("tracking_number"), NAMES).over == {"tracking_number": ("A", "B")}
    assert words.looked({}, ["carrier"]).over == {"carrier": ("DHL",)}
    assert ShipmentWords().looked({}, NAMES).over == {}


def test_what_is_over_is_over_once() -> None:
    """Emptied, or found to be somebody else's: nobody asks again, until it is told again and taken away again."""
    emptied = ShipmentWords(said=TOLD).looked({}, NAMES).carried({}, NAMES)
    assert emptied.looked({}, NAMES).over == {}
    again = emptied.looked(TOLD, NAMES).carried(TOLD, NAMES)
    assert again.looked(without("carrier"), NAMES).over == {"carrier": ("DHL",)}


def test_another_round_says_its_own_words() -> None:
    """An order that was carried anew is told by the payment's own run; what an earlier round said may still stand."""
    anew = ShipmentWords(said={"tracking_number": "", "carrier": "DHL"}).in_round(1, {"tracking_number": "N"})
    assert anew.said == {"tracking_number": "N", "carrier": "DHL"}
    assert anew.in_round(1, {"tracking_number": "other"}) == anew


NEWS: list[tuple[dict[str, str], bool]] = [
    (TOLD, False),
    ({**TOLD, "shipment_status": "delivered"}, False),
    ({**TOLD, "tracking_number": "B"}, True),
    ({**TOLD, "zoho_shipment_id": "sh-1, sh-2"}, True),
    (without("carrier"), True),
    (without("shipment_status"), False),
    ({}, True),
]


@pytest.mark.parametrize(("told", "news"), NEWS)
def test_people_hear_of_another_shipment_carrier_or_number(told: dict[str, str], news: bool) -> None:
    """And of one that is gone; not of each step on its way."""
    assert ShipmentWords(said=TOLD).looked(told, NAMES).tells_more(told, KEYS) is news


def test_keys_that_a_shop_renames_are_no_news() -> None:
    """The same words under other keys are told to Stripe, and to nobody else."""
    other = ShipmentKeys(tracking_number="parcel", carrier="")
    told = {"zoho_shipment_id": "sh-1", "parcel": "A", "shipment_status": "shipped"}
    assert not ShipmentWords(said=TOLD).tells_more(told, other)


WORDS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from("ABC"))


ENDS = st.sampled_from(["known", "lost", "refused"])


@given(st.lists(st.tuples(WORDS, ENDS), max_size=6), st.sampled_from(["", *NAMES]))
def test_stripe_says_in_the_end_what_zoho_says(looks: list[tuple[dict[str, str], str]], strangers: str) -> None:
    """Whatever is entered and taken away, however the writes end: nothing of ours is left, no stranger's is lost."""
    words, stripe = ShipmentWords(), dict[str, str]()
    for number, (told, end) in enumerate([*looks, ({}, "known")]):
        if strangers and number == len(looks):
            stripe[strangers] = "theirs"
        words = words.looked(told, NAMES)
        gone = {key for key, ours in words.over.items() if stripe.get(key) in ours}
        if end != "refused":
            stripe = {key: word for key, word in (stripe | told).items() if key not in gone}
        if end == "known":
            words = words.carried(told, NAMES)
    assert stripe == ({strangers: "theirs"} if strangers else {})


def test_what_the_payments_run_wrote_is_known_by_its_row() -> None:
    """Also of a shipment that the organisation made; of a row from before by the shipment that was written."""
    wrote = {"zoho_salesorder_id": "so-1", "zoho_shipment_id": "sh-1"}
    assert told_by_us(None, None, KEYS, {}, wrote) == {"zoho_shipment_id": "sh-1"}
    shipment = ShipmentWritten(shipment_id="sh-9", carrier="DHL")
    assert told_by_us(None, shipment, KEYS, {}) == {"zoho_shipment_id": "sh-9", "carrier": "DHL"}
    assert told_by_us(None, shipment, KEYS, {}, {}) == {}


WAYS: list[tuple[dict[str, str], str]] = [
    ({"number": "SH-1", "carrier": "DHL", "tracking_number": "0034"}, "SH-1 by DHL 0034"),
    ({"number": "SH-1", "carrier": "DHL"}, "SH-1 by DHL without a tracking number"),
    ({"number": "SH-1", "tracking_number": "0034"}, "SH-1 by 0034"),
    ({"number": "SH-1", "carrier": "ask ada@example.com"}, "SH-1 by ask without a tracking number"),
    ({"number": "SH-1", "tracking_number": "4242424242424242"}, "SH-1 by ****4242"),
    ({}, "without a tracking number"),
]


@pytest.mark.parametrize(("said", "told"), WAYS)
def test_how_goods_left_in_a_few_words(said: dict[str, str], told: str) -> None:
    """Shipment number, carrier and tracking number; no e-mail address, and no card number."""
    assert shipped_as(ShipmentDocument(shipment_id="sh-1", **said)) == told


def test_people_are_told_of_every_shipment_of_an_order() -> None:
    """Or that none is left; a message stays a message."""
    first = ShipmentDocument(shipment_id="sh-1", number="SH-1", carrier="DHL", tracking_number="A")
    second = ShipmentDocument(shipment_id="sh-2", number="SH-2")
    told = "pi_1 · order SO-1 · shipped as SH-1 by DHL A; SH-2 without a tracking number"
    assert shipments_told("pi_1", "SO-1", (first, second)) == told
    assert shipments_told("pi_1", "SO-1", ()) == "pi_1 · order SO-1 · not shipped any more"
    assert len(shipments_told("pi_1", "SO-1", (first,) * 100)) == 500
