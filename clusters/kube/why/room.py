"""Pods for which nodes have too little room: how much is asked, and how much the roomiest has."""

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import PLACE, Cause, Evidence, Saying, cause
from clusters.kube.why.fitting import asks, roomiest, shown
from clusters.kube.why.parts import about
from clusters.kube.why.pod import Pod
from clusters.kube.why.scheduling import Reason, Refused

ADVICE = sentence(
    "Request less in the pod's template, free room (fewer replicas elsewhere), or add a node."
)
FREE = Saying(
    "pending_resources",
    PLACE,
    sentence(
        "%(count)s of %(nodes)s nodes have too little %(resource)s free: the pod asks for"
        " %(asked)s, and the most that is free is %(free)s of %(whole)s on %(node)s."
    ),
    ADVICE,
)
TOO_LARGE = Saying(
    "pending_too_large",
    PLACE,
    sentence(
        "The pod asks for more %(resource)s than any node has: it asks for %(asked)s, and"
        " the largest node that it may go to, %(node)s, has %(whole)s in all."
    ),
    sentence("Request less in the pod's template, or add a larger node."),
)
NOBODY = Saying(
    "pending_resource_unknown",
    PLACE,
    sentence("No node that the pod may go to offers %(resource)s, of which it asks for %(asked)s."),
    sentence("See that the device plug-in for it runs, or add a node that has it."),
)
UNKNOWN = Saying(
    "pending_resources",
    PLACE,
    sentence(
        "%(count)s of %(nodes)s nodes have too little %(resource)s free: the pod asks for"
        " %(asked)s."
    ),
    ADVICE,
)
WHOLE = Saying(
    "pending_resources",
    PLACE,
    sentence(
        "%(count)s of %(nodes)s nodes have too little %(resource)s free: the pod asks for"
        " %(asked)s; the largest, %(node)s, has %(whole)s in all."
    ),
    ADVICE,
)
PODS = Saying(
    "pending_too_many_pods",
    PLACE,
    sentence("%(count)s of %(nodes)s nodes run as many pods as they may."),
    sentence("Add a node, raise the kubelet's maxPods, or run fewer pods."),
)


def rooms(pod: Pod, around: Around, told: Refused, reason: Reason, said: list[Evidence]) -> Cause:
    """The cause for one resource that is short."""
    resource = "pods" if reason.sort == "pods" else reason.about
    asked = 1 if reason.sort == "pods" else asks(pod.spec, resource)
    nodes = around.many("nodes")
    room = roomiest(pod, nodes, around, resource) if nodes else None
    saying, facts = UNKNOWN, {}
    if room is not None:
        facts = {"node": room.node, "whole": shown(resource, room.whole)}
        saying = _saying(asked, room.free, room.whole)
        facts["free"] = shown(resource, room.free or 0)
    if reason.sort == "pods":
        saying = PODS
    return cause(
        saying,
        about("Pod", pod.metadata),
        said,
        count=reason.nodes,
        nodes=told.nodes,
        resource=resource,
        asked=shown(resource, asked),
        **facts,
    )


def _saying(asked: int, free: int | None, whole: int) -> Saying:
    if not whole:
        return NOBODY
    if asked > whole:
        return TOO_LARGE
    # More free than asked: other reasons keep the pod off that node, or it was freed meanwhile.
    return WHOLE if free is None or free >= asked else FREE
