#!/bin/sh
# Run once by the image of PostgreSQL, when its data directory is new.
set -eu
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
  --set owner_password="$(cat /run/secrets/owner_password)" \
  --set gateway_password="$(cat /run/secrets/gateway_password)" \
  --file /etc/m3/roles.sql
