"""The example that people copy works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clients.connections import load_connections

EXAMPLE = Path(__file__).parent.parent.parent / "connections.example.toml"
SECRETS = {
    "SHOP_STRIPE_KEY": "rk_live_example",
    "SHOP_WEBHOOK_SECRET": "whsec_example",
    "SHOP_ZOHO_CLIENT_SECRET": "client-secret",
    "SHOP_ZOHO_REFRESH_TOKEN": "1000.refresh",
    "SHOP_NOTIFY": "json://localhost",
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the example names."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


def test_the_example_of_connections_loads() -> None:
    """Copied with its variables set, the example is one live connection."""
    shop = load_connections(EXAMPLE)["shop"]
    assert shop.stripe.livemode
    assert shop.stripe.api_key.get_secret_value() == "rk_live_example"
    assert shop.policy.unpaid_patience.days == 7
    assert shop.mapping.shipping_sku == "SHIPPING"


def test_what_the_example_has_commented_out_loads_too(tmp_path: Path) -> None:
    """Every setting that waits behind a comment sign is a real one."""
    path = tmp_path / "connections.toml"
    path.write_text(re.sub(r"^# (?=\[|\w+ = )", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    shop = load_connections(path)["shop"]
    assert shop.stripe.allow_secret_key
    assert [secret.get_secret_value() for secret in shop.notify] == ["json://localhost"]
