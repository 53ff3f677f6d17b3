"""The two roles below the owner: the gateway's and that of the other services.

Roles belong to the whole server, not to a database: several databases' migrations may create them at
once, and no downgrade drops them.
"""

import asyncio
from typing import Final

import asyncpg

# unique_violation and duplicate_object: a twin was quicker. internal_error: "tuple concurrently updated"
CREATE_ROLE: Final = """
DO $$
BEGIN
  FOR attempt IN 1..50 LOOP
    EXIT WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}');
    BEGIN
      CREATE ROLE "{role}" LOGIN;
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN internal_error THEN IF attempt = 50 THEN RAISE; END IF;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role {role} does not exist, and % may not create it', current_user
          USING ERRCODE = 'insufficient_privilege', HINT = 'As an administrator: CREATE ROLE "{role}" LOGIN';
    END;
  END LOOP;
END $$
"""
"""Creates `{role}` where it is absent, without a password. Migrations run this: it never changes."""


async def set_password(owner_url: str, role: str, password: str) -> None:
    """Let `role` log in with `password`; tried again when another session alters the role at that moment."""
    connection = await asyncpg.connect(owner_url)
    try:
        quoted = await connection.fetchval("SELECT quote_literal($1)", password)
        for last in (False, False, False, False, True):
            try:
                await connection.execute(f'ALTER ROLE "{role}" PASSWORD {quoted}')
            except asyncpg.InternalServerError:  # tuple concurrently updated
                if last:
                    raise
                await asyncio.sleep(0)
            else:
                return
    finally:
        await connection.close()


async def unsafe_rights(url: str, role: str | None = None) -> list[str]:
    """Why `role`, by default the login of `url`, must not serve the gateway; empty if nothing forbids it.

    Row security does not hold a superuser, a role that may bypass it, or (their policies apart) the owner
    of the tables; a role that may become one of these is no better.
    """
    # Nothing prepared: through a pooler the next round trip may be on another connection
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        return [str(row["problem"]) for row in await connection.fetch(_UNSAFE, role)]
    finally:
        await connection.close()


_UNSAFE: Final = """
WITH RECURSIVE mine AS (
  SELECT oid FROM pg_roles WHERE rolname = coalesce($1, current_user)
  UNION
  SELECT m.roleid FROM pg_auth_members m JOIN mine ON m.member = mine.oid
)
SELECT format('%s is a superuser', rolname) AS problem FROM pg_roles JOIN mine USING (oid) WHERE rolsuper
UNION ALL
SELECT format('%s can bypass row security', rolname) FROM pg_roles JOIN mine USING (oid)
WHERE rolbypassrls AND NOT rolsuper
UNION ALL
SELECT format('%s owns %s tables of this database', rolname, count(*))
FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner JOIN mine ON mine.oid = relowner
WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text IN ('public', 'gateway', 'partitions')
GROUP BY rolname
ORDER BY 1
"""
