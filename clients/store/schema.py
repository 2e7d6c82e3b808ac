"""The tables of our memory. Every key begins with the connection's slug (a quota's with the organisation's id);
people's data is ciphertext.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

# The newest migration; a store that says this needs no look at the migrations.
HEAD = "0006"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time, to the microsecond, in both databases. A naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC; without its zone for SQLite, which has none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time in the store is aware, never naive")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware again, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# One row per write to the outside: intent before the call, completion after it. `completed_at` null = intent;
# `asked` counts how often its owners set out to write, so one statement tells a new row from an old one.
effects = Table(
    "effects",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("stripe_id", String(255), primary_key=True),
    Column("step", String(64), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("begun_at", UtcTime, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("completed_at", UtcTime),
    Column("result", Text, nullable=False),
)

# The audit trail: a hash chain per connection, one entry per completed effect.
audit = Table(
    "audit",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stripe_id", String(255), nullable=False),
    Column("step", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("minor", BigInteger),
    Column("currency", String(3)),
    Column("result", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("connection", "stripe_id", "step"),
)

# What is known about ids: contact of a buyer, item of an SKU, documents of a payment.
links = Table(
    "links",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# Every event that was acknowledged.
events = Table(
    "events",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("event_id", String(255), primary_key=True),
    Column("type", String(128), nullable=False),
    Column("business_id", String(255), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "connection", "at"),
)

# Zoho's access token, shared by all workers. Version 0 with an empty token: somebody gets the first one.
tokens = Table(
    "tokens",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("access_token", LargeBinary, nullable=False),
    Column("expires_at", UtcTime),
    Column("api_domain", String(255), nullable=False),
    Column("lease_owner", String(255), nullable=False),
    Column("leased_at", UtcTime),
    Column("lease_until", UtcTime),
)

# Granted leases of the last day: Zoho hands out ten tokens in ten minutes.
token_refreshes = Table(
    "token_refreshes",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("at", UtcTime, primary_key=True),
    Column("owner", String(255), primary_key=True),
)

# People's data, encrypted, by payment; `ref` stands for the content.
dossiers = Table(
    "dossiers",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("payment_id", String(255), primary_key=True),
    Column("part", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("ref", String(64), nullable=False),
    Column("at", UtcTime, nullable=False),
)

# What each organisation of Zoho's may still be asked, shared by all workers. Not by connection: the quota is the
# organisation's, whichever connections it has.
budgets = Table(
    "budgets",
    metadata,
    Column("organization", String(64), primary_key=True),
    Column("day_limit", Integer),
    Column("day_left", Integer),
    Column("day_resets_at", UtcTime),
    Column("told_at", UtcTime),
    Column("first_left", Integer),
    Column("first_at", UtcTime),
    Column("at_once", Integer),
    Column("at_once_at", UtcTime),
    Column("next_at", UtcTime),
    Column("blocked_until", UtcTime),
    Column("blocked_code", String(16), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("live_today", Integer, nullable=False, server_default="0"),
    Column("live_before", Integer, nullable=False, server_default="0"),
)

# Calls to an organisation that are in process now. One whose worker died ends at `until`.
budget_slots = Table(
    "budget_slots",
    metadata,
    Column("organization", String(64), primary_key=True),
    Column("slot", String(64), primary_key=True),
    Column("until", UtcTime, nullable=False),
)

# Who waits for a person, by topic (an attention class), so that people are told of all of them at once. The row with an
# empty `member` is the topic's own: when people were last told, and of how many since nobody waited.
notices = Table(
    "notices",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("topic", String(64), primary_key=True),
    Column("member", String(255), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("told", Integer, nullable=False),
)

# Pieces that a payment is about to sell. `confirmed` null: pending; else the tick at which its order was confirmed.
reservations = Table(
    "reservations",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("payment_id", String(255), primary_key=True),
    Column("item_id", String(64), primary_key=True),
    Column("quantity", String(32), nullable=False),
    Column("confirmed", BigInteger),
    Column("at", UtcTime, nullable=False),
)

# How many reservations of a connection were confirmed so far. Its row is the lock of all of them.
reservation_clocks = Table(
    "reservation_clocks",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("ticks", BigInteger, nullable=False),
)

# The lines of a payout as Stripe tells them, in its order: ids, amounts and Stripe's own texts.
payout_lines = Table(
    "payout_lines",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("payout_id", String(255), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
)

# Every certificate that was issued, by version. None is ever changed.
certificates = Table(
    "certificates",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("payout_id", String(255), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)
