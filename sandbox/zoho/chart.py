"""The chart of accounts of Zoho Books, and how every app names one of its accounts."""

from __future__ import annotations

from sandbox.zoho import errors
from sandbox.zoho.listing import Listing
from sandbox.zoho.routing import BOOKS, Answer, Call, Route
from sandbox.zoho.wire import Row
from sandbox.zoho.world import Organization

#: Between these funds are transferred (documented of banks and cards only).
FUNDS = ("bank", "credit_card", "cash", "payment_clearing")


def new_account(org: Organization, given: Row) -> Row:
    """An account of the chart; seeds name its `account_type`, others are assets."""
    return {
        "account_id": given.get("account_id") or org.world.new_id(),
        "account_name": given["account_name"],
        "account_type": given.get("account_type", "other_current_asset"),
        "is_active": given.get("is_active", True),
    }


def account_named(org: Organization, account_id: str) -> Row:
    """The active account with that id; refuses with 1002 where there is none."""
    for row in org.settings["accounts"]:
        if row["account_id"] == account_id and row.get("is_active", True):
            return dict(row)
    raise errors.missing("Account")


def _show(row: Row) -> Row:
    return {
        "account_id": row["account_id"],
        "account_name": row["account_name"],
        "account_code": "",
        "account_type": row.get("account_type", "other_current_asset"),
        "description": "",
        "is_user_created": True,
        "is_system_account": False,
        "is_standalone_account": False,
        "is_active": row.get("is_active", True),
        "can_show_in_ze": True,
        "is_involved_in_transaction": False,
        "current_balance": "",
        "parent_account_id": "",
        "parent_account_name": "",
        "depth": 0,
        "has_attachment": False,
        "is_child_present": False,
        "child_count": "",
        "documents": [],
    }


_LISTED = Listing("", "chartofaccounts", "Chart of Accounts", lambda call, row: row)


def _list(call: Call) -> Answer:
    wanted = call.query.get("filter_by", "AccountType.All")
    states = {"AccountType.Active": (True,), "AccountType.Inactive": (False,)}.get(wanted, (True, False))
    rows = [_show(row) for row in call.org.settings["accounts"] if row.get("is_active", True) in states]
    return _LISTED.page(call, sorted(rows, key=lambda row: str(row["account_name"]).casefold()))


ROUTES = [Route("GET", "/chartofaccounts", "accountants.READ", _list, family=BOOKS)]
