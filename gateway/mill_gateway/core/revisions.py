"""Revisions as the gateway shows them: who asked for each, what changed, and what became of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, Field

from mill_api.revisions import Revision, spec_digest
from mill_api.rollout_results import rollout_results
from mill_api.spec import MillDeploymentSpec
from mill_gateway.core.difference import Difference, FieldChange, ProgramChange, difference
from mill_gateway.core.patches import read_spec
from mill_gateway.objects.deployments import Deployment

MOST_CHANGES: Final = 20
"""Services and tasks that the list names for one revision."""
MOST_FIELDS: Final = 5
"""Changed fields that it names for one of them."""
DIGEST_SHOWN: Final = 12
"""Hexadecimal digits of a digest."""
_WITH_VALUES: Final = frozenset({"image", "replicas"})
"""Fields of which values are shown. Those of others may be secret."""


class RevisionView(BaseModel):
    """A revision."""

    revision: int = Field(description="Number, which grows.", examples=[4])
    created_at: str = Field(description="Time at which it was deployed first.")
    current: bool = Field(description="Whether its spec is the one that is deployed.")
    rollout: str | None = Field(description="Id of its newest rollout; null if it is not known.", examples=["7"])
    by: str | None = Field(
        description="Who asked for it: a user, a GitOps tool or a field manager; null if it is not known.",
        examples=["alice"],
    )
    verified: bool = Field(description="Whether `by` asked for this very spec, and not for one that was changed since.")
    source: str | None = Field(description="Name of the file, if a client has given it.", examples=["production.mill"])
    rollback: int | None = Field(description="Revision to which it went back; null if it is no rollback.")
    result: str | None = Field(
        description="Succeeded, Failed or Superseded, of its newest rollout; null while there is none. Succeeded stays "
        "while the rollout of a restart is in progress, or if a newer revision replaces that.",
        examples=["Succeeded"],
    )
    finished_at: str | None = Field(description="Time at which that rollout finished.")
    summary: str = Field(description="The result for people.", examples=["failed: web: out of memory"])
    changed: list[str] | None = Field(
        description="What is another than in the revision before it, for people; null if none is kept before it.",
        examples=[["web: image 1.2 → 1.3"]],
    )
    digests: dict[str, str] = Field(description="Digests of the images of its services, as they ran.")


class RevisionDetail(RevisionView):
    """A revision with its spec."""

    spec: dict[str, Any]
    file: str | None = Field(description="The spec as a `.mill` file; null if it is one of another release.")


class RevisionDifference(Difference):
    """What has changed from a revision to another, or to what is deployed."""

    name: str
    namespace: str
    created: bool = False
    revision: int = Field(description="The revision that is compared.")
    to: int | None = Field(description="The revision that it is compared with; null for what is deployed.")


def view_revisions(deployment: Deployment, revisions: Sequence[Revision]) -> list[RevisionView]:
    """Return revisions, newest first, as a list shows them."""
    before = [*revisions[1:], None]
    return [view_revision(deployment, each, older) for each, older in zip(revisions, before, strict=False)]


def view_revision(deployment: Deployment, revision: Revision, before: Revision | None) -> RevisionView:
    """Return a revision; `before` is the one that was deployed before it."""
    asked = revision.asked
    return RevisionView(
        revision=revision.revision,
        created_at=revision.created_at,
        current=revision.digest == spec_digest(deployment.spec),
        rollout=revision.rollout,
        by=asked.by,
        verified=asked.verified,
        source=asked.source,
        rollback=asked.rollback,
        result=revision.result,
        finished_at=revision.finished_at,
        summary=_summary(deployment, revision),
        changed=None if before is None else list(_changes(before, revision)),
        digests=dict(revision.digests),
    )


def view_detail(
    deployment: Deployment,
    revision: Revision,
    before: Revision | None,
    render: Callable[[MillDeploymentSpec], str],
) -> RevisionDetail:
    """Return a revision with its spec, also as the file that `render` makes of it."""
    spec = read_spec(revision.spec)
    shown = view_revision(deployment, revision, before).model_dump()
    return RevisionDetail(**shown, spec=dict(revision.spec), file=None if spec is None else render(spec))


def _summary(deployment: Deployment, revision: Revision) -> str:
    """Return the result: as the status has it with its causes, or else as the revision keeps it."""
    known = {each.id: each.result for each in rollout_results(deployment.status)}
    if revision.rollout is not None and revision.rollout in known:
        return known[revision.rollout]
    return "in progress" if revision.result is None else revision.result.lower()


def _changes(before: Revision, after: Revision) -> Iterator[str]:
    old, new = read_spec(before.spec), read_spec(after.spec)
    if old is None or new is None:
        return
    found = difference(old, new)
    changes = [*_named("", found.services), *_named("task ", found.tasks)]
    yield from changes[:MOST_CHANGES]
    if len(changes) > MOST_CHANGES:
        yield f"{len(changes) - MOST_CHANGES} more"


def _named(kind: str, programs: Sequence[ProgramChange]) -> Iterator[str]:
    for each in programs:
        if each.change == "changed":
            more = len(each.fields) - MOST_FIELDS
            shown = [*map(_field, each.fields[:MOST_FIELDS]), *([f"{more} more"] if more > 0 else [])]
            yield f"{kind}{each.name}: {', '.join(shown)}"
        elif each.change != "unchanged":
            yield f"{kind}{each.name} {each.change}"


def _field(change: FieldChange) -> str:
    if change.path not in _WITH_VALUES or change.before is None or change.after is None:
        return change.path
    before, after = str(change.before), str(change.after)
    if change.path == "image":
        before, after = _versions(before, after)
    return f"{change.path} {before} → {after}"


def _versions(before: str, after: str) -> tuple[str, str]:
    """Return two images; if they are of one repository, what is another of them."""
    (repository, old), (other, new) = _split(before), _split(after)
    return (old, new) if repository == other and old and new else (_short(before), _short(after))


def _split(image: str) -> tuple[str, str]:
    """Return the repository of an image, and its tag and digest."""
    path, slash, name = image.rpartition("/")
    end = min((at for at in (name.find(":"), name.find("@")) if at >= 0), default=len(name))
    return f"{path}{slash}{name[:end]}", _short(name[end:].removeprefix(":").removeprefix("@"))


def _short(image: str) -> str:
    """Return an image whose digest is cut."""
    start, algorithm, digest = image.partition("sha256:")
    return f"{start}{algorithm}{digest[:DIGEST_SHOWN]}" if digest else image


def compare(deployment: Deployment, revision: Revision, to: Revision | None) -> RevisionDifference | None:
    """Return what has changed from a revision to another, or to what is deployed; None if one cannot be read."""
    spec: Mapping[str, Any] = deployment.spec if to is None else to.spec
    before, after = read_spec(revision.spec), read_spec(spec)
    if before is None or after is None:
        return None
    return RevisionDifference(
        **difference(before, after).model_dump(),
        name=deployment.key.name,
        namespace=deployment.key.namespace,
        revision=revision.revision,
        to=None if to is None else to.revision,
    )
