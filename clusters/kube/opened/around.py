"""What in its namespace belongs to a live object without being named in it.

Services and policies choose pods by labels, ingresses name services, pods name what they mount:
the lists of the namespace tell, each asked for once, as the client's person.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.errors import sentence
from clusters.kube.kinds import KINDS
from clusters.kube.opened.mentions import (
    Mention,
    Opened,
    at,
    backends,
    kind_of,
    mapping,
    mentions,
    text,
)
from clusters.kube.paths import list_of
from clusters.kube.why.around import following
from clusters.kube.why.ask import NO_TIME, TOO_LONG
from clusters.kube.why.parts import Selector, selects

SECONDS = 6.0
PAGE = 500
PAGES = 4
# What pods use: by relation in the pod, what stands in the other direction.
USED = {"ConfigMap": "config", "Secret": "secret", "PersistentVolumeClaim": "claim",
        "ServiceAccount": "account"}  # fmt: skip
UNREAD = {
    "Service": sentence("The Services could not be read."),
    "Ingress": sentence("The Ingresses could not be read."),
    "HorizontalPodAutoscaler": sentence("The HorizontalPodAutoscalers could not be read."),
    "PodDisruptionBudget": sentence("The pod disruption budgets could not be read."),
    "NetworkPolicy": sentence("The NetworkPolicies could not be read."),
    "Pod": sentence("The pods could not be read."),
}


class Unread(NamedTuple):
    """A list that could not be read: `words` says which, `code` and `reason` (an error's) why."""

    kind: str
    words: str
    code: str
    reason: str


class Found(NamedTuple):
    """What was found around an object, and what could not be asked."""

    mentions: list[Mention]
    unread: list[Unread]


class _List(msgspec.Struct):
    items: list[Any] | None = None


class _Lists:
    """The lists of one namespace, each asked for when it is first needed."""

    def __init__(self, client: Client, namespace: str, ends: float) -> None:
        self._client, self._namespace, self._ends = client, namespace, ends
        self._known: dict[str, list[Opened]] = {}
        self.unread: list[Unread] = []

    def of(self, kind: str) -> list[Opened]:
        """The objects of the kind; none where they cannot be read, which is noted."""
        if kind not in self._known:
            try:
                self._known[kind] = list(self._read(kind))
            except errors.KubeError as error:
                self._known[kind] = []
                self.unread.append(Unread(kind, UNREAD[kind], error.code, str(error)))
        return self._known[kind]

    def _read(self, kind: str) -> Iterator[Opened]:
        path = list_of(KINDS[kind].path, self._namespace)
        params: dict[str, str | int] = {"limit": PAGE}
        for _ in range(PAGES):
            if time.monotonic() >= self._ends:
                raise errors.TimedOut(NO_TIME)
            body = self._client.read(f"{path}?{urlencode(params)}")
            for each in _items(body):
                yield Opened.of(each, kind)
            if not (token := following(body)):
                return
            params["continue"] = token
        raise errors.BadAnswer(TOO_LONG)


def _items(body: bytes) -> list[Any]:
    try:
        return msgspec.json.decode(body, type=_List).items or []
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.BadAnswer("The answer is not what Kubernetes sends.") from error


def around(
    client: Client, found: Opened, owners: list[tuple[str, str]], *, seconds: float = SECONDS
) -> Found:
    """What belongs to the object in its namespace; it takes `seconds` at most.

    `owners` are the kinds and names of what owns it: what scales a Deployment concerns its pods.
    """
    if not found.namespace:
        return Found([], [])
    lists = _Lists(client, found.namespace, time.monotonic() + seconds)
    with client.within(seconds):
        every = list(_around(found, owners, lists))
    return Found(list(dict.fromkeys(each for each in every if each.name)), lists.unread)


def _around(found: Opened, owners: list[tuple[str, str]], lists: _Lists) -> Iterator[Mention]:
    labels = found.pod_labels
    if labels is not None:
        yield from _of_pods(labels, [(found.kind, found.name), *owners], lists)
    elif found.kind == "Service":
        yield from _named_by(lists.of("Ingress"), "ingress", {found.name})
        yield from _chosen(found, _service_selects, lists)
    elif found.kind in {"PodDisruptionBudget", "NetworkPolicy"}:
        yield from _chosen(found, _selector_selects, lists)
    elif found.kind in USED:
        yield from _users(found, lists)


def _of_pods(
    labels: dict[str, str], targets: list[tuple[str, str]], lists: _Lists
) -> Iterator[Mention]:
    """What chooses pods with these labels, and what scales one of the targets."""
    services = [each for each in lists.of("Service") if _service_selects(each, labels)]
    yield from (_mention("service", each) for each in services)
    names = {each.name for each in services}
    if names:
        yield from _named_by(lists.of("Ingress"), "ingress", names)
    for each in lists.of("HorizontalPodAutoscaler"):
        target = at(each.spec, "scaleTargetRef")
        if (kind_of(target), text(target.get("name"))) in targets:
            yield _mention("autoscaler", each)
    for kind, relation in (("PodDisruptionBudget", "budget"), ("NetworkPolicy", "policy")):
        for each in lists.of(kind):
            if _selector_selects(each, labels):
                yield _mention(relation, each)


def _named_by(ingresses: list[Opened], relation: str, services: set[str]) -> Iterator[Mention]:
    for each in ingresses:
        if backends(each) & services:
            yield _mention(relation, each)


def _chosen(
    found: Opened, selects_labels: Callable[[Opened, dict[str, str]], bool], lists: _Lists
) -> Iterator[Mention]:
    """The pods that a selector chooses."""
    for each in lists.of("Pod"):
        if selects_labels(found, each.pod_labels or {}):
            yield _mention("pods", each)


def _users(found: Opened, lists: _Lists) -> Iterator[Mention]:
    """The pods that use a ConfigMap, a Secret, a claim or an account."""
    wanted = Mention(USED[found.kind], found.kind, found.namespace, found.name)
    for each in lists.of("Pod"):
        if wanted in mentions(each):
            yield _mention("user", each)


def _mention(relation: str, found: Opened) -> Mention:
    return Mention(relation, found.kind, found.namespace, found.name)


def _service_selects(service: Opened, labels: dict[str, str]) -> bool:
    wanted = mapping(service.spec.get("selector"))
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _selector_selects(found: Opened, labels: dict[str, str]) -> bool:
    """Whether a budget or a network policy chooses what has these labels; an empty one all."""
    field = "podSelector" if found.kind == "NetworkPolicy" else "selector"
    if field not in found.spec and found.kind != "NetworkPolicy":
        return False
    try:
        wanted = msgspec.convert(mapping(found.spec.get(field)), type=Selector)
    except msgspec.ValidationError:
        return False
    return selects(wanted, labels)
