"""`m3 db check`: whether a database is what the models and the migrations say.

Models are compared with the catalogue by alembic. What alembic does not look at (checks, policies,
triggers, functions, grants) is compared with a database made for the purpose by the same migrations.
"""

import contextlib
import secrets
import warnings
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.exc import SAWarning

from db import catalogue, migrate, roles
from db.catalogue import Catalogue

# Which months have a partition depends on the day; each must let nobody past its parent's policies. What is
# named otherwise is compared like everything else.
_UNGUARDED: Final = r"""
WITH months AS (
  SELECT * FROM pg_class
  WHERE relnamespace = to_regnamespace('partitions') AND relkind = 'r' AND relname ~ '_[0-9]{4}_[0-9]{2}$'
)
SELECT format('partition %s: row security is not enabled and forced', relname)
FROM months WHERE NOT (relrowsecurity AND relforcerowsecurity)
UNION ALL
SELECT format('partition %s: the policy %s does not belong there', relname, polname)
FROM months m JOIN pg_policy ON polrelid = m.oid
WHERE polname <> 'maintenance' OR polroles <> ARRAY[relowner]
UNION ALL
SELECT format('partition %s: %s is granted to %s', relname, privilege_type,
  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END)
FROM months, aclexplode(relacl) WHERE grantee <> relowner
ORDER BY 1
"""


class CheckError(Exception):
    """The check could not be made; the message says what is missing."""


async def check(
    owner_url: str, *, gateway_role: str = "m3_gateway", service_role: str = "m3_service"
) -> list[str]:
    """What is different from what it should be, a line each; empty where all is well. Raises CheckError.

    Makes a database for comparison and drops it, so the owner needs CREATEDB. Nothing else is written.
    """
    current, head = await migrate.current(owner_url), migrate.head()
    if current is None:
        return ["no migration has run"]
    found: list[str] = []
    if current != head:
        found.append(f"the database is at migration {current}, the newest is {head}")
    else:
        with warnings.catch_warnings():
            # Alembic hands SQLAlchemy an index that no model has with an option it does not know
            warnings.filterwarnings("ignore", "Can't validate argument 'dialect_options'", SAWarning)
            differences = await migrate.differences(owner_url)
        found += [f"models: {line}" for line in _readable(differences)]
    for role in (gateway_role, service_role):
        found += await roles.unsafe_rights(owner_url, role)
    async with _fresh_database(owner_url) as fresh_url:
        await migrate.upgrade(fresh_url, current, gateway_role=gateway_role, service_role=service_role)
        found += _compare(await _read(owner_url), await _read(fresh_url))
    async with migrate.connect(owner_url) as connection:
        found += await connection.scalars(text(_UNGUARDED))
    return found


@contextlib.asynccontextmanager
async def _fresh_database(owner_url: str) -> AsyncIterator[str]:
    """An empty database beside the owner's, dropped at the end."""
    name = f"m3_check_{secrets.token_hex(6)}"
    connection = await asyncpg.connect(owner_url)
    try:
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        except asyncpg.InsufficientPrivilegeError as error:
            raise CheckError(
                "the check compares with a database that it makes, which the owner may not: "
                "as an administrator, ALTER ROLE … CREATEDB"
            ) from error
        try:
            yield make_url(owner_url).set(database=name).render_as_string(hide_password=False)
        finally:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
    finally:
        await connection.close()


async def _read(url: str) -> Catalogue:
    async with migrate.connect(url) as connection, connection.begin():
        return await catalogue.read(connection)


def _compare(actual: Catalogue, expected: Catalogue) -> list[str]:
    lines = []
    for kind, name in sorted(actual.keys() | expected.keys()):
        is_there, should_be = actual.get((kind, name)), expected.get((kind, name))
        if is_there is None:
            lines.append(f"{kind} {name}: missing")
        elif should_be is None:
            lines.append(f"{kind} {name}: does not belong there ({_line(is_there)})")
        elif is_there != should_be:
            lines.append(f"{kind} {name}: is {_line(is_there)}, should be {_line(should_be)}")
    return lines


def _line(definition: str) -> str:
    return " ".join(definition.split())


def _readable(differences: Iterable[Any]) -> list[str]:
    """Alembic's differences, which are tuples, in words; several of one column come as a list."""
    lines = []
    for difference in differences:
        if isinstance(difference, list):
            lines += _readable(difference)
        else:
            operation, *subjects = difference
            told = [subject for subject in subjects if subject is not None and not isinstance(subject, dict)]
            names = [str(getattr(subject, "name", subject)) for subject in told]
            lines.append(f"{operation.replace('_', ' ')} {' '.join(names)}")
    return lines
