"""How many calls live payments made of Zoho today, and the day before."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the two counts; nothing is known of the days until now."""
    for name in ("live_today", "live_before"):
        op.add_column("budgets", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
