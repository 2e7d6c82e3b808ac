"""Lines of payouts, and the certificates made of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "payout_lines",
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("payout_id", sa.String(255), nullable=False),
        sa.Column("place", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("connection", "payout_id", "place", name="pk_payout_lines"),
    )
    op.create_table(
        "certificates",
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("payout_id", sa.String(255), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("connection", "payout_id", "version", name="pk_certificates"),
    )
