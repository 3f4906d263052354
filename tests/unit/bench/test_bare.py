"""The bare side of the benches: exactly the objects that the operator applied, with another owner."""

import json

from tests.bench.bare import applied, renamed

MANAGED = [
    {"manager": "controller", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
    {
        "manager": "mill-operator",
        "operation": "Apply",
        "fieldsV1": {
            "f:metadata": {"f:labels": {"f:app.kubernetes.io/managed-by": {}, "f:mill.dev/service": {}}},
            "f:spec": {
                "f:selector": {},
                "f:template": {
                    "f:spec": {
                        "f:containers": {
                            'k:{"name":"web"}': {
                                ".": {},
                                "f:image": {},
                                "f:name": {},
                                "f:ports": {
                                    'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}
                                },
                            }
                        }
                    }
                },
            },
        },
    },
]

BODY = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "uid": "1",
        "labels": {"app.kubernetes.io/managed-by": "mill", "mill.dev/service": "web", "injected": "yes"},
        "ownerReferences": [{"name": "shop"}],
        "managedFields": MANAGED,
    },
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"mill.dev/service": "web"}},
        "template": {
            "spec": {
                "containers": [
                    {"name": "sidecar", "image": "other"},
                    {
                        "name": "web",
                        "image": "web:1",
                        "imagePullPolicy": "IfNotPresent",
                        "ports": [{"containerPort": 80, "protocol": "TCP", "name": "defaulted"}],
                    },
                ]
            }
        },
    },
    "status": {"replicas": 1},
}


def test_only_what_was_applied_is_left() -> None:
    assert applied(BODY) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "labels": {"app.kubernetes.io/managed-by": "mill", "mill.dev/service": "web"},
        },
        "spec": {
            "selector": {"matchLabels": {"mill.dev/service": "web"}},
            "template": {
                "spec": {
                    "containers": [
                        {"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
                    ]
                }
            },
        },
    }


def test_nothing_in_it_wakes_the_operator() -> None:
    other = json.loads(renamed(applied(BODY), {"web": "shop-1"}))
    assert other["metadata"] == {
        "name": "shop-1",
        "labels": {"app.kubernetes.io/managed-by": "bench", "bare.example/service": "shop-1"},
    }
    assert other["spec"]["selector"] == {"matchLabels": {"bare.example/service": "shop-1"}}
