#!/usr/bin/env bash
# Builds the control plane's programs from Go modules into $LAB_BIN. Skips what is there; delete a file to build it again.
# Takes some 20 minutes on two cores and 8 GB in Go's caches the first time. Where it cannot,
# it ends with 3 and $LAB_BIN/.failed says why.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

KUBERNETES=1.34.4 ETCD=3.6.16

[ -n "$(missing_programs)" ] || exit 0
cannot() { mkdir -p "$bin"; echo "$*" > "$bin/.failed"; exit 3; } # run.sh says it
command -v go > /dev/null || cannot "there is no Go here"
export GOTOOLCHAIN=local GOFLAGS=-mod=mod CGO_ENABLED=0
source=${bin%/bin}/src
mkdir -p "$bin" "$source"
rm -f "$bin/.failed"

exec 9> "$bin/.lock" # two runs at once: the second waits and finds everything built
flock 9

# One throw-away module per program family: go.mod with the versions, a file that imports the commands, go build.
module() { # NAME MODULE VERSION PACKAGE...
  local dir=$source/$1 mod=$2 version=$3; shift 3
  mkdir -p "$dir"; cd "$dir"
  printf 'module lab\n\ngo %s\n\nrequire %s v%s\n' "$(go env GOVERSION | sed 's/^go//; s/[- ].*//')" "$mod" "$version" > go.mod
  { echo '//go:build tools'; echo; echo 'package lab'; echo; printf 'import _ "%s"\n' "$@"; } > tools.go
}
tidy() { go mod tidy -e > tidy.log 2>&1 || cannot "go mod tidy failed, see $PWD/tidy.log"; }
build() { # PACKAGE NAME [LDFLAGS]
  say "building $2"
  go build -trimpath -ldflags "-s -w ${3:-}" -o "$bin/$2.new" "$1" > build.log 2>&1 || cannot "$2 does not compile, see $PWD/build.log"
  mv "$bin/$2.new" "$bin/$2"
}

kubernetes=()
for b in kube-apiserver kube-controller-manager kube-scheduler kubectl; do [ -x "$bin/$b" ] || kubernetes+=("$b"); done
if [ ${#kubernetes[@]} -gt 0 ]; then
  module kubernetes k8s.io/kubernetes $KUBERNETES "${kubernetes[@]/#/k8s.io/kubernetes/cmd/}"
  # k8s.io/kubernetes requires its own staging modules at v0.0.0: point each at the published version.
  found=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" 2> download.log) || cannot "Go modules are out of reach, see $PWD/download.log"
  go_mod=$(sed -n 's/.*"GoMod": "\(.*\)".*/\1/p' <<< "$found")
  mods=$(sed -n 's/^[[:space:]]*\(k8s\.io\/[a-z-]*\) v0\.0\.0\( .*\)\?$/\1/p' "$go_mod" | sort -u)
  for m in $mods; do echo "replace $m => $m v0.${KUBERNETES#1.}"; done >> go.mod
  printf '\ngodebug default=go1.24\n' >> go.mod
  say "building Kubernetes $KUBERNETES and etcd, once: some 20 minutes"
  tidy
  v=k8s.io/component-base/version
  for b in "${kubernetes[@]}"; do
    build "k8s.io/kubernetes/cmd/$b" "$b" "-X $v.gitVersion=v$KUBERNETES -X $v.gitMajor=1 -X $v.gitMinor=34"
  done
fi
if [ ! -x "$bin/etcd" ]; then
  module etcd go.etcd.io/etcd/server/v3 $ETCD go.etcd.io/etcd/server/v3
  tidy
  build go.etcd.io/etcd/server/v3 etcd
fi
