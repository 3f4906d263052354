"""Health checks of every kind on the cluster: good ones make a service healthy, bad ones say what they saw."""

from .conftest import Namespace

GOOD = """
service "command" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  health { command = ["/bin/standin", "get", "http://127.0.0.1:8080/"] }
}

service "grpc" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  health { grpc = true }
}

service "grpc-service" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  env   = { STANDIN_GRPC = "shop.v1.Cart" }
  health { grpc = "shop.v1.Cart" }
}

service "port" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  env   = { STANDIN_PORTS = "9000/tcp" }

  health { port = "second" }

  port "second" { number = 9000 }
}

service "headers" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  env   = { STANDIN_HEADERS = "X-Probe=yes" }

  health {
    path    = "/health"
    headers = { X-Probe = "yes" }
  }
}

service "worker" {
  image = "REGISTRY/standin:1"
  cpu   = 0.02
  health { command = ["/bin/standin", "get", "http://127.0.0.1:8080/"] }
}
"""
BAD = """
service "command" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02

  health {
    command = ["/bin/standin", "get", "http://127.0.0.1:1/"]
    start   = "8s"
  }
}

service "grpc" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02

  health {
    grpc  = true
    port  = 9998
    start = "8s"
  }
}

service "grpc-service" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  env   = { STANDIN_GRPC = "shop.v1.Cart" }

  health {
    grpc  = "no.such.Service"
    start = "8s"
  }
}

service "port" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02

  health {
    port  = 9999
    start = "8s"
  }
}

service "headers" {
  image = "REGISTRY/standin:1"
  port  = 8080
  cpu   = 0.02
  env   = { STANDIN_HEADERS = "X-Probe=yes" }

  health {
    path  = "/health"
    start = "8s"
  }
}
"""


def test_checks_of_every_kind_make_services_healthy(namespace: Namespace) -> None:
    done = namespace.deploy(GOOD)
    assert done.code == 0, done
    for service in ("command", "grpc", "grpc-service", "port", "headers", "worker"):
        assert namespace.service(service)["state"] == "Healthy"
    template = namespace.get("deployment", "worker")["spec"]["template"]["spec"]["containers"][0]
    assert "exec" in template["readinessProbe"]


def test_checks_that_fail_say_what_they_saw(namespace: Namespace) -> None:
    done = namespace.deploy(BAD)
    assert done.code == 1
    for service in ("command", "grpc", "grpc-service", "port", "headers"):
        status = namespace.service(service)
        assert (status["state"], status["reason"]) == ("Failed", "HealthCheckTimeout"), status
    assert "9999" in str(namespace.service("port"))
    assert "no.such.Service" in str(namespace.service("grpc-service"))
