"""What fits no cause: told with the conditions and the newest warnings, never guessed."""

from collections.abc import Iterable, Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import UNCLEAR, Cause, Evidence, Saying, cause, evidence
from clusters.kube.why.container import waits
from clusters.kube.why.parts import Condition, Meta, about
from clusters.kube.why.pod import Pod

MOST_WARNINGS = 3
# Conditions that are good news when they are True, of any kind of object.
GOOD = frozenset(
    {
        *("Ready", "ContainersReady", "PodScheduled", "Initialized", "PodReadyToStartContainers"),
        *("Available", "Progressing", "Complete", "Healthy", "Synced", "Reconciled", "Established"),
        *("Accepted", "Programmed", "ResolvedRefs", "Valid", "Succeeded", "NamesAccepted"),
        *("AbleToScale", "ScalingActive"),
    }
)
STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
# How long a pod may take to start before that is worth a word.
PATIENCE = 120
# How long a warning about what is well is still worth a word.
FRESH = 600

UNKNOWN = Saying(
    "unclear",
    UNCLEAR,
    sentence("%(kind)s %(name)s is not well, and its causes are none of the known ones."),
    sentence("Its conditions and newest warnings stand beside this, in the cluster's own words."),
)
WARNED = Saying(
    "warnings",
    UNCLEAR,
    sentence("There are warnings about %(kind)s %(name)s."),
    sentence("They stand beside this, in the cluster's own words."),
)


def of_pod(pod: Pod, around: Around) -> Iterator[Cause]:
    """A pod that is not well, where nothing else told why."""
    status = pod.status
    said = list(_bad(status.conditions))
    for each in pod.statuses:
        waiting = each.state.waiting
        if waiting is not None and waiting.reason not in STARTING:
            said.insert(0, waits(each, waiting))
    if status.phase == "Succeeded":
        return
    if status.phase in {"Failed", "Unknown"}:
        text = f"{status.phase} {status.reason}: {status.message}"
        said.insert(0, evidence("field", "status.phase", text))
    elif around.now - max((each.since for each in said), default=around.now) < PATIENCE:
        said = [each for each in said if each.source == "container"]
    yield from _told("Pod", pod.metadata, around, said)


def of_any(
    kind: str, meta: Meta, conditions: list[Condition], around: Around, *, well: bool
) -> Iterator[Cause]:
    """Any other object; `well`: whether it looks well apart from its conditions."""
    said = list(_bad(conditions))
    if not said and not well:
        said = [each.said() for each in conditions]
        yield from _told(kind, meta, around, said, always=True)
        return
    yield from _told(kind, meta, around, said)


def _bad(conditions: Iterable[Condition]) -> Iterator[Evidence]:
    for each in conditions:
        if (
            each.type in GOOD
            and each.status in {"False", "Unknown"}
            and each.reason != "PodCompleted"
        ):
            yield each.said()


def _told(
    kind: str, meta: Meta, around: Around, said: list[Evidence], *, always: bool = False
) -> Iterator[Cause]:
    warnings = [each for each in around.events(meta, kind) if each.type == "Warning"]
    newest = warnings[:MOST_WARNINGS]
    if said or always:
        told = [*said[:2], *(each.said() for each in newest)]
        yield cause(UNKNOWN, about(kind, meta), told, kind=kind)
    elif fresh := [each.said() for each in newest if around.now - each.at < FRESH]:
        yield cause(WARNED, about(kind, meta), fresh, kind=kind)
