"""The API of Mill on Kubernetes: what operator, gateway and command line have in common.

- `names`: group, kind, labels and annotations.
- `spec`, `status`: the MillDeployment resource as pydantic models, the single source of the CRD.
- `language`: `.mill` text to spec, and back.
- `crd`, `generated`: the CRD's file; how every file that is generated is written and checked.
- `events`: status to the server-sent events of a rollout.
- `kube`: the Kubernetes client and the reflector (never imported by the command line).
"""
