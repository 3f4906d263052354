"""The `mill` command against the real gateway."""
