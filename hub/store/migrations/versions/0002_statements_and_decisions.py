"""Archives that became several files, statements that follow each other, decisions with their reason, and actions found sooner

Revision: 0002
"""

import sqlalchemy as sa
from alembic import op

from hub.store import columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("members", columns.Json(), nullable=True))
    with op.batch_alter_table("matches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("decided_on", sa.Date(), nullable=True))
    with op.batch_alter_table("statements", schema=None) as batch_op:
        batch_op.add_column(sa.Column("number", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("not_booked", columns.Json(), nullable=True))
        batch_op.add_column(sa.Column("breaks", columns.Json(), nullable=True))
    with op.batch_alter_table("actions", schema=None) as batch_op:
        batch_op.drop_index("ix_actions_due")
        batch_op.create_index("ix_actions_due", ["state", "due_at", "place"], unique=False)
        batch_op.create_index(
            "ix_actions_open",
            ["tenant", "connection", "about", "place"],
            unique=False,
            sqlite_where=sa.text("state IN ('waiting', 'started')"),
            postgresql_where=sa.text("state IN ('waiting', 'started')"),
        )
