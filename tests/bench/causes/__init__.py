"""How soon Mill names each cause that a node can make: `make bench-causes`. Nothing here fails."""
