"""Monthly reports."""

import sqlalchemy as sa
from alembic import op

from service.tables import UtcDateTime

revision = "0010"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("edition", BIG, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("erased", BIG, nullable=False, server_default="0"),
        sa.UniqueConstraint("month", "edition", name="uq_reports_month_edition"),
    )
    op.create_table(
        "report_files",
        sa.Column("id", BIG, primary_key=True),
        sa.Column("report_id", BIG, nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("accounts", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name="fk_report_files_report_id_reports", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "report_id", "format", "language", "accounts", name="uq_report_files_report_id_format_language_accounts"
        ),
    )
    op.create_index("ix_report_files_report_id", "report_files", ["report_id"])
    op.create_table(
        "report_quotes",
        sa.Column("report_id", BIG, nullable=False),
        sa.Column("note_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name="fk_report_quotes_report_id_reports", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", "note_id", name="pk_report_quotes"),
    )
    op.create_index("ix_report_quotes_note_id", "report_quotes", ["note_id"])
    op.create_table(
        "report_ledgers",
        sa.Column("report_id", BIG, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"], ["reports.id"], name="fk_report_ledgers_report_id_reports", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", name="pk_report_ledgers"),
    )


def downgrade() -> None:
    op.drop_table("report_ledgers")
    op.drop_table("report_quotes")
    op.drop_table("report_files")
    op.drop_table("reports")
