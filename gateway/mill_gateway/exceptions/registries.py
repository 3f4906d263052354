"""Failures of requests about registries."""

from mill_gateway.exceptions.base import GatewayError, NameNotFound


class RegistryNotFound(NameNotFound):
    """The namespace has no credentials for the registry."""

    code = "registry_not_found"
    kind = "registry"
    text = "no credentials for this registry"


class InvalidRegistry(GatewayError):
    """The text is no host of a registry."""

    code = "invalid_registry"
    text = "a registry is a host as image names have it, such as `ghcr.io` or `registry.example.com:5000/team`"


class RegistriesUnreadable(GatewayError):
    """The Secret of credentials is not one that mill can change."""

    code = "registries_unreadable"


class TooManyRegistries(GatewayError):
    """The namespace has credentials for as many registries as it may."""

    code = "too_many_registries"
    text = "a namespace may have credentials for 100 registries"
