"""Invalid files for docs/mill-file.md, which lists their messages."""

from typing import Final

INVALID_TEXTS: Final = """\
service "Web" {
  image = "shop web"
  port  = 1
  env   = { "1ST" = "x", KEY = "${secret(a/b)}", HOME = "${HOME}" }
  health {
    path     = "healthz"
    interval = "10"
    start    = "2h"
  }
  live {
    path     = "alive"
    interval = "10"
    timeout  = "0s"
  }
  update { settle = "10m" }
  stop        = "10m"
  stop_signal = "QUIT"
  route "https://example.com" { path = "/a b" }
  volume "my_data" {
    path = "data"
    size = "5 Gigs"
  }
  port "a--b" { number = 9090 }
  pull        = "Registry"
  gpu         = { "example.com/fuse" = 1 }
  labels      = { "example.com/a/b" = "x", team = "a b", "mill.dev/service" = "web" }
  annotations = { "-" = "x" }
  place {
    arch     = "x86_64"
    labels   = { disk = "-" }
    tolerate = ["gpu:NoSchedule"]
  }
  file "/etc/../app.conf" { content = "" }
  file "/etc/app.conf" {
    secret = "a/b"
    mode   = "755"
  }
}
task "Migrate" {
  image = "migrate"
  cpu   = "500m"
  user  = 2147483648
  gpu   = -1
  limits { cpu = "all" }
}
task "report" {
  image    = "report"
  schedule = "0 25 * * *"
  timezone = "Europe/Berln"
  deadline = "1s"
}
task "backup" {
  image    = "backup"
  schedule = "TZ=Europe/Berlin 0 3 * * *"
}
task "cleanup" {
  image    = "cleanup"
  timezone = "UTC"
  schedule = "@every 5m"
}
"""
"""Names and texts of which each is invalid by itself."""

CONFLICTS: Final = """\
service "web" {
  image    = "web"
  replicas = 2
  env {
    DB    = service.database.address
    QUEUE = service.queue.address
  }
  health { path = "/healthz" }
  route "example.com" { path = "/" }
  volume "data" { path = "/data" }
  volume "more" {
    path      = "/data/"
    ephemeral = true
  }
  file "/data/app.conf" { content = "" }
  file "/etc/app" { content = "key=${secret(app.key)}" }
  file "/etc/app/app.conf" { mode = "0600" }
  file "/etc/shop.conf" {
    content = ""
    secret  = "shop.conf"
  }
}
service "queue" {
  image = "queue"
  after = ["api", "cache"]
  health { interval = "5s" }
  live {
    command = ["true"]
    path    = "/alive"
  }
}
service "api" {
  image = "api"
  args  = ["--db", "${service.database.host}", "${service.api.name}", "${service.queue.url}", "${service.worker.port}"]
  port  = 80
  after = ["worker", "worker", "api"]
  env { PORT = 8080 }
  route "example.com" { path = "/" }
  volume "data" {
    path = "/data"
    size = "1G"
  }
}
service "worker" {
  image = "worker"
  after = ["queue"]
  cpu   = 2
  limits {
    cpu    = 1
    memory = "64M"
  }
  place {
    arch   = "arm64"
    labels = { "kubernetes.io/arch" = "amd64" }
  }
}
"""
"""Services that are invalid because of something else in the file."""
