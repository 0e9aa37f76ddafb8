"""An archive is a file that became several

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
