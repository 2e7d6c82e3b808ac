"""What Zoho answers: tolerant at the edge. Unset values ("" or null) are absent, unknown fields are kept.

Ids are strings of 18 or 19 digits, amounts Decimals in major units of the document's currency, dates and
times as Zoho writes them (the organisation's zone). Field names come from recorded live answers and
Zoho's OpenAPI files.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Record(BaseModel):
    """Any object of Zoho's."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _absent(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None and value != ""}


class Comment(Record):
    """A line of a document's history."""

    description: str = ""
    commented_by: str = ""
    operation_type: str = ""
