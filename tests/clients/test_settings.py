"""Settings and connections: what is accepted, what is refused, and that no refusal repeats a secret."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients.connections import Connection, load_connections
from clients.errors import SettingsError
from clients.keys import KeyRing
from clients.settings import Settings, ensure_keys, load_settings, read_keys

GOOD = """
[connections.shop.stripe]
account_id = "acct_1Shop"
livemode = false
api_key = "rk_test_abc"
webhook_secrets = ["whsec_one", "whsec_two"]
api_base = "http://127.0.0.1:9001/"
[connections.shop.zoho]
organization_id = "10234695"
client_id = "1000.client"
client_secret = "zoho-secret"
refresh_token = "1000.refresh"
[connections.shop.policy]
settle_wait = 0.05
[connections.shop.mapping]
sku_keys = ["sku", "article"]
"""


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("THROUGHLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def connections_of(text: str, folder: Path, mode: int = 0o644) -> dict[str, Connection]:
    path = folder / "connections.toml"
    path.write_text(text)
    path.chmod(mode)
    return load_connections(path)


def refusal(text: str, folder: Path, mode: int = 0o644) -> str:
    with pytest.raises(SettingsError) as caught:
        connections_of(text, folder, mode)
    return str(caught.value)


def live(text: str) -> str:
    return text.replace("livemode = false", "livemode = true").replace("http://127.0.0.1:9001/", "")


def test_defaults_need_nothing() -> None:
    """An install without any setting has a SQLite store in its home and a local Temporal."""
    settings = load_settings()
    assert settings.database_url() == f"sqlite+aiosqlite:///{Path.cwd()}/.throughline/store.db"
    assert (settings.temporal_address, settings.ingress_port) == ("127.0.0.1:7233", 8080)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable overrides the TOML file, the file overrides the default, and an empty variable is none."""
    config = tmp_path / "other.toml"
    config.write_text('ingress_port = 9000\nlog_level = "debug"\n')
    monkeypatch.setenv("THROUGHLINE_CONFIG", str(config))
    monkeypatch.setenv("THROUGHLINE_INGRESS_PORT", "9100")
    monkeypatch.setenv("THROUGHLINE_LOG_LEVEL", "")
    settings = load_settings()
    assert (settings.ingress_port, settings.log_level) == (9100, "DEBUG")


def test_throughline_toml_of_the_folder_is_read(tmp_path: Path) -> None:
    """Without THROUGHLINE_CONFIG the file throughline.toml of the current folder counts."""
    (tmp_path / "throughline.toml").write_text('temporal_namespace = "shop"\n')
    assert load_settings().temporal_namespace == "shop"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("ingres_port = 1", "ingres_port is no setting: did you mean ingress_port?"),
        ("ingress_port = 70000", "ingress_port"),
        ('temporal_address = "somewhere"', "host:port"),
        ('store_url = "mysql://root:hunter2@db/x"', "postgresql+asyncpg://"),
        ("ingress_port = ", "not valid TOML"),
        ('log_level = "loud"', "log_level"),
    ],
)
def test_a_wrong_setting_is_named(toml: str, says: str, tmp_path: Path) -> None:
    """Each wrong line of the file is refused by its name, and a password in it is not repeated."""
    (tmp_path / "throughline.toml").write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A near miss in the environment is refused; an unrelated variable with our prefix is left alone."""
    monkeypatch.setenv("THROUGHLINE_SHOP_STRIPE_KEY", "rk_test_abc")
    load_settings()
    monkeypatch.setenv("THROUGHLINE_STORE_ULR", "sqlite+aiosqlite:///x")
    with pytest.raises(SettingsError, match="did you mean THROUGHLINE_STORE_URL"):
        load_settings()


def test_a_config_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """THROUGHLINE_CONFIG that names no file is an error, not a silent default."""
    monkeypatch.setenv("THROUGHLINE_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_settings()


def test_settings_do_not_show_secrets() -> None:
    """Neither the store's password nor a key is in the printed settings."""
    settings = Settings(store_url="postgresql+asyncpg://u:hunter2@db/x", keys="k1:c2VjcmV0")
    assert "hunter2" not in repr(settings)
    assert "c2VjcmV0" not in repr(settings)


def test_first_use_makes_one_private_key(tmp_path: Path) -> None:
    """Twenty callers at once get one key file, readable by its owner alone, and later calls keep it."""
    home = tmp_path / "home"
    with ThreadPoolExecutor(20) as pool:
        texts = {path.read_text() for path in pool.map(lambda _: ensure_keys(home), range(20))}
    assert len(texts) == 1
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o600
    assert sorted(file.name for file in home.iterdir()) == ["keys"]
    assert read_keys(load_settings(home=home)) == KeyRing.from_text(texts.pop())


def test_keys_come_inline_or_from_a_named_file(tmp_path: Path) -> None:
    """Keys of the settings win over a file; a named file is never made, a missing one is refused."""
    ring = KeyRing.generate("new")
    (tmp_path / "ring").write_text(ring.to_text() + "\n")
    assert read_keys(load_settings(keys_file=tmp_path / "ring")) == ring
    assert read_keys(load_settings(keys=ring.to_text(), keys_file=tmp_path / "nowhere")) == ring
    with pytest.raises(SettingsError, match="keys_file"):
        read_keys(load_settings(keys_file=tmp_path / "nowhere"))


def test_a_connection_is_read_whole(tmp_path: Path) -> None:
    """Accounts, secrets, policy and mapping of a connection arrive, and its secrets print as stars."""
    shop = connections_of(GOOD, tmp_path)["shop"]
    assert shop.slug == "shop"
    assert shop.stripe.api_base == "http://127.0.0.1:9001"
    assert [secret.get_secret_value() for secret in shop.stripe.webhook_secrets] == ["whsec_one", "whsec_two"]
    assert shop.policy.settle_wait.total_seconds() == 0.05
    assert shop.mapping.sku_keys == ("sku", "article")
    assert not any(secret in repr(shop) for secret in ("rk_test_abc", "whsec_one", "zoho-secret", "1000.refresh"))


def test_a_shop_without_webhooks_is_swept_more_often(tmp_path: Path) -> None:
    """`pull` needs no secret; its sweeps come every half minute, or as often as the shop says."""
    pulled = GOOD.replace('webhook_secrets = ["whsec_one", "whsec_two"]', "pull = true")
    shop = connections_of(pulled, tmp_path)["shop"]
    assert (shop.stripe.webhook_secrets, shop.sweeps().pull) == ((), True)
    assert shop.sweep.step(pull=True).total_seconds() == 30
    assert shop.sweep.step(pull=False).total_seconds() == 600
    quick = pulled.replace(
        "[connections.shop.policy]", "[connections.shop.sweep]\nevery = 10\n[connections.shop.policy]"
    )
    assert connections_of(quick, tmp_path)["shop"].sweep.step(pull=True).total_seconds() == 10


def test_secrets_come_from_files_and_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`_file` is read beside the connections file, `_env` from the environment, lists from several."""
    (tmp_path / "key").write_text("rk_test_filed\n")
    (tmp_path / "hooks").write_text("whsec_a\nwhsec_b\n")
    monkeypatch.setenv("SHOP_ZOHO_SECRET", "from-env")
    text = (
        GOOD.replace('api_key = "rk_test_abc"', 'api_key_file = "key"')
        .replace('webhook_secrets = ["whsec_one", "whsec_two"]', 'webhook_secrets_file = ["hooks"]')
        .replace('client_secret = "zoho-secret"', 'client_secret_env = "SHOP_ZOHO_SECRET"')
    )
    shop = connections_of(text, tmp_path)["shop"]
    assert shop.stripe.api_key.get_secret_value() == "rk_test_filed"
    assert [secret.get_secret_value() for secret in shop.stripe.webhook_secrets] == ["whsec_a", "whsec_b"]
    assert shop.zoho.client_secret.get_secret_value() == "from-env"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("account_id", "acount_id", "stripe.acount_id is no setting: did you mean account_id?"),
        ("[connections.shop.mapping]", "[connections.shop.maping]", "did you mean mapping?"),
        ("sku_keys", "sku_key", "did you mean sku_keys?"),
        ("connections.shop", "connection.shop", "did you mean connections?"),
        ("connections.shop", "connections.Shop_1", "a-z, 0-9 and -"),
        ("connections.shop", f"connections.{'s' * 40}", "1 to 39"),
        ('client_id = "1000.client"', "", "zoho.client_id is missing"),
        ('client_id = "1000.client"', 'data_center = "usa"\nclient_id = "c"', "us, eu, in"),
        (
            'client_id = "1000.client"',
            'client_id = "c"\nwebhook_secrets = ["Abcdefgh1234", ""]',
            "zoho.webhook_secrets",
        ),
        ('client_id = "1000.client"', 'client_id = "c"\nwebhook_secrets = ["guess-me"]', "twelve characters"),
        ("rk_test_abc", "rk_live_abc", "rk_test_"),
        ("rk_test_abc", "pk_test_abc", "rk_test_"),
        ("whsec_two", "two", "whsec_"),
        ('["whsec_one", "whsec_two"]', "[]", "webhook_secrets is missing: set it, or pull = true"),
        ("livemode = false", "livemode = false\npull = true", "webhook_secrets that there is: keep one of them"),
        (
            "[connections.shop.policy]",
            "[connections.shop.payouts]\nhour = 24\n[connections.shop.policy]",
            "payouts.hour",
        ),
        (
            "[connections.shop.policy]",
            '[connections.shop]\ntime_zone = "Europe/Berlim"\n[connections.shop.policy]',
            "'Europe/Berlim' is no time zone: write an IANA name",
        ),
        (
            "[connections.shop.policy]",
            "[connections.shop.sweep]\nevery = 0.5\n[connections.shop.policy]",
            "sweep.every",
        ),
        ("http://127.0.0.1:9001/", "ftp://files", "http or https"),
        ("http://127.0.0.1:9001/", "http://me:pw@host", "without user"),
        ('"10234695"', "10234695", "zoho.organization_id"),
        ('api_key = "rk_test_abc"', 'api_key_env = "NOT_SET"', "NOT_SET is not set"),
        ('api_key = "rk_test_abc"', 'api_key_file = "nowhere"', "cannot be read"),
        ('api_key = "rk_test_abc"', 'api_key = "rk_test_abc"\napi_key_env = "X"', "keep one of them"),
        ("livemode = false", 'livemode = "perhaps"', "stripe.livemode"),
        ("[connections.shop.stripe]", "[connections.shop.stripe", "not valid TOML"),
    ],
)
def test_a_wrong_connection_is_named(old: str, new: str, says: str, tmp_path: Path) -> None:
    """Each mistake is refused with the file, its name and the cure, and no secret is repeated."""
    said = refusal(GOOD.replace(old, new), tmp_path)
    assert says in said
    assert "connections.toml" in said
    assert not any(secret in said for secret in ("_abc", "whsec_one", "zoho-secret", "1000.refresh", "pw@"))


def test_a_file_without_connections_is_refused(tmp_path: Path) -> None:
    """A missing or an empty file is a sentence, not an install that does nothing."""
    assert "add a table" in refusal("", tmp_path)
    with pytest.raises(SettingsError, match="THROUGHLINE_CONNECTIONS_FILE"):
        load_connections(tmp_path / "other.toml")


def test_one_pair_is_one_connection(tmp_path: Path) -> None:
    """The same Stripe account and Zoho organisation under two names would write everything twice: refused."""
    assert "same pair" in refusal(GOOD + GOOD.replace("connections.shop", "connections.twin"), tmp_path)


def test_live_mode_wants_a_restricted_key(tmp_path: Path) -> None:
    """An unrestricted live key is refused unless it is allowed by name; a restricted one needs nothing."""
    secret_key = live(GOOD).replace("rk_test_abc", "sk_live_abc")
    assert "allow_secret_key" in refusal(secret_key, tmp_path, 0o600)
    allowed = secret_key.replace("livemode = true", "livemode = true\nallow_secret_key = true")
    assert connections_of(allowed, tmp_path, 0o600)["shop"].stripe.livemode
    assert connections_of(live(GOOD).replace("rk_test_abc", "rk_live_abc"), tmp_path, 0o600)


def test_live_mode_wants_private_files(tmp_path: Path) -> None:
    """In live mode a file with a secret that others may read is refused, the connections file included."""
    text = live(GOOD).replace("rk_test_abc", "rk_live_abc")
    assert "chmod 600" in refusal(text, tmp_path, 0o644)
    key = tmp_path / "key"
    key.write_text("rk_live_filed")
    key.chmod(0o640)
    filed = text.replace('api_key = "rk_live_abc"', 'api_key_file = "key"')
    assert f"chmod 600 {key}" in refusal(filed, tmp_path, 0o600)
    key.chmod(0o600)
    assert connections_of(filed, tmp_path, 0o600)


def test_live_mode_wants_https(tmp_path: Path) -> None:
    """A live key never goes to a plain http address."""
    text = GOOD.replace("livemode = false", "livemode = true").replace("rk_test_abc", "rk_live_abc")
    assert "https in live mode" in refusal(text, tmp_path, 0o600)
