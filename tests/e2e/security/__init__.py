"""What the threat model (docs/security.md) says, tried on the real cluster."""
