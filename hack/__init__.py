"""What development needs besides the product; README.md of this folder is the index."""
