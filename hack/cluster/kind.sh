#!/bin/sh
# Create or delete a kind cluster with a registry that host and nodes reach under one name (see kind.py):
#   kind.sh up|down    with KIND, CLUSTER, REGISTRY, REGISTRY_IMAGE and KUBECONFIG in the environment.
# It follows the example in kind's documentation. `make test-kind` runs it.
set -eu

container="$CLUSTER-registry"

start_registry() {
  if [ "$(docker inspect -f '{{.State.Running}}' "$container" 2>/dev/null || true)" = true ]; then
    return
  fi
  docker rm --force "$container" >/dev/null 2>&1 || true
  docker run --detach --restart=always --publish "$REGISTRY:5000" --network bridge --name "$container" "$REGISTRY_IMAGE"
}

create_cluster() {
  if "$KIND" get clusters 2>/dev/null | grep -qx "$CLUSTER"; then
    "$KIND" export kubeconfig --name "$CLUSTER" --kubeconfig "$KUBECONFIG"
    return
  fi
  "$KIND" create cluster --name "$CLUSTER" --kubeconfig "$KUBECONFIG" --wait 120s
}

# In a node 127.0.0.1 is the node itself: containerd is configured to ask the registry's container instead.
connect_registry() {
  if [ "$(docker inspect -f '{{json .NetworkSettings.Networks.kind}}' "$container")" = null ]; then
    docker network connect kind "$container"
  fi
  for node in $("$KIND" get nodes --name "$CLUSTER"); do
    docker exec "$node" mkdir -p "/etc/containerd/certs.d/$REGISTRY"
    printf '[host."http://%s:5000"]\n' "$container" |
      docker exec -i "$node" cp /dev/stdin "/etc/containerd/certs.d/$REGISTRY/hosts.toml"
  done
}

case "${1:-}" in
up)
  start_registry
  create_cluster
  connect_registry
  ;;
down)
  "$KIND" delete cluster --name "$CLUSTER" --kubeconfig "$KUBECONFIG"
  docker rm --force --volumes "$container" >/dev/null 2>&1 || true
  ;;
*)
  echo "usage: kind.sh up|down" >&2
  exit 2
  ;;
esac
