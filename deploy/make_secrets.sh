#!/bin/sh
# Make the secrets of deploy/compose.yaml, once: what is there already stays.
#
#     sh deploy/make_secrets.sh
#
# deploy/.env holds what travels in the environment, deploy/secrets what is read as a file. Git
# sees neither.
set -eu
cd "$(dirname "$0")"
umask 077

# A container's user, who is nobody here, reads them: the folder keeps everybody else out.
mkdir -p secrets

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

for name in ray_auth_token grafana_admin_password; do
    [ -s "secrets/$name" ] || random 32 >"secrets/$name"
    chmod 0444 "secrets/$name"
done

[ -s .env ] || cat >.env <<END
MIDIFARM_DATABASE_PASSWORD=$(random 24)
MIDIFARM_S3_ACCESS_KEY=midifarm
MIDIFARM_S3_SECRET_KEY=$(random 24)

# The name by which the world knows this machine, and the addresses under which browsers find the
# bucket and Grafana.
MIDIFARM_SITE=localhost
MIDIFARM_BUCKET_ADDRESS=http://127.0.0.1:8333
MIDIFARM_GRAFANA_ADDRESS=http://127.0.0.1:3000

# How many API processes, worker nodes and slots of each (one a core without it).
MIDIFARM_API_REPLICAS=2
MIDIFARM_WORKER_NODES=1
MIDIFARM_SLOTS=
END
echo "deploy/.env and deploy/secrets are there; look at the addresses in deploy/.env."
