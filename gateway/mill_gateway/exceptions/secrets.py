"""Failures of requests about secrets."""

from mill_gateway.exceptions.base import GatewayError, NameNotFound


class SecretNotFound(NameNotFound):
    """The namespace has no such secret."""

    code = "secret_not_found"
    kind = "secret"
    text = "secret not found"


class SecretNotText(GatewayError):
    """The value of the secret is not UTF-8 text."""

    code = "secret_not_text"
    text = "the secret is not UTF-8 text; read it with kubectl"


class InvalidSecretName(GatewayError):
    """Kubernetes does not accept the name as a key of a Secret."""

    code = "invalid_secret_name"
    text = "a secret's name has letters, digits, `-`, `_` and `.`, at most 253 of them, and no `..` in front"


class SecretsTooLarge(GatewayError):
    """The secrets of a namespace are larger than a Kubernetes Secret may be."""

    code = "secrets_too_large"
    text = "the secrets of a namespace may have 1 MiB together"


class SecretImmutable(GatewayError):
    """The cluster accepts no change of the Kubernetes Secret."""

    code = "secret_immutable"
