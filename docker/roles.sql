-- The logins, made by an administrator before the first migration: psql -v owner_password=… -v
-- gateway_password=… -f roles.sql m3core. It may run again, to set other passwords.
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY['m3_owner', 'm3_gateway', 'm3_service']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

-- The owner migrates. It is no superuser: row security must hold for it. CREATEDB is for `m3 db check`.
ALTER ROLE m3_owner LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB PASSWORD :'owner_password';
SELECT format('ALTER DATABASE %I OWNER TO m3_owner', current_database()) \gexec

ALTER ROLE m3_gateway LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'gateway_password';
-- What a gateway asks for when it connects, for connections that a pooler opens
ALTER ROLE m3_gateway SET statement_timeout = '10s';
ALTER ROLE m3_gateway SET lock_timeout = '5s';
ALTER ROLE m3_gateway SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE m3_gateway SET client_connection_check_interval = '1s';
ALTER ROLE m3_gateway SET timezone = 'UTC';
