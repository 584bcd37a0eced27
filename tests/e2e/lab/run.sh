#!/usr/bin/env bash
# A control plane from nothing, with LAB_NODE a node, too; the tests marked e2e against it, and down again.
#   run.sh COMMAND...    the command gets KUBECONFIG and E2E_CONTEXT; `make e2e-control-plane` and `make e2e-node` give pytest
# Runs in a network and process namespace of its own where the machine allows it: no port, address or process is left over.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

skip() { # REASON; with E2E_REQUIRED it is a failure
  [ -z "${E2E_REQUIRED:-}" ] || die "$*"
  say "all skipped: $*"; exit 0
}
if [ "${1:-}" != --inside ]; then
  for tool in openssl setsid flock base64 python3; do command -v $tool > /dev/null || skip "the ${kind:-control plane} needs $tool, which is not here"; done
  [ "$(uname -s)" = Linux ] || skip "the ${kind:-control plane} runs on Linux only"
  apart=(unshare --net --pid --fork --kill-child --mount-proc)
  if [ -n "$kind" ]; then
    lacks=$(node_lacks "${apart[@]}")
    [ -z "$lacks" ] || skip "no node can run here: $lacks"
  fi
  built=0
  bash "$here/build.sh" || built=$?
  [ $built = 0 ] || skip "the ${kind:-control plane} cannot be built here: $(cat "$bin/.failed" 2> /dev/null || echo "build.sh ended with $built")"
  [ "$(id -u)" = 0 ] || apart=(unshare --user --map-root-user "${apart[@]:1}")
  if "${apart[@]}" true 2> /dev/null; then exec "${apart[@]}" bash "$0" --inside "$@"; fi
  say "no namespaces here: the control plane takes ports $port to $((port + 4)) of this machine"
  exec bash "$0" --inside "$@"
fi
shift
mkdir -p "$LAB"
exec 8> "$LAB/.lock"
if ! flock --nonblock 8; then
  say "another run uses $LAB; waiting for it (a LAB and a LAB_PORT of its own would spare that)"
  flock --timeout 1200 8 || die "it does not end"
fi
trap 'bash "$here/down.sh"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if command -v ip > /dev/null; then ip link set lo up 2> /dev/null || true; fi
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY http_proxy https_proxy all_proxy
bash "$here/up.sh"
export KUBECONFIG=$LAB/kubeconfig E2E_CONTEXT=$context
export E2E_AUDIT_LOG=$log/audit.log E2E_KUBELET_CERT=$run/pki/kubelet.crt E2E_KUBELET_KEY=$run/pki/kubelet.key
if [ -n "$kind" ]; then export E2E_IMAGE=docker.io/library/litefs:1 PATH=$bin:$PATH; fi
"$@"
