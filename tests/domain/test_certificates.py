"""Certificates: they balance for any month, and any change of one is found and named."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.signing import SigningRing, signed_by
from domain.canonical import canonical
from domain.certificates import Uncertifiable, certify
from domain.certified import Certificate
from domain.journal import imbalance, journal, summary
from domain.matching import explain
from domain.money import Money
from domain.payouts import PayoutKind, PayoutStatus, Reconciled
from domain.postings import Account, AccountNames
from domain.verification import Verdict, verify
from tests.domain.months import HOME, MOVEMENTS, Month, a_line, a_payout, eur, months

RING = SigningRing.generate()
AT = datetime(2026, 11, 3, 8, tzinfo=UTC)


def certified(month: Month, previous: Certificate | None = None) -> Certificate:
    """The certificate of a month's payout."""
    explained = explain(month.payout(), month.lines, month.documents)
    return certify(explained, AccountNames(), RING, connection="shop", at=AT, previous=previous)


def checked(document: dict[str, Any]) -> Verdict:
    """What verify says of a document."""
    return verify(canonical(document), signed_by, trusted=RING.public_key)


@given(months())
@settings(max_examples=150, deadline=None)
def test_the_certificate_of_any_month_balances(month: Month) -> None:
    """Lines = payout = postings to the cent, the journal balances, and nothing is found wrong with it."""
    made = certified(month)
    payout = made.certificate.payout
    assert sum(line.net for line in made.lines) == payout.minor
    assert sum(entry.minor for line in made.lines for entry in line.postings) == payout.minor
    bank = made.certificate.totals.accounts.get(Account.BANK, 0)
    from_lines = sum(e.minor for line in made.lines for e in line.postings if e.account == Account.BANK)
    assert bank - from_lines == (0 if month.failed else -payout.minor)
    assert checked(made.document()).flaws == ()
    lines = journal(made)
    assert imbalance(lines) == {}
    assert imbalance(summary(lines)) == {}
    assert imbalance(journal(made, open_only=True)) == {}
    clearing = sum(((one.debit - one.credit).minor for one in lines if one.account == "Stripe Clearing"), 0)
    assert clearing == (payout.minor if month.failed else 0)


@given(st.lists(months(MOVEMENTS[:4]), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_over_several_payouts_nothing_is_booked_twice_or_lost(parts: list[Month]) -> None:
    """One that fails comes back as a line of the next: in the end the clearing account holds what the last one, failed,
    gave back, and the bank has what arrived.
    """
    came_back: list[Any] = []
    clearing = bank = arrived = 0
    for number, month in enumerate(parts):
        month.lines += came_back
        payout = month.payout(f"po_{number}")
        made = certify(
            explain(payout, month.lines, month.documents), AccountNames(), RING, connection="shop", at=AT
        )  # fmt: skip
        own = [one for one in journal(made) if not one.document.startswith("po_")]
        clearing += sum((one.debit - one.credit).minor for one in own if one.account == "Stripe Clearing")
        bank += sum((one.debit - one.credit).minor for one in own if one.account == "Bank")
        arrived += 0 if month.failed else payout.money.minor
        back = a_line(500, "payout_reversal", payout.money.minor, source_id=payout.payout_id)
        came_back = [back] if month.failed else []
    assert clearing == (payout.money.minor if parts[-1].failed else 0)
    assert bank == arrived


def numbers_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every whole number in a document."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from numbers_in(below, (*path, key))
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from numbers_in(below, (*path, place))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path


def put(document: dict[str, Any], path: tuple[Any, ...], by: int) -> dict[str, Any]:
    """A copy with one number changed."""
    changed = copy.deepcopy(document)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] += by
    return changed


@given(months().filter(lambda month: month.lines), st.data())
@settings(max_examples=150, deadline=None)
def test_any_single_altered_cent_is_found_and_named(month: Month, data: st.DataObject) -> None:
    """Whatever number is changed by whatever little: the line is named where it is in a line, else the place."""
    document = certified(month).document()
    path = data.draw(st.sampled_from(sorted(numbers_in(document), key=str)))
    verdict = checked(put(document, path, data.draw(st.sampled_from([1, -1]))))
    assert not verdict.sound
    where = [flaw.where for flaw in verdict.flaws]
    if path[0] == "lines":
        transaction = document["lines"][path[1]]["transaction"]
        assert f"line {path[1] + 1} ({transaction})" in where
        others = {f"line {number} " for number in range(1, len(document["lines"]) + 1)} - {f"line {path[1] + 1} "}
        assert not [one for one in where if one.startswith(tuple(others))]
    elif path[1] == "seals":
        assert any(one.startswith(f"line {path[2] + 1} ") for one in where)
    elif path[1] in ("payout", "settlement", "totals"):
        assert any(one.startswith((path[1], "lines", "settlement")) for one in where)
    assert "hash" in where or path[0] == "lines"
    by_cent = path[-1] in ("amount", "fee", "net", "taken") or {"accounts", "fee_parts", "postings", "settlement"} & {
        *path
    }
    if by_cent:
        assert any("0.01 EUR too" in flaw.what for flaw in verdict.flaws)


@given(months().filter(lambda month: len(month.lines) > 1), st.data())
@settings(max_examples=100, deadline=None)
def test_a_dropped_doubled_or_swapped_line_is_named(month: Month, data: st.DataObject) -> None:
    """Its own sum tells how much, its name which."""
    document = certified(month).document()
    lines = document["lines"]
    place = data.draw(st.integers(0, len(lines) - 2))
    line = lines[place]
    where, net = f"line {place + 1} ({line['transaction']})", str(eur(line["net"]))

    def flaws(changed: list[Any]) -> list[tuple[str, str]]:
        return [(flaw.where, flaw.what) for flaw in checked({**document, "lines": changed}).flaws]

    dropped = flaws([*lines[:place], *lines[place + 1 :]])
    assert (where, f"is missing: its {net} was there when it was signed") in dropped
    doubled = flaws([*lines[: place + 1], *lines[place:]])
    assert (where, f"is there 2 times: each one too many adds {net}") in doubled
    swapped = flaws([*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]])
    other = lines[place + 1]["transaction"]
    assert (f"line {place + 1} ({other})", f"stands where {line['transaction']} stood when it was signed") in swapped
    assert (f"line {place + 2} ({line['transaction']})", f"stands where {other} stood when it was signed") in swapped


def a_month() -> Month:
    """A charge with a fee and tax, a refund, and Radar's fee."""
    charge = a_line(1, "charge", 4990, 175, tax=28, source_id="ch_1", payment_id="pi_1")
    return Month([charge, a_line(2, "refund", -990, source_id="re_1", payment_id="pi_1"), a_line(3, "fee", -250)])


def test_a_changed_cent_says_which_and_how_much() -> None:
    """For people: the line, what is there, what was signed, and the difference."""
    changed = put(certified(a_month()).document(), ("lines", 1, "amount"), 1)
    told = [str(flaw) for flaw in checked(changed).flaws]
    assert told[0] == "line 2 (txn_2): amount is -9.89 EUR, and -9.90 EUR was signed: 0.01 EUR too much"


def test_texts_are_sealed_too() -> None:
    """A counterpart that is exchanged for another one, an account, a time: the line is named."""
    document = certified(a_month()).document()
    for name, value in (("at", "2026-10-01T00:00:00Z"), ("source", "ch_2"), ("kind", "refund")):
        changed = copy.deepcopy(document)
        changed["lines"][0][name] = value
        assert "line 1 (txn_1)" in [flaw.where for flaw in checked(changed).flaws]
    changed = copy.deepcopy(document)
    changed["lines"][0]["postings"][0]["account"] = "pocket"
    assert "posts to the unknown account 'pocket'" in [flaw.what for flaw in checked(changed).flaws]
    changed = copy.deepcopy(document)
    changed["certificate"]["accounts"]["bank"] = "My Bank"
    assert [flaw.where for flaw in checked(changed).flaws] == ["hash", "signature"]


def test_a_certificate_made_anew_by_another_is_not_ours() -> None:
    """Every sum and hash is right, and the signature by another key: told where our key is given."""
    other = SigningRing.generate("s1")
    month = a_month()
    explained = explain(month.payout(), month.lines, ())
    forged = certify(explained, AccountNames(), other, connection="shop", at=AT).document()
    assert [flaw.where for flaw in checked(forged).flaws] == ["signature", "signature"]
    assert verify(canonical(forged), signed_by).sound
    posing = {**forged, "signature": {**forged["signature"], "public_key": certified(month).signature.public_key}}
    assert [flaw.what for flaw in checked(posing).flaws] == ["does not belong to this head: one of them was changed"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "no JSON"),
        ('{"a": 1.5}', "no whole number"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "no whole number"),
        ("[]", "valid dictionary"),
        ('{"hash": ""}', "required"),
    ],
)
def test_what_is_no_certificate_is_said_so(text: str, says: str) -> None:
    """A sentence and no traceback."""
    verdict = verify(text, signed_by)
    assert says in " ".join(flaw.what for flaw in verdict.flaws)


def test_a_part_that_is_missing_or_added_is_named() -> None:
    """By its place."""
    document = certified(a_month()).document()
    del document["lines"][1]["net"]
    document["lines"][2]["bonus"] = 1
    document["lines"][0]["fee"] = "175"
    assert {flaw.where for flaw in checked(document).flaws} == {"lines 2 net", "lines 3 bonus", "lines 1 fee"}
    document = certified(a_month()).document()
    document["certificate"]["totals"]["charged"]["XXX"] = 1
    assert "XXX" in checked(document).flaws[0].what


def test_a_later_change_makes_a_version_that_names_the_old_one() -> None:
    """The same again is the same certificate; a payout that failed later is the next one."""
    month = a_month()
    first = certified(month)
    assert certified(month, first) is first
    month.failed = True
    second = certified(month, first)
    head = second.certificate
    assert (head.version, head.previous, head.payout.status) == (2, first.hash, "failed")
    assert [(entry.account, entry.minor) for entry in head.settlement] == [("bank", -3575), ("bank", 3575)]
    text, older = canonical(second.document()), canonical(first.document())
    assert verify(text, signed_by, previous=older).sound
    altered = put(first.document(), ("certificate", "version"), 1)
    (flaw,) = verify(text, signed_by, previous=canonical(altered)).flaws
    assert (flaw.where, first.hash in flaw.what) == ("previous", True)
    assert verify(older, signed_by, previous=older).flaws[0].where == "previous"
    assert verify(older, signed_by, previous="{}").flaws[0].where == "previous"


def test_a_negative_payout_is_certified() -> None:
    """More went back than came in: the bank pays."""
    month = Month([a_line(1, "refund", -3998, source_id="re_1")])
    made = certified(month)
    assert made.certificate.payout.minor == -3998
    assert [(entry.account, entry.minor) for entry in made.certificate.settlement] == [("bank", 3998)]
    assert checked(made.document()).sound


@pytest.mark.parametrize("kind", [PayoutKind.MANUAL, PayoutKind.INSTANT])
def test_a_payout_that_is_not_itemised_is_a_transfer(kind: PayoutKind) -> None:
    """Labelled so, without lines, with the fee that Stripe took for it."""
    own = a_line(1, "payout", -2000, 20, source_id="po_1")
    payout = a_payout([], kind, own=own, money=eur(2000), reconciled=Reconciled.NOT_APPLICABLE)
    made = certify(explain(payout, (), ()), AccountNames(), RING, connection="shop", at=AT)
    about = made.certificate.payout
    assert (about.itemised, about.kind, about.minor, about.taken) == (False, kind.value, 2000, 2020)
    assert [(one.account, one.minor) for one in made.certificate.settlement] == [("bank", -2000), ("fees", -20)]
    assert checked(made.document()).sound
    assert {one.memo for one in journal(made)} == {f"{kind.value} payout, not itemised"}


def test_what_is_not_known_is_not_certified() -> None:
    """An unknown category, a sum that is off, a line that is off: each is named."""
    lines = [a_line(1, "moon_dust", 5), a_line(2, "charge", 100, 3)]
    broken = lines[1].model_copy(update={"net": eur(98)})
    payout = a_payout(lines)
    with pytest.raises(Uncertifiable) as unknown:
        certify(explain(payout, lines, ()), AccountNames(), RING, connection="shop", at=AT)
    assert "txn_1 moves 0.05 EUR and is of the unknown category 'moon_dust'" in str(unknown.value)
    with pytest.raises(Uncertifiable, match=r"1\.00 EUR less fee 0\.03 EUR is not net 0\.98 EUR: -0\.01 EUR off"):
        certify(explain(payout, [broken], ()), AccountNames(), RING, connection="shop", at=AT)
    with pytest.raises(Uncertifiable, match=r"its lines come to -0\.05 EUR more than 1\.02 EUR"):
        certify(explain(payout, lines[1:], ()), AccountNames(), RING, connection="shop", at=AT)


def test_ten_thousand_lines_are_certified_and_checked() -> None:
    """In one document; one cent too much in one posting is the only thing that is named of its line."""
    lines = [a_line(n, "charge", 1000 + n, 30, source_id=f"ch_{n}") for n in range(10_000)]
    document = certified(Month(lines)).document()
    document["lines"][5699]["postings"][0]["minor"] += 1
    flaws = [flaw for flaw in checked(document).flaws if flaw.where.startswith("line ")]
    assert {flaw.where for flaw in flaws} == {"line 5700 (txn_5699)"}
    assert "the sum of the postings is 66.70 EUR, and 66.69 EUR is the net: 0.01 EUR too much" in [
        f.what for f in flaws
    ]


def test_the_hash_is_of_the_canonical_form() -> None:
    """Written otherwise, with spaces and another order of keys, it is the same document."""
    document = certified(a_month()).document()
    other = json.dumps(dict(reversed(document.items())), indent=2)
    assert verify(other, signed_by, trusted=RING.public_key).sound


def test_a_failed_payout_needs_the_row_that_gave_back() -> None:
    """Until Stripe has made it the payout is not ready."""
    payout = a_payout([a_line(1, "charge", 100)])
    assert payout.ready
    assert not payout.model_copy(update={"status": PayoutStatus.FAILED}).ready
    assert not payout.model_copy(update={"reconciled": Reconciled.IN_PROGRESS}).ready
    assert not payout.model_copy(update={"own": None}).ready
    assert Money.of(100, HOME) == payout.money
    assert timedelta(0) < payout.arrival - payout.created
