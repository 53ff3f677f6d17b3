"""Counting the SQL statements that a piece of code sends to the database."""

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from asyncpg.connection import LoggedQuery
from sqlalchemy import event

from db.session import Database

_TRANSACTION_CONTROL: Final = ("BEGIN", "COMMIT", "ROLLBACK", "SET ")
# What asyncpg asks once a connection about a type that it meets there for the first time
_TYPES: Final = ("typeinfo_tree", "('jit'")
# What a process asks now and then, whosever request it is that comes next
_MODES: Final = "all_document_modes"
# What follows BEGIN in its round trip where the viewer was read before
_STANDING: Final = "SELECT WHERE gateway.standing("


def of_viewer(text: str) -> bool:
    """Whether it is the statement that reads the viewer, or asks whether they still stand."""
    return "platform_grants" in text or text.startswith(_STANDING)


@contextlib.contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect the statements sent by the sessions that begin in this block, without transaction control.

    The viewer is one of them, whether read or asked for with BEGIN.

    with statements(database) as sent:
        await client.query("{ deals { nodes { id } } }")
    assert len(sent) == 2
    """
    sent: list[str] = []
    engine = database.engine.sync_engine

    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    def sent_past_sqlalchemy(query: LoggedQuery) -> None:
        text = query.query
        _, standing, given = text.partition(_STANDING)
        if standing:
            sent.append(standing + given)
        elif not text.startswith(_TRANSACTION_CONTROL) and not any(
            word in text for word in (*_TYPES, _MODES)
        ):
            sent.append(text)

    def checked_out(adapted: Any, *_: Any) -> None:
        adapted.driver_connection.add_query_logger(sent_past_sqlalchemy)

    def checked_in(adapted: Any, *_: Any) -> None:
        if adapted is not None:
            adapted.driver_connection.remove_query_logger(sent_past_sqlalchemy)

    listeners = (("before_cursor_execute", executed), ("checkout", checked_out), ("checkin", checked_in))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    database.readers.loggers.append(sent_past_sqlalchemy)
    try:
        yield sent
    finally:
        database.readers.loggers.remove(sent_past_sqlalchemy)
        for name, listener in listeners:
            event.remove(engine, name, listener)
