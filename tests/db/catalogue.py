"""What PostgreSQL knows of the tables of `public`, as one line for each column, constraint and index."""

import re
from collections import defaultdict

import asyncpg

COLUMNS = """
SELECT c.relname AS table, concat_ws(' ',
    'column', a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || quote_ident(l.collname) END,
    CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    CASE a.attgenerated WHEN 's' THEN 'STORED' WHEN 'v' THEN 'VIRTUAL' ELSE 'DEFAULT' END
      || ' ' || pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND a.attnum > 0 AND NOT a.attisdropped
"""

# NOT NULL is a constraint as well in PostgreSQL 18; here it is part of the column's line.
CONSTRAINTS = """
SELECT c.relname AS table, pg_get_constraintdef(k.oid) AS line
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
 WHERE c.relnamespace = 'public'::regnamespace AND k.contype <> 'n'
"""

INDEXES = """
SELECT c.relname AS table, pg_get_indexdef(i.indexrelid) AS line
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indrelid
 WHERE c.relnamespace = 'public'::regnamespace
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid)
"""

TABLES = """
SELECT c.relname AS table, 'PARTITION BY ' || pg_get_partkeydef(c.oid) AS line
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'p'
"""

# Grants are compared as they work: NULL is the default of the owner's rights, not their absence.
OBJECTS = """
WITH spaces AS (
  SELECT oid, nspname, nspacl, nspowner FROM pg_namespace
   WHERE nspname IN ('public', 'gateway', 'partitions')
), objects AS (
  SELECT 'pg_namespace'::regclass AS class, oid, nspacl AS rights,
         acldefault('n', nspowner) AS usual, '' AS more
    FROM spaces
  UNION ALL
  SELECT 'pg_class'::regclass, c.oid, relacl, acldefault('r', relowner),
         concat(c.relrowsecurity, c.relforcerowsecurity)
    FROM pg_class c JOIN spaces s ON s.oid = relnamespace WHERE relname NOT LIKE 'alembic%'
  UNION ALL
  SELECT 'pg_proc'::regclass, p.oid, proacl, acldefault('f', proowner), prosrc
    FROM pg_proc p JOIN spaces s ON s.oid = pronamespace
   WHERE NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
  UNION ALL
  SELECT 'pg_trigger'::regclass, t.oid, NULL, NULL, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid JOIN spaces s ON s.oid = relnamespace
   WHERE NOT tgisinternal
  UNION ALL
  SELECT 'pg_policy'::regclass, p.oid, NULL, NULL,
         concat_ws(' ', polcmd, polroles::regrole[]::text,
           pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
    FROM pg_policy p JOIN pg_class c ON c.oid = polrelid JOIN spaces s ON s.oid = relnamespace
  UNION ALL
  SELECT 'pg_extension'::regclass, oid, NULL, NULL, '' FROM pg_extension WHERE extname <> 'plpgsql'
  UNION ALL
  SELECT 'pg_default_acl'::regclass, oid, defaclacl, NULL, '' FROM pg_default_acl
)
SELECT concat_ws(' ', pg_describe_object(class, oid, 0), more,
         (SELECT string_agg(item::text, ' ' ORDER BY item::text)
            FROM unnest(coalesce(rights, usual)) AS item))
  FROM objects
 WHERE NOT (class = 'pg_namespace'::regclass AND oid::regnamespace::text = 'gateway'
            AND coalesce(rights, usual) = usual)
"""

Catalogue = dict[str, set[str]]


async def read(url: str) -> Catalogue:
    """For each table of `public`, its lines, in PostgreSQL's own words."""
    connection = await asyncpg.connect(url)
    try:
        catalogue: Catalogue = defaultdict(set)
        for query in (COLUMNS, CONSTRAINTS, INDEXES, TABLES):
            for table, line in await connection.fetch(query):
                catalogue[table].add(re.sub(r"CREATE (.*) ON (ONLY )?public\.\w+ USING btree", r"\1", line))
        return dict(catalogue)
    finally:
        await connection.close()


async def objects(url: str) -> set[str]:
    """What is in our schemas beside alembic's own table: relations, functions, triggers, policies, grants."""
    connection = await asyncpg.connect(url)
    try:
        return {line for (line,) in await connection.fetch(OBJECTS)}
    finally:
        await connection.close()
