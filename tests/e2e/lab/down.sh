#!/usr/bin/env bash
# Stops exactly what up.sh started (pid files in $LAB/run) and removes the cluster's state. Programs and logs stay.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

[ -d "$run" ] || exit 0
stop 3 controller-manager scheduler
if [ -n "$kind" ]; then node_down; fi
stop 3 apiserver etcd
rm -rf --one-file-system "$run" "$LAB/kubeconfig"
