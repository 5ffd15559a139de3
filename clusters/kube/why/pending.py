"""Pods that no node takes: by room, taints, selectors, affinity, spread, ports and volumes."""

from collections.abc import Callable, Iterator

from clusters.kube.why import claims, fitting
from clusters.kube.why.around import Around
from clusters.kube.why.cause import Cause, Evidence, cause, evidence
from clusters.kube.why.neighbours import Node
from clusters.kube.why.parts import about, is_false, seconds
from clusters.kube.why.placing import (
    FAILED,
    GATED,
    NO_NODES,
    NODES_DOWN,
    SAYINGS,
    TAINTS,
    UNSEEN,
)
from clusters.kube.why.pod import Pod
from clusters.kube.why.room import rooms
from clusters.kube.why.scheduling import Reason, Refused, Sort, read

# A scheduler that is there has looked at a pod by then.
UNSEEN_AFTER = 60
NOT_READY = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")

CLAIMS = frozenset({"claim", "unbound", "no_volume"})


def refused(pod: Pod, around: Around) -> tuple[Refused | None, list[Evidence]]:
    """What the scheduler said last, and the evidence for it."""
    condition = is_false(pod.status.conditions, "PodScheduled")
    if pod.spec.node_name or pod.ended:
        return None, []
    if condition is not None and (told := read(condition.message)):
        return told, [condition.said()]
    for event in around.events(pod.metadata, "Pod"):
        if event.reason == "FailedScheduling" and (told := read(event.message)):
            return told, [event.said()]
    return None, [condition.said()] if condition else []


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """Why the pod has no node; nothing when it has one."""
    if pod.spec.node_name or pod.ended:
        return
    told, said = refused(pod, around)
    if told is None:
        yield from _unread(pod, around, said)
        return
    if told.nodes == 0:
        yield cause(NO_NODES, about("Pod", pod.metadata), said)
    if any(reason.sort in CLAIMS for reason in told.reasons):
        yield from claims.of_pod(pod, around)
    for reason in told.reasons:
        yield from _of(pod, around, told, reason, said)


def _unread(pod: Pod, around: Around, said: list[Evidence]) -> Iterator[Cause]:
    it = about("Pod", pod.metadata)
    gates = ", ".join(each.name for each in pod.spec.scheduling_gates)
    if gates:
        yield cause(GATED, it, said, wanted=gates)
    elif said:
        yield cause(FAILED, it, said)
    elif around.now - created(pod) > UNSEEN_AFTER:
        at, raw = created(pod), pod.metadata.creation_timestamp or ""
        said = [evidence("field", "metadata.creationTimestamp", raw, at, at)]
        yield cause(UNSEEN, it, said, wanted=pod.spec.scheduler_name)


def created(pod: Pod) -> int:
    """When the pod was made, in seconds since 1970."""
    return seconds(pod.metadata.creation_timestamp)


def _of(
    pod: Pod, around: Around, told: Refused, reason: Reason, said: list[Evidence]
) -> Iterator[Cause]:
    if reason.sort in {"resource", "pods"}:
        yield rooms(pod, around, told, reason, said)
        return
    saying, taints = SAYINGS.get(reason.sort, TAINTS), ""
    if reason.sort == "taint":
        taints = _taints(pod, around, reason)
        down = all(each.startswith(NOT_READY) for each in taints.split(", "))
        saying = NODES_DOWN if down else TAINTS
    describe = WANTED.get(reason.sort)
    yield cause(
        saying,
        about("Pod", pod.metadata),
        said,
        count=reason.nodes,
        nodes=told.nodes,
        about=reason.about,
        words=reason.words,
        taints=taints,
        wanted=describe(pod) if describe else "",
        where=claims.places(pod, around) or reason.words,
    )


def _taints(pod: Pod, around: Around, reason: Reason) -> str:
    """The taints meant: newer schedulers do not name them, then the nodes' own."""
    if reason.about:
        return reason.about.removesuffix(": ")
    nodes: list[Node] = around.many("nodes") or []
    found = {str(taint) for node in nodes for taint in fitting.untolerated(pod, node)}
    return ", ".join(sorted(found)) or reason.words


def _ports(pod: Pod) -> str:
    every = pod.spec.containers + pod.spec.init_containers
    return ", ".join(str(port.host_port) for each in every for port in each.ports if port.host_port)


def _spread(pod: Pod) -> str:
    hard = [
        s for s in pod.spec.topology_spread_constraints if s.when_unsatisfiable != "ScheduleAnyway"
    ]
    return ", ".join(f"{each.topology_key} (maxSkew {each.max_skew})" for each in hard) or "?"


def _affinity(pod: Pod) -> str:
    it = pod.spec.affinity
    both = (("affinity", it and it.pod_affinity), ("anti-affinity", it and it.pod_anti_affinity))
    return "; ".join(
        f"{name}: {term.topology_key}"
        for name, kind in both
        for term in (kind.required if kind else [])
    )


WANTED: dict[Sort, Callable[[Pod], str]] = {
    "selector": fitting.wanted,
    "affinity": _affinity,
    "spread": _spread,
    "port": _ports,
    "unbound": lambda pod: ", ".join(pod.claims()),
    "no_volume": lambda pod: ", ".join(pod.claims()),
}
