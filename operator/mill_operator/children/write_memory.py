"""What the operator remembers of its own writes: versions, edits of others, and why objects could not be written."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from mill_operator.core import limits
from mill_operator.core.objects.desired import ChildObject
from mill_operator.core.objects.plan import KnownVersion, Plan, Program
from mill_operator.core.observed.children import ObservedChild
from mill_operator.core.observed.edits import Edit, EditedObject
from mill_operator.core.observed.ingresses import ObservedIngress
from mill_operator.core.reconcile.next_status import WRITE_RETRY
from mill_operator.core.rollout.put_back import merged
from mill_operator.core.verdicts.rule_input import Problem


@dataclass(slots=True)
class WriteMemory:
    """The state of the operator's writes for one MillDeployment. May be lost."""

    known: dict[str, KnownVersion] = field(default_factory=dict)
    """The versions of children that have the desired content, by its hash. Another version is an edit."""
    problems: dict[str, tuple[Problem, float]] = field(default_factory=dict)
    """Why a child could not be written, and when on the monotonic clock it is tried again, by its hash."""
    edits: dict[EditedObject, Edit] = field(default_factory=dict)
    """Edits that were put back and are not reported yet, one of each object."""
    refused_ingresses: dict[str, ObservedIngress] = field(default_factory=dict)
    """The routes of Ingresses that must not be written, by their hash: each reconciliation decides on them again, and
    renders none of them for that."""

    with_taken_address: dict[str, Problem] = field(default_factory=dict)
    """Why services and tasks that have the address of another owner's Service are not written, by a child's hash."""

    def keep(self, children: Collection[ChildObject], observed: Iterable[ObservedChild]) -> None:
        """Forget everything about other children than these, and note those that are observed for the first time."""
        hashes = {child.applied for child in children}
        self.known = {applied: version for applied, version in self.known.items() if applied in hashes}
        for each in observed:
            if each.applied in hashes and not each.terminating:
                self.known.setdefault(each.applied, KnownVersion(each.uid, each.revision))
        self.problems = {applied: why for applied, why in self.problems.items() if applied in hashes}
        if self.edits:
            desired = {edited_object(child) for child in children}
            self.edits = {edited: edit for edited, edit in self.edits.items() if edited in desired}
        if self.refused_ingresses:
            self.refused_ingresses = {key: each for key, each in self.refused_ingresses.items() if key in hashes}

    def due(self, todo: Plan) -> Plan:
        """Return what of a plan is tried now: nothing of a service or task with a name that was taken a moment ago."""
        for child, found in todo.taken:
            self.record_taken(child, found.owner)
        if not self.problems:
            return todo
        names = {*todo.create, *todo.later, *(child for child, _ in todo.taken)}
        self._forget_freed({child.applied for child in names})
        waiting = [child for child in (*names, *(child for child, _ in todo.update)) if self._waits(child)]
        taken = [child for child in waiting if self.is_taken(child)]
        with_address = todo.with_address_of({child.service for child in taken if child.kind == "Service"})
        return todo.without_programs({*with_address, *(child.program for child in taken)}).without(set(waiting))

    def problem(self, child: ChildObject) -> Problem | None:
        """Return why a child could not be written."""
        found = self.problems.get(child.applied)
        return found[0] if found else self.with_taken_address.get(child.applied)

    def is_taken(self, child: ChildObject) -> bool:
        """Return whether another owner had the name of a child when it was looked up last."""
        problem, _ = self.problems.get(child.applied, (None, 0.0))
        return problem is not None and problem.kind == "taken"

    def taken_by(self, program: Program, children: Iterable[ChildObject]) -> str | None:
        """Return which name of a service or task, or which address in its environment, another owner has."""
        if not self.problems:
            return None
        own = (self.problem(child) for child in children if child.program == program)
        return next((each.message for each in own if each is not None and each.kind == "taken"), None)

    def current_problems(self) -> dict[str, Problem]:
        """Return why children could not be written, by their hash."""
        return self.with_taken_address | {applied: problem for applied, (problem, _) in self.problems.items()}

    def record(self, child: ChildObject, problem: Problem) -> None:
        """Note why a child could not be written. It is tried again after `WRITE_RETRY`."""
        short = replace(problem, message=problem.message[: limits.WRITE_PROBLEM_LENGTH])
        self.problems[child.applied] = (short, time.monotonic() + WRITE_RETRY.total_seconds())

    def record_taken(self, child: ChildObject, owner: str) -> None:
        """Note that another owner has the name of a child."""
        self.record(child, Problem("taken", f'{child.kind} "{child.key.name}" belongs to {owner}'))

    def note_addresses(self, children: Iterable[ChildObject], todo: Plan) -> None:
        """Note which services and tasks have the address of another owner's Service, and so are not written."""
        self.with_taken_address = {}
        if not self.problems:
            return
        children = tuple(children)
        services = {child.service: child for child in children if child.kind == "Service" and self.is_taken(child)}
        for child in children:
            named = todo.addresses.get(child.program, ()) if child.kind in ("Deployment", "CronJob") else ()
            taken = next((services[each] for each in named if each in services), None)
            if taken is not None and taken.program != child.program:
                problem, _ = self.problems[taken.applied]
                message = f"{problem.message}, and the environment has its address"[: limits.WRITE_PROBLEM_LENGTH]
                self.with_taken_address[child.applied] = replace(problem, message=message)

    def forget_taken(self, child: ChildObject) -> None:
        """Note that the name of a child is free, or the child's."""
        if self.is_taken(child):
            del self.problems[child.applied]

    def refuse_ingress(self, child: ChildObject, problem: Problem, ingress: ObservedIngress) -> None:
        """Note why an Ingress must not be written."""
        self.record(child, problem)
        self.refused_ingresses[child.applied] = ingress

    def admit_ingress(self, child: ChildObject) -> None:
        """Note that an Ingress may be written."""
        if self.refused_ingresses.pop(child.applied, None) is not None:
            self.forget_problem(child)

    def record_edit(self, child: ChildObject, edit: Edit) -> None:
        """Note that an edit of a child was put back."""
        edited = edited_object(child)
        self.edits[edited] = merged(self.edits.get(edited), edit)

    def forget_problem(self, child: ChildObject) -> None:
        """Note that a child was written."""
        self.problems.pop(child.applied, None)

    def _waits(self, child: ChildObject) -> bool:
        if child.applied in self.refused_ingresses:
            return False  # what was in its way may be gone
        _, again = self.problems.get(child.applied, (None, 0.0))
        return time.monotonic() < again

    def _forget_freed(self, names: Collection[str]) -> None:
        """Forget that names are taken, but these: the others belong to observed objects by now."""
        self.problems = {
            applied: (problem, again)
            for applied, (problem, again) in self.problems.items()
            if problem.kind != "taken" or applied in names
        }


def edited_object(child: ChildObject) -> EditedObject:
    """Return a child as it is named in the report of an edit."""
    return EditedObject(child.kind, child.key.name, child.service)
