"""Files for the reference: an example with every attribute, and invalid ones whose messages it lists."""

from typing import Final

VARIABLES_EXAMPLE: Final = """\
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

EXAMPLE: Final = """\
# Every attribute of a file.
variable "tag" { default = "2.1" }

env "common" { LOG_LEVEL = "info" }

service "web" {
  image    = "registry.example/shop/web:${var.tag}"
  port     = 8080
  replicas = 3
  cpu      = 0.5
  memory   = "512M"
  command  = ["/usr/bin/tini", "--"]
  args     = ["serve", "--workers", "4"]
  after    = ["db"]
  use      = ["common"]

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

  health {
    path              = "/healthz"
    interval          = "5s"
    failure_threshold = 5
    start             = "2m"
  }

  update { settle = "20s" }

  route "shop.example.com" {}
  route "live.example.com" {
    path      = "/socket"
    websocket = true
  }

  volume "cache" {
    path      = "/var/cache/shop"
    ephemeral = true
  }
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
  image   = "registry.example/shop/web:${var.tag}"
  cpu     = 1
  use     = ["common"]
  memory  = "1.5G"
  timeout = "1h 30min"
  command = ["bin/rails"]
  args    = ["db:migrate", "--url=${service.web.url}"]
  env { DATABASE_URL = "postgres://shop:${secret(db.password)}@${service.db.address}/shop" }
}
"""
"""A test compares it with the schema."""

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
  update { settle = "10m" }
  route "https://example.com" { path = "/a b" }
  volume "my_data" {
    path = "data"
    size = "5 Gigs"
  }
}
task "Migrate" {
  image = "migrate"
  cpu   = "500m"
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
}
service "queue" {
  image = "queue"
  after = ["api", "cache"]
  health { interval = "5s" }
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
}
"""
"""Services that are invalid because of something else in the file."""
