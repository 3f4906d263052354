"""Operations behind the routes: each takes the clients and stores that it needs, and raises `GatewayError`s."""
