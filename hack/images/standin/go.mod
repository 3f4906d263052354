module mill.dev/hack/images/standin

go 1.25
