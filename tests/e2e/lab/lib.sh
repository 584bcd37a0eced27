# shellcheck shell=bash disable=SC2034
# Shared by the scripts of the lab: where things lie, and how processes are started and stopped.
#   LAB_NODE if not empty: with a node that runs real pods, and not the control plane alone
#   LAB_BIN  the programs, built once and kept (default: $XDG_CACHE_HOME/litefs-lab/bin)
#   LAB      the state of one cluster (default: $XDG_CACHE_HOME/litefs-lab-e2e, with a node litefs-lab-node)
#   LAB_PORT its first port; it takes five from there
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}
bin=${LAB_BIN:-$cache/litefs-lab/bin}
kind=${LAB_NODE:+node}
LAB=${LAB:-$cache/litefs-lab-${kind:-e2e}}
run=$LAB/run log=$LAB/log
port=${LAB_PORT:-16443}
context=litefs-e2e-lab      # the context's name in $LAB/kubeconfig
node_ips=(198.18.0.{1..9})  # nodes that the tests play may have these; the kubelet's certificate names them
export LAB LAB_BIN=$bin LAB_PORT=$port
kubernetes=(kube-apiserver kube-controller-manager kube-scheduler kubectl)
if [ -n "$kind" ]; then kubernetes+=(kubelet); fi
programs=("${kubernetes[@]}" etcd ${kind:+coredns pause})
rootfs=${bin%/bin}/rootfs.tar # the layer below LiteFS in the node's image

die() { echo "e2e: $*" >&2; exit 1; }
say() { echo "e2e: $*" >&2; }
for d in "$LAB" "$bin"; do
  [[ $d == /* && $d != *[[:space:]]* && ${#d} -le 80 ]] || die "$d: want an absolute path, without spaces, of at most 80 characters"
done

admin() { "$bin/kubectl" --kubeconfig "$LAB/kubeconfig" "$@"; }
missing_programs() { local p; for p in "${programs[@]}"; do [ -x "$bin/$p" ] || echo "$p"; done; }

# A pid file holds "pid start-time", so a number that the kernel has given to somebody else is never signalled.
started_at() { # PID; fails for a zombie too
  local stat
  { stat=$(< "/proc/$1/stat"); } 2> /dev/null || return
  read -r -a stat <<< "${stat##*) }"
  [ "${stat[0]}" != Z ] && echo "${stat[19]}"
}
alive() { # NAME
  local pid since
  [ -f "$run/$1.pid" ] && read -r pid since < "$run/$1.pid" && [ -n "$since" ] && [ "$(started_at "$pid")" = "$since" ]
}
start() { # NAME COMMAND...
  local name=$1; shift
  alive "$name" && return
  setsid nohup "$@" > "$log/$name.log" 2>&1 < /dev/null &
  echo "$! $(started_at $!)" > "$run/$name.pid"
}
signal() { # SIGNAL NAME...
  local signal=$1 name pid; shift
  for name; do if alive "$name"; then read -r pid _ < "$run/$name.pid"; kill -s "$signal" "$pid" 2> /dev/null || true; fi; done
}
any_alive() { local name; for name; do alive "$name" && return; done; return 1; }
stop() { # SECONDS NAME...: all at once, then KILL for those that are still there
  local i limit=$(($1 * 10)); shift
  signal TERM "$@"
  for ((i = 0; i < limit; i++)); do any_alive "$@" || break; sleep 0.1; done
  signal KILL "$@"
  for ((i = 0; i < 20; i++)); do any_alive "$@" || break; sleep 0.1; done
  for i; do rm -f "$run/$i.pid"; done
}
until_ok() { # SECONDS WHAT COMMAND...
  local limit=$((SECONDS + $1)) what=$2; shift 2
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $limit ] || die "$what: not ready in time; see $log"
    sleep 0.2
  done
}
# shellcheck source=node.sh
if [ -n "$kind" ]; then . "$here/node.sh"; fi
