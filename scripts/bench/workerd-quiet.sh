#!/bin/sh
# workerd with its log thrown away. Miniflare always reads it through a pipe and parses each line, on the machine that is
# measured; on the platform nobody does.
exec "$KEYFOB_WORKERD" "$@" >/dev/null
