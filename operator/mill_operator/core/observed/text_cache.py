"""Texts of containers, ready to be kept and remembered by what they are of: a pod has many events, and says the same.

Nothing is lost with it but time. Who owns it forgets a pod when the pod is gone.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

PODS: Final = 10_000
"""Pods whose texts are remembered: the ones that have said nothing for longest are forgotten first."""


class ContainerTexts:
    """The texts of one pod: those of the last reading, and those of the current one."""

    def __init__(self, known: dict[Hashable, str]) -> None:
        self.known = known
        self.made: dict[Hashable, str] = {}

    def get(self, identity: Hashable, make: Callable[[], str]) -> str:
        """Return a text. `identity` distinguishes it from all others of this pod; None if nothing does."""
        if identity is None:
            return make()
        known = self.known.get(identity)
        text = self.made[identity] = make() if known is None else known
        return text


class TextCache:
    """The texts of all pods."""

    def __init__(self, pods: int = PODS) -> None:
        self._pods = pods
        self._texts: OrderedDict[str, dict[Hashable, str]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._texts)

    def reading(self, uid: str) -> ContainerTexts:
        """Start to read a pod again. Texts that are not requested this time are forgotten."""
        texts = ContainerTexts(self._texts.pop(uid, {}))
        self._texts[uid] = texts.made
        if len(self._texts) > self._pods:
            self._texts.popitem(last=False)
        return texts

    def forget(self, uid: str) -> None:
        """Forget a pod."""
        self._texts.pop(uid, None)
