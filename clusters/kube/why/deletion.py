"""What is being deleted and does not go: finalizers, nodes that do not answer, contents."""

import re
from collections.abc import Iterator

import msgspec

from clusters.kube.errors import sentence
from clusters.kube.objects import Part
from clusters.kube.why.around import Around
from clusters.kube.why.cause import DELETION, LONGEST_READ, Cause, Evidence, Saying, cause, evidence
from clusters.kube.why.neighbours import Node
from clusters.kube.why.parts import Condition, Meta, about, find, is_true, seconds
from clusters.kube.why.pod import Pod

# Deletions that go well are over by then.
LATE_AFTER = 60

FINALIZER = Saying(
    "deletion_finalizer",
    DELETION,
    sentence(
        "%(kind)s %(name)s is being deleted and waits for the finalizer %(finalizers)s:"
        " what set it has work to do first."
    ),
    sentence(
        "Look at the controller that owns the finalizer. Take it off by hand only when"
        " that controller is gone for good: what it would clean up stays behind."
    ),
)
FOREGROUND = Saying(
    "deletion_foreground",
    DELETION,
    sentence(
        "%(kind)s %(name)s is being deleted and waits until all that it owns is gone"
        " (foreground deletion)."
    ),
    sentence("Look at what it owns: something of it is stuck itself."),
)
PVC = Saying(
    "deletion_pvc_in_use",
    DELETION,
    sentence("The claim %(name)s is being deleted and waits until no pod uses it."),
    sentence("Stop the pods that mount it; then it goes by itself."),
)
PVC_BY = PVC._replace(
    words=sentence("The claim %(name)s is being deleted and waits until no pod uses it: %(users)s")
)
PV = Saying(
    "deletion_pv_in_use",
    DELETION,
    sentence("The volume %(name)s is being deleted and waits until no claim is bound to it."),
    sentence("Delete the claim first; then it goes by itself."),
)
BALANCER = Saying(
    "deletion_load_balancer",
    DELETION,
    sentence(
        "The Service %(name)s is being deleted and waits until the cloud's load balancer"
        " is removed."
    ),
    sentence(
        "Look at the Service's events and at the cloud controller manager: its"
        " credentials or quota may fail."
    ),
)
UNREACHABLE = Saying(
    "deletion_node_unreachable",
    DELETION,
    sentence(
        "The pod is being deleted, but its node %(node)s does not answer and cannot"
        " confirm that it ended."
    ),
    sentence(
        "Bring the node back or delete it. Delete the pod by force only when the machine"
        " is surely off: it may still run and write."
    ),
)
NODE_GONE = Saying(
    "deletion_node_gone",
    DELETION,
    sentence("The pod is being deleted, and its node %(node)s no longer exists."),
    sentence("It is removed by itself within minutes; else delete it by force."),
)
KILL = Saying(
    "deletion_kill_failed",
    DELETION,
    sentence("The pod is being deleted, but the node cannot stop its containers."),
    sentence("Look at the container runtime on that node; its message stands beside this."),
)
SLOW = Saying(
    "deletion_slow",
    DELETION,
    sentence("The pod should have ended %(late)s s ago and is still there."),
    sentence(
        "Look at its containers, volumes and node: a program that ignores SIGTERM, or a"
        " volume that cannot be unmounted."
    ),
)
CONTENT = Saying(
    "deletion_namespace_content",
    DELETION,
    sentence("The namespace is being deleted and waits for what is left in it: %(left)s"),
    sentence("Look at these objects: what keeps them keeps the namespace."),
)
CONTENT_FINALIZERS = Saying(
    "deletion_namespace_finalizers",
    DELETION,
    sentence(
        "The namespace is being deleted and waits for finalizers of what is left in it: %(left)s"
    ),
    sentence(
        "Look at the controllers that own these finalizers; they may have been deleted"
        " with the namespace."
    ),
)
DISCOVERY = Saying(
    "deletion_namespace_discovery",
    DELETION,
    sentence(
        "The namespace cannot be emptied because an API of the cluster does not answer: %(left)s"
    ),
    sentence("Mend or remove the APIService that is not available."),
)
FAILED = Saying(
    "deletion_namespace_failed",
    DELETION,
    sentence("The namespace cannot be emptied: %(left)s"),
    sentence("Look at the objects that the message names."),
)
KNOWN = {
    "foregroundDeletion": FOREGROUND,
    "kubernetes.io/pvc-protection": PVC,
    "kubernetes.io/pv-protection": PV,
    "service.kubernetes.io/load-balancer-cleanup": BALANCER,
}
NAMESPACE = {
    "NamespaceDeletionDiscoveryFailure": DISCOVERY,
    "NamespaceFinalizersRemaining": CONTENT_FINALIZERS,
    "NamespaceContentRemaining": CONTENT,
    "NamespaceDeletionContentFailure": FAILED,
    "NamespaceDeletionGroupVersionParsingFailure": FAILED,
}
_LEFT = re.compile(
    r"(?:Some resources are remaining"
    r"|Some content in the namespace has finalizers remaining): (.*)",
    re.DOTALL,
)


class _NamespaceSpec(Part):
    finalizers: list[str] = []


class _NamespaceStatus(Part):
    conditions: list[Condition] = []


class Namespace(Part):
    """A namespace."""

    metadata: Meta
    spec: _NamespaceSpec = msgspec.field(default_factory=_NamespaceSpec)
    status: _NamespaceStatus = msgspec.field(default_factory=_NamespaceStatus)


def of_any(kind: str, meta: Meta, around: Around) -> Iterator[Cause]:
    """Which finalizers keep an object that is being deleted; one cause for each known kind."""
    if not meta.deletion_timestamp or not meta.finalizers:
        return
    said = [_since(meta), evidence("field", "metadata.finalizers", ", ".join(meta.finalizers))]
    others = [each for each in meta.finalizers if each not in KNOWN]
    it = about(kind, meta)
    for finalizer in meta.finalizers:
        if saying := KNOWN.get(finalizer):
            users = _users(meta, around) if saying is PVC else ""
            yield cause(PVC_BY if users else saying, it, said, kind=kind, users=users)
    if others:
        yield cause(FINALIZER, it, said, kind=kind, finalizers=", ".join(others))


def of_pod(pod: Pod, around: Around) -> Iterator[Cause]:
    """Why a pod that is being deleted is still there, past the time that it has for that."""
    meta, name = pod.metadata, pod.spec.node_name
    yield from of_any("Pod", meta, around)
    late = around.now - seconds(meta.deletion_timestamp) if meta.deletion_timestamp else 0
    if late < LATE_AFTER or (meta.finalizers and pod.ended):
        return
    said, it = [_since(meta)], about("Pod", meta)
    node: Node | None = around.one("node", name)
    ready = find(node.status.conditions, "Ready") if node else None
    if name and around.gone("node", name):
        yield cause(NODE_GONE, it, said, node=name)
    elif ready is not None and ready.status != "True":
        yield cause(UNREACHABLE, it, [*said, ready.said()], node=name)
    elif killing := [e.said() for e in around.events(meta, "Pod") if e.reason == "FailedKillPod"]:
        yield cause(KILL, it, [*said, *killing])
    elif not meta.finalizers:
        yield cause(SLOW, it, said, late=late)


def of_namespace(namespace: Namespace) -> Iterator[Cause]:
    """What keeps a namespace that is being deleted."""
    meta = namespace.metadata
    if not meta.deletion_timestamp:
        return
    it, found = about("Namespace", meta), False
    for kind, saying in NAMESPACE.items():
        if condition := is_true(namespace.status.conditions, kind):
            found = True
            left = _LEFT.match(condition.message[:LONGEST_READ])
            words = left[1] if left else condition.message
            yield cause(saying, it, [condition.said()], left=words)
    if not found and namespace.spec.finalizers:
        finalizers = ", ".join(namespace.spec.finalizers)
        said = [_since(meta), evidence("field", "spec.finalizers", finalizers)]
        yield cause(FINALIZER, it, said, kind="Namespace", finalizers=finalizers)


def _since(meta: Meta) -> Evidence:
    at = seconds(meta.deletion_timestamp)
    return evidence("field", "metadata.deletionTimestamp", meta.deletion_timestamp or "", at, at)


def _users(meta: Meta, around: Around) -> str:
    """The pods that mount a claim, as far as they are known."""
    pods: list[Pod] = around.many("pods", f"PersistentVolumeClaim/{meta.name}") or []
    names = [pod.metadata.name for pod in pods if meta.name in pod.claims() and not pod.ended]
    return ", ".join(names[:10])
