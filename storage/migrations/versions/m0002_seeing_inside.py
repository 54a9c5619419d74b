"""what is stuck, what failed, which processes there are; trails; an index for phone numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_from_0001"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "process",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("ticked_at", sa.DateTime(), nullable=True),
        sa.Column("stopped_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", "role", name=op.f("pk_process")),
    )
    op.create_table(
        "failed_job",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("job", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=False),
        sa.Column("incident", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_failed_job")),
    )
    op.create_index("ix_failed_job_last_at", "failed_job", ["last_at"], unique=False)
    op.create_table(
        "parked",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("was", sa.String(length=64), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_parked")),
    )
    op.create_table(
        "call_trouble",
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=200), nullable=False),
        sa.Column("why", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.Column("well_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("target", name=op.f("pk_call_trouble")),
    )
    op.add_column("effect", sa.Column("trail", sa.String(length=16), nullable=True))
    op.create_index("ix_effect_state_started_at", "effect", ["state", "started_at"], unique=False)
    op.add_column("outbox", sa.Column("trail", sa.String(length=16), nullable=True))
    op.create_index("ix_complaint_phone_index", "complaint", ["phone_index", "id"], unique=False)
    op.create_index("ix_complaint_chat", "complaint", ["chat_id", "id"], unique=False)
    op.create_index("ix_complaint_chat_complained", "complaint", ["chat_id", "complained_at"], unique=False)
    op.create_index("ix_complaint_chat_replied", "complaint", ["chat_id", "first_replied_at"], unique=False)
    op.create_index("ix_complaint_chat_finished", "complaint", ["chat_id", "finished_at"], unique=False)


def downgrade() -> None:
    # The version before knows nothing that was put aside: it takes it up again.
    op.execute("UPDATE inbox SET state = 'new' WHERE state = 'parked'")
    op.execute("UPDATE outbox SET state = 'waiting' WHERE state = 'parked'")
    op.drop_index("ix_complaint_chat", table_name="complaint")
    op.drop_index("ix_complaint_chat_complained", table_name="complaint")
    op.drop_index("ix_complaint_chat_replied", table_name="complaint")
    op.drop_index("ix_complaint_chat_finished", table_name="complaint")
    op.drop_index("ix_complaint_phone_index", table_name="complaint")
    op.drop_column("outbox", "trail")
    op.drop_index("ix_effect_state_started_at", table_name="effect")
    op.drop_column("effect", "trail")
    op.drop_table("call_trouble")
    op.drop_table("parked")
    op.drop_index("ix_failed_job_last_at", table_name="failed_job")
    op.drop_table("failed_job")
    op.drop_table("process")
