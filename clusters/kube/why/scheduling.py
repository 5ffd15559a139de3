"""What schedulers say of a pod that no node can take, taken apart.

FitError.Error of k8s.io/kubernetes/pkg/scheduler/framework: "0/N nodes are available: ", then
either what a plug-in says of all nodes or "COUNT REASON" for each reason, and what preemption says.
"""

import re
from typing import Literal, NamedTuple

from clusters.kube.why.cause import LONGEST_READ

MOST_REASONS = 40
NO_NODES = "no nodes available to schedule pods"
_WHOLE = re.compile(r"0/(\d{1,6}) nodes are available: (.*)", re.DOTALL)
# What follows says only that nobody can be pushed out.
_REST = re.compile(
    r"\.? (?:no new claims to deallocate, )?preemption: .*"
    r"|\. (?:no new claims|not eligible|Preempt).*",
    re.DOTALL,
)
_COUNTED = re.compile(r"(\d{1,6}) (.+)", re.DOTALL)

Sort = Literal[
    "resource", "pods", "taint", "cordoned", "selector", "affinity", "others", "spread", "port",
    "claim", "unbound", "no_volume", "zone", "storage", "volume_limit", "in_use", "name", "device",
    "other",
]  # fmt: skip

# The plug-ins' own words (ErrReason…), also those of older schedulers; the first that fits.
_SORTS: tuple[tuple[Sort, str], ...] = (
    ("pods", r"Too many pods"),
    ("resource", r"Insufficient (?P<about>\S+)"),
    ("taint", r"untolerated taint(?:\(s\)|s)?(?: \{(?P<about>.*?)\})?"),
    ("taint", r"had taints? (?:\{(?P<about>.*?)\}, )?that the pod didn't tolerate"),
    ("cordoned", r"were unschedulable"),
    ("selector", r"didn't match (?:Pod's )?node (?:affinity|selector)"),
    ("others", r"existing pods anti-affinity rules"),
    ("affinity", r"pod (?:anti-)?affinity|anti-affinity rules"),
    ("spread", r"topology spread constraints"),
    ("port", r"free ports for the requested pod ports"),
    ("claim", r'persistentvolumeclaim "(?P<about>[^"]+)" (?:not found|is being deleted)'),
    (
        "unbound",
        r"unbound immediate PersistentVolumeClaims|waiting for ephemeral volume controller",
    ),
    ("no_volume", r"didn't find available persistent volumes|non-existent (?:pv|persistentvolume)"),
    (
        "zone",
        r"volume node affinity conflict|PersistentVolume's node affinity|available volume zone",
    ),
    ("storage", r"enough free storage"),
    ("volume_limit", r"exceed max volume count"),
    ("in_use", r"no available disk|ReadWriteOncePod access mode already in-use"),
    ("name", r"requested node name"),
    ("device", r"resource ?claim|allocate all claims|device class"),
)


class Reason(NamedTuple):
    """One reason, and how many nodes it keeps the pod off; `about`: a resource, taint or claim."""

    sort: Sort
    nodes: int
    about: str
    words: str


class Refused(NamedTuple):
    """What a scheduler said: of how many nodes, and why not."""

    nodes: int
    reasons: tuple[Reason, ...]


def read(message: str) -> Refused | None:
    """The message of a scheduler taken apart; None when it is another text.

    The reason that holds for the most nodes comes first.
    """
    if message.startswith(NO_NODES):
        return Refused(0, ())
    found = _WHOLE.match(message[:LONGEST_READ])
    if found is None:
        return None
    nodes = int(found[1])
    body = _REST.sub("", found[2]).strip().removesuffix(".")
    parts = re.split(r", (?=\d{1,6} )", body)[:MOST_REASONS]
    reasons = [_reason(part, nodes) for part in parts if part]
    return Refused(nodes, tuple(sorted(reasons, key=lambda each: -each.nodes)))


def _reason(part: str, nodes: int) -> Reason:
    counted = _COUNTED.fullmatch(part)
    count, words = (int(counted[1]), counted[2]) if counted else (nodes, part)
    for sort, pattern in _SORTS:
        if found := re.search(pattern, words):
            return Reason(sort, count, found.groupdict().get("about") or "", words)
    return Reason("other", count, "", words)
