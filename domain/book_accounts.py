"""Which accounts of Zoho Books the names in a connection mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.payments import Fact
from domain.runs import PaymentRef


class AccountsInput(PaymentRef):
    """A page of the chart of accounts, to be searched for these names."""

    names: tuple[str, ...]
    page: int = 1


class NamedAccount(Fact):
    """An account of Books."""

    name: str
    account_id: str


class AccountsFound(Fact):
    """The accounts of a page that have one of the names."""

    accounts: tuple[NamedAccount, ...] = ()
    more: bool = False


def account_faults(names: Iterable[str], found: Iterable[NamedAccount]) -> list[str]:
    """Which of the names no account of Books has, and which several have."""
    known: dict[str, set[str]] = {}
    for one in found:
        known.setdefault(one.name, set()).add(one.account_id)
    faults = []
    for name in names:
        count = len(known.get(name, ()))
        if count != 1:
            faults.append(f"{name!r} is " + ("no active account" if not count else f"the name of {count} accounts"))
    return faults


def deposit_fault(clearing: str, deposit: str, ids: Mapping[str, str]) -> str:
    """Why payouts must not be taken out of the account `clearing`: payments come to another one. "" where they fit."""
    if not deposit or clearing not in ids or ids[clearing] == deposit:
        return ""
    return (
        f"payments come to the account {deposit} (mapping.deposit_account_id), and accounts.clearing, {clearing!r}, is"
        f" {ids[clearing]}: make both the same"
    )


ACCOUNTS_CURE = (
    "make the account in Zoho Books, or write the name of one that is there into the connection's accounts; then"
    " restart the worker and retry"
)
