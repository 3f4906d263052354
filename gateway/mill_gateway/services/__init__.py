"""Operations behind the routes.

A service is given the client and the stores that it needs, and raises `GatewayError`s; it knows no HTTP. Routes check
access before they call one. A service that writes checks it again before each write, by the `Authorize` it is given.
"""
