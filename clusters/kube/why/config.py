"""ConfigMaps, Secrets and keys of them that a pod names and that are not there."""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import LONGEST_READ, START, Cause, Evidence, Saying, cause
from clusters.kube.why.container import waits
from clusters.kube.why.neighbours import Named
from clusters.kube.why.parts import about
from clusters.kube.why.pod import Pod

Kind = Literal["ConfigMap", "Secret"]
KINDS: dict[str, Kind] = {"configmap": "ConfigMap", "secret": "Secret"}
LISTS: dict[Kind, Literal["ConfigMaps", "Secrets"]] = {
    "ConfigMap": "ConfigMaps", "Secret": "Secrets",
}  # fmt: skip
REASON = "CreateContainerConfigError"
_OBJECT = re.compile(r'\b(configmap|secret) "([^"]{1,253})" not found')
_KEY = re.compile(
    r"couldn't find key (\S{1,253}) in (ConfigMap|Secret) (?:[^\s/]{1,63}/)(\S{1,253})"
)
_MOUNTED = re.compile(
    r'for volume "([^"]{1,253})" ?: .{0,80}references non-existent (config|secret) key: (\S{1,253})'
)

OBJECT = Saying(
    "config_missing",
    START,
    sentence(
        "The %(kind)s %(wanted)s that the pod needs does not exist in namespace %(namespace)s."
    ),
    sentence("Make it, or mend the name in the pod's template."),
)
OBJECT_LIKE = Saying(
    "config_missing",
    START,
    sentence(
        "The %(kind)s %(wanted)s that the pod needs does not exist in namespace"
        " %(namespace)s; there is one named %(like)s."
    ),
    sentence("Make it, or mend the name in the pod's template."),
)
OBJECT_NOW = Saying(
    "config_missing",
    START,
    sentence("The %(kind)s %(wanted)s that the pod needs was missing; it exists by now."),
    sentence("The node tries again by itself within two minutes."),
)
KEY = Saying(
    "config_key_missing",
    START,
    sentence("The %(kind)s %(wanted)s has no key %(key)s, which the pod needs."),
    sentence("Add the key, or mend its name in the pod's template."),
)
KEY_OF = Saying(
    "config_key_missing",
    START,
    sentence(
        "The %(kind)s %(wanted)s has no key %(key)s, which the pod needs; its keys are: %(keys)s."
    ),
    sentence("Add the key, or mend its name in the pod's template."),
)
FAILED = Saying(
    "config_failed",
    START,
    sentence("Container %(container)s cannot be made from what the pod says of it."),
    sentence("The message of the node beside this says what is wrong with it."),
)


class Missing(NamedTuple):
    """A ConfigMap or Secret, or (`key` is not "") a key of it, that is said to be missing."""

    kind: Kind
    name: str
    key: str


def missing(pod: Pod, around: Around) -> Iterator[tuple[Missing, str, Evidence]]:
    """What is said to be missing, for which container ("": a volume), and what says so."""
    for status in pod.statuses:
        waiting = status.state.waiting
        if waiting is not None and waiting.reason == REASON:
            found = _read(pod, waiting.message)
            if found is not None:
                yield found, status.name, waits(status, waiting)
    if pod.status.phase != "Pending":
        return
    for event in around.events(pod.metadata, "Pod"):
        if event.reason == "FailedMount" and (found := _read(pod, event.message)):
            yield found, "", event.said()


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """Each thing that is missing, once."""
    told: set[Missing] = set()
    for it, container, said in missing(pod, around):
        if it not in told:
            told.add(it)
            yield _cause(pod, around, it, container, said)


def _read(pod: Pod, message: str) -> Missing | None:
    text = message[:LONGEST_READ]
    if found := _KEY.search(text):
        return Missing(KINDS[found[2].lower()], found[3], found[1])
    if found := _MOUNTED.search(text):
        kind: Kind = "Secret" if found[2] == "secret" else "ConfigMap"
        return Missing(kind, _source(pod, found[1], kind), found[3])
    if found := _OBJECT.search(text):
        return Missing(KINDS[found[1]], found[2], "")
    return None


def _source(pod: Pod, volume: str, kind: Kind) -> str:
    """The name of what a volume is made of."""
    for each in pod.spec.volumes:
        if each.name == volume and kind == "ConfigMap" and each.config_map is not None:
            return each.config_map.name
        if each.name == volume and kind == "Secret" and each.secret is not None:
            return each.secret.secret_name
    return volume


def _cause(pod: Pod, around: Around, it: Missing, container: str, said: Evidence) -> Cause:
    found: Named | None = around.one(it.kind, it.name)
    keys = found.keys if found else []
    like = _like(around, it)
    if it.key:
        saying = KEY_OF if keys and it.key not in keys else KEY
    elif found is not None:
        saying = OBJECT_NOW
    else:
        saying = OBJECT_LIKE if like else OBJECT
    return cause(
        saying,
        about("Pod", pod.metadata),
        [said],
        container=container,
        kind=it.kind,
        wanted=it.name,
        namespace=pod.metadata.namespace,
        key=it.key,
        keys=", ".join(keys),
        like=like,
    )


def _like(around: Around, it: Missing) -> str:
    """The name of the kind that is most like the one that is missing, if any is."""
    others: Iterable[Named] = around.many(LISTS[it.kind]) or ()
    names = [each.metadata.name for each in others if each.metadata.name != it.name]
    return next(iter(difflib.get_close_matches(it.name, names, 1)), "")
