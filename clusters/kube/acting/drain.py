"""Emptying a node as `kubectl drain` does (k8s.io/kubectl/pkg/drain).

The node is cordoned, then its pods are evicted as their budgets allow. Pods of DaemonSets and
mirror pods of the kubelet stay. Pods that nobody would make anew, and those that lose what they
keep in emptyDirs, go only where that was confirmed.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from clusters.kube import errors
from clusters.kube.acting import nodes
from clusters.kube.acting.removing import evict
from clusters.kube.acting.target import Did, Json, Replaced, Target, Unfit
from clusters.kube.client import MOST_PAGES, Client
from clusters.kube.errors import sentence

PODS = "/api/v1/pods"
MIRROR = "kubernetes.io/config.mirror"
# Seconds between two rounds: as long as kubectl waits after a refusal.
ROUND = 5.0
# A cluster that does not answer is asked again, in as many rounds.
SILENT_ROUNDS = 6
MOST_NAMED = 5


class Options(msgspec.Struct, frozen=True):
    """What was confirmed, and how long it may take; `grace` None: what each pod asks for."""

    timeout: int = 600
    grace: int | None = None
    empty_dirs: bool = False
    unmanaged: bool = False


class Pods(NamedTuple):
    """The pods of a node: those that go, and those that stand in the way unconfirmed."""

    leaving: list[Target]
    with_empty_dirs: list[str]
    unmanaged: list[str]
    staying: int


class Progress(NamedTuple):
    """How far it is: so many of so many pods are gone; why each of those that wait must."""

    gone: int
    all: int
    waiting: dict[str, Unfit]


def pods(client: Client, node: str) -> Pods:
    """What there is on the node, sorted as a drain would."""
    found = Pods([], [], [], 0)
    for pod in _on(client, node):
        meta, name = pod["metadata"], _name(pod)
        owner = _controller(pod)
        ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
        if MIRROR in (meta.get("annotations") or {}) or (owner == "DaemonSet" and not ended):
            found = found._replace(staying=found.staying + 1)
            continue
        found.leaving.append(Target("Pod", PODS, meta["namespace"], meta["name"], meta["uid"]))
        if not ended and any("emptyDir" in each for each in pod["spec"].get("volumes") or []):
            found.with_empty_dirs.append(name)
        if not ended and not owner:
            found.unmanaged.append(name)
    return found


def drain(
    client: Client,
    target: Target,
    options: Options,
    *,
    tell: Callable[[Progress], None],
    log: Callable[[str], None],
    stopped: threading.Event,
) -> Did:
    """Empties the node; `tell` hears how far it is after each round, `log` of each pod.

    Ends early when `stopped` is set, with what was done until then. Unfit where something is not
    confirmed (then nothing was changed), or when the time is over before all pods are gone.
    """
    found = pods(client, target.name)
    _refuse_unconfirmed(found, options)
    cordoned = nodes.cordon(client, target)
    log(f"{target.name}: {len(found.leaving)} pods leave, {found.staying} stay")
    emptying = _Emptying(client, target.name, found.leaving, options.grace, log)
    ends = time.monotonic() + options.timeout
    while not stopped.is_set():
        waits = emptying.round()
        tell(emptying.progress())
        if not emptying.left:
            break
        if time.monotonic() >= ends:
            raise emptying.too_late(options.timeout)
        stopped.wait(min(waits, max(0.0, ends - time.monotonic())))
    gone = emptying.progress().gone
    words = sentence("Drained: %(gone)s pods have left, %(staying)s stay, as they belong to it.")
    if emptying.left:
        words = sentence("Stopped: %(gone)s pods have left, it takes no new ones.")
    facts: Json = {"gone": gone, "staying": found.staying}
    after = cordoned.after | {"evicted": gone}
    return Did(words, facts, cordoned.before, after, cordoned.undo)


def _refuse_unconfirmed(found: Pods, options: Options) -> None:
    if found.unmanaged and not options.unmanaged:
        raise Unfit(
            sentence(
                "Nobody would make these pods anew: %(pods)s. Confirm that they may go for ever."
            ),
            pods=_named(found.unmanaged),
        )
    if found.with_empty_dirs and not options.empty_dirs:
        raise Unfit(
            sentence(
                "These pods would lose what is in their emptyDirs: %(pods)s. Confirm that they may."
            ),
            pods=_named(found.with_empty_dirs),
        )


class _Emptying:
    """The pods that are to leave one node, round after round."""

    def __init__(
        self,
        client: Client,
        node: str,
        leaving: list[Target],
        grace: int | None,
        log: Callable[[str], None],
    ) -> None:
        self._client, self._node, self._grace, self._log = client, node, grace, log
        self._all = len(leaving)
        self._asked: set[str] = set()
        self._silent = 0
        self.left = {target.uid: target for target in leaving}
        self.waiting: dict[str, Unfit] = {}

    def round(self) -> float:
        """Asks each pod that stays to go, then looks which are there; how long to wait now."""
        try:
            for target in [one for one in self.left.values() if one.uid not in self._asked]:
                self._ask(target)
            there = {pod["metadata"]["uid"] for pod in _on(self._client, self._node)}
            self._silent = 0
        except (errors.Unreachable, errors.TimedOut, errors.ServerFailed):
            self._silent += 1
            if self._silent >= SILENT_ROUNDS:
                raise
            return ROUND
        for uid in self.left.keys() - there:
            self._log(f"{_full(self.left.pop(uid))} has left")
        self.waiting = {name: why for name, why in self.waiting.items() if name in self._names()}
        # Those that go are looked at often, a budget is asked less often.
        return ROUND if self.waiting else 1.0

    def _ask(self, target: Target) -> None:
        name = _full(target)
        try:
            evict(self._client, target, grace=self._grace)
        except Replaced:
            pass  # another of its name, which is not on this node or comes with the next look
        except Unfit as refused:
            if name not in self.waiting:
                self._log(f"{name} waits: {refused}")
            self.waiting[name] = refused
            return
        except errors.Forbidden as refused:
            # Also while its namespace is being deleted: then it goes by itself.
            self.waiting[name] = Unfit(
                sentence("The cluster forbids this: %(said)s"), said=str(refused)
            )
            return
        self.waiting.pop(name, None)
        self._asked.add(target.uid)
        self._log(f"{name} is evicted")

    def _names(self) -> set[str]:
        return {_full(target) for target in self.left.values()}

    def progress(self) -> Progress:
        return Progress(self._all - len(self.left), self._all, dict(self.waiting))

    def too_late(self, timeout: int) -> Unfit:
        left = sorted(self._names())
        for name, why in sorted(self.waiting.items()):
            words = sentence(
                "After %(seconds)s s %(left)s of %(all)s pods are still there. %(pod)s: %(reason)s"
            )
            facts = {"seconds": timeout, "left": len(left), "all": self._all}
            return Unfit(words, **facts, pod=name, reason=why)
        words = sentence("After %(seconds)s s %(left)s of %(all)s pods are still ending: %(pods)s")
        return Unfit(words, seconds=timeout, left=len(left), all=self._all, pods=_named(left))


def _on(client: Client, node: str) -> Iterator[Json]:
    """The pods on a node, page by page."""
    params: dict[str, str | int] = {"fieldSelector": f"spec.nodeName={node}", "limit": 500}
    for _ in range(MOST_PAGES):
        page = client.get(f"{PODS}?{urlencode(params)}")
        yield from page.get("items") or []
        if not (following := page.get("metadata", {}).get("continue")):
            return
        params["continue"] = following


def _controller(pod: Json) -> str:
    """The kind of what made it and would make it anew; "" for none."""
    owners = pod["metadata"].get("ownerReferences") or []
    return next((str(owner["kind"]) for owner in owners if owner.get("controller")), "")


def _name(pod: Json) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _full(target: Target) -> str:
    return f"{target.namespace}/{target.name}"


def _named(names: list[str]) -> str:
    more = f" (+{len(names) - MOST_NAMED})" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
