"""What each of Zoho's organisations may still be asked: budgets, and the calls in process."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "budgets",
        sa.Column("organization", sa.String(64), nullable=False),
        sa.Column("day_limit", sa.Integer),
        sa.Column("day_left", sa.Integer),
        sa.Column("day_resets_at", _TIME),
        sa.Column("told_at", _TIME),
        sa.Column("first_left", sa.Integer),
        sa.Column("first_at", _TIME),
        sa.Column("at_once", sa.Integer),
        sa.Column("at_once_at", _TIME),
        sa.Column("next_at", _TIME),
        sa.Column("blocked_until", _TIME),
        sa.Column("blocked_code", sa.String(16), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("organization", name="pk_budgets"),
    )
    op.create_table(
        "budget_slots",
        sa.Column("organization", sa.String(64), nullable=False),
        sa.Column("slot", sa.String(64), nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("organization", "slot", name="pk_budget_slots"),
    )
