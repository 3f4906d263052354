"""Reaching what is deployed: `mill forward`, `mill open` and `mill exec`.

The gateway names the pod and kubectl carries the bytes, with the caller's own kubeconfig and rights. So the gateway
needs no right to forward ports or to run programs in pods, and every way to authenticate to a cluster works.

- `pods`: which pod of a service a command is about; pure.
- `kubectl`: its command lines and errors.
- `port_forward`: one `kubectl port-forward`. `forward`: forwarding from pod to pod. `ports`: ports of this machine.
- `browser`: the URL of a service, opened. `programs`: a program in a pod.
"""
