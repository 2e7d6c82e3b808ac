"""A postal address in Zoho's names, the same whether it is answered or sent."""

from __future__ import annotations

from pydantic import BaseModel


class PostalFields(BaseModel):
    """`attention` is the person, `address` the first line of the street."""

    attention: str = ""
    address: str = ""
    street2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""
    phone: str = ""
