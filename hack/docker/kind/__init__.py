"""A kind cluster without a registry of images: the image of its node, and what it needs of the engine around it."""
