"""What development uses."""
