"""Triggers: the statements that attach the functions of migration 0004 to a table.

Migrations run what these functions return, those of the past too: what stands here never changes.
"""


def keep_updated_at(table: str) -> str:
    """`updated_at` follows every change, strictly forward, whatever the writer says."""
    return (
        f"CREATE TRIGGER keep_updated_at BEFORE UPDATE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION gateway.keep_updated_at()"
    )
