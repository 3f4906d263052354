"""The files of a service or task → what its pods mount: one ConfigMap of all contents, and items of the Secret.

Each file is mounted by itself (`subPath`), so that it hides no other file of the image. The ConfigMap never changes:
its name has the digest of its contents, so that another text is another pod template, and older versions keep theirs.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Final, Protocol

from mill_api import names
from mill_api.endpoints import Endpoints
from mill_api.environment import content_text
from mill_api.files import File
from mill_objects.json import Json

_NO_KEY: Final = re.compile(r"[^-._a-zA-Z0-9]")
_LONGEST_KEY: Final = 100
CONTENTS: Final = "files"
SECRETS: Final = "secret-files"
"""Names of the volumes in a pod, with a number behind them where a volume of the file has that name."""


class WithFiles(Protocol):
    """What is read of a service or task."""

    @property
    def name(self) -> str: ...
    @property
    def files(self) -> Sequence[File]: ...


@dataclass(frozen=True, slots=True)
class MountedFiles:
    """The files of one service or task. `digest` and `config_map` are empty if none has a content."""

    digest: str = ""
    config_map: str = ""
    """Name of the ConfigMap with their contents."""
    data: Mapping[str, str] = field(default_factory=dict)
    """The contents of that ConfigMap."""
    volumes: Sequence[Json] = ()
    mounts: Sequence[Json] = ()

    def add_to(self, template: Json) -> None:
        """Mount the files in the first container of a pod template, which is a service's or task's own."""
        if not self.mounts:
            return
        spec = template["spec"]
        container = spec["containers"][0]
        container["volumeMounts"] = [*container.get("volumeMounts", ()), *self.mounts]
        spec["volumes"] = [*spec.get("volumes", ()), *self.volumes]
        if self.digest:
            template["metadata"]["labels"] = template["metadata"]["labels"] | {names.LABEL_FILES: self.digest}


def mounted_files(
    kind: str, program: WithFiles, volumes: Sequence[str] = (), *, namespace: str, endpoints: Endpoints
) -> MountedFiles:
    """Return the files of a program of a kind, `service` or `task`. `volumes` are the names of its own volumes.

    `endpoints` are those of all services of the file.
    """
    data: dict[str, str] = {}
    contents: list[Json] = []
    secrets: list[Json] = []
    mounts: list[tuple[str, str, str]] = []
    for index, file in enumerate(program.files, start=1):
        key = f"{index}-{_NO_KEY.sub('_', file.path.rpartition('/')[2])[:_LONGEST_KEY]}"
        mode = {} if file.mode is None else {"mode": int(file.mode, 8)}
        if file.secret is not None:
            secrets.append({"key": file.secret, "path": key, **mode})
            mounts.append((SECRETS, file.path, key))
        else:
            data[key] = content_text(file.content or "", namespace=namespace, endpoints=endpoints)
            contents.append({"key": key, "path": key, **mode})
            mounts.append((CONTENTS, file.path, key))
    if not mounts:
        return MountedFiles()
    digest = _digest([kind, program.name, data]) if data else ""
    config_map = f"{program.name}-files-{digest}" if data else ""
    named = {each: _free(each, volumes) for each in (CONTENTS, SECRETS)}
    sources: list[Json] = []
    if contents:
        sources.append({"name": named[CONTENTS], "configMap": {"name": config_map, "items": contents}})
    if secrets:
        sources.append({"name": named[SECRETS], "secret": {"secretName": names.SECRET_NAME, "items": secrets}})
    return MountedFiles(
        digest,
        config_map,
        data,
        sources,
        [{"name": named[volume], "mountPath": path, "subPath": key, "readOnly": True} for volume, path, key in mounts],
    )


def _free(name: str, taken: Sequence[str]) -> str:
    return next(each for each in chain([name], map(f"{name}-{{}}".format, count(2))) if each not in taken)


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
