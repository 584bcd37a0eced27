# shellcheck shell=bash disable=SC2154
# The node of the cluster, for up.sh and down.sh: network, cgroups, containerd, kubelet, DNS. run.sh gives it namespaces of its own, so
# that its network, its processes and its mounts go with them; node_down puts back what would stay on the machine.
# Pods have no default route and nothing is forwarded: they reach each other, the DNS, the node and the API, and nothing else.
# There is no kube-proxy: headless Services work, and the address of the Service "kubernetes".

node_ip=10.250.0.1 # on the bridge lab0, where the API server's address is, too
dns_ip=10.244.0.1  # gateway and DNS of the pods, on the bridge lab1
sock=$run/containerd.sock
cgroup=litefs-e2e-$(cksum <<< "$LAB" | cut -d ' ' -f 1) # not the usual one: a kubelet ends every pod there that it does not know
places=(/run/netns /run/containerd /var/lib/kubelet /var/log/containers) # kubelet and containerd write there whatever they are told
tunables=(vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes)

if [[ ${LITEFS_BIN:-/} != /* ]]; then export LITEFS_BIN=$PWD/$LITEFS_BIN; fi
cni=$(for d in /usr/lib/cni /usr/libexec/cni /opt/cni/bin; do if [ -x $d/bridge ]; then echo $d; break; fi; done)

node_lacks() { # UNSHARE...: why there can be no node here; nothing if there can
  local tool h
  [ "$(id -u)" = 0 ] || { echo "it takes root"; return; }
  [ -c /dev/fuse ] || { echo "there is no /dev/fuse"; return; }
  (: <> /dev/fuse) 2> /dev/null || { echo "/dev/fuse cannot be opened"; return; }
  [ -n "${LITEFS_BIN:-}" ] || { echo "LITEFS_BIN is not set: it is to name a LiteFS program"; return; }
  [ -f "$LITEFS_BIN" ] && [ -x "$LITEFS_BIN" ] || { echo "LITEFS_BIN=$LITEFS_BIN is not a program"; return; }
  [[ "$("$LITEFS_BIN" version 2>&1 < /dev/null)" == LiteFS* ]] || { echo "LITEFS_BIN=$LITEFS_BIN does not say that it is LiteFS"; return; }
  for tool in containerd ctr runc dpkg ip "${cni:-CNI plugins}" $([ -f "$rootfs" ] || echo debootstrap); do
    command -v "$tool" > /dev/null || [ -d "$tool" ] \
      || { echo "no $tool here (Debian: apt-get install containerd runc containernetworking-plugins debootstrap iproute2)"; return; }
  done
  [ -n "$(hierarchies)" ] || { echo "there are no cgroups at /sys/fs/cgroup"; return; }
  for h in $(hierarchies); do
    { mkdir -p "$h/$cgroup.probe" && rmdir "$h/$cgroup.probe"; } 2> /dev/null || { echo "cgroups cannot be made in $h"; return; }
  done
  "$@" true 2> /dev/null || { echo "namespaces cannot be made: $*"; return; }
  "$@" bash -c 'ip link add lab0 type bridge && ip link add lab1 type veth peer lab2' 2> /dev/null || { echo "the kernel makes no bridges or no veth pairs"; return; }
}
hierarchies() { # of cgroups: one in version 2, one for each controller in version 1
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup; else awk '$3 ~ /^cgroup2?$/ && index($2, "/sys/fs/cgroup/") == 1 { print $2 }' /proc/mounts; fi
}
node_ctr() { ctr --address "$sock" --namespace k8s.io "$@"; }
mounts() { awk -v dir="$run/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r; }

node_ground() { # before the API server, which listens on one of the bridges
  local p h c
  for p in "${tunables[@]}"; do echo "$p $(< "/proc/sys/$p")"; done > "$run/tunables"
  for p in "${places[@]}"; do
    if [ ! -d "$p" ]; then mkdir "$p"; echo "$p" >> "$run/places"; fi
    mount -t tmpfs -o mode=755 litefs-e2e "$p"
  done
  ip link add lab0 type bridge
  ip address add $node_ip/32 dev lab0
  ip address add "$api/32" dev lab0
  ip link set lab0 up
  ip link add lab1 type bridge
  ip address add $dns_ip/16 dev lab1
  ip link set lab1 up
  for h in $(hierarchies); do
    mkdir -p "$h/$cgroup"
    if [ "$h" = /sys/fs/cgroup ]; then # version 2: a child has the controllers that its parent hands down
      for c in $(< "$h/cgroup.controllers"); do echo "+$c" > "$h/cgroup.subtree_control" 2> /dev/null || true; done
    fi
  done
}

# A replica that dials the address of a primary's old pod hangs until the kernel gives up, for LiteFS sets no limit: here after 7 s, not after 127.
node_configs() {
  mkdir -p "$run/cni" "$run/volume-plugins"
  cat > "$run/cni/10-lab.conflist" << E
{"cniVersion": "0.4.0", "name": "lab", "plugins": [{"type": "bridge", "bridge": "lab1", "ipam": {
 "type": "host-local", "dataDir": "$run/cni-ipam", "ranges": [[{"subnet": "10.244.0.0/16", "gateway": "$dns_ip"}]],
 "routes": [{"dst": "$api/32", "gw": "$dns_ip"}, {"dst": "$node_ip/32", "gw": "$dns_ip"}]}},
 {"type": "tuning", "sysctl": {"net.ipv4.tcp_syn_retries": "2"}}]}
E
  cat > "$run/containerd.toml" << E
version = 2
root = "$run/containerd/root"
state = "$run/containerd/state"
[grpc]
address = "$sock"
[plugins."io.containerd.internal.v1.opt"]
path = "$run/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "docker.io/library/pause:1"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
BinaryName = "$here/runc"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "$cni"
conf_dir = "$run/cni"
E
  cat > "$run/kubelet.yaml" << E
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $node_ip
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $run/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $run/pki/kubelet.crt
tlsPrivateKeyFile: $run/pki/kubelet.key
containerRuntimeEndpoint: unix://$sock
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
makeIPTablesUtilChains: false
clusterDomain: cluster.local
clusterDNS: [$dns_ip]
resolvConf: /dev/null
podLogsDir: $log/pods
volumePluginDir: $run/volume-plugins
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
E
  cat > "$run/Corefile" << E
cluster.local:53 in-addr.arpa:53 {
    bind $dns_ip
    errors
    kubernetes cluster.local in-addr.arpa {
        kubeconfig $run/coredns.conf $context
        ttl 2
    }
    cache 2
}
.:53 {
    bind $dns_ip
    template ANY ANY {
        rcode NXDOMAIN
    }
}
E
}

# Of one program and the layers below it. containerd reads the archive, of the kind that `docker save` writes, from a pipe.
image() { # NAME COMMAND PROGRAM [LAYER...]
  local name=$1 command=$2 program=$3 work l hashes="" layers=""; shift 3
  work=$(mktemp -d "$run/image.XXXXXX")
  mkdir -p "$work/top/usr/local/bin"
  install -m 755 "$program" "$work/top/usr/local/bin/$name"
  tar --create --owner 0 --group 0 --numeric-owner --file "$work/top.tar" --directory "$work/top" .
  rm -r "$work/top"
  for l in "$@" "$work/top.tar"; do
    [ -e "$work/${l##*/}" ] || ln -s "$l" "$work/${l##*/}"
    hashes+=",\"sha256:$(sha256sum < "$l" | cut -d ' ' -f 1)\"" layers+=",\"${l##*/}\""
  done
  cat > "$work/config.json" << E
{"architecture": "$(dpkg --print-architecture)", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [${hashes#,}]},
 "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": $command}}
E
  echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"docker.io/library/$name:1\"], \"Layers\": [${layers#,}]}]" > "$work/manifest.json"
  tar --create --dereference --directory "$work" . | node_ctr images import - > "$log/image-$name.log" 2>&1 || die "the image $name: see $log/image-$name.log"
  rm -r "$work"
}

node_up() {
  node_configs
  start coredns "$bin/coredns" -conf "$run/Corefile"
  start containerd containerd --config "$run/containerd.toml"
  until_ok 30 containerd node_ctr version
  image pause '["pause"]' "$bin/pause"
  image litefs '["litefs", "mount"]' "$LITEFS_BIN" "$rootfs"
  start kubelet "$bin/kubelet" --config "$run/kubelet.yaml" --kubeconfig "$run/kubelet.conf" --hostname-override lab --node-ip $node_ip \
    --root-dir "$run/kubelet" --cert-dir "$run/kubelet/pki"
  until_ok 60 kubelet admin get node lab
  admin wait --for condition=Ready --timeout 90s node/lab > /dev/null || die "node: see $log/kubelet.log"
  until_ok 30 coredns bash -c ": < /dev/tcp/$dns_ip/53"
}

gone() { # somebody else may end the mount first, but only a path that is no mount point any more is done
  umount "$1" 2> /dev/null || umount --lazy "$1" 2> /dev/null || ! mountpoint --quiet "$1" || die "$1 could not be unmounted"
}

node_down() { # containers are ended through their cgroup, which holds nothing else
  local h p value i
  stop 3 kubelet
  for h in $(hierarchies); do
    for ((i = 0; i < 100; i++)); do
      [ -d "$h/$cgroup" ] || break
      find "$h/$cgroup" -name cgroup.procs -exec cat {} + 2> /dev/null | xargs --no-run-if-empty kill -s KILL 2> /dev/null || true
      find "$h/$cgroup" -depth -type d -exec rmdir {} + 2> /dev/null || sleep 0.1
    done
    [ ! -d "$h/$cgroup" ] || say "$h/$cgroup could not be removed"
  done
  stop 3 coredns containerd
  for p in $(mounts); do gone "$p"; done
  for p in "${places[@]}"; do if mountpoint --quiet "$p" && [ "$(findmnt --noheadings --output SOURCE "$p")" = litefs-e2e ]; then gone "$p"; fi; done
  if [ -f "$run/places" ]; then xargs rmdir --ignore-fail-on-non-empty < "$run/places" 2> /dev/null || true; fi
  if [ -f "$run/tunables" ]; then while read -r p value; do echo "$value" > "/proc/sys/$p"; done < "$run/tunables"; fi
  [ -z "$(mounts)" ] || die "still mounted: $(mounts)"
}
