"""`mill forward`: a port of this machine, forwarded to a pod of a service, and to another one when that is gone."""

import queue
import time
from collections.abc import Callable
from typing import Final, NoReturn

from mill_cli.connection.client import Gateway
from mill_cli.errors import CliError, Exit
from mill_cli.options import Options
from mill_cli.output import screen
from mill_cli.reach.kubectl import hints, kubectl
from mill_cli.reach.pods import ReachableService, find_service, next_pod
from mill_cli.reach.port_forward import PortForward, port_forward
from mill_cli.reach.ports import LOOPBACK, Ports, local_port
from mill_cli.services import read_services

POLL_SECONDS: Final = 3.0
"""Seconds between two looks at the pods: kubectl notices that its pod is gone only with the next connection."""
PAUSE_SECONDS: Final = 0.5
SETTLED_SECONDS: Final = 2.0
"""Seconds after which what the gateway reports of a lost pod is no longer of before."""
WAIT_SECONDS: Final = 60.0
"""Seconds to wait for another pod."""
SHORT_SECONDS: Final = 10.0
"""A forwarding that ends earlier has failed."""
MOST_FAILURES: Final = 10
"""Number of failures in a row after which the command gives up."""

OnReady = Callable[[int], None]


def forward(options: Options, name: str, ports: Ports, on_ready: OnReady = lambda _port: None) -> Exit:
    """Forward until Ctrl-C. `on_ready` is called once, with the local port. Raise `CliError`."""
    with Gateway(options) as gateway:
        return forward_service(gateway, read_service(gateway, name), ports, on_ready)


def read_service(gateway: Gateway, name: str) -> ReachableService:
    """Return a service, by its name or that of a pod. Raise `CliError`."""
    return find_service(read_services(gateway, **gateway.options.query), name)


def forward_service(
    gateway: Gateway, service: ReachableService, ports: Ports, on_ready: OnReady = lambda _port: None
) -> Exit:
    """Forward to a service until Ctrl-C. See `forward`."""
    command = kubectl(gateway.options, service.namespace, "forward")
    remote = _number(service, ports.remote)
    if remote is None:
        raise CliError(Exit.USAGE, f"{service.name} has no port", f"name one: `mill forward {service.name} PORT`")
    if not service.pods:
        raise CliError(Exit.FAILED, service.without_pods(), f"`mill logs {service.name}` shows its last lines")
    local = local_port(ports.local, remote)
    try:
        _Forwarder(gateway, service, command, (local, remote), on_ready).run()
    except KeyboardInterrupt:
        return Exit.SUCCESS


def _number(service: ReachableService, wanted: int | str | None) -> int | None:
    """Return the number of the wanted port of a service, which may be its name. Raise `CliError`."""
    if not isinstance(wanted, str):
        return wanted or service.port
    if wanted not in service.ports:
        known = ", ".join(service.ports) or "it has no named TCP port"
        raise CliError(Exit.USAGE, f"{service.name} has no port {wanted}", f"named ports: {known}")
    return service.ports[wanted]


class _Forwarder:
    """The forwarding of one port, over any number of pods."""

    def __init__(
        self,
        gateway: Gateway,
        service: ReachableService,
        command: list[str],
        ports: tuple[int, int],
        on_ready: OnReady,
    ) -> None:
        self._gateway = gateway
        self._service = service
        self._command = command
        self._local, self._remote = ports
        self._on_ready: OnReady | None = on_ready

    def run(self) -> NoReturn:
        """Forward until Ctrl-C. Raise `CliError` if no pod can be reached any more."""
        pod, failures = self._service.pods[0], 0
        if pod not in self._service.ready:
            screen.note(f"{pod} is not ready yet")
        while True:
            began = time.monotonic()
            with port_forward(self._command, pod, self._local, self._remote, LOOPBACK) as process:
                why = self._follow(process, pod)
            failures = failures + 1 if time.monotonic() - began < SHORT_SECONDS else 1
            if self._on_ready is not None or self._service.is_one_pod or failures > MOST_FAILURES:
                raise CliError(Exit.FAILED, f"cannot forward to {pod}: {why}", *hints(why, self._gateway.options))
            screen.note(f"{pod}: {why}")
            pod = self._another_pod(pod)

    def _follow(self, process: PortForward, pod: str) -> str:
        """Wait until a process or its pod has ended, and return why."""
        reported, poll_at = False, time.monotonic() + POLL_SECONDS
        while True:
            has_ended = process.ended  # read first: one that was ready and has ended is reported, too
            if process.ready and not reported:
                reported = True
                self._report(pod)
            if has_ended:
                return process.problem
            try:
                process.changes.get(timeout=max(0.0, poll_at - time.monotonic()))
            except queue.Empty:
                service = self._read() if reported else None  # before that, kubectl itself says what is wrong
                if service is not None and pod not in service.pods:
                    return "this pod is gone"
                poll_at = time.monotonic() + POLL_SECONDS

    def _report(self, pod: str) -> None:
        options = self._gateway.options
        if options.as_json:
            screen.out_json({"address": f"{LOOPBACK}:{self._local}", "pod": pod, "port": self._remote})
        elif not options.quiet:
            end = " (Ctrl-C ends it)" if screen.interactive() else ""
            screen.out(f"forwarding {LOOPBACK}:{self._local} to {pod}:{self._remote}{end}")
        on_ready, self._on_ready = self._on_ready, None
        if on_ready is not None:
            on_ready(self._local)

    def _another_pod(self, lost: str) -> str:
        """Wait for a pod to forward to. Raise `CliError` if there is none for a minute."""
        began = time.monotonic()
        service: ReachableService | None = None
        while (waited := time.monotonic() - began) < WAIT_SECONDS:
            service = self._read() or service
            if service and (pod := next_pod(service, lost, may_return=waited > SETTLED_SECONDS)) is not None:
                return pod
            time.sleep(PAUSE_SECONDS)
        what = service.without_pods() if service is not None else "the gateway does not answer"
        raise CliError(Exit.FAILED, f"{what} (waited {WAIT_SECONDS:.0f}s)")

    def _read(self) -> ReachableService | None:
        """Return the service as it is now; None if the gateway does not say."""
        try:
            query = {**self._gateway.options.query, "service": self._service.name}
            return find_service(read_services(self._gateway, **query), self._service.name)
        except CliError:
            return None
