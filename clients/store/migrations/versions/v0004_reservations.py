"""Pieces that payments are about to sell, and the clock that orders their confirmations."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "reservations",
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("payment_id", sa.String(255), nullable=False),
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("quantity", sa.String(32), nullable=False),
        sa.Column("confirmed", sa.BigInteger),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "payment_id", "item_id", name="pk_reservations"),
    )
    op.create_table(
        "reservation_clocks",
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("ticks", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("connection", name="pk_reservation_clocks"),
    )
