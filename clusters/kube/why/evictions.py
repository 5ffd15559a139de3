"""Pods that were evicted, pushed out or turned away by a node, and why."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import (
    ENDED,
    LONGEST_READ,
    Cause,
    Evidence,
    Saying,
    cause,
)
from clusters.kube.why.parts import about, is_true
from clusters.kube.why.pod import Pod

_OVER = re.compile(
    r"Container (?P<container>\S{1,63}) was using (?P<using>\S{1,60}),"
    r" request is (?P<request>\S{1,60}),"
)

NODE_LOW = Saying(
    "evicted_node_low",
    ENDED,
    sentence("The pod was evicted because its node was low on %(resource)s."),
    sentence(
        "Give pods requests that fit what they use, or the node more of it; the pod's"
        " controller makes a new pod."
    ),
)
NODE_LOW_OVER = Saying(
    "evicted_node_low",
    ENDED,
    sentence(
        "The pod was evicted because its node was low on %(resource)s: container"
        " %(container)s used %(using)s and had requested %(request)s."
    ),
    sentence("Raise the container's request to what it uses, or find out why it uses so much."),
)
DISK_LIMIT = Saying(
    "evicted_disk_limit",
    ENDED,
    sentence(
        "The pod was evicted because it wrote more to the node's disk than its limit of %(limit)s."
    ),
    sentence(
        "Raise the limit of ephemeral-storage, write less (logs, temporary files), or use a volume."
    ),
)
EMPTY_DIR = Saying(
    "evicted_volume_limit",
    ENDED,
    sentence(
        "The pod was evicted because its emptyDir volume %(volume)s grew over its limit"
        " of %(limit)s."
    ),
    sentence("Raise the volume's sizeLimit, or write less to it."),
)
NODE_CONDITION = Saying(
    "evicted_node_condition",
    ENDED,
    sentence("The pod was turned away because its node was in trouble: %(condition)s"),
    sentence("Look at the node; the pod's controller makes a new pod."),
)
EVICTED = Saying(
    "evicted",
    ENDED,
    sentence("The pod was evicted from its node."),
    sentence("The message beside this says why."),
)
BY_REQUEST = Saying(
    "evicted_by_request",
    ENDED,
    sentence("The pod was evicted on request, as when a node is drained."),
    sentence("Its controller makes a new pod elsewhere."),
)
PREEMPTED = Saying(
    "preempted",
    ENDED,
    sentence("The pod was ended to make room for one of higher priority."),
    sentence("Add room, or give the pod a higher priority class."),
)
TAINTED = Saying(
    "evicted_by_taint",
    ENDED,
    sentence("The pod was ended because its node got a taint that it does not tolerate."),
    sentence("Look at why the node was tainted: it is not ready, or somebody empties it."),
)
COLLECTED = Saying(
    "node_deleted",
    ENDED,
    sentence("The pod was removed because its node no longer exists."),
    sentence("Its controller makes a new pod elsewhere."),
)
SHUTDOWN = Saying(
    "node_shutdown",
    ENDED,
    sentence("The pod was ended because its node was shut down."),
    sentence("Its controller makes a new pod elsewhere; this one can be deleted."),
)
NO_ROOM = Saying(
    "node_turned_away",
    ENDED,
    sentence(
        "The node %(node)s turned the pod away: it had too little %(resource)s left when"
        " the pod arrived."
    ),
    sentence("Delete the pod: its controller makes a new one that is placed anew."),
)
MISMATCH = Saying(
    "node_turned_away",
    ENDED,
    sentence(
        "The node %(node)s turned the pod away (%(reason)s): it is not what the pod asks for."
    ),
    sentence(
        "Check the pod's node selector, affinity and security settings against the node's labels."
    ),
)
DEVICE = Saying(
    "node_admission_failed",
    ENDED,
    sentence("The node %(node)s could not give the pod its devices or resources."),
    sentence("Look at the device plug-ins of that node; delete the pod so that it is placed anew."),
)
MESSAGES = (
    (
        DISK_LIMIT,
        r"Pod ephemeral local storage usage exceeds the total limit of containers"
        r" (?P<limit>\S{1,60}?)\.(?: |$)",
    ),
    (
        DISK_LIMIT,
        r"Container \S{1,63} exceeded its local ephemeral storage limit"
        r' "(?P<limit>[^"]{1,60})"',
    ),
    (
        EMPTY_DIR,
        r'Usage of EmptyDir volume "(?P<volume>[^"]{1,63})" exceeds the limit'
        r' "(?P<limit>[^"]{1,60})"',
    ),
    (NODE_CONDITION, r"The node had condition: (?P<condition>.{1,200}?)\. ?$"),
    (NODE_LOW, r"The node was low on resource: (?P<resource>[^\s]{1,100}?)\.(?: |$)"),
)
REASONS = {
    "Preempting": PREEMPTED,
    "Terminated": SHUTDOWN, "NodeShutdown": SHUTDOWN, "Shutdown": SHUTDOWN,
    "NodeAffinity": MISMATCH, "NodeName": MISMATCH, "NodePorts": MISMATCH,
    "NodeUnschedulable": MISMATCH, "TaintToleration": MISMATCH,
    "AppArmor": MISMATCH, "SysctlForbidden": MISMATCH,
    "PodOSNotSupported": MISMATCH, "PodOSSelectorNodeLabelDoesNotMatch": MISMATCH,
    "TopologyAffinityError": DEVICE, "UnexpectedAdmissionError": DEVICE,
}  # fmt: skip
DISRUPTIONS = {
    "PreemptionByScheduler": PREEMPTED,
    "DeletionByTaintManager": TAINTED,
    "EvictionByEvictionAPI": BY_REQUEST,
    "DeletionByPodGC": COLLECTED,
}


def causes(pod: Pod, _around: Around) -> Iterator[Cause]:
    """Why a pod was ended from outside; nothing when it was not."""
    status = pod.status
    said = [pod.reason()]
    disruption = is_true(status.conditions, "DisruptionTarget")
    if status.reason == "Evicted":
        yield _evicted(pod, said)
    elif status.reason.startswith("OutOf"):
        yield _cause(pod, NO_ROOM, said, resource=status.reason.removeprefix("OutOf"))
    elif status.reason in REASONS:
        yield _cause(pod, REASONS[status.reason], said, reason=status.reason)
    elif disruption is not None and (saying := DISRUPTIONS.get(disruption.reason)):
        yield _cause(pod, saying, [disruption.said()])


def _evicted(pod: Pod, said: list[Evidence]) -> Cause:
    message = pod.status.message[:LONGEST_READ]
    for saying, pattern in MESSAGES:
        if found := re.search(pattern, message):
            facts = found.groupdict()
            over = _OVER.search(message)
            if saying is NODE_LOW and over is not None:
                facts |= {"using": over["using"], "request": over["request"]}
                return _cause(pod, NODE_LOW_OVER, said, container=over["container"], **facts)
            return _cause(pod, saying, said, **facts)
    return _cause(pod, EVICTED, said)


def _cause(
    pod: Pod, saying: Saying, said: list[Evidence], container: str = "", **facts: str
) -> Cause:
    node = pod.spec.node_name
    it = about("Pod", pod.metadata)
    return cause(saying, it, said, container=container, node=node, **facts)
