#!/bin/sh
# sh own-tls.sh SERVER USER COMMAND...: gives a server the key that it shows clients, and goes on as its image would.
# File secrets are mounted as they are, readable by whoever installed them; a server wants its key to be its own. So it
# gets a copy, in memory and anew at every start: after `liaison init` renewed a certificate, restart its server.
set -eu
server=$1 user=$2
shift 2
for part in authority "certificate_$server" "key_$server"; do
    install -o "$user" -g "$user" -m 0400 "/run/secrets/tls_$part" "/run/tls/${part%%_*}"
done
exec docker-entrypoint.sh "$@"
