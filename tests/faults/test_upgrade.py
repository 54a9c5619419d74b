"""A next version is rolled out while the one before works: people go on, nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.migrate import newest
from tests.faults.path import whole
from tests.faults.postgres import Postgres
from tests.faults.rolling import Rolling, roll
from tests.faults.staff import Staff
from tests.faults.stage import APP, wait_for
from tests.trees import present_tree

pytestmark = pytest.mark.timeout(420)  # processes start and stop; a busy machine takes its time

NEXT = f"9999_from_{newest().partition('_from_')[0]}"
_REVISION = f'''
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{newest()}"
branch_labels = depends_on = None


def upgrade():
    op.create_table("note", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("words", sa.Text()))
    op.add_column("complaint", sa.Column("note_id", sa.Integer(), nullable=True))


def downgrade():
    op.drop_column("complaint", "note_id")
    op.drop_table("note")
'''


def next_version(folder: Path) -> Path:
    """The source tree with one more revision, which only adds."""
    present_tree(folder)
    (folder / "storage" / "migrations" / "versions" / "m9999_next.py").write_text(_REVISION)
    return folder / "app.py"


@pytest.fixture
def fleet(tmp_path: Path, postgres: Postgres) -> Iterator[Rolling]:
    following = [sys.executable, str(next_version(tmp_path / "next"))]
    with Rolling(tmp_path / "stage", postgres.database(), APP, following) as fleet:
        yield fleet


def test_people_go_on_working_while_the_next_version_is_rolled_out(fleet: Rolling) -> None:
    staff = Staff(fleet.sandbox, fleet.company, random.Random(int(os.environ.get("MPOPS_FAULTS_SEED", "1"))))
    staff.complaint()
    wait_for(lambda: staff.cards(staff.tickets[0]), 30, "the first card")
    roll(fleet, staff, NEXT)
    whole(fleet, staff)
