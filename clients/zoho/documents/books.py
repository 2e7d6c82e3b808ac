"""What Zoho Books is sent: transfers of funds and journals. Source: its OpenAPI files."""

from __future__ import annotations

from datetime import date as Date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from clients.zoho.documents import Document


class NewTransfer(Document):
    """Money that went from one account to another, in the organisation's own currency."""

    transaction_type: Literal["transfer_fund"] = "transfer_fund"
    from_account_id: str = Field(min_length=1)
    to_account_id: str = Field(min_length=1)
    amount: Decimal = Field(gt=0)
    date: Date
    reference_number: str = Field(min_length=1, max_length=100)
    description: str = Field(default="", max_length=500)


class NewJournalLine(Document):
    """A debit or a credit."""

    account_id: str = Field(min_length=1)
    debit_or_credit: Literal["debit", "credit"]
    amount: Decimal = Field(gt=0)


class NewJournal(Document):
    """Debits and credits that balance, in the organisation's own currency. They count at once."""

    journal_date: Date
    reference_number: str = Field(min_length=1, max_length=100)
    notes: str = Field(default="", max_length=500)
    status: Literal["published"] = "published"
    line_items: tuple[NewJournalLine, ...] = Field(min_length=2)
