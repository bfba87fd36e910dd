#!/bin/sh
# Before each start of a stack: the home, if there is none yet, and Airflow's tables.
set -eu
umask 077

secrets=${TILLIT_SECRETS:-/run/secrets}
password=$(cat "$secrets/database-password")
case $password in
  '' | *[!A-Za-z0-9._~-]*)
    echo "the database password may hold letters, digits and . _ ~ - only" >&2
    exit 1
    ;;
esac

# Written each time, so that a new password is taken up. printf is built in: no other process sees
# its arguments.
url=$TILLIT_HOME/database.url
printf 'postgresql://tillit:%s@database:5432/postgres\n' "$password" >"$url.new"
mv "$url.new" "$url"

if [ ! -f "$TILLIT_HOME/config.toml" ]; then
  tillit home init "$TILLIT_HOME" --party "$TILLIT_PARTY" --name "$TILLIT_NAME" \
    --mailbox "$TILLIT_MAILBOX" --database-url-file "$url"
fi
exec tillit airflow run db migrate
