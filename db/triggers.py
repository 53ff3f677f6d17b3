"""Triggers: the statements that attach the functions of migrations 0004 and 0009 to a table.

Migrations run what these functions return, those of the past too: what stands here never changes.
"""


def keep_updated_at(table: str) -> str:
    """`updated_at` follows every change, strictly forward, whatever the writer says."""
    return (
        f"CREATE TRIGGER keep_updated_at BEFORE UPDATE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION gateway.keep_updated_at()"
    )


def after_statement(name: str, table: str, event: str, seen: str, function: str) -> str:
    """`function` runs once after each statement that did `event`, with the rows as `seen` names them."""
    return (
        f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {seen} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )
