"""Failures of requests about revisions, and of rollbacks to them."""

from collections.abc import Sequence

from mill_api.rollback import listed
from mill_gateway.exceptions.base import LONGEST_NAME, GatewayError, NameNotFound
from mill_objects.key import Key
from mill_objects.printable import one_line


class RevisionNotFound(NameNotFound):
    """The MillDeployment has no such revision, or it is kept no longer."""

    code = "revision_not_found"
    kind = "revision"

    def __init__(self, revision: int, namespace: str, kept: Sequence[int]) -> None:
        """Take the number, and those that are kept."""
        super().__init__(str(revision), namespace, f"revision not found: {revision}")
        self.details["existing"] = [str(each) for each in kept]


class NoEarlierRevision(GatewayError):
    """No other revision has succeeded."""

    code = "no_earlier_revision"

    def __init__(self, key: Key, service: str | None) -> None:
        """Take the MillDeployment, and the service if it alone was to go back."""
        which = "" if service is None else f" with another service {service}"
        super().__init__(
            f"MillDeployment {key} has no other revision{which} that has succeeded: say which one (`?revision=`, "
            "`mill rollback REV`); `mill history` lists them"
        )


class ServiceNotInRevision(GatewayError):
    """The revision, or any that is kept, has no such service, so that it cannot go back."""

    code = "service_not_in_revision"

    def __init__(self, revision: int | None, service: str, existing: Sequence[str]) -> None:
        """Take the revision, None if none was named, the name, and the names that there are."""
        which = "no revision that is kept has a" if revision is None else f"revision {revision} has no"
        named = listed(one_line(each, LONGEST_NAME) for each in existing)
        there = f": there are {named}" if named else ""
        super().__init__(f"{which} service {service[:LONGEST_NAME]}{there}")


class RevisionInvalid(GatewayError):
    """The spec of the revision breaks rules of this release, or cannot be read by it."""

    code = "revision_invalid"

    def __init__(self, revision: int, problems: str) -> None:
        """Take the revision and its problems, one per line."""
        super().__init__(f"revision {revision} cannot be deployed by this release: {problems}")
