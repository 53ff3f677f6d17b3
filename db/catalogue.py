"""What PostgreSQL knows of our schemas, as text that two databases can be compared by."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Catalogue = dict[tuple[str, str], str]
"""Each object by kind and name, with its definition."""


async def read(connection: AsyncConnection) -> Catalogue:
    """Everything in our three schemas but the monthly partitions; `connection` has a transaction open."""
    # Names come out qualified whatever the database's own search path, times in one zone
    await connection.execute(text("SET LOCAL search_path = ''"))
    await connection.execute(text("SET LOCAL timezone = 'UTC'"))
    return {(kind, name): definition for kind, name, definition in await connection.execute(text(_OBJECTS))}


# The names of roles call the owner by that word, since two databases may have different ones. What an
# extension brought is left out, and so are NOT NULL constraints (they stand with the columns; PostgreSQL
# has them as constraints only from 18 on). The triggers behind foreign keys have names of their own in each
# database, so that only those that are switched off are shown.
_OBJECTS: Final = r"""
WITH schemas AS (
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
  WHERE nspname IN ('public', 'gateway', 'partitions')
),
brought AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
relations AS (
  SELECT c.*, format('%s.%s', n.nspname, c.relname) AS name
  FROM pg_class c JOIN schemas n ON n.oid = c.relnamespace
  WHERE c.relkind NOT IN ('i', 'I')
    AND NOT (n.nspname = 'partitions' AND c.relname ~ '_[0-9]{4}_[0-9]{2}$')
    AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM brought)
),
functions AS (
  SELECT p.*, p.oid::regprocedure::text AS name
  FROM pg_proc p JOIN schemas n ON n.oid = p.pronamespace
  WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM brought)
),
roles AS (
  SELECT 0::oid AS oid, 'PUBLIC' AS name
  UNION ALL
  SELECT r.oid, CASE WHEN r.oid = v.relowner THEN 'the owner' ELSE r.rolname::text END
  FROM pg_roles r LEFT JOIN pg_class v ON v.oid = to_regclass('gateway.alembic_version')
),
rights AS (
  SELECT 'schema ' || nspname AS name, acl.* FROM schemas,
    aclexplode(coalesce(nspacl, acldefault('n', nspowner))) acl
  UNION ALL
  SELECT c.name, acl.* FROM relations c,
    aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner)))
      AS acl
  UNION ALL
  SELECT format('%s.%s', c.name, a.attname), acl.*
  FROM relations c JOIN pg_attribute a ON a.attrelid = c.oid, aclexplode(a.attacl) acl
  UNION ALL
  SELECT name, acl.* FROM functions, aclexplode(coalesce(proacl, acldefault('f', proowner))) acl
)

SELECT 'schema' AS kind, nspname::text AS name, 'exists' AS definition FROM schemas

UNION ALL
SELECT 'relation', c.name,
  format('kind %s, persistence %s, owned by %s, options %s, partitioned by %s, part %s of %s',
    relkind, relpersistence, r.name, reloptions, pg_get_partkeydef(c.oid), pg_get_expr(relpartbound, c.oid),
    (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = c.oid))
FROM relations c JOIN roles r ON r.oid = relowner

UNION ALL
SELECT 'row security', name, format('enabled %s, forced %s', relrowsecurity, relforcerowsecurity)
FROM relations WHERE relkind IN ('r', 'p')

UNION ALL
SELECT 'column', format('%s.%s', name, attname),
  concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'NOT NULL' END,
    CASE WHEN attgenerated <> '' THEN 'GENERATED' END, CASE WHEN attidentity <> '' THEN 'IDENTITY' END,
    'DEFAULT ' || pg_get_expr(adbin, adrelid),
    CASE WHEN attcollation <> 0 THEN 'COLLATE ' || attcollation::regcollation END)
FROM relations c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = c.oid AND adnum = attnum

UNION ALL
SELECT 'constraint', format('%s on %s', conname, name), pg_get_constraintdef(k.oid)
FROM relations c JOIN pg_constraint k ON conrelid = c.oid WHERE contype <> 'n'

UNION ALL
SELECT 'index', format('%s on %s', indexrelid::regclass, name),
  format('%s, valid %s', pg_get_indexdef(indexrelid), indisvalid AND indisready)
FROM relations c JOIN pg_index ON indrelid = c.oid

UNION ALL
SELECT 'policy', format('%s on %s', polname, c.name),
  format('%s for %s to %s, using %s, with check %s',
    CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END, polcmd,
    (SELECT string_agg(r.name, ', ' ORDER BY r.name) FROM roles r WHERE r.oid = ANY (polroles)),
    pg_get_expr(polqual, c.oid), pg_get_expr(polwithcheck, c.oid))
FROM relations c JOIN pg_policy ON polrelid = c.oid

UNION ALL
SELECT 'trigger', format('%s on %s', tgname, name),
  format('%s, enabled %s', pg_get_triggerdef(t.oid), tgenabled)
FROM relations c JOIN pg_trigger t ON tgrelid = c.oid WHERE NOT tgisinternal

UNION ALL
SELECT 'trigger', format('of foreign keys on %s', name), 'switched off'
FROM relations c JOIN pg_trigger ON tgrelid = c.oid WHERE tgisinternal AND tgenabled <> 'O' GROUP BY name

UNION ALL
SELECT 'rule', format('%s on %s', rulename, name), pg_get_ruledef(w.oid)
FROM relations c JOIN pg_rewrite w ON ev_class = c.oid

UNION ALL
SELECT 'function', f.name,
  format('owned by %s: %s', r.name,
    CASE WHEN prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(f.oid) END)
FROM functions f JOIN roles r ON r.oid = proowner

UNION ALL
SELECT 'type', t.oid::regtype::text,
  format('%s of %s', typtype, array(
    SELECT enumlabel::text FROM pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder))
FROM pg_type t JOIN schemas n ON n.oid = typnamespace
WHERE typtype IN ('e', 'd', 'r')
  AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM brought)

UNION ALL
SELECT 'grant', format('%s on %s to %s', privilege_type, g.name, r.name),
  CASE WHEN bool_or(is_grantable) THEN 'with grant option' ELSE 'granted' END
FROM rights g JOIN roles r ON r.oid = grantee
GROUP BY privilege_type, g.name, r.name

UNION ALL
SELECT 'default privilege',
  format('%s on new %s in %s to %s', privilege_type, defaclobjtype, coalesce(nspname, 'every schema'),
    r.name),
  'set for ' || string_agg(o.name, ', ')
FROM pg_default_acl LEFT JOIN schemas n ON n.oid = defaclnamespace, aclexplode(defaclacl),
  roles r, roles o
WHERE r.oid = grantee AND o.oid = defaclrole
GROUP BY privilege_type, defaclobjtype, nspname, r.name

UNION ALL
SELECT 'extension', extname::text, 'in ' || extnamespace::regnamespace
FROM pg_extension WHERE extname = 'citext'
"""
