#!/bin/bash
# Starts a real PostgreSQL on 127.0.0.1 for tests: `postgresql.sh PORT [on|off|starting]` (TLS on or off, or one that is still starting:
# it waits for a primary and lets nobody in), with a data directory of its own.
# Says `ready <path of the CA>` when it can be asked, and stops when its standard input ends.
#
# Users of the database app, password "right" each: scram, md5, clear (how they sign in), tls (not without TLS), full (no
# connection allowed), outsider (may not connect to the database closed), sprep (password "Ⅸ a½": SASLprep has to read it).
set -euo pipefail
port=$1 tls=${2:-on} more=()
here=$(cd "$(dirname "$0")" && pwd)
. "$here/certificates.sh"
command -v openssl > /dev/null || missing openssl openssl
PATH=$(ls -d /usr/lib/postgresql/*/bin 2> /dev/null | sort -V | tail -1):$PATH
command -v initdb > /dev/null || missing PostgreSQL postgresql

dir=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then kill -INT "$server" 2> /dev/null || true; wait "$server" 2> /dev/null || true; fi
  rm -rf "$dir"
}
trap finish EXIT
certificates
# PostgreSQL refuses to run as root.
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  chown -R postgres "$dir"
fi
chmod 755 "$dir"
cd "$dir"
"${as[@]}" initdb --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync -D data > initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
cat > data/pg_hba.conf <<'HBA'
local   all  postgres           trust
host    all  scram,full,outsider,sprep  127.0.0.1/32  scram-sha-256
host    all  md5                127.0.0.1/32  md5
host    all  clear              127.0.0.1/32  password
hostssl all  tls                127.0.0.1/32  scram-sha-256
HBA
if [ "$tls" = starting ]; then
  # A standby that may not be read: every start-up is refused with 57P03, as while a server starts.
  tls=off more=(-c hot_standby=off -c restore_command=false)
  "${as[@]}" touch data/standby.signal
fi
"${as[@]}" postgres -D data -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 -c fsync=off -c ssl="$tls" \
  -c ssl_cert_file="$dir/server.pem" -c ssl_key_file="$dir/server.key" -c max_connections=40 "${more[@]}" > server.log 2>&1 < /dev/null &
server=$!
for _ in $(seq 300); do
  # 1: it is there, and refuses.
  if [ ${#more[@]} -gt 0 ] && { "${as[@]}" pg_isready -q -h "$dir" -p "$port" || [ $? = 1 ]; }; then echo "ready $dir/ca.pem"; cat > /dev/null; exit; fi
  if "${as[@]}" pg_isready -q -h "$dir" -p "$port"; then break; fi
  kill -0 "$server" 2> /dev/null || { cat server.log >&2; exit 1; }
  sleep 0.1
done
"${as[@]}" psql -q -v ON_ERROR_STOP=1 -h "$dir" -p "$port" -U postgres > setup.log 2>&1 <<'SQL' || { cat setup.log >&2; exit 1; }
create database app;
create database closed;
revoke connect on database closed from public;
create role scram login password 'right';
create role tls login password 'right';
create role clear login password 'right';
create role outsider login password 'right';
create role sprep login password E'\u2168 a\u00bd';
create role "full" login password 'right' connection limit 0;
set password_encryption = 'md5';
create role md5 login password 'right';
SQL
echo "ready $dir/ca.pem"
cat > /dev/null
