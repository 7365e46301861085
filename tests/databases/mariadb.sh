#!/bin/bash
# Starts a real MariaDB on 127.0.0.1 for tests: `mariadb.sh PORT [on|off]` (TLS on or off), with a data directory of its own.
# Says `ready <path of the CA>` when it can be asked, and stops when its standard input ends.
#
# Users of the database app, password "right" each: native, tls (not without TLS), full (one connection, which is taken),
# locked, expired, outsider (no rights on app), modern (ed25519).
set -euo pipefail
port=$1 tls=${2:-on}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/certificates.sh"
command -v openssl > /dev/null || missing openssl openssl
PATH=$PATH:/usr/sbin
command -v mariadbd > /dev/null || missing MariaDB mariadb-server

dir=$(mktemp -d)
server= holder=
finish() {
  for process in $holder $server; do kill "$process" 2> /dev/null || true; wait "$process" 2> /dev/null || true; done
  rm -rf "$dir"
}
trap finish EXIT
certificates
# MariaDB refuses to run as root unless told as whom to.
user=$(id -un)
if [ "$user" = root ]; then
  user=mysql
  chown -R mysql "$dir"
fi
chmod 755 "$dir"
cd "$dir"
mariadb-install-db --no-defaults --user="$user" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db \
  --innodb-log-file-size=4M > install.log 2>&1 || { cat install.log >&2; exit 1; }
secure=(--skip-ssl)
if [ "$tls" = on ]; then secure=(--ssl-cert="$dir/server.pem" --ssl-key="$dir/server.key"); fi
mariadbd --no-defaults --user="$user" --datadir="$dir/data" --socket="$dir/socket" --pid-file="$dir/pid" --port="$port" \
  --bind-address=127.0.0.1 --skip-name-resolve --skip-log-bin --innodb-log-file-size=4M --innodb-buffer-pool-size=16M \
  --disconnect-on-expired-password=on --plugin-load-add=auth_ed25519 "${secure[@]}" > server.log 2>&1 < /dev/null &
server=$!
ask=(mariadb --no-defaults --socket="$dir/socket")
for _ in $(seq 300); do
  if "${ask[@]}" --user=root --execute="select 1" > /dev/null 2>&1; then break; fi
  kill -0 "$server" 2> /dev/null || { cat server.log >&2; exit 1; }
  sleep 0.1
done
"${ask[@]}" --user=root > setup.log 2>&1 <<'SQL' || { cat setup.log >&2; exit 1; }
create database app;
create user native identified by 'right';
create user tls identified by 'right' require ssl;
create user `full` identified by 'right' with max_user_connections 1;
create user locked identified by 'right' account lock;
create user expired identified by 'right' password expire;
create user outsider identified by 'right';
create user modern identified via ed25519 using password('right');
grant select on app.* to native, tls, `full`, locked, expired, modern;
SQL
"${ask[@]}" --user=full --password=right --execute="select sleep(86400)" > /dev/null 2>&1 < /dev/null &
holder=$!
for _ in $(seq 100); do
  if "${ask[@]}" --user=root --skip-column-names --execute="show processlist" | grep -q sleep; then break; fi
  sleep 0.1
done
echo "ready $dir/ca.pem"
cat > /dev/null
