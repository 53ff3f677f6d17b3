"""The codes that every tenant can use (section 10 of the master document)."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CODES = {
    "unit_type_codes": {
        "APT_1BR": "Apartment 1BR",
        "APT_2BR": "Apartment 2BR",
        "VILLA_4BR": "Villa 4BR",
    },
    "component_type_codes": {
        "ROOM_BED": "Bedroom",
        "ROOM_BATH": "Bathroom",
        "KITCHEN_STD": "Kitchen",
        "BALCONY_STD": "Balcony",
    },
}


def upgrade() -> None:
    for name, codes in CODES.items():
        op.bulk_insert(_table(name), [{"code": code, "label": label} for code, label in codes.items()])


def downgrade() -> None:
    for name, codes in CODES.items():
        table = _table(name)
        op.execute(table.delete().where(table.c.tenant_id.is_(None), table.c.code.in_(codes)))


def _table(name: str) -> sa.TableClause:
    columns = (sa.column("tenant_id", sa.Uuid), sa.column("code", sa.Text), sa.column("label", sa.Text))
    return sa.table(name, *columns)
