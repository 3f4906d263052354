"""ASGI middleware: one module for each layer around the routes."""
