"""The pairs of one Stripe account and one Zoho organisation that an install serves, from one TOML file."""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from clients.errors import SettingsError
from clients.settings import explain, hint
from clients.zoho.datacenters import DATA_CENTERS
from domain.mapping_policy import MappingPolicy
from domain.payout_checks import PayoutCheckInput, PayoutPolicy
from domain.policy import PaymentPolicy
from domain.postings import AccountNames
from domain.sweeps import SweepInput, SweepPolicy

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
# Each may be written inline, as `<name>_file` (a path) or as `<name>_env` (a variable's name).
SECRETS = {"stripe": ("api_key",), "zoho": ("client_secret", "refresh_token")}
SECRET_LISTS = {"stripe": ("webhook_secrets",), "zoho": ("webhook_secrets",), "": ("notify",)}


class _Account(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @field_validator("api_base", "accounts_base", check_fields=False)
    @classmethod
    def _web_address(cls, base: str) -> str:
        parts = urlsplit(base)
        plain = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        if base and (not plain or parts.query or parts.fragment):
            raise ValueError("write an http or https address without user, query or fragment, or leave it out")
        return base.rstrip("/")


class StripeAccount(_Account):
    """One Stripe account in one mode. `api_base` "" = Stripe itself, else a sandbox's address.

    A live key has to be a restricted one (`rk_live_`) unless `allow_secret_key` says otherwise. `requests_per_second`,
    `requests_per_endpoint`: one worker process's share of what Stripe takes; 0 = all of it, 100 live and 25 in test.
    `pull`: there is no webhook endpoint, and so no secret; sweeps alone bring what happens.
    """

    account_id: str = Field(pattern=r"^acct_[A-Za-z0-9_]+$")
    livemode: bool
    api_key: SecretStr
    webhook_secrets: tuple[SecretStr, ...] = ()
    pull: bool = False
    api_base: str = ""
    allow_secret_key: bool = False
    requests_per_second: int = Field(default=0, ge=0)
    requests_per_endpoint: int = Field(default=25, ge=1)

    @field_validator("webhook_secrets")
    @classmethod
    def _signing_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(re.fullmatch(r"whsec_\S+", secret.get_secret_value()) for secret in secrets):
            raise ValueError("each starts with whsec_; copy it from the endpoint's page in Stripe's Dashboard")
        return secrets

    @model_validator(mode="after")
    def _pushed_or_pulled(self) -> StripeAccount:
        if self.pull and self.webhook_secrets:
            raise ValueError(
                "pull = true says that there is no webhook, webhook_secrets that there is: keep one of them"
            )
        if not self.pull and not self.webhook_secrets:
            raise ValueError(
                "webhook_secrets is missing: set it, or pull = true where Stripe cannot reach this machine"
            )
        return self

    @model_validator(mode="after")
    def _key_of_this_mode(self) -> StripeAccount:
        key, mode = self.api_key.get_secret_value(), "live" if self.livemode else "test"
        if not re.fullmatch(rf"[sr]k_{mode}_\S+", key):
            raise ValueError(f"livemode is {str(self.livemode).lower()}, so api_key has to start with rk_{mode}_")
        if key.startswith("sk_live_") and not self.allow_secret_key:
            raise ValueError(
                "api_key is an unrestricted live key: make a restricted one (rk_live_) or set allow_secret_key = true"
            )
        if self.livemode and self.api_base.startswith("http:"):
            raise ValueError("api_base has to be https in live mode")
        return self


class ZohoAccount(_Account):
    """One Zoho organisation and the client that may act for it. Empty bases = the data centre's own.

    `calls_at_once`, `calls_per_minute`: what Zoho allows the organisation, all workers together; 0 a minute = no
    pace of our own. `daily_reserve`: calls of the day that sweeps and backfills leave to live payments on top of what
    these will want.
    `webhook_secrets`: what Zoho's webhooks have to bring, any one of them; none = no webhook of Zoho's is taken.
    """

    data_center: str = "us"
    organization_id: str = Field(pattern=r"^[0-9]+$")
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = Field(min_length=1)
    refresh_token: SecretStr = Field(min_length=1)
    api_base: str = ""
    accounts_base: str = ""
    webhook_secrets: tuple[SecretStr, ...] = ()
    calls_at_once: int = Field(default=5, ge=1, le=1000)
    calls_per_minute: int = Field(default=100, ge=0, le=100_000)
    daily_reserve: int = Field(default=200, ge=0)

    @field_validator("webhook_secrets")
    @classmethod
    def _hard_to_guess(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not all(re.fullmatch(r"\S{12,}", secret.get_secret_value()) for secret in secrets):
            raise ValueError("each has twelve characters or more and no blanks; make one with: openssl rand -hex 16")
        return secrets

    @field_validator("data_center")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in DATA_CENTERS:
            raise ValueError(f"{name!r} is no data centre of Zoho: choose one of {', '.join(DATA_CENTERS)}")
        return name


class Connection(_Account):
    """One pair, with what the shop decided about it. `notify` are apprise URLs, which hold secrets; `accounts` are what
    the accounts of a payout are called in its books. `time_zone`: the IANA name of the zone that its months end in; ""
    = that of the Zoho organisation, and UTC for the hour at which payouts are checked.
    """

    slug: str
    stripe: StripeAccount
    zoho: ZohoAccount
    policy: PaymentPolicy = PaymentPolicy()
    mapping: MappingPolicy = MappingPolicy()
    accounts: AccountNames = AccountNames()
    sweep: SweepPolicy = SweepPolicy()
    payouts: PayoutPolicy = PayoutPolicy()
    time_zone: str = ""
    notify: tuple[SecretStr, ...] = ()

    @field_validator("slug")
    @classmethod
    def _short_name(cls, slug: str) -> str:
        if not SLUG.fullmatch(slug):
            raise ValueError("a connection's name has 1 to 39 of a-z, 0-9 and -, and starts with no -")
        return slug

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name and name not in available_timezones():
            raise ValueError(f"{name!r} is no time zone: write an IANA name, such as Europe/Berlin")
        return name

    @model_validator(mode="after")
    def _no_loop(self) -> Connection:
        if both := sorted(self.own_keys() & self.mapping.metadata_fields.keys()):
            raise ValueError(f"metadata {', '.join(both)} is written by us (shipment_keys): read another key")
        return self

    def sweeps(self) -> SweepInput:
        """What the connection's regular sweeps start with."""
        return SweepInput(connection=self.slug, pull=self.stripe.pull, sweep=self.sweep, policy=self.policy)

    def payout_checks(self) -> PayoutCheckInput:
        """What the connection's nightly checks of payouts start with."""
        about = {"payouts": self.payouts, "time_zone": self.time_zone, "policy": self.policy}
        return PayoutCheckInput(connection=self.slug, **about)

    def regular(self) -> tuple[SweepInput, PayoutCheckInput]:
        """What its schedules start."""
        return self.sweeps(), self.payout_checks()

    def own_keys(self) -> frozenset[str]:
        """The metadata keys that we write: an update of nothing but these is our own echo."""
        return self.mapping.own_keys() | frozenset(self.policy.shipment_keys.named())


def load_connections(path: Path) -> dict[str, Connection]:
    """Every connection of the file by its slug; SettingsError names the file, the setting and the cure.

    The file has one table `[connections.<slug>]` each. Paths of secrets are relative to the file's folder.
    """
    tables = _tables(path)
    found = {slug: _connection(path, slug, table) for slug, table in tables.items()}
    pairs: dict[tuple[str, bool, str], str] = {}
    for slug, one in found.items():
        pair = (one.stripe.account_id, one.stripe.livemode, one.zoho.organization_id)
        if (other := pairs.setdefault(pair, slug)) != slug:
            raise SettingsError(f"{path}: {other} and {slug} are the same pair of accounts; remove one")
    return found


def _tables(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"connections_file: {path} cannot be read ({error.strerror}); create it or set THROUGHLINE_CONNECTIONS_FILE"
        ) from None
    except ValueError as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    for name in document.keys() - {"connections"}:
        raise SettingsError(f"{path}: {name} is no setting{hint(name, ['connections'])}")
    tables = document.get("connections")
    if not isinstance(tables, dict) or not tables:
        raise SettingsError(f"{path} has no connection: add a table [connections.<name>]")
    return tables


def _connection(path: Path, slug: str, table: Any) -> Connection:
    place = f"{path}: connections.{slug}"
    if not isinstance(table, dict) or "slug" in table:
        raise SettingsError(f"{place} has to be a table, named by its slug alone")
    live = isinstance(table.get("stripe"), dict) and table["stripe"].get("livemode") is True
    reader = _SecretReader(path, live)
    try:
        return Connection.model_validate({"slug": slug} | reader.resolved(table, place))
    except ValidationError as error:
        raise SettingsError(f"{place}.{explain(error, Connection)}") from None


class _SecretReader:
    """Puts secrets in place of `<name>_file` and `<name>_env`; a live one that others may read is refused."""

    def __init__(self, path: Path, live: bool) -> None:
        self._path = path
        self._live = live

    def resolved(self, table: dict[str, Any], place: str) -> dict[str, Any]:
        """`table` with its secrets, and those of its two accounts, as inline values."""
        result = self._section("", table, place)
        for name in ("stripe", "zoho"):
            if isinstance(section := result.get(name), dict):
                result[name] = self._section(name, section, f"{place}.{name}")
        return result

    def _section(self, name: str, table: dict[str, Any], place: str) -> dict[str, Any]:
        result = dict(table)
        for secret in (*SECRETS.get(name, ()), *SECRET_LISTS.get(name, ())):
            ways = [way for way in (secret, f"{secret}_file", f"{secret}_env") if way in table]
            if len(ways) > 1:
                raise SettingsError(f"{place} has {' and '.join(ways)}: keep one of them")
            if ways == [secret]:
                self._refuse_readable(self._path, f"{place}.{secret}")
            elif ways:
                words = self._words(ways[0], result.pop(ways[0]), f"{place}.{ways[0]}")
                result[secret] = words if secret in SECRET_LISTS.get(name, ()) else words[0]
        return result

    def _words(self, way: str, named: Any, place: str) -> list[str]:
        """The words that the one or several files or variables hold, in order."""
        read = self._variable if way.endswith("_env") else self._file
        names = named if isinstance(named, list) and named else [named]
        return [word for name in names for word in read(str(name), place).split()]

    def _variable(self, name: str, place: str) -> str:
        if not (value := os.environ.get(name, "").strip()):
            raise SettingsError(f"{place}: the variable {name} is not set; export it")
        return value

    def _file(self, name: str, place: str) -> str:
        file = self._path.parent / name
        self._refuse_readable(file, place)
        try:
            value = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(f"{place}: {file} cannot be read; correct the path or its owner") from None
        if not value:
            raise SettingsError(f"{place}: {file} is empty; write the secret into it")
        return value

    def _refuse_readable(self, file: Path, place: str) -> None:
        if self._live and file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise SettingsError(f"{place}: others may read the live secret in {file}; type: chmod 600 {file}")
