"""What a user has allowed a deploy or a deletion to do, by options."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The options of a command that changes what is deployed."""

    force: bool = False
    """Whether a resource that a GitOps tool manages is changed."""
    allow_empty: bool = False
    """Whether a file without any service or task is deployed."""
    replace_all: bool = False
    """Whether a file that has none of the current services is deployed."""
    system: bool = False
    """Whether the namespace may be Kubernetes' own or that of Mill."""
    yes: bool = False
    """Whether nothing is asked."""

    @property
    def query(self) -> dict[str, str]:
        """The query parameters that say so to the gateway."""
        given = {
            "force": self.force,
            "allowEmpty": self.allow_empty,
            "replaceAll": self.replace_all,
            "system": self.system,
        }
        return {name: "true" for name, is_given in given.items() if is_given}
