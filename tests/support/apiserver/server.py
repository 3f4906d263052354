"""The in-memory API server: serves requests, and lets a test see and change what it has.

Differences that tests must know: objects are not validated, a deleted or evicted pod is gone at once, no budget forbids
an eviction, owner references have no effect, and server-side apply takes a list as one field.
"""

from collections.abc import AsyncGenerator, Callable, Collection
from datetime import UTC, datetime
from typing import Any

from mill_kube.connection import METADATA_LIST, Request
from mill_kube.errors import ApiError, Expired
from mill_kube.resources import Resource
from mill_objects.json import Json
from tests.support.apiserver import logs, objects, refusals, reviews
from tests.support.apiserver.copies import copied, metadata_alone
from tests.support.apiserver.faults import Fault, action_of
from tests.support.apiserver.history import Change, History
from tests.support.apiserver.logs import Log, LogResponse
from tests.support.apiserver.objects import Stored
from tests.support.apiserver.ownership import Owners
from tests.support.apiserver.refusals import Place
from tests.support.apiserver.reviews import Accounts
from tests.support.apiserver.selectors import is_selected


class ApiServer:
    """Objects of all kinds, and a record of the requests for them."""

    def __init__(
        self,
        *,
        version: int = 100,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        namespaces: Collection[str] | None = None,
    ) -> None:
        """`namespaces` are those in which objects can be created; None: in all."""
        self.namespaces = namespaces
        self.accounts = Accounts()
        self.logs: dict[tuple[str, str], Log] = {}
        """By namespace and name of a pod. Without one, the container has not started."""
        self.open_logs = 0
        """Number of logs that are being read."""
        self.in_progress = 0
        """Number of requests, other than watches and logs, that have no answer yet."""
        self.most_in_progress = 0
        """The highest value of `in_progress` so far."""
        self.kubernetes: Json = {"major": "1", "minor": "35"}
        self.requests: list[Request] = []
        self.answers: list[tuple[Request, Json]] = []
        """The requests that were served, with what was answered; those that a fault refused are missing."""
        self.faults: list[Fault] = []
        self.observers: list[Callable[[Request, Json], None]] = []
        """Called when a request was served, before its answer reaches the client."""
        self.version = version
        self._now = now
        self._objects: dict[Place, Stored] = {}
        self._history = History(version)
        self._pages: dict[str, list[Json]] = {}
        self._uids = 0

    # What a test does and looks at, without a request.

    def put(self, resource: Resource, body: Json) -> Json:
        """Store an object, status included. Its uid, generation and creation time are kept if it has them."""
        meta = body["metadata"]
        place = (resource, meta.get("namespace") or "", meta["name"])
        before = self._objects.get(place)
        old = before.body["metadata"] if before else {"uid": self._uid(), "creationTimestamp": self._time()}
        kept = {key: old[key] for key in ("uid", "creationTimestamp") if key in old}
        new = {**objects.type_of(resource), **copied(body), "metadata": {**kept, **copied(meta)}}
        return self._store(place, before, Stored(new, before.owners if before else Owners()))

    def remove(self, resource: Resource, namespace: str, name: str) -> None:
        """Delete an object, whatever its finalizers."""
        self._drop((resource, namespace, name))

    def find(self, resource: Resource, namespace: str, name: str) -> Json | None:
        """Return an object as it is stored."""
        stored = self._objects.get((resource, namespace, name))
        return copied(stored.body) if stored else None

    def all(self, resource: Resource) -> list[Json]:
        """Return the objects of a kind, by namespace and name."""
        places = sorted((place for place in self._objects if place[0] == resource), key=lambda place: place[1:])
        return [copied(self._objects[place].body) for place in places]

    def add_fault(self, action: str, resource: Resource | None = None, **options: Any) -> Fault:
        """Script a fault; see `Fault` for the options."""
        fault = Fault(action, resource, **options)
        self.faults.append(fault)
        return fault

    def sent(self, action: str, resource: Resource | None = None) -> list[Request]:
        """Return the requests of a verb or action, in their order."""
        return [
            each
            for each in self.requests
            if action in (each.verb, action_of(each)) and (resource is None or each.resource == resource)
        ]

    def bookmark(self) -> None:
        """Send a bookmark to every open watch."""
        self._history.record(Change(self.version, None, None, None))

    def end_watches(self, error: Exception | None = None) -> None:
        """End every open watch, with an error or as the server does after a while."""
        self._history.end_watches(error)

    def compact(self) -> None:
        """Forget the history: a watch or a further page from an older version is answered with 410."""
        self._history.oldest = self.version
        self._pages.clear()

    # What the client calls.

    async def answer(self, request: Request) -> Json:
        """Serve a request other than a watch or a log, with the faults that hit it."""
        self.in_progress += 1
        self.most_in_progress = max(self.most_in_progress, self.in_progress)
        try:
            return await self._answer(request)
        finally:
            self.in_progress -= 1

    async def _answer(self, request: Request) -> Json:
        hits = await self._receive(request)
        for fault in hits:
            if fault.answer is not None:
                return fault.answer
        answer = self._serve(request)
        self.answers.append((request, answer))
        for observer in self.observers:
            observer(request, answer)
        for fault in hits:
            if fault.error is not None:
                raise fault.error
        return answer

    async def watch(self, request: Request) -> AsyncGenerator[Json]:
        """Yield the events of a watch."""
        for fault in await self._receive(request):
            if fault.answer is not None or fault.error is not None:
                raise NotImplementedError("a watch that is answered otherwise")
        async for event in self._history.follow(request):
            yield event

    async def open_log(self, request: Request) -> LogResponse:
        """Return the log of a container. Raise `ApiError` if there is none to read."""
        for fault in await self._receive(request):
            if fault.answer is not None or fault.error is not None:
                raise NotImplementedError("a log that is answered otherwise")
        place = (request.resource, request.namespace or "", request.name or "")
        if (stored := self._objects.get(place)) is None:
            raise refusals.not_found(place)
        options = logs.options_of(request)
        logs.check_container(stored.body, options.container)
        log = self.logs.get(place[1:])
        if log is None and stored.body["spec"].get("nodeName"):
            message = f'container "{options.container}" in pod "{place[2]}" is waiting to start: ContainerCreating'
            raise ApiError(400, "BadRequest", message)
        self.open_logs += 1
        return LogResponse((log or logs.empty)(options), self._close_log)

    def _close_log(self) -> None:
        self.open_logs -= 1

    async def _receive(self, request: Request) -> list[Fault]:
        """Record a request and let it meet its faults. Return those that have a part in its answer."""
        self.requests.append(request)
        hits = [fault for fault in self.faults if fault.hits(request)]
        for fault in hits:
            await fault.wait(request)
            if fault.error is not None and not fault.takes_effect:
                raise fault.error
        return hits

    def _serve(self, request: Request) -> Json:
        if request.verb == "create" and request.resource in reviews.KINDS:
            return self.accounts.review(request)
        if action_of(request) == "evict":
            return self._evict(request)
        if request.subresource not in (None, "status") or (request.subresource and request.verb != "patch"):
            raise NotImplementedError(str(request))
        if request.verb == "list":
            return self._list(request)
        name = request.name if request.verb != "create" else request.body["metadata"].get("name")
        if not name:
            raise NotImplementedError(f"{request} without a name")
        place = (request.resource, request.namespace or "", name)
        stored = self._objects.get(place)
        if request.verb == "create" or (action_of(request) == "apply" and stored is None):
            return self._create(place, stored, request)
        if stored is None:
            raise refusals.not_found(place)
        if request.verb == "get":
            return copied(stored.body)
        if request.verb == "delete":
            return self._delete(place, stored, request.body or {})
        new = objects.changed(place, stored, request, self._time())
        if new.rendered() == stored.rendered():
            return copied(stored.body)
        return new.rendered() if _is_dry(request) else self._store(place, stored, new)

    def _create(self, place: Place, stored: Stored | None, request: Request) -> Json:
        if self.namespaces is not None and place[1] and place[1] not in self.namespaces:
            raise refusals.no_namespace(place[1])
        if stored is not None:
            raise refusals.already_exists(place)
        new = objects.created(place, request, self._uid(), self._time())
        return new.rendered() if _is_dry(request) else self._store(place, None, new)

    def _list(self, request: Request) -> Json:
        query, kind = request.query, request.resource
        if token := query.get("continue"):
            if token not in self._pages:
                raise Expired(410, "Expired", "the provided continue parameter is too old")
            version, items = token.partition(":")[0], self._pages[token]
        else:
            version, items = str(self.version), [each for each in self.all(kind) if is_selected(each, request)]
        limit = int(query.get("limit") or 0) or len(items)
        metadata = {"resourceVersion": version}
        if rest := items[limit:]:
            metadata["continue"] = f"{version}:{len(self._pages)}"
            self._pages[metadata["continue"]] = rest
        head = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version}
        shown = copied(items[:limit])
        if request.accept == METADATA_LIST:
            head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
            shown = [metadata_alone(each) for each in shown]
        return {**head, "metadata": metadata, "items": shown}

    def _evict(self, request: Request) -> Json:
        place = (request.resource, request.namespace or "", request.name or "")
        if (stored := self._objects.get(place)) is None:
            raise refusals.not_found(place)
        self._delete(place, stored, request.body.get("deleteOptions") or {})
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _delete(self, place: Place, stored: Stored, options: Json) -> Json:
        meta = stored.body["metadata"]
        if options.get("propagationPolicy", "Background") != "Background":
            raise NotImplementedError(f"a deletion with {options}")
        for key, value in (options.get("preconditions") or {}).items():
            if meta.get(key) != value:
                raise refusals.conflict(place, f"Precondition failed: {key} in precondition: {value}")
        if meta.get("finalizers"):
            if "deletionTimestamp" in meta:
                return copied(stored.body)
            going = {**stored.body, "metadata": {**meta, "deletionTimestamp": self._time()}}
            return self._store(place, stored, Stored(going, stored.owners))
        self._drop(place)
        details = {"name": place[2], "kind": place[0].plural, "uid": meta["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _store(self, place: Place, before: Stored | None, after: Stored) -> Json:
        self.version += 1
        body = after.rendered()
        body["metadata"]["resourceVersion"] = str(self.version)
        is_over = before and body["metadata"].get("deletionTimestamp") and not body["metadata"].get("finalizers")
        if is_over:
            del self._objects[place]
        else:
            self._objects[place] = Stored(body, after.owners)
        self._history.record(Change(self.version, place[0], before.body if before else None, None if is_over else body))
        return copied(body)

    def _drop(self, place: Place) -> None:
        self.version += 1
        self._history.record(Change(self.version, place[0], self._objects.pop(place).body, None))

    def _uid(self) -> str:
        self._uids += 1
        return f"00000000-0000-4000-8000-{self._uids:012}"

    def _time(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_dry(request: Request) -> bool:
    return request.query.get("dryRun") == "All"
