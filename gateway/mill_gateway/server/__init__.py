"""The HTTP server: listening sockets, connections and their limits, TLS, and the protocol of uvicorn."""
