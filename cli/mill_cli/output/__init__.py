"""Output. `text`, `numbers` and `tables` are pure; `screen` knows what kind of output there is."""
