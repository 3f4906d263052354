"""Docker's engine on a machine where none runs, for tests of what people do with theirs: kind, and `docker build`."""
