#!/bin/sh
# Makes the secrets that compose.yaml reads, in docker/secrets, as far as each is missing.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# The folder keeps others out. Containers run as users of their own and must be able to read the files.
keep() { test -e "secrets/$1" || { printf '%s' "$2" > "secrets/$1" && chmod 444 "secrets/$1"; }; }

for name in postgres_password owner_password gateway_password m3_metrics_token; do
  keep "$name" "$(random)"
done
owner=$(cat secrets/owner_password)
gateway=$(cat secrets/gateway_password)
keep m3_owner_database_url "postgresql://m3_owner:$owner@postgres:5432/m3core"
keep m3_database_url "postgresql://m3_gateway:$gateway@pgbouncer:6432/m3core"
keep m3_listen_database_url "postgresql://m3_gateway:$gateway@postgres:5432/m3core"
