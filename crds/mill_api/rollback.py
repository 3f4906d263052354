"""Going back to an earlier revision: the spec that is deployed, and what does not go back."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from mill_api.references import InvalidValue, SecretRef, parse_value, parse_word
from mill_api.revisions import SUCCEEDED, Revision, spec_digest
from mill_api.task_records import has_succeeded
from mill_objects import fields
from mill_objects.json import JsonView

NAMES_SHOWN: Final = 10
"""Names that a note or a message lists."""


def default_target(current: JsonView, revisions: Iterable[Revision]) -> Revision | None:
    """Return the newest revision that has succeeded and whose spec is another one than the current."""
    deployed = spec_digest(current)
    good = [each for each in revisions if each.result == SUCCEEDED and each.digest != deployed]
    return max(good, key=lambda each: each.revision, default=None)


def rollback_spec(
    current: JsonView,
    target: Revision,
    newer: Sequence[Revision],
    services: Collection[str] | None = None,
    older: Sequence[Revision] = (),
) -> tuple[dict[str, Any], list[str]]:
    """Return the spec that brings a revision back, and what does not go back, for people.

    `newer` are the revisions after the target, `older` those before it, and `services` those that go back alone; None:
    everything. An image whose tag has moved since is named by the digest that ran then.
    """
    moved = _moved(target, newer)
    programs = {kind: [_pinned(each, moved) for each in fields.mappings(target.spec, kind)] for kind in _KINDS}
    if services is None:
        spec = {**target.spec, **{kind: found for kind, found in programs.items() if kind in target.spec}}
        notes = _notes(current, [*programs["services"], *programs["tasks"]], None)
        return spec, [*_task_notes(spec, target, newer, older, None), *notes]
    back = {each.get("name"): each for each in programs["services"] if each.get("name") in services}
    kept = [back.get(each.get("name"), each) for each in fields.mappings(current, "services")]
    there = {each.get("name") for each in kept}
    spec = {**current, "services": [*kept, *(each for name, each in back.items() if name not in there)]}
    notes = _notes(current, list(back.values()), services)
    return spec, [*_task_notes(spec, target, newer, older, services), *notes]


_KINDS: Final = ("services", "tasks")


def _moved(target: Revision, newer: Iterable[Revision]) -> dict[str, str]:
    """Return the images whose tag named another digest later, with the digest that ran in the target."""
    ran = dict(_ran(target))
    later = [pair for each in newer for pair in _ran(each)]
    return {image: digest for image, digest in ran.items() if any(i == image and d != digest for i, d in later)}


def _ran(revision: Revision) -> Iterator[tuple[str, str]]:
    """Yield each image of a revision that is named by a tag, with the digest as it ran."""
    for each in fields.mappings(revision.spec, "services"):
        image, digest = fields.text(each, "image"), revision.digests.get(fields.text(each, "name"))
        if image and digest is not None and "@" not in image:
            yield image, digest


def _pinned(program: JsonView, moved: dict[str, str]) -> dict[str, Any]:
    digest = moved.get(fields.text(program, "image"))
    return dict(program) if digest is None else {**program, "image": f"{program['image']}@{digest}"}


def _task_notes(
    spec: JsonView,
    target: Revision,
    newer: Sequence[Revision],
    older: Sequence[Revision],
    services: Collection[str] | None,
) -> Iterator[str]:
    """Yield what becomes of tasks that have run since the target. `spec` is the one that is deployed."""
    known, tasks = [*older, target], dict[str, None]()
    for each in sorted(newer, key=lambda found: found.revision):
        back = each.asked.rollback is not None
        ran = (n for n in _ran_before(each, services) if not has_succeeded(n, each.spec, known, is_rollback=back))
        tasks |= dict.fromkeys(ran)
        known.append(each)
    present = {fields.text(each, "name") for each in fields.mappings(spec, "tasks")}
    again = [name for name in tasks if name in present and not has_succeeded(name, spec, known, is_rollback=True)]
    for names, run_again in (([name for name in tasks if name not in again], False), (again, True)):
        if not names:
            continue
        one = len(names) == 1
        which = f"{'task' if one else 'tasks'} {listed(names)} {'has' if one else 'have'} run since"
        if run_again:
            runs = f"{'it runs' if one else 'they run'} again, for a version that has not succeeded"
        else:
            runs = "it does not run again" if one else "they do not run again"
        yield f"{which} revision {target.revision}: what {'it' if one else 'they'} did stays, and {runs}"


def _notes(current: JsonView, programs: Sequence[JsonView], services: Collection[str] | None) -> Iterator[str]:
    if secrets := dict.fromkeys(name for each in programs for name in _secrets(each)):
        yield f"secrets have their present values: {listed(secrets)}"
    claims = (volume for each in _affected(current, programs, services) for volume in fields.mappings(each, "volumes"))
    if volumes := dict.fromkeys(fields.text(each, "name") for each in claims if not fields.flag(each, "ephemeral")):
        yield f"volumes keep the data that they have: {listed(volumes)}"


def _ran_before(revision: Revision, services: Collection[str] | None) -> Iterator[str]:
    """Yield the tasks of a revision that have succeeded before its services, or before one of some of them."""
    for each in fields.mappings(revision.spec, "tasks"):
        name, before = fields.text(each, "name"), each.get("before")
        if name not in revision.tasks or not isinstance(before, list):
            continue
        if before if services is None else set(services).intersection(map(str, before)):
            yield name


def _affected(current: JsonView, programs: Sequence[JsonView], services: Collection[str] | None) -> Iterator[JsonView]:
    yield from (
        each for each in fields.mappings(current, "services") if services is None or each.get("name") in services
    )
    yield from programs


def _secrets(program: JsonView) -> Iterator[str]:
    """Yield the names of the secrets that a program has in variables, arguments or files."""
    for text in fields.texts(program, "env").values():
        yield from _names(text, parse_value)
    for name in ("command", "args"):
        words = program.get(name)
        for word in words if isinstance(words, list) else ():
            if isinstance(word, str):
                yield from _names(word, parse_word)
    for file in fields.mappings(program, "files"):
        if secret := fields.text(file, "secret"):
            yield secret


def _names(text: str, parse: Any) -> Iterator[str]:
    try:
        yield from (part.name for part in parse(text) if isinstance(part, SecretRef))
    except InvalidValue:
        return


def listed(names: Iterable[str]) -> str:
    """Return the first ten names, and the number of the others: `a, b and 2 more`."""
    found = list(names)
    more = len(found) - NAMES_SHOWN
    return ", ".join(found[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
