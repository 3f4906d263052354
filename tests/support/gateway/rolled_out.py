"""A service that is rolled out, its status, and the mark of a resource that Argo CD manages."""

WEB = {"name": "web", "image": "web:1", "port": 8080}
ARGO = {"argocd.argoproj.io/tracking-id": "shop:mill.dev/MillDeployment:default/mill"}
STATUS = {
    "observedGeneration": 2,
    "rollout": {
        "id": "2",
        "startedAt": "2026-01-01T00:00:00.000Z",
        "finishedAt": "2026-01-01T00:00:01.000Z",
        "success": True,
    },
}
