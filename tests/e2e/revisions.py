"""The revisions of a MillDeployment, as they are stored."""

from mill_api.revisions import Revision, read_revision
from tests.e2e.conftest import Namespace


def revisions(namespace: Namespace) -> list[Revision]:
    """Return the revisions, the newest first."""
    uid = namespace.get("milldeployment", "mill")["metadata"]["uid"]
    found = (read_revision(each, uid) for each in namespace.items("controllerrevisions"))
    return sorted((each for each in found if each is not None), key=lambda each: -each.revision)
