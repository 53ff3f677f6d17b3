"""How a command fails: in one line that says what to do."""

from sqlalchemy.exc import DBAPIError


class CommandFailed(Exception):
    """A command cannot do what was asked; the message is for the person at the terminal."""


def in_a_line(error: Exception) -> str:
    """The error in one line, without the SQL and the advice links that SQLAlchemy adds."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, Exception):
        error = error.orig
    words = " ".join(str(error).split()) or type(error).__name__
    # What the driver raised comes wrapped as "<class 'asyncpg…'>: words".
    return words.split("'>: ", 1)[-1] if words.startswith("<class ") else words
