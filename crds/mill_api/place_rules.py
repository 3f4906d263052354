"""The rules of identity, limits, place and end, which services and tasks share, one function for each field.

`validation` applies them to every spec, and adds what a cluster permits (`pod_permissions`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from mill_api import names
from mill_api.constraints import GPUS, ID, MAX_ANNOTATION, MAX_GPU_KINDS, MAX_LABEL, MAX_LABELS, shown
from mill_api.place import NO_LIMIT, NVIDIA
from mill_api.problems import Problem, text_problems
from mill_api.quantities import InvalidQuantity, bytes_of, cores_of
from mill_api.spec import Service, Task
from mill_api.text_rules import ARCHITECTURE, PULL_SECRET, STOP, STOP_SIGNAL

ARCH_LABEL: Final = "kubernetes.io/arch"
"""The label of nodes that has their architecture."""

_DOMAIN: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*"
_KEY: Final = re.compile(rf"(?=[^/]{{1,253}}/|[^/]*\Z)({_DOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
GPU_RESOURCE: Final = r"nvidia\.com/(?:gpu(?:\.shared)?|mig-[0-9a-z.+-]{1,40})|amd\.com/gpu|gpu\.intel\.com/(?:i915|xe)"
"""Resources that are GPUs. Other resources of that form are devices of the node, such as its disks or its network."""
_GPU: Final = re.compile(GPU_RESOURCE)
_OWN_DOMAIN: Final = re.compile(rf"(?:.*\.)?{re.escape(names.GROUP)}/")

_KEY_ADVICE: Final = (
    "write a name of at most 63 letters, digits, -, _ and ., with a domain before it if it has one: example.com/team"
)
_VALUE_ADVICE: Final = f"use at most {MAX_LABEL} letters, digits, -, _ and ., and neither begin nor end with one of -_."


def place_problems(program: Service | Task) -> Iterator[Problem]:
    """Yield the problems of a service or task that are the same in every cluster."""
    for name, number in (("user", program.user), ("group", program.group)):
        if number is not None and not ID.least <= number <= ID.most:
            yield Problem(name, f"{name} must be from {ID.least} to {ID.most}", "write the number of a user or group")
    if program.pull is not None:
        yield from text_problems("pull", PULL_SECRET, program.pull)
    yield from _limits(program)
    yield from _gpu(program.gpu)
    yield from _place(program)
    yield from _own_texts("labels", program.labels, _label_value)
    yield from _own_texts("annotations", program.annotations, _annotation_value)
    if program.stop is not None:
        yield from text_problems("stop", STOP, program.stop)
    if program.stop_signal is not None:
        yield from text_problems("stop_signal", STOP_SIGNAL, program.stop_signal)


def is_own_key(key: str) -> bool:
    """Return whether Mill sets a label or annotation of pods itself."""
    return key == names.LABEL_MANAGED_BY or _OWN_DOMAIN.match(key) is not None


def is_key(key: str) -> bool:
    """Return whether a text can be the key of a label, an annotation or a taint."""
    return _KEY.fullmatch(key) is not None


def _limits(program: Service | Task) -> Iterator[Problem]:
    limits = program.limits
    if limits is None:
        return
    if limits.cpu is None and limits.memory is None:
        advice, absent = 'add `cpu = 2` or `memory = "1G"`', ("limits.cpu", "limits.memory")
        yield Problem("limits", "a limits block needs cpu or memory", advice, absent=absent)
    if limits.cpu is not None and limits.cpu != NO_LIMIT:
        yield from _limit("cpu", limits.cpu, program, cores_of)
    if limits.memory is not None:
        yield from _limit("memory", limits.memory, program, bytes_of)


def _limit(name: str, limit: str, program: Service | Task, amount: Callable[[str], float]) -> Iterator[Problem]:
    request = program.cpu if name == "cpu" else program.memory
    try:
        is_below = amount(limit) < amount(request)
    except InvalidQuantity:  # of a resource that was not written as a file; its form is a matter of the schema
        return
    if is_below:
        others = (name,) if name in program.model_fields_set else ()
        message = f"the limit of {name} is below the request, which is {shown(request)}"
        yield Problem(f"limits.{name}", message, f"raise the limit, or lower `{name}` of the {_kind(program)}", others)


def _kind(program: Service | Task) -> str:
    return "service" if isinstance(program, Service) else "task"


def _gpu(gpu: Mapping[str, int]) -> Iterator[Problem]:
    for name, count in gpu.items():
        if not _GPU.fullmatch(name):
            advice = f'write `gpu = 1` for {NVIDIA}, or name the resource of the GPU: `gpu = {{ "amd.com/gpu" = 1 }}`'
            yield Problem(f"gpu.{name}", f"'{shown(name)}' is not a resource of GPUs that Mill knows", advice)
        elif not GPUS.least <= count <= GPUS.most:
            yield Problem(f"gpu.{name}", f"gpu must be from {GPUS.least} to {GPUS.most}", "leave it out for none")
    if len(gpu) > MAX_GPU_KINDS:
        yield Problem("gpu", f"more than {MAX_GPU_KINDS} kinds of GPUs", "name those that the program uses")


def _place(program: Service | Task) -> Iterator[Problem]:
    place = program.place
    if place is None:
        return
    if place.arch is None and not place.labels and not place.tolerate:
        advice = 'add `arch = "arm64"`, or labels that the nodes have'
        absent = ("place.arch", "place.labels", "place.tolerate")
        yield Problem("place", "a place block needs arch, labels or tolerate", advice, absent=absent)
    if place.arch is not None:
        yield from text_problems("place.arch", ARCHITECTURE, place.arch)
    if place.arch is not None and place.labels.get(ARCH_LABEL, place.arch) != place.arch:
        message = f"{ARCH_LABEL} contradicts `arch`"
        yield Problem(f"place.labels.{ARCH_LABEL}", message, "keep one of them", ("place.arch",))
    yield from _texts("place.labels", place.labels, _label_value)
    for index, key in enumerate(place.tolerate[:MAX_LABELS]):
        if not is_key(key):
            yield Problem(f"place.tolerate.{index}", f"'{shown(key)}' is not the key of a taint", _KEY_ADVICE)
    if len(place.tolerate) > MAX_LABELS:
        yield Problem("place.tolerate", f"more than {MAX_LABELS} keys", "name those of the nodes that are meant")


def _own_texts(
    path: str, texts: Mapping[str, str], value: Callable[[str], tuple[str, str] | None]
) -> Iterator[Problem]:
    """Check labels or annotations of pods."""
    yield from _texts(path, texts, value)
    for key in texts:
        if is_own_key(key):
            yield Problem(f"{path}.{key}", f"Mill sets '{shown(key)}' itself", "choose another key")


def _texts(path: str, texts: Mapping[str, str], value: Callable[[str], tuple[str, str] | None]) -> Iterator[Problem]:
    for key, text in texts.items():
        if not is_key(key):
            what = "an annotation" if path == "annotations" else "a label"
            yield Problem(f"{path}.{key}", f"'{shown(key)}' is not the key of {what}", _KEY_ADVICE)
        elif (refusal := value(text)) is not None:
            yield Problem(f"{path}.{key}", *refusal)
    if len(texts) > MAX_LABELS:
        yield Problem(path, f"more than {MAX_LABELS} {path.rpartition('.')[2]}", "keep those that others read")


def _label_value(text: str) -> tuple[str, str] | None:
    return None if _VALUE.fullmatch(text) else (f"'{shown(text)}' is not the value of a label", _VALUE_ADVICE)


def _annotation_value(text: str) -> tuple[str, str] | None:
    if len(text) <= MAX_ANNOTATION:
        return None
    return f"longer than {MAX_ANNOTATION:,} characters", "shorten it"


def permitted(key: str, granted: Iterable[str]) -> bool:
    """Return whether a key is one of those granted, or begins with one that ends with a slash."""
    return any(key == each or (each.endswith("/") and key.startswith(each)) for each in granted)
