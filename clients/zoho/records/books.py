"""What Zoho Books answers about accounts, transfers of funds and journals. Source: its OpenAPI files."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from clients.zoho.records import Record


class BookAccount(Record):
    """An account of the chart."""

    account_id: str = Field(min_length=1)
    account_name: str = ""
    account_type: str = ""
    is_active: bool = True


class BankTransaction(Record):
    """A transaction of a bank account, with both ends only where it is read by its id."""

    transaction_id: str = Field(min_length=1)
    transaction_type: str = ""
    reference_number: str = ""
    from_account_id: str = ""
    to_account_id: str = ""
    amount: Decimal
    currency_code: str = ""


class JournalRow(Record):
    """A journal as a list shows it."""

    journal_id: str = Field(min_length=1)
    reference_number: str = ""


class JournalLine(Record):
    """A debit or a credit, in major units above zero."""

    account_id: str = Field(min_length=1)
    debit_or_credit: Literal["debit", "credit"]
    amount: Decimal


class Journal(JournalRow):
    """A journal with its lines."""

    status: str = ""
    currency_code: str = ""
    line_items: tuple[JournalLine, ...] = ()
