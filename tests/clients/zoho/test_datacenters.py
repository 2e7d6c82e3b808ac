"""Ten data centres, and no token for a host that nobody knows."""

from __future__ import annotations

import httpx
import pytest

from clients.errors import SettingsError, TokenRefused
from clients.zoho.datacenters import DATA_CENTERS, hosts
from clients.zoho.tokens import MemoryTokens
from tests.clients.zoho.conftest import Clock, Zoho, answer


def test_canada_does_not_follow_the_pattern() -> None:
    """accounts.zohocloud.ca goes with www.zohoapis.ca."""
    canada = hosts("CA")
    assert (canada.accounts, canada.api) == ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca")


def test_an_unknown_data_centre_is_named_with_the_cure() -> None:
    """The sentence holds the wrong value and the right ones."""
    with pytest.raises(SettingsError, match=r"'mars' is unknown: write one of us, eu, in"):
        hosts("mars")


@pytest.mark.parametrize("center", sorted(DATA_CENTERS))
async def test_each_data_centre_is_spoken_to_at_its_own_hosts(center: str, zoho: Zoho, clock: Clock) -> None:
    """Tokens come from its accounts host; calls go to the host that the token's answer names."""
    api = DATA_CENTERS[center].api
    zoho.grants = [_granted(api)]
    zoho.says(answer({"taxes": []}))
    async with zoho.client(clock, data_center=center) as client:
        await client.list_taxes()
    assert str(zoho.refreshes[0].url) == f"{DATA_CENTERS[center].accounts}/oauth/v2/token"
    assert str(zoho.calls[0].url).startswith(f"{api}/inventory/v1/settings/taxes?organization_id=")


async def test_a_token_of_another_known_data_centre_is_used_there(zoho: Zoho, clock: Clock) -> None:
    """The answer's api_domain wins over the configured data centre's."""
    zoho.grants = [_granted("https://www.zohoapis.eu")]
    zoho.says(answer({"taxes": []}))
    async with zoho.client(clock, data_center="us") as client:
        await client.list_taxes()
    assert zoho.calls[0].url.host == "www.zohoapis.eu"


async def test_a_token_is_never_sent_to_an_unknown_host(zoho: Zoho, clock: Clock) -> None:
    """A token answer that names a foreign host is refused with a cure, also when the store brings it back."""
    zoho.grants = [_granted("https://zohoapis.evil.example")]
    zoho.says(answer({"taxes": []}))
    tokens = MemoryTokens()
    for _ in range(2):
        async with zoho.client(clock, tokens) as client:
            with pytest.raises(TokenRefused, match=r"evil\.example.*zoho\.api_base"):
                await client.list_taxes()
    assert zoho.calls == []


async def test_a_configured_base_wins_over_the_token_answer(zoho: Zoho, clock: Clock) -> None:
    """With api_base and accounts_base set nothing goes anywhere else."""
    zoho.grants = [_granted("https://www.zohoapis.com")]
    zoho.says(answer({"taxes": []}))
    api, accounts = "http://127.0.0.1:9001/", "http://127.0.0.1:9002"
    async with zoho.client(clock, api_base=api, accounts_base=accounts) as client:
        await client.list_taxes()
    assert str(zoho.refreshes[0].url) == "http://127.0.0.1:9002/oauth/v2/token"
    assert str(zoho.calls[0].url).startswith("http://127.0.0.1:9001/inventory/v1/settings/taxes?")


def _granted(api_domain: str) -> httpx.Response:
    return answer({"access_token": "token", "api_domain": api_domain, "expires_in": 3600})
