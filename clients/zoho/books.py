"""Zoho Books of one organisation: its accounts, transfers between them and journals, one HTTP request a method."""

from __future__ import annotations

from clients.errors import NotFound, Refused
from clients.zoho.caller import MOST_ROWS, Caller, path
from clients.zoho.codec import BOOKS, Request
from clients.zoho.documents.books import NewJournal, NewJournalLine, NewTransfer
from clients.zoho.records.books import BankTransaction, BookAccount, Journal, JournalRow
from clients.zoho.translation.amounts import exact
from domain.book_accounts import NamedAccount
from domain.books import JournalInput, JournalSeen, Posted, Side, TransferInput, TransferSeen
from domain.money import Money


class ZohoBooks:
    """What a payout asks of Books. A ClientError that a method raises says whether it may have happened."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def accounts(self, page: int) -> tuple[list[NamedAccount], bool]:
        """A page of the active accounts, the first is 1, and whether another follows."""
        query = {"filter_by": "AccountType.Active", "page": str(page), "per_page": MOST_ROWS}
        rows, more = await self._caller.rows(_get("/chartofaccounts", query), BookAccount, "chartofaccounts")
        active = [row for row in rows if row.is_active]
        return [NamedAccount(name=row.account_name.strip(), account_id=row.account_id) for row in active], more

    async def transfer(self, wanted: TransferInput) -> str:
        """The id of a transfer that is made now. Twice makes two."""
        one = wanted.transfer
        body = NewTransfer(
            from_account_id=one.source,
            to_account_id=one.target,
            amount=one.money.decimal(),
            date=one.day,
            reference_number=one.reference,
            description=wanted.says,
        )
        request = Request("POST", "/banktransactions", body=body.body(), root=BOOKS)
        return (await self._caller.one(request, BankTransaction, "banktransaction")).transaction_id

    async def find_transactions(self, reference: str) -> list[str]:
        """The ids of the bank transactions with exactly this reference, of whatever type; each once."""
        wanted = {"reference_number": reference}
        rows = await self._caller.find("/banktransactions", BankTransaction, "banktransactions", wanted, root=BOOKS)
        return list(dict.fromkeys(row.transaction_id for row in rows))

    async def transaction(self, transaction_id: str, currency: str) -> TransferSeen | None:
        """A bank transaction, in `currency` unless it says another; None where there is none of that id."""
        request = _get(path("banktransactions", transaction_id))
        try:
            row = await self._caller.one(request, BankTransaction, "banktransaction")
        except NotFound:
            return None
        return TransferSeen(
            document_id=row.transaction_id,
            kind=row.transaction_type,
            source=row.from_account_id,
            target=row.to_account_id,
            money=exact(row.amount, row.currency_code or currency),
        )

    async def delete_transaction(self, transaction_id: str) -> None:
        """The transaction is no more; nothing happens where it was gone already."""
        await self._delete(path("banktransactions", transaction_id))

    async def journal(self, wanted: JournalInput) -> str:
        """The id of a journal that is posted now. Twice makes two."""
        lines = tuple(
            NewJournalLine(
                account_id=side.account,
                debit_or_credit="debit" if side.money.minor > 0 else "credit",
                amount=abs(side.money).decimal(),
            )
            for side in wanted.sides
        )
        body = NewJournal(
            journal_date=wanted.day, reference_number=wanted.reference, notes=wanted.says, line_items=lines
        )
        request = Request("POST", "/journals", body=body.body(), root=BOOKS)
        return (await self._caller.one(request, Journal, "journal")).journal_id

    async def find_journals(self, stem: str) -> list[Posted]:
        """The journals whose reference begins so, without their lines.

        Refused ("filter_ignored") where the list shows others only and goes on: then nothing was learnt.
        """
        request = _get("/journals", {"reference_number_startswith": stem, "per_page": MOST_ROWS})
        rows, more = await self._caller.rows(request, JournalRow, "journals")
        ours = [row for row in rows if row.reference_number.startswith(stem)]
        if rows and more and not ours:
            raise Refused("zoho", f"{request}: the filter on the reference was ignored", code="filter_ignored")
        return [Posted(document_id=row.journal_id, reference=row.reference_number) for row in ours]

    async def journal_seen(self, journal_id: str, currency: str) -> JournalSeen | None:
        """A journal with its lines, in `currency` unless it says another; None where there is none of that id."""
        try:
            found = await self._caller.one(_get(path("journals", journal_id)), Journal, "journal")
        except NotFound:
            return None
        sides = [
            _side(line.account_id, exact(line.amount, found.currency_code or currency), line.debit_or_credit == "debit")
            for line in found.line_items
        ]
        known = tuple(side for side in sides if side is not None)
        return JournalSeen(
            document_id=found.journal_id,
            reference=found.reference_number,
            status=found.status,
            sides=known if len(known) == len(sides) else None,
        )

    async def delete_journal(self, journal_id: str) -> None:
        """The journal is no more; nothing happens where it was gone already."""
        await self._delete(path("journals", journal_id))

    async def _delete(self, place: str) -> None:
        try:
            await self._caller.call(Request("DELETE", place, root=BOOKS))
        except NotFound:
            return


def _get(place: str, params: dict[str, str] | None = None) -> Request:
    return Request("GET", place, params or {}, root=BOOKS)


def _side(account: str, money: Money | None, debit: bool) -> Side | None:
    return None if money is None else Side(account=account, money=money if debit else -money)
