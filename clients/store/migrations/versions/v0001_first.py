"""The first tables: effects, audit, links, events, tokens, token refreshes, dossiers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create them."""
    _effects_and_audit()
    _links_and_events()
    _tokens_and_dossiers()


def _key(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _effects_and_audit() -> None:
    op.create_table(
        "effects",
        _key("connection", 64),
        _key("stripe_id", 255),
        _key("step", 64),
        sa.Column("owner", sa.String(255), nullable=False),
        sa.Column("begun_at", _TIME, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("completed_at", _TIME),
        sa.Column("result", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection", "stripe_id", "step", name="pk_effects"),
    )
    op.create_table(
        "audit",
        _key("connection", 64),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("stripe_id", sa.String(255), nullable=False),
        sa.Column("step", sa.String(64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("minor", sa.BigInteger),
        sa.Column("currency", sa.String(3)),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("connection", "seq", name="pk_audit"),
        sa.UniqueConstraint("connection", "stripe_id", "step", name="uq_audit_connection_stripe_id_step"),
    )


def _links_and_events() -> None:
    op.create_table(
        "links",
        _key("connection", 64),
        _key("kind", 64),
        _key("key", 255),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "key", name="pk_links"),
    )
    op.create_table(
        "events",
        _key("connection", 64),
        _key("event_id", 255),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("business_id", sa.String(255), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("connection", "event_id", name="pk_events"),
    )
    op.create_index("ix_events_connection_at", "events", ["connection", "at"])


def _tokens_and_dossiers() -> None:
    op.create_table(
        "tokens",
        _key("connection", 64),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("access_token", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", _TIME),
        sa.Column("api_domain", sa.String(255), nullable=False),
        sa.Column("lease_owner", sa.String(255), nullable=False),
        sa.Column("leased_at", _TIME),
        sa.Column("lease_until", _TIME),
        sa.PrimaryKeyConstraint("connection", name="pk_tokens"),
    )
    op.create_table(
        "token_refreshes",
        _key("connection", 64),
        sa.Column("at", _TIME, nullable=False),
        _key("owner", 255),
        sa.PrimaryKeyConstraint("connection", "at", "owner", name="pk_token_refreshes"),
    )
    op.create_table(
        "dossiers",
        _key("connection", 64),
        _key("payment_id", 255),
        _key("part", 64),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("ref", sa.String(64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("connection", "payment_id", "part", name="pk_dossiers"),
    )
