"""the tenant whose events are taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_from_0001"
down_revision = "0002_from_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenant",
        sa.Column("app_id", sa.String(length=200), nullable=False),
        sa.Column("tenant_key", sa.String(length=200), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("app_id", name=op.f("pk_tenant")),
    )


def downgrade() -> None:
    op.drop_table("tenant")
