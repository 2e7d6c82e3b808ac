"""What Zoho is sent: exactly the fields its API takes, by its own names.

Amounts are Decimals in major units of the contact's currency (a document has no currency of its own). Absent
fields (None, "", no entries) are left out of the request. Source: Zoho Inventory's OpenAPI files; `discount`
of a line and `api_name` of a custom field are documented for Zoho Books, which shares the documents.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class Document(BaseModel):
    """A body of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def body(self) -> dict[str, object]:
        """The JSON object to send, still with Decimals and dates."""
        return _present(self.model_dump())


def _present(fields: dict[str, object]) -> dict[str, object]:
    kept = {key: _entry(value) for key, value in fields.items()}
    return {key: value for key, value in kept.items() if value not in (None, "", [], {})}


def _entry(value: object) -> object:
    if isinstance(value, dict):
        return _present(value)
    if isinstance(value, (list, tuple)):
        return [_entry(entry) for entry in value]
    return value


class CustomField(Document):
    """A value for a custom field, named by any one of its three names."""

    api_name: str = ""
    label: str = ""
    customfield_id: str = ""
    value: str | Decimal | bool


class NewComment(Document):
    """A sentence in a document's history."""

    description: str = Field(min_length=1, max_length=500)
