"""Volumes that are not attached or mounted, and pods that get no network, from their events."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why import config
from clusters.kube.why.around import Around
from clusters.kube.why.cause import LONGEST_READ, START, Cause, Saying, cause, first
from clusters.kube.why.parts import Event, about
from clusters.kube.why.pod import Pod

REASONS = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_VOLUME = re.compile(r'for volume "([^"]{1,253})"')
_UNMOUNTED = re.compile(r"unmounted volumes=\[([^\]]{1,500})\]")
_USERS = re.compile(r"already used by pod\(s\) (.{1,500})", re.DOTALL)

IN_USE = Saying(
    "volume_in_use",
    START,
    sentence("The volume %(volume)s is still in use on another node."),
    sentence(
        "A ReadWriteOnce volume serves one node: let the other pod end first, use one"
        " replica (strategy Recreate), or ReadWriteMany."
    ),
)
IN_USE_BY = IN_USE._replace(
    words=sentence("The volume %(volume)s is still in use on another node, by %(users)s.")
)
DRIVER = Saying(
    "volume_driver_missing",
    START,
    sentence("The node does not have the storage driver that the volume %(volume)s needs."),
    sentence("See that the CSI driver's DaemonSet runs on this node."),
)
DENIED = Saying(
    "volume_denied",
    START,
    sentence("The storage refuses the node access to the volume %(volume)s."),
    sentence("Check the export or the credentials of the storage for this node."),
)
HOST_PATH = Saying(
    "volume_host_path",
    START,
    sentence("The hostPath of the volume %(volume)s is not there on the node, or of another type."),
    sentence("Make it on the node, or set the type that it has (DirectoryOrCreate makes it)."),
)
ATTACH = Saying(
    "volume_not_attached",
    START,
    sentence("The volume %(volume)s cannot be attached to the node."),
    sentence("The message of the storage driver beside this says why; look at its controller too."),
)
MOUNT = Saying(
    "volume_not_mounted",
    START,
    sentence("The volume %(volume)s cannot be mounted."),
    sentence(
        "The message of the node beside this says why; look at the storage driver on that node too."
    ),
)
LATE = Saying(
    "volume_late",
    START,
    sentence("The node waits for the volume %(volume)s, and does not say what for."),
    sentence("Look at the claim, and at the storage driver on that node."),
)
NETWORK = Saying(
    "pod_network_failed",
    START,
    sentence("The node cannot set up the pod's network."),
    sentence("Look at the network plug-in (CNI) on that node; its message stands beside this."),
)
NO_ADDRESS = Saying(
    "pod_no_address",
    START,
    sentence("The node has no network address left for the pod."),
    sentence("Free addresses, give the network plug-in a larger range, or use another node."),
)
SANDBOX = Saying(
    "pod_sandbox_failed",
    START,
    sentence("The node cannot make the pod's sandbox."),
    sentence("The message of the container runtime beside this says why."),
)
TABLE = (
    (IN_USE, r"already used by|already exclusively attached|Multi-Attach"),
    (
        DRIVER,
        r"not found in the list of registered CSI drivers|CSINode .{0,300} does not contain driver",
    ),
    (HOST_PATH, r"hostPath type check failed"),
    (DENIED, r"access denied by server|permission denied|Unauthorized"),
    (LATE, r"timed out waiting for the condition|context deadline exceeded"),
)
SANDBOXES = (
    (
        NO_ADDRESS,
        r"no (more )?(free |available )?IP|no IP addresses available|failed to assign an IP"
        r"|failed to allocate for range",
    ),
    (NETWORK, r"network|cni|plugin type="),
)


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """What keeps a pod that has a node from being set up there; one cause for a volume."""
    if pod.status.phase != "Pending" or not pod.spec.node_name:
        return
    told: set[str] = set()
    for event in around.events(pod.metadata, "Pod"):
        if event.reason in REASONS:
            volume = _volume(event)
            if volume in told or _elsewhere(event.message):
                continue
            saying = _saying(event)
            # "unmounted volumes=[…]: timed out" repeats what other events said better.
            if saying is LATE and told:
                continue
            told.add(volume)
            yield _cause(pod, event, saying, volume)
        elif event.reason in {"FailedCreatePodSandBox", "NetworkNotReady"} and "" not in told:
            told.add("")
            saying = first(SANDBOXES, event.message) or SANDBOX
            yield cause(saying, about("Pod", pod.metadata), [event.said()])


def _elsewhere(message: str) -> bool:
    """Whether the message is told as a missing ConfigMap or Secret, or says nothing of use."""
    text = message[:LONGEST_READ]
    return bool(
        config._OBJECT.search(text) or config._MOUNTED.search(text) or "not registered" in text
    )


def _saying(event: Event) -> Saying:
    other = ATTACH if event.reason == "FailedAttachVolume" else MOUNT
    return first(TABLE, event.message) or other


def _volume(event: Event) -> str:
    text = event.message[:LONGEST_READ]
    found = _VOLUME.search(text) or _UNMOUNTED.search(text)
    return found[1] if found else "?"


def _cause(pod: Pod, event: Event, saying: Saying, volume: str) -> Cause:
    users = _USERS.search(event.message[:LONGEST_READ])
    it = about("Pod", pod.metadata)
    if saying is IN_USE and users:
        saying = IN_USE_BY
    named = users[1] if users else ""
    return cause(saying, it, [event.said()], volume=volume, users=named)
