"""Which rights in the cluster an act takes, and which role of MCM has them all.

The rules of the roles (`kube.roles`) are the one truth of it: what a person may ask for in MCM is
what the cluster lets him do there.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from clusters.kube import roles
from clusters.kube.roles import Custom
from clusters.kube.roster import Role

WORKLOADS = frozenset(("Deployment", "StatefulSet", "DaemonSet"))


class Need(NamedTuple):
    """A verb on a resource, such as "deployments/scale"."""

    group: str
    resource: str
    verb: str


class Least(NamedTuple):
    """The least role that may, and whether it must be held on the whole cluster."""

    role: Role
    whole: bool


# By act: the kinds that it fits (None: any), the part of the resource, and the verb.
_OF_ITS_KIND: dict[str, tuple[frozenset[str] | None, str, str]] = {
    "scale": (frozenset(("Deployment", "StatefulSet", "ReplicaSet")), "/scale", "patch"),
    "restart": (WORKLOADS, "", "patch"),
    "pause": (frozenset(("Deployment",)), "", "patch"),
    "resume": (frozenset(("Deployment",)), "", "patch"),
    "rollback": (frozenset(("Deployment",)), "", "patch"),
    "suspend": (frozenset(("CronJob",)), "", "patch"),
    "unsuspend": (frozenset(("CronJob",)), "", "patch"),
    "trigger": (frozenset(("CronJob",)), "", "get"),
    "cordon": (frozenset(("Node",)), "", "patch"),
    "uncordon": (frozenset(("Node",)), "", "patch"),
    "drain": (frozenset(("Node",)), "", "patch"),
    "evict": (frozenset(("Pod",)), "/eviction", "create"),
    "label": (None, "", "patch"),
    "annotate": (None, "", "patch"),
    "delete": (None, "", "delete"),
    "edit": (None, "", "update"),
    "revert": (None, "", "update"),
    "apply": (None, "", "patch"),
}
_BESIDES = {
    "trigger": (Need("batch", "jobs", "create"),),
    "drain": (Need("", "pods/eviction", "create"), Need("", "pods", "list")),
}
# Who applies may make what is not there yet.
_MAKES = frozenset(("apply",))


def fits(act: str, kind: str) -> bool:
    """Whether there is such an act for objects of the kind."""
    found = _OF_ITS_KIND.get(act)
    # A release is a Secret of Helm's, an Event is a record.
    if found is None or kind in ("HelmRelease", "Event"):
        return False
    return found[0] is None or kind in found[0]


def needs(act: str, path: str) -> list[Need]:
    """What an act takes on an object of the kind at `path`."""
    start, _, plural = path.rpartition("/")
    group = start.split("/")[2] if start.startswith("/apis/") else ""
    _kinds, part, verb = _OF_ITS_KIND[act]
    makes = [Need(group, plural, "create")] if act in _MAKES else []
    return [Need(group, plural + part, verb), *makes, *_BESIDES.get(act, ())]


def least(wanted: Collection[Need], custom: Custom | None = None) -> Least | None:
    """The least role that has all these rights; None where no role has them.

    `custom` is the custom resource that is meant, if it is one.
    """
    return _least(tuple(wanted), custom)


@lru_cache(maxsize=1000)
def _least(wanted: tuple[Need, ...], custom: Custom | None) -> Least | None:
    ranked: tuple[Role, ...] = ("operator", "admin")
    for role in ranked:
        for whole in (False, True):
            rules = roles.rules(role, whole=whole, custom=[custom] if custom else [])
            if all(any(_covers(rule, need) for rule in rules) for need in wanted):
                return Least(role, whole)
    return None


def _covers(rule: roles.Rule, need: Need) -> bool:
    return (
        need.group in rule["apiGroups"]
        and need.resource in rule["resources"]
        and need.verb in rule["verbs"]
    )
