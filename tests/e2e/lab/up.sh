#!/usr/bin/env bash
# Starts etcd, API server, controller-manager and scheduler with TLS and RBAC, waits until they are ready, writes $LAB/kubeconfig.
# There is no node: tests/e2e/played.py plays it, and no root is needed. With LAB_NODE there is one (node.sh). down.sh stops it all.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

[ -z "$(missing_programs)" ] || die "not built: $(missing_programs | tr '\n' ' ')(build.sh does it)"
if alive apiserver; then say "is up already"; exit; fi
[ ! -e "$run" ] || bash "$here/down.sh"

api=127.0.0.1 api_port=$port first_service=10.96.0.1
if [ -n "$kind" ]; then api=$first_service api_port=443; fi # where pods look for it, so that there need be no kube-proxy
rm -rf "$log" # the last cluster's
mkdir -p "$run/pki" "$log"
if [ -n "$kind" ]; then node_ground; fi

# --- certificates and kubeconfigs ---
cd "$run/pki"
signed() { # NAME SUBJECT EXTENSION...
  local name=$1 subject=$2 ext=() from=(); shift 2
  for e; do ext+=(-addext "$e"); done
  [ "$name" = ca ] || from=(-CA ca.crt -CAkey ca.key)
  openssl req -x509 -config "$run/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
    -subj "$subject" "${ext[@]}" "${from[@]}" -keyout "$name.key" -out "$name.crt" 2> "$log/openssl.log" || die "see $log/openssl.log"
}
kubeconfig() { # NAME FILE
  cat > "$2" << E
apiVersion: v1
kind: Config
current-context: $context
contexts: [{name: $context, context: {cluster: lab, user: $1}}]
clusters: [{name: lab, cluster: {server: "https://$api:$api_port", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
E
}
clients=(controller-manager scheduler ${kind:+coredns})
umask 077
printf '[req]\ndistinguished_name = dn\n[dn]\n' > "$run/openssl.cnf"
signed ca /CN=litefs-e2e-lab basicConstraints=critical,CA:TRUE keyUsage=keyCertSign
signed apiserver /CN=kube-apiserver "subjectAltName=DNS:kubernetes.default.svc,DNS:kubernetes.default,DNS:localhost,IP:127.0.0.1,IP:$first_service"
if [ -n "$kind" ]; then
  signed kubelet /O=system:nodes/CN=system:node:lab "subjectAltName=DNS:lab,IP:$node_ip"
else
  signed kubelet /O=system:nodes/CN=played "subjectAltName=$(printf 'IP:%s,' "${node_ips[@]}")DNS:played"
fi
signed admin /O=system:masters/CN=admin
for c in apiserver-to-kubelet "${clients[@]}"; do signed "lab-$c" "/O=system:masters/CN=lab:$c"; done
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out sa.key 2> /dev/null
openssl pkey -in sa.key -pubout -out sa.pub
kubeconfig admin "$LAB/kubeconfig"
for c in "${clients[@]}"; do kubeconfig "lab-$c" "$run/$c.conf"; done
if [ -n "$kind" ]; then kubeconfig kubelet "$run/kubelet.conf"; fi
umask 022

# --- control plane ---
# What clients do is in $LAB/log/audit.log, with request bodies; what the control plane itself does is left out.
cat > "$run/audit.yaml" << E
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, userGroups: ["system:nodes"]}
- {level: None, users: ["system:apiserver", "lab:controller-manager", "lab:scheduler", "lab:coredns"]}
- {level: None, nonResourceURLs: ["/readyz*", "/livez*", "/healthz*", "/openapi/*"]}
- {level: Request}
E
: > "$log/audit.log"
etcd=http://127.0.0.1:$((port + 1)) peer=http://127.0.0.1:$((port + 2))
start etcd "$bin/etcd" --data-dir "$run/etcd" --unsafe-no-fsync --log-level warn --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
  --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
reconciler=none # nothing could reach the Service "kubernetes" without a node's network, so it gets no endpoints
[ -z "$kind" ] || reconciler=lease
start apiserver "$bin/kube-apiserver" --etcd-servers "$etcd" --bind-address "$api" --secure-port "$api_port" --advertise-address $first_service \
  --endpoint-reconciler-type $reconciler --service-cluster-ip-range 10.96.0.0/16 \
  --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged --profiling=false \
  --tls-cert-file "$run/pki/apiserver.crt" --tls-private-key-file "$run/pki/apiserver.key" --client-ca-file "$run/pki/ca.crt" \
  --service-account-issuer https://kubernetes.default.svc \
  --service-account-key-file "$run/pki/sa.pub" --service-account-signing-key-file "$run/pki/sa.key" \
  --kubelet-preferred-address-types InternalIP --kubelet-certificate-authority "$run/pki/ca.crt" \
  --kubelet-client-certificate "$run/pki/lab-apiserver-to-kubelet.crt" --kubelet-client-key "$run/pki/lab-apiserver-to-kubelet.key" \
  --audit-policy-file "$run/audit.yaml" --audit-log-path "$log/audit.log" --audit-log-mode blocking
until_ok 60 apiserver admin get --raw /readyz
start controller-manager "$bin/kube-controller-manager" --kubeconfig "$run/controller-manager.conf" --leader-elect=false \
  --bind-address 127.0.0.1 --secure-port $((port + 3)) --service-account-private-key-file "$run/pki/sa.key" --root-ca-file "$run/pki/ca.crt"
start scheduler "$bin/kube-scheduler" --kubeconfig "$run/scheduler.conf" --leader-elect=false --bind-address 127.0.0.1 --secure-port $((port + 4))
until_ok 60 controller-manager admin get serviceaccount default
if [ -n "$kind" ]; then node_up; fi
say "${kind:-control plane} up in $SECONDS s, context $context in $LAB/kubeconfig"
