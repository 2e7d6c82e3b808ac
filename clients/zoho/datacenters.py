"""Zoho's data centres. A token of one is worthless in another, and Canada does not follow the pattern.

Source: Zoho's OAuth pages and public code; `uk` and `ae` exist in the wild, but no page of Zoho's was read
for them.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from clients.errors import SettingsError


class DataCenter(BaseModel):
    """The two hosts of a data centre, as base addresses without a path or a slash at the end."""

    model_config = ConfigDict(frozen=True)

    accounts: str
    api: str


DATA_CENTERS = {
    "us": DataCenter(accounts="https://accounts.zoho.com", api="https://www.zohoapis.com"),
    "eu": DataCenter(accounts="https://accounts.zoho.eu", api="https://www.zohoapis.eu"),
    "in": DataCenter(accounts="https://accounts.zoho.in", api="https://www.zohoapis.in"),
    "au": DataCenter(accounts="https://accounts.zoho.com.au", api="https://www.zohoapis.com.au"),
    "jp": DataCenter(accounts="https://accounts.zoho.jp", api="https://www.zohoapis.jp"),
    "ca": DataCenter(accounts="https://accounts.zohocloud.ca", api="https://www.zohoapis.ca"),
    "sa": DataCenter(accounts="https://accounts.zoho.sa", api="https://www.zohoapis.sa"),
    "cn": DataCenter(accounts="https://accounts.zoho.com.cn", api="https://www.zohoapis.com.cn"),
    "uk": DataCenter(accounts="https://accounts.zoho.uk", api="https://www.zohoapis.uk"),
    "ae": DataCenter(accounts="https://accounts.zoho.ae", api="https://www.zohoapis.ae"),
}
_KNOWN_APIS = frozenset(center.api for center in DATA_CENTERS.values())


class Hosts(BaseModel):
    """Where one organisation is spoken to. `fixed_api` wins over whatever a token answer says."""

    model_config = ConfigDict(frozen=True)

    accounts: str
    api: str
    fixed_api: bool = False

    def api_for(self, api_domain: str) -> str | None:
        """The API's base address for a token whose answer said `api_domain` ("" = nothing).

        None where the answer names a host that nobody knows: the token must not be sent there.
        """
        named = api_domain.rstrip("/")
        if self.fixed_api or not named:
            return self.api
        return named if named in _KNOWN_APIS else None


def hosts(data_center: str, *, accounts_base: str = "", api_base: str = "") -> Hosts:
    """The hosts of a data centre ("us", "eu", ...), each replaced where a base address is given.

    SettingsError for a data centre that is not in the table.
    """
    center = DATA_CENTERS.get(data_center.lower())
    if center is None:
        known = ", ".join(DATA_CENTERS)
        raise SettingsError(f"zoho.data_center {data_center!r} is unknown: write one of {known}")
    return Hosts(
        accounts=(accounts_base or center.accounts).rstrip("/"),
        api=(api_base or center.api).rstrip("/"),
        fixed_api=bool(api_base),
    )
