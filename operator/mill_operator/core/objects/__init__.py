"""The objects that should exist, and the writes that lead there."""
