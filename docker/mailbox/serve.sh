#!/bin/sh
# An account and an inbox for each party in MAILBOX_PARTIES, then sshd.
#
# /<owner> belongs to its owner; others may pass through it but not look. In /<owner>/<sender> the
# sender writes, the owner reads and removes, and nobody else sees anything.
set -eu

secrets=${MAILBOX_SECRETS:-/run/secrets}
keys=/run/mailbox
inboxes=/srv/mailbox

install -d -m 0755 "$keys" "$keys/authorized"
install -m 0600 "$secrets/host-key" "$keys/host_key"
install -d -o root -g root -m 0755 "$inboxes" /run/sshd

getent group parties >/dev/null || groupadd --gid 1999 parties
# The place in the list is the account's number, which files in the volume keep: only append to it.
number=2000
for party in $MAILBOX_PARTIES; do
  if ! getent passwd "$party" >/dev/null; then
    groupadd --gid "$number" "$party"
    # "*" is no password; sshd takes the usual "!" for a locked account, and lets nobody in.
    useradd --uid "$number" --gid "$party" --groups parties --no-create-home --home-dir / \
      --shell /usr/sbin/nologin --password '*' "$party"
  fi
  install -m 0644 "$secrets/$party.pub" "$keys/authorized/$party"
  number=$((number + 1))
done

for owner in $MAILBOX_PARTIES; do
  install -d -o "$owner" -g "$owner" -m 0711 "$inboxes/$owner"
  for sender in $MAILBOX_PARTIES; do
    [ "$sender" = "$owner" ] || install -d -o "$sender" -g "$owner" -m 2770 "$inboxes/$owner/$sender"
  done
done

exec /usr/sbin/sshd -D -e
