"""Sums of requests and tokens beyond two billion: a large job's judge, or a server that counts wrongly, gets there."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SUMS = ("requests", "prompt_tokens", "completion_tokens")


def upgrade() -> None:
    with op.batch_alter_table("usage") as table:
        for name in SUMS:
            table.alter_column(name, existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("usage") as table:
        for name in SUMS:
            table.alter_column(name, existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=False)
