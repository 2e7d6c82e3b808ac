"""What a payout came to: its certificate, and what stands for it in Zoho Books."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clients.signing import signed_by
from domain.canonical import parse
from domain.certified import Certificate
from domain.journal import imbalance, journal
from domain.verification import verify
from tests.endtoend.outcomes import canonical

STRIPE, ZOHO = "payouts", "banktransactions,journals,accounts"
_CLEARING, _POSTED = "Stripe Clearing", ("banktransactions", "journals")
# What two payouts that came to the same have each for itself.
_OWN = {"hash", "signature", "seals", "connection", "trace", "entry_number"}
_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def outcome(zoho: Any, payout: str, versions: Sequence[str]) -> Any:
    """The payout's certificates and postings, in a form that two payouts of a kind share."""
    posted = {kind: [_plain(row) for row in zoho[kind] if _stem(row) == payout] for kind in _POSTED}
    return canonical([_plain(parse(one)) for one in versions], posted)


def wrong(payout: str, versions: Sequence[str], least: int, most: int) -> Iterator[str]:
    """What is wrong with the payout's certificates, of which there are so many."""
    if not least <= len(versions) <= most:
        yield f"I1 {payout} has {len(versions)} certificates"
    for one in versions:
        yield from (f"I3 {payout}: {flaw}" for flaw in verify(one, signed_by).flaws)
        if imbalance(journal(Certificate.model_validate(parse(one)))):
            yield f"I3 {payout}: its certificate does not balance"


def misposted(stripe: Any, zoho: Any, back: Mapping[str, str], *, posts: bool) -> Iterator[str]:
    """What is wrong with Books: each payout is there once, but for those taken back, and nothing else is.

    `back` has the payment of each payout that was taken back: the clearing account holds just their money.
    """
    payouts = {row["id"] for row in stripe["payouts"] if row["status"] == "paid"}
    rows = [row for kind in _POSTED for row in zoho[kind]]
    for reference, count in Counter(row["reference_number"] for row in rows).items():
        if not posts or reference.partition("/")[0] not in payouts - back.keys():
            yield f"I6 {reference}: {count} postings trace to no payout that stands in Books"
        elif count > 1:
            yield f"I1 {reference} is posted {count} times"
    if not posts:
        return
    transfers = {row["reference_number"] for row in zoho["banktransactions"]}
    yield from (f"I1 {payout} has no transfer" for payout in payouts - back.keys() - transfers)
    left = [row["amount"] - row["bank_charges"] for row in zoho["payments"] if row["reference_number"] in back.values()]
    held = zoho["accounts"].get(_CLEARING, {}).get("EUR", 0)
    if held != sum(left):
        yield f"I3 the clearing account holds {held}, not {sum(left)}"


def _stem(row: Any) -> str:
    return str(row["reference_number"]).partition("/")[0]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in _OWN}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return _HASH.sub("<hash>", value) if isinstance(value, str) else value
