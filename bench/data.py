"""The rows of the benchmark of queries: 10,000 deals a tenant and what goes with them, always the same."""

import hashlib
from typing import Final
from uuid import UUID

import asyncpg

# `n` numbers the rows of a table, `made` is when the n-th was made: no two at the same microsecond, so that
# every order has one answer. Each company has 20 contacts and 20 deals, and a deal's contact works there.
_ROWS: Final = """
CREATE FUNCTION pg_temp.key(kind text, n bigint) RETURNS uuid LANGUAGE sql AS
  $$ SELECT md5('{tenant}' || kind || n)::uuid $$;
CREATE FUNCTION pg_temp.made(n bigint) RETURNS timestamptz LANGUAGE sql AS
  $$ SELECT timestamptz '2026-10-01 09:30:00.123457+00' - n * interval '97.000013 seconds' $$;

INSERT INTO deal_pipelines (tenant_id, id, name)
SELECT '{tenant}', pg_temp.key('pipeline', n), 'Pipeline ' || n FROM generate_series(0, 1) n;

INSERT INTO deal_stages (tenant_id, id, pipeline_id, code, order_index)
SELECT '{tenant}', pg_temp.key('stage', n), pg_temp.key('pipeline', n % 2), 'stage-' || n, n / 2
FROM generate_series(0, 11) n;

INSERT INTO companies (tenant_id, id, name, industry_code, city, country, website, created_at)
SELECT '{tenant}', pg_temp.key('company', n), 'Company ' || n, 'industry-' || n % 9,
  (ARRAY['Cairo', 'Alexandria', 'Giza', 'القاهرة'])[1 + n % 4], 'EG',
  'https://company-' || n || '.example/', pg_temp.made(n)
FROM generate_series(0, 499) n;

INSERT INTO contacts
  (tenant_id, id, company_id, full_name, email, phone_e164, role_title_code, tags, created_at)
SELECT '{tenant}', pg_temp.key('contact', n), pg_temp.key('company', n % 500), 'Contact Person ' || n,
  'person-' || n || '@company-' || n % 500 || '.example', '+2010' || lpad(n::text, 8, '0'),
  CASE WHEN n % 3 = 0 THEN 'buyer' END, ARRAY['vip'], pg_temp.made(n)
FROM generate_series(0, 9999) n;

INSERT INTO deals
  (tenant_id, id, pipeline_id, stage_id, contact_id, company_id, name, amount_minor, currency, status,
   expected_close_at, tags, created_at)
SELECT '{tenant}', pg_temp.key('deal', n), pg_temp.key('pipeline', n % 2), pg_temp.key('stage', n % 12),
  pg_temp.key('contact', (n + 500 * (n % 7)) % 10000), pg_temp.key('company', n % 500),
  'Flat ' || n || ' in tower ' || n % 41, 100000000 + 7919 * n, 'EGP',
  (ARRAY['open', 'open', 'won', 'lost'])[1 + n % 4], date '2026-12-01' + n % 300,
  CASE WHEN n % 2 = 0 THEN ARRAY['cash', 'first-home'] ELSE '{{}}' END, pg_temp.made(n)
FROM generate_series(0, 9999) n;

INSERT INTO activities
  (tenant_id, type_code, contact_id, company_id, deal_id, subject, status, due_at, created_at)
SELECT '{tenant}', 'call', pg_temp.key('contact', n % 10000), pg_temp.key('company', n % 500),
  pg_temp.key('deal', n % 10000), 'Call ' || n, 'open', pg_temp.made(-n), pg_temp.made(n)
FROM generate_series(0, 19999) n;

INSERT INTO users (tenant_id, id, email)
SELECT '{tenant}', pg_temp.key('user', n), 'user-' || n || '@bench.test' FROM generate_series(1, 19) n;

INSERT INTO notifications_inbox
  (tenant_id, id, user_id, category, title, body, meta, is_read, created_at)
SELECT '{tenant}', pg_temp.key('notice', n),
  CASE n % 20 WHEN 0 THEN '{user}' ELSE pg_temp.key('user', n % 20) END,
  'approvals', 'Discount ' || n || ' waits for you',
  'The seller asks for ' || n % 10 || ' per cent.',
  json_build_object('approvalId', pg_temp.key('approval', n), 'step', n % 3), n / 20 % 2 = 0,
  pg_temp.made(n)
FROM generate_series(0, 9999) n;

DROP FUNCTION pg_temp.key;
DROP FUNCTION pg_temp.made;
"""

_TABLES: Final = (
    "deal_pipelines, deal_stages, companies, contacts, deals, activities, users, notifications_inbox, "
    "sessions, user_roles, roles, role_permissions"
)


def identity(tenant: UUID, kind: str, number: int) -> UUID:
    """The id of a row: `kind` is `deal`, `company` and so on, `number` counts from 0."""
    return UUID(hashlib.md5(f"{tenant}{kind}{number}".encode(), usedforsecurity=False).hexdigest())


async def fill(owner_url: str, users: dict[UUID, UUID]) -> None:
    """Add the rows of each tenant, with notifications for its user, and gather statistics."""
    connection = await asyncpg.connect(owner_url, server_settings={"app.maintenance": "on"})
    try:
        for tenant, user in users.items():
            await connection.execute(_ROWS.format(tenant=tenant, user=user))
        await connection.execute(f"VACUUM (ANALYZE) {_TABLES}")
    finally:
        await connection.close()
