"""toys, and the shelves they stand on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0900"
down_revision = "THE NEWEST"  # whoever lays this over a tree puts it in
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "toy",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("chat_id", sa.String(64), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("maker_id", sa.Integer(), nullable=True),
        sa.Column("polished", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("given_at", sa.DateTime(), nullable=True),
    )
    op.create_table("toy_shelf", sa.Column("name", sa.String(64), primary_key=True))


def downgrade() -> None:
    op.drop_table("toy_shelf")
    op.drop_table("toy")
