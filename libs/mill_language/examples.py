"""The examples of docs/mill-file.md: a whole file for each kind of block, in which each of its attributes is used.

Tests parse, render and format each of them. A new block needs an example here, a new attribute a line in one.
"""

from typing import Final

EXAMPLES: Final[dict[str, str]] = {}
"""By the name of the block; `references` is that of a section."""

EXAMPLES["top level"] = """\
# A shop: a web front end, its database, and a task that migrates the database.
variable "tag" { default = "2.1" }

env "common" {
  DATABASE_URL = "postgres://shop:${secret(db.password)}@${service.db.address}/shop"
  LOG_LEVEL    = "info"
}

service "web" {
  image    = "registry.example/shop/web:${var.tag}"
  port     = 8080
  replicas = 3
  use      = ["common"]

  health { path = "/healthz" }
  route "shop.example.com" {}
}

service "db" {
  image = "postgres:18"
  port  = 5432

  env { POSTGRES_PASSWORD = secret(db.password) }

  volume "shop-data" {
    path = "/var/lib/postgresql"
    size = "20Gi"
  }
}

task "migrate" {
  image = "registry.example/shop/web:${var.tag}"
  args  = ["db:migrate"]
  use   = ["common"]
}
"""

EXAMPLES["variable"] = """\
variable "tag" {}
variable "domain" { default = "shop.example.com" }
variable "replicas" { default = 2 }

env "rails" {
  RAILS_ENV       = "production"
  DB_HOST         = "${service.db.host}"
  SECRET_KEY_BASE = secret(rails.key)
}

service "web" {
  image    = "registry.example/shop/web:${var.tag}"
  port     = 3000
  replicas = var.replicas
  use      = ["rails"]
  env_file = ["staging.env"]

  env { PUBLIC_URL = "https://${var.domain}" }
  route "${var.domain}" {}
}

service "worker" {
  image = "registry.example/shop/web:${var.tag}"
  args  = ["sidekiq"]
  use   = ["rails"]
}

service "db" {
  image = "postgres:18"
  port  = 5432
}
"""
"""Variables and shared environments. It needs a value of `tag`, and the file."""

EXAMPLES["service"] = """\
service "web" {
  image    = "registry.example/shop/web:2.1"
  port     = 8080
  replicas = 3
  cpu      = 0.5
  memory   = "512M"
  command  = ["/usr/bin/tini", "--"]
  args     = ["serve", "--workers", "4"]
  after    = ["db"]
  use      = ["common"]
  env_file = ["production.env"]

  user           = 1000
  group          = 1000
  read_only_root = true
  pull           = "registry-login"
  gpu            = 1
  labels         = { "example.com/team" = "shop" }
  annotations    = { "example.com/scrape" = "true" }
  stop           = "45s"
  stop_signal    = "SIGQUIT" # where the cluster can do that

  env {
    DATABASE_URL = "postgres://shop:${secret(db.password)}@${service.db.address}/shop"
    SESSION_KEY  = secret(web.session-key) // the same as "${secret(web.session-key)}"
    WORKERS      = 4
    DEBUG        = false
    TEMPLATE     = "Dear $${name}"
    MOTD         = <<-EOT
      Closed on Sundays.
      Back on Monday.
    EOT
  }

  health { path = "/healthz" }
  live { path = "/alive" }
  update { settle = "20s" }
  limits { memory = "1G" }
  place { labels = { disk = "ssd" } }
  route "shop.example.com" {}

  volume "cache" {
    path      = "/var/cache/shop"
    ephemeral = true
  }

  file "/etc/shop/web.toml" { content = "db = \\"${service.db.address}\\"" }
}

service "db" {
  image = "postgres:18"
  port  = 5432
}

env "common" { LOG_LEVEL = "info" }
"""

EXAMPLES["health"] = """\
service "web" {
  image = "registry.example/shop/web:2.1"
  port  = 8080

  health {
    path              = "/healthz"
    interval          = "5s"
    failure_threshold = 5
    start             = "2m" # its cache takes a minute to fill
  }
}

# Its own header, and a port that only checks and metrics use.
service "admin" {
  image = "registry.example/shop/admin:2.1"
  port  = 8080
  port "internal" { number = 9001 }

  health {
    path    = "/up"
    port    = "internal"
    headers = { Host = "shop.example.com" }
    timeout = "2s"
  }
}

# A worker has no port. The command runs in its container.
service "worker" {
  image = "registry.example/shop/web:2.1"
  args  = ["sidekiq"]

  health { command = ["test", "-e", "/tmp/alive"] }
}

service "cart" {
  image = "registry.example/shop/cart:1"
  port  = 50051

  health { grpc = true } # or the name of a service, such as "shop.v1.Cart"
}

# No check: it is ready once its port accepts connections, and has three minutes for that.
service "db" {
  image = "mariadb:12"
  port  = 3306

  health { start = "3m" }
}
"""

EXAMPLES["live"] = """\
service "web" {
  image = "registry.example/shop/web:2.1"
  port  = 8080
  port "internal" { number = 9001 }

  health { path = "/healthz" }

  # Ten minutes without an answer, while a health check takes a busy replica out of the service long before.
  live {
    path              = "/alive"
    port              = "internal"
    headers           = { Host = "shop.example.com" }
    interval          = "1m"
    timeout           = "30s"
    failure_threshold = 10
  }
}

# A worker that hangs is started again after two minutes. It gets 45 s for the job that it has begun.
service "worker" {
  image = "registry.example/shop/web:2.1"
  args  = ["sidekiq"]
  stop  = "45s"

  live {
    command           = ["test", "/tmp/alive", "-nt", "/tmp/begun"]
    interval          = "30s"
    failure_threshold = 4
  }
}

service "cart" {
  image = "registry.example/shop/cart:1"
  port  = 50051

  live { grpc = true }
}
"""

EXAMPLES["update"] = """\
service "web" {
  image    = "registry.example/shop/web:2.1"
  replicas = 8

  update {
    settle = "30s"
    surge  = "25%" # two new replicas at a time
  }
}
"""

EXAMPLES["route"] = """\
service "web" {
  image = "registry.example/shop/web:2.1"
  port  = 8080

  route "shop.example.com" {}
  route "*.shop.example.com" {}

  route "live.example.com" {
    path      = "/socket"
    websocket = true
  }
}
"""

EXAMPLES["volume"] = """\
service "db" {
  image = "postgres:18"
  port  = 5432

  volume "shop-data" {
    path = "/var/lib/postgresql"
    size = "20Gi"
  }

  volume "scratch" {
    path      = "/var/tmp"
    ephemeral = true
  }
}
"""

EXAMPLES["limits"] = """\
service "web" {
  image  = "registry.example/shop/web:2.1"
  cpu    = 0.1
  memory = "256M"

  limits {
    cpu    = 2 # or "none": all that is free on the node
    memory = "1G"
  }
}
"""

EXAMPLES["place"] = """\
service "ollama" {
  image = "ollama/ollama:0.11"
  port  = 11434
  gpu   = 1

  place {
    arch     = "amd64"
    labels   = { pool = "gpu" }
    tolerate = ["gpu"]
  }
}
"""

EXAMPLES["task"] = """\
task "migrate" {
  image    = "registry.example/shop/web:2.1"
  cpu      = 1
  memory   = "1.5G"
  timeout  = "1h 30min"
  command  = ["bin/rails"]
  args     = ["db:migrate", "--url=${service.web.url}"]
  use      = ["common"]
  env_file = ["production.env"]
  before   = ["web"] # its new version begins when this has succeeded

  user           = 1000
  group          = 1000
  read_only_root = true
  pull           = "registry-login"
  gpu            = { "amd.com/gpu" = 2 }
  labels         = { "example.com/team" = "shop" }
  annotations    = { "example.com/scrape" = "false" }
  stop           = "2m"
  stop_signal    = "SIGINT"

  limits { cpu = "none" }
  place { arch = "amd64" }
  env { DATABASE_URL = "postgres://shop:${secret(db.password)}@${service.db.address}/shop" }
  file "/run/secrets/license" { secret = "shop.license" }
}

task "warm-up" {
  image = "registry.example/shop/web:2.1"
  args  = ["cache:fill"]
  after = ["web"]
}

service "web" {
  image = "registry.example/shop/web:2.1"
  port  = 8080

  route "shop.example.com" {}
}

service "db" {
  image = "postgres:18"
  port  = 5432
}

env "common" { LOG_LEVEL = "info" }

task "report" {
  image    = "registry.example/shop/web:2.1"
  args     = ["report:send"]
  schedule = "0 3 * * 1-5"
  timezone = "Europe/Berlin"
  overlap  = true
  deadline = "2h"
}
"""

EXAMPLES["references"] = """\
service "cache" {
  image = "redis:8"
  port  = 6379
  args  = ["redis-server", "--requirepass", "${secret(redis.password)}"]
}

service "worker" {
  image = "registry.example/shop/web:2.1"
  args  = ["worker", "--queue", "${service.cache.address}"]

  env {
    REDIS_HOST = "${service.cache.host}"
    REDIS_PORT = "${service.cache.port}"
  }
}
"""

EXAMPLES["file"] = """\
service "web" {
  image = "nginx:1.29"
  port  = 80

  file "/etc/nginx/conf.d/default.conf" {
    content = <<-EOT
      server {
        listen 80;
        location / { proxy_pass http://${service.api.address}; }
      }
    EOT
  }
}

service "api" {
  image = "registry.example/shop/api:2.1"
  port  = 8080
}

service "db" {
  image = "postgres:18"
  port  = 5432

  env { POSTGRES_PASSWORD_FILE = "/run/secrets/db-password" }

  file "/run/secrets/db-password" { secret = "db.password" }

  file "/docker-entrypoint-initdb.d/init.sh" {
    from = "db/init.sh"
    mode = "0755"
  }
}
"""

EXAMPLES["port"] = """\
service "git" {
  image = "gitea/gitea:1.24"
  port  = 3000

  port "metrics" { number = 9090 }

  port "ssh" {
    number  = 22
    outside = 222
  }

  port "dns" {
    number   = 53
    protocol = "udp"
  }
}

service "scraper" {
  image = "registry.example/scraper:1"
  args  = ["--target", "${service.git.metrics.address}"]
}
"""
