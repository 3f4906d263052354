"""Checks of texts for `make lint`: links of the documentation, and the words that docs/style.md leaves out."""
