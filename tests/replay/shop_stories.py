"""Stories of a shop, and of no one payment: payouts, checks, sweeps, lists that are read, events without a name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from temporalio.exceptions import ApplicationError

from domain.book_accounts import AccountsFound, NamedAccount
from domain.books import JournalSeen
from domain.missing import Missing, MissingLine
from domain.order_polls import ListedOrders
from domain.payout_checks import PayoutsLooked
from domain.payouts import LineKind, PayoutKind
from domain.policy import PaymentPolicy
from domain.receipts import ReceiptFound
from domain.reconciling import Certified, PageKept
from domain.sweeps import Looked, Why
from tests.workflows.books import Books
from tests.workflows.samples import (
    ANSWERS,
    PAYOUT,
    TOTAL,
)
from tests.workflows.test_order_polls import (
    ASKS,
    BEGUN,
    BOTH,
    DRAWN,
    EVERY_LIST,
    PAGE,
    RARELY,
    RESTOCKED,
    TELLS,
    USUAL,
)
from tests.workflows.test_payout_checks import lacking
from tests.workflows.test_return_polls import LAST, NEW
from tests.workflows.test_sweeps import gap

_LACKING = MissingLine(
    transaction_id="txn_1",
    kind=LineKind.CHARGE,
    source_id="ch_1",
    payment_id="pi_1",
    money=TOTAL,
    at=datetime(2026, 11, 3, tzinfo=UTC),
)
# Payouts: reconciled later and in two pages, one that is uncertain, one whose line lacked its payment, one that is not
# itemised.
PAYOUTS: dict[str, dict[str, Any]] = {
    "payout-certified": {
        "fetch_payout": [PAYOUT.model_copy(update={"settled": False}), PAYOUT],
        "keep_payout_page": [PageKept(lines=100, net=TOTAL, after="txn_100"), PageKept(lines=1, net=TOTAL)],
    },
    "payout-uncertain": {"certify_payout": Certified(version=1, hash="0" * 64, asks=("txn_1 looks like zp_1",))},
    "payout-posted": {
        **Books(lost={("post", "transfer"): True, ("post", "journal"): False}).answers(),
        "find_book_accounts": [
            AccountsFound(accounts=(NamedAccount(name="Bank", account_id="2"),), more=True),
            ANSWERS["find_book_accounts"],
        ],
    },
    "payout-posted-and-aborted": {
        **Books().answers(),
        "read_journal": [JournalSeen(document_id="j", reference="r", status="draft", sides=()), None],
    },
    "payout-filled": {
        "list_missing": [Missing(lines=(_LACKING,)), Missing(lines=(_LACKING,)), Missing()],
        "find_receipt": ReceiptFound(),
    },
    "payout-manual": {"fetch_payout": PAYOUT.model_copy(update={"kind": PayoutKind.MANUAL, "itemised": False})},
}
# Checks of payouts that a schedule started: one from before what was open was matched again, that finds some lacking
# and goes on with another page, and one that does.
CHECKS: dict[str, dict[str, Any]] = {
    "payout-check": {
        "look_at_payouts": [
            PayoutsLooked(lacking=(lacking("po_1"),), count=100, certified=99, after="po_100"),
            PayoutsLooked(count=1, certified=1),
        ]
    },
    "payout-check-of-what-was-open": {"look_at_open_payouts": PayoutsLooked(lacking=(lacking("po_1"),), matched=1)},
}
# Sweeps: one that finds gaps on several pages, one that takes several histories, one of a schedule from before sweeps
# looked at the quota, and one that does.
SWEEPS: dict[str, dict[str, Any]] = {
    "sweep-gaps": {
        "look_at_events": [Looked(count=100, after="evt_100", gaps=(gap("pi_1"),)), Looked(count=7)],
        "look_at_balance": Looked(count=3, gaps=(gap("pi_2"),)),
    },
    "sweep-windows": {},
    "sweep-regular": {"look_at_received": Looked(count=2, gaps=(gap("pi_3", Why.NO_RUN),))},
    "sweep-watches-quota": {},
}
# What people changed in Zoho, read once: in documents, and in all that is read.
ORDER_POLLS: dict[str, tuple[dict[str, Any], PaymentPolicy]] = {
    "order-poll": (
        {
            "begin_order_poll": BEGUN.model_copy(update={"due": (DRAWN,)}),
            "list_changed": [PAGE, ListedOrders()],
            "see_order": ASKS,
        },
        BOTH,
    ),
    "order-poll-of-every-list": (EVERY_LIST, USUAL),
    "order-poll-tells-shipment": ({"list_changed": [PAGE, ListedOrders()], "see_order": TELLS}, RARELY),
    "order-poll-restocked": (RESTOCKED, USUAL),
}
# The lists, each read once.
POLLS: dict[str, dict[str, Any]] = {
    "return-poll": {"list_returns": [NEW, LAST]},
    "return-poll-told": {"list_returns": [NEW, LAST]},
    "adjustment-poll": {"list_proposals": [NEW, LAST]},
}
# Events that do not name their payment.
RESOLVES: dict[str, dict[str, Any]] = {
    "resolve": {},
    "resolve-refused": {
        "resolve_payment": [
            ApplicationError("no right", type="Refused", non_retryable=True),
            ANSWERS["resolve_payment"],
        ]
    },
}
