#!/usr/bin/env bash
# Builds the cluster's programs from Go modules into $LAB_BIN. Skips what is there; delete a file to build it again.
# Takes some 20 minutes on two cores and 8 GB in Go's caches the first time. With LAB_NODE also what a node needs: programs, and
# Debian's files for the image. Where it cannot, it ends with 3 and $LAB_BIN/.failed says why.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

KUBERNETES=1.34.4 ETCD=3.6.16 COREDNS=1.15.0

if [ -z "$(missing_programs)" ] && { [ -z "$kind" ] || [ -f "$rootfs" ]; }; then exit 0; fi
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

absent=()
for b in "${kubernetes[@]}"; do [ -x "$bin/$b" ] || absent+=("$b"); done
if [ ${#absent[@]} -gt 0 ]; then
  module kubernetes k8s.io/kubernetes $KUBERNETES "${absent[@]/#/k8s.io/kubernetes/cmd/}"
  # k8s.io/kubernetes requires its own staging modules at v0.0.0: point each at the published version.
  found=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" 2> download.log) || cannot "Go modules are out of reach, see $PWD/download.log"
  go_mod=$(sed -n 's/.*"GoMod": "\(.*\)".*/\1/p' <<< "$found")
  mods=$(sed -n 's/^[[:space:]]*\(k8s\.io\/[a-z-]*\) v0\.0\.0\( .*\)\?$/\1/p' "$go_mod" | sort -u)
  for m in $mods; do echo "replace $m => $m v0.${KUBERNETES#1.}"; done >> go.mod
  printf '\ngodebug default=go1.24\n' >> go.mod
  say "building Kubernetes $KUBERNETES and what it needs, once: some 20 minutes"
  tidy
  v=k8s.io/component-base/version
  for b in "${absent[@]}"; do
    build "k8s.io/kubernetes/cmd/$b" "$b" "-X $v.gitVersion=v$KUBERNETES -X $v.gitMajor=1 -X $v.gitMinor=34"
  done
fi
if [ ! -x "$bin/etcd" ]; then
  module etcd go.etcd.io/etcd/server/v3 $ETCD go.etcd.io/etcd/server/v3
  tidy
  build go.etcd.io/etcd/server/v3 etcd
fi
[ -n "$kind" ] || exit 0
if [ ! -x "$bin/pause" ]; then # what holds a pod's namespaces together
  mkdir -p "$source/pause"; cd "$source/pause"
  printf 'module pause\n\ngo 1.21\n' > go.mod
  cat > main.go << 'E'
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGINT, syscall.SIGTERM)
	<-asked
}
E
  build . pause
fi
if [ ! -x "$bin/coredns" ]; then # with the plugins that are used here alone; all would take minutes more
  c=github.com/coredns/coredns
  module coredns $c $COREDNS $c/plugin/{bind,cache,errors,kubernetes,template}
  { sed -e '1,2d' -e 's/^package lab/package main/' tools.go; printf 'import "%s/coremain"\n\nfunc main() { coremain.Run() }\n' $c; } > main.go
  rm tools.go
  tidy
  build . coredns
fi
if [ ! -f "$rootfs" ]; then
  say "making the image's root file system, once: a minute or two"
  work=$(mktemp -d "$source/rootfs.XXXXXX")
  trap 'rm -rf --one-file-system "$work"' EXIT
  suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  uri=$(apt-get indextargets --format "\$(REPO_URI)" 'Created-By: Packages' "Codename: $suite" | head -n 1)
  debootstrap --variant=minbase --include=sqlite3,fuse3 "$suite" "$work/files" "$uri" > "$source/debootstrap.log" 2>&1 \
    || cannot "debootstrap failed, see $source/debootstrap.log"
  rm -rf "$work"/files/var/cache/apt/* "$work"/files/var/lib/apt/lists/* "$work"/files/usr/share/{doc,locale,man}/*
  tar --create --numeric-owner --exclude './proc/*' --exclude './sys/*' --exclude './dev/*' --file "$rootfs.new" --directory "$work/files" .
  mv "$rootfs.new" "$rootfs"
fi
