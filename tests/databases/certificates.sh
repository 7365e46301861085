# Sourced: makes a CA and a certificate for localhost in $dir, for one day: ca.pem, server.pem, server.key.

certificates() {
  (
    cd "$dir"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=Test CA" \
      -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out server.pem \
      -extfile <(printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE')
  ) 2> "$dir/openssl.log" || { cat "$dir/openssl.log" >&2; exit 1; }
}

missing() {
  echo "$1 is not installed: on Debian, apt-get install $2" >&2
  exit 1
}
