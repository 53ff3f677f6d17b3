#!/bin/sh
# Starts PgBouncer with the one login that it knows, whose password is a secret and in no file of the image.
set -eu
umask 077
printf '"m3_gateway" "%s"\n' "$(cat /run/secrets/gateway_password)" > /run/pgbouncer/userlist.txt
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
