#!/bin/sh
# Run containerd and Docker's engine in namespaces of their own (engine.py); both end with its process. Environment:
#   STATE    a folder for everything they write
#   SOCKET   where the engine listens
#   RUNTIME  what starts containers: runc, with what this machine does not allow left out (runtime.py)
#   CGROUP   the parent of all containers
#   BRIDGE, BRIDGE_ADDRESS  of Docker's default network; no bridge: containers have the network of this machine or none
set -eu

# Sockets and locks go where programs have it built in: they are seen in here only.
mount -t tmpfs tmpfs /run
if [ -n "$BRIDGE" ]; then
  ip link set lo up
  ip link add "$BRIDGE" type bridge
  ip address add "$BRIDGE_ADDRESS" dev "$BRIDGE"
  ip link set "$BRIDGE" up
fi

containerd --config "$STATE/containerd.toml" >"$STATE/containerd.log" 2>&1 &
# No rules of iptables, no forwarding: ports are published by docker-proxy, and nothing leads to the outside.
exec dockerd --config-file "$STATE/dockerd.json" --host "unix://$SOCKET" --containerd "$STATE/containerd.sock" \
  --data-root "$STATE/data" --exec-root "$STATE/exec" --pidfile "$STATE/dockerd.pid" \
  --bridge "${BRIDGE:-none}" --default-address-pool base=10.235.0.0/16,size=24 \
  --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=true \
  --cgroup-parent "$CGROUP" --oom-score-adjust 0 --add-runtime "mill=$RUNTIME" --default-runtime mill \
  >"$STATE/dockerd.log" 2>&1
