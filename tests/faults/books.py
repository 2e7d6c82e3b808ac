"""What a payment, its refund or its correction came to in both ledgers, and how that differs from what it should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import ndiff
from pprint import pformat
from typing import Any

from tests.endtoend.outcomes import canonical
from tests.faults import paid_out
from tests.faults.calls import Call
from tests.faults.tales import CAME_BACK, RECOUNT

_COUNTS = re.compile(
    r"stock|(invoice|payment|package|creditnote|salesreturn|receive)_number"
)  # fields that tell what was in the shop before
_PAYMENTS = ("payment_intents", "charges")
_STEPS = {
    "salesorders": "sales_order",
    "invoices": "invoice",
    "payments": "customer_payment",
    "shipments": "shipment",
    "adjustments": "adjust_stock",
}
DOCUMENTS = tuple(_STEPS)
BACK_AGAIN = ("creditnotes", "refunds")  # they name the refund or the dispute
RETURNED = ("salesreturns", "receives")
# What nothing in Zoho has to trace to any more, where a run of a payment, of its refund, or of its fee was taken back.
_GONE = {
    "payment": _PAYMENTS,
    "refund": ("refunds",),
    "return": ("refunds",),
    "dispute": ("disputes",),
    "books": ("balance_transactions",),
    "payout": (),
}
_CASES = ("refunds", "disputes")  # what Stripe has to say of a payment that was booked
STRIPE = ",".join(("balance_transactions", paid_out.STRIPE, *_CASES, *_PAYMENTS))
ZOHO = ",".join(("contacts", "items", "packages", paid_out.ZOHO, *DOCUMENTS, *BACK_AGAIN, *RETURNED))


@dataclass(frozen=True)
class Story:
    """What a payment came to where nothing went wrong: its calls, its books before and after them, its audit trail.

    `activities` are those that any run of its shop has called; `paid_out` is what its payout came to.
    """

    calls: tuple[Call, ...]
    books: Any
    steps: tuple[str, ...]
    before: Any = None
    people: Any = None
    paid_out: Any = None
    activities: frozenset[str] = frozenset()


def books(stripe: Any, zoho: Any, payment: str) -> Any:
    """The payment in both ledgers, in a form that two payments of a kind share."""
    told = [(row["status"], row["metadata"]) for kind in _PAYMENTS for row in stripe[kind] if payment in _names(row)]
    documents = {kind: _of(zoho, kind, payment) for kind in DOCUMENTS}
    cases = _cases_of(stripe, payment)
    documents |= {kind: [one for row in cases for one in _of(zoho, kind, row["id"])] for kind in BACK_AGAIN}
    documents |= _returned(zoho, payment)
    return canonical(*_plain([told, [row["metadata"] for row in cases], documents]))


def _cases_of(stripe: Any, payment: str) -> list[Any]:
    return [row for kind in _CASES for row in stripe[kind] if payment in (row["payment_intent"], row["charge"])]


def _returned(zoho: Any, payment: str) -> dict[str, list[Any]]:
    """The returns of the payment's order, what was received of them, and the credit notes that people wrote."""
    orders = {row["salesorder_id"] for row in _of(zoho, "salesorders", payment)}
    returns = [row for row in zoho["salesreturns"] if row["salesorder_id"] in orders]
    ids = {row["salesreturn_id"] for row in returns}
    theirs = {note["creditnote_id"] for row in returns for note in row["creditnotes"]}
    return {
        "salesreturns": returns,
        "receives": [row for row in zoho["receives"] if row["salesreturn_id"] in ids],
        "by_hand": [
            row for row in zoho["creditnotes"] if row["creditnote_id"] in theirs and not row["reference_number"]
        ],
    }


def people(zoho: Any, payment: str) -> Any:
    """The contacts of the payment's orders, in a form that two payments of a kind share."""
    wanted = {row["customer_id"] for row in _of(zoho, "salesorders", payment)}
    return canonical(*_plain([row for row in zoho["contacts"] if row["contact_id"] in wanted]))


def without(stripe: Any, back: Collection[str], about: str) -> Any:
    """Stripe's ledger without the payments, refunds or fees of payments that were taken back or left alone."""
    charges = {row["id"] for row in stripe["charges"] if row["payment_intent"] in back}
    gone = {*back, *charges}
    kept = {
        kind: [row for row in stripe[kind] if not gone & {*_names(row), row.get("charge"), row.get("source")}]
        for kind in _GONE[about]
    }
    return {**stripe, **kept}


def recounted(zoho: Any, apart: Collection[str]) -> Any:
    """Zoho's ledger as if people had begun with what they counted later, and without the documents of `apart`."""
    kept = {kind: [row for row in zoho[kind] if row["reference_number"] not in apart] for kind in DOCUMENTS}
    counts: Counter[str] = Counter()
    for row in (row for row in kept["adjustments"] if row["reason"] == RECOUNT):
        counts.update({line["item_id"]: int(line["quantity_adjusted"]) for line in row["line_items"]})
    kept["adjustments"] = [row for row in kept["adjustments"] if row["reason"] != RECOUNT]
    items = [{**item, "opening": item["opening"] + counts[item["item_id"]]} for item in zoho["items"]]
    return {**zoho, **kept, "items": items}


def came_back(zoho: Any) -> list[str]:
    """The adjustments that people made for goods that came back."""
    return [row["inventory_adjustment_id"] for row in zoho["adjustments"] if row["reason"] == CAME_BACK]


def doubled_people(zoho: Any) -> list[str]:
    """Contacts that one payer has twice, and addresses that one contact has twice."""
    payers = Counter((row["email"], row["currency_code"]) for row in zoho["contacts"])
    lines = [f"{count} contacts of one payer" for count in payers.values() if count > 1]
    for row in zoho["contacts"]:
        rows = [row["billing_address"], row["shipping_address"], *row["addresses"]]
        kept = Counter(tuple(one.get(name, "") for name in ("address", "city", "zip")) for one in rows)
        lines += [f"{count} times one address" for key, count in kept.items() if any(key) and count > 1]
    return lines


def left(stripe: Any, zoho: Any, payment: str, steps: Sequence[str] | None, by_zoho: Sequence[str]) -> list[str]:
    """What of a payment, or of its refund or dispute, that was taken back still says otherwise."""
    own = _cases_of(stripe, payment)
    told = own or [row for row in stripe["payment_intents"] + stripe["charges"] if row["id"] == payment]
    stands = _standing(zoho)
    lines = [f"I6 {payment}: Stripe's metadata still names a document" for row in told if _mentions(row, stands)]
    if steps is None or own:
        return lines
    untold = [
        kind for kind in DOCUMENTS if kind not in by_zoho and _of(zoho, kind, payment) and _STEPS[kind] not in steps
    ]
    return lines + [f"I10 {payment}: no audit entry tells of its {kind}" for kind in untold]


def refunded(stripe: Any, payment: str) -> list[Any]:
    """The payment's refunds: of a return that was given up before there was one, nothing was to be taken back."""
    return [row for row in stripe["refunds"] if payment in (row["payment_intent"], row["charge"])]


def compared(wanted: Any, found: Any) -> list[str]:
    """The lines in which two things that were made canonical differ, - where wanted and + where found."""
    if wanted == found:
        return []
    first, second = (pformat(one, width=200).splitlines() for one in (wanted, found))
    return [line for line in ndiff(first, second) if line[0] in "-+"]


def half_way(story: Story, now: Any, steps: Sequence[str] | None) -> list[str]:
    """What is wrong with the books of a correction that was given up: they are as before, or corrected."""
    lines = [] if now in (story.before, story.books) else compared(story.books, now)
    more = Counter(steps or ()) - Counter(story.steps)
    return lines + [f"I10 the trail has {count} {step} too many" for step, count in more.items()]


def different(story: Story, now: Any, who: Any, steps: Sequence[str] | None) -> list[str]:
    """The lines in which the books, or the trail, differ from those of an undisturbed payment."""
    lines = []
    if steps is not None and tuple(steps) != story.steps:
        lines.append(f"I10 the trail has {list(steps)}, not {list(story.steps)}")
    return lines + compared(story.books, now) + compared(story.people, who)


def _names(row: Any) -> tuple[str, str | None]:
    return row["id"], row.get("payment_intent")


def _of(zoho: Any, kind: str, reference: str) -> list[Any]:
    return [row for row in zoho[kind] if row["reference_number"] == reference]


def _mentions(row: Any, stands: Collection[str]) -> bool:
    named = (value for name, value in row["metadata"].items() if name.startswith("zoho_") and value)
    return any(value not in stands for value in named)


def _standing(zoho: Any) -> set[str]:
    """What a refund may name though its run was taken back: its return or adjustment, a credit note of people's."""
    returns = {row["salesreturn_id"] for row in zoho["salesreturns"]}
    notes = {row["creditnote_id"] for row in zoho["creditnotes"] if row["status"] == "open"}
    return returns | notes | set(came_back(zoho))


def _plain(value: Any) -> Any:
    """Without numbers that count what was before, and with one name for everybody."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if not _COUNTS.search(key)}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return re.sub(r"(?i)q\d+q", "somebody", value) if isinstance(value, str) else value
