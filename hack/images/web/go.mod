module mill.dev/hack/images/web

go 1.25
