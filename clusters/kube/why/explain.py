"""The causes of what is wrong with an object, the most telling first."""

from collections.abc import Callable, Iterable, Iterator

import msgspec

from clusters.kube.why import (
    budgets,
    claims,
    config,
    crashes,
    deadlines,
    deletion,
    evictions,
    images,
    lost,
    mounts,
    pending,
    probes,
    refusals,
    security,
    starts,
    unclear,
)
from clusters.kube.why.around import Around
from clusters.kube.why.cause import CRASH, ENDED, KILLED, WAITING, Cause
from clusters.kube.why.parts import is_false, is_true, seconds
from clusters.kube.why.pod import Pod
from clusters.kube.why.subject import Subject
from clusters.kube.why.workloads import KINDS, Workload

MOST_CAUSES = 20
# Of the pods of a workload, how many are looked at and how many are told of.
MOST_PODS, TOLD_PODS = 50, 3

OF_PODS: tuple[Callable[[Pod, Around], Iterator[Cause]], ...] = (
    evictions.causes,
    deadlines.of_pod,
    lost.causes,
    pending.causes,
    images.causes,
    config.causes,
    security.causes,
    mounts.causes,
    starts.causes,
    crashes.causes,
    probes.causes,
)
# What a kubelet does to a container because of its probe is no cause of its own.
STOPPED = frozenset({"exit_137", "exit_143"})


def explain(subject: Subject, around: Around) -> list[Cause]:
    """Why the object is not well, at most 20 causes; [] when nothing is wrong with it.

    What is in `around` only makes it tell more: without anything the object itself is read.
    """
    found = list(_causes(subject, around))
    return sorted(found, key=lambda each: each.rank)[:MOST_CAUSES]


def _causes(subject: Subject, around: Around) -> Iterator[Cause]:
    kind, meta, thing = subject.kind, subject.meta, subject.thing
    if isinstance(thing, Pod):
        yield from of_pod(thing, around)
        return
    found = list(deletion.of_any(kind, meta, around))
    if kind in KINDS and isinstance(thing, Workload):
        found += _of_workload(kind, thing, around)
    elif kind == "Node" and thing is not None:
        found += lost.of_node(thing)
    elif kind == "PersistentVolumeClaim" and thing is not None:
        found += claims.of_claim(thing, around)
    elif kind == "Namespace" and thing is not None:
        found += deletion.of_namespace(thing)
    elif kind == "PodDisruptionBudget" and thing is not None:
        found += budgets.of_budget(thing)
    yield from found or _unclear(subject, around)


def _unclear(subject: Subject, around: Around) -> Iterator[Cause]:
    """An object that nothing else told of, with its conditions where it does not look well."""
    kind, meta, thing = subject.kind, subject.meta, subject.thing
    unready = isinstance(thing, Workload) and thing.unready(kind)
    if unready and around.many("pods", f"{kind}/{meta.name}"):
        return  # its pods are there and none is in trouble: it is on its way
    old = around.now - seconds(meta.creation_timestamp) > unclear.PATIENCE
    well = not (unready and old)
    yield from unclear.of_any(kind, meta, subject.conditions, around, well=well)


def of_pod(pod: Pod, around: Around) -> list[Cause]:
    """The causes of a pod, the most telling first."""
    if pod.metadata.deletion_timestamp:
        found = [*deletion.of_pod(pod, around)]
    else:
        found = [each for family in OF_PODS for each in family(pod, around)]
        found = list(_without_effects(found))
        found = found or list(unclear.of_pod(pod, around))
    return sorted((_dated(each, pod) for each in found), key=lambda each: each.rank)


def _dated(found: Cause, pod: Pod) -> Cause:
    """What nothing says the begin of is as old as the pod's being not ready."""
    ready = is_false(pod.status.conditions, "Ready")
    if found.since or found.kind != "Pod" or ready is None:
        return found
    return msgspec.structs.replace(found, since=seconds(ready.last_transition_time))


def _without_effects(found: list[Cause]) -> Iterator[Cause]:
    """Without what only follows from another cause that is told."""
    ended = any(each.rank == ENDED for each in found)
    probed = {each.container for each in found if each.rank == KILLED}
    for each in found:
        if ended and each.rank >= CRASH:
            continue
        if each.code in STOPPED and each.container in probed:
            continue
        yield each


def _of_workload(kind: str, found: Workload, around: Around) -> Iterator[Cause]:
    yield from refusals.causes(kind, found, around)
    yield from deadlines.of_workload(kind, found, around)
    yield from _of_pods(kind, found, around)
    for job in failed_jobs(found, around):
        yield from deadlines.of_workload("Job", job, around)
        yield from _of_pods("Job", job, around)


def _of_pods(kind: str, found: Workload, around: Around) -> Iterator[Cause]:
    for pod, count in chosen(kind, found, around):
        for each in of_pod(pod, around):
            yield msgspec.structs.replace(each, pods=count)


def chosen(kind: str, found: Workload, around: Around) -> list[tuple[Pod, int]]:
    """The pods of a workload that tell the most: of each kind of trouble the newest, and how many.

    What tells how: their own JSON, as the events of all of them would be too much to ask for.
    """
    pods: Iterable[Pod] = around.many("pods", f"{kind}/{found.metadata.name}") or ()
    newest = sorted(pods, key=lambda pod: seconds(pod.metadata.creation_timestamp), reverse=True)
    alike: dict[tuple[tuple[str, str], ...], list[Pod]] = {}
    ranks: dict[tuple[tuple[str, str], ...], int] = {}
    alone = Around(now=around.now)
    for pod in newest[:MOST_PODS]:
        causes = [each for each in of_pod(pod, alone) if each.rank < WAITING or not _ready(pod)]
        if causes:
            key = tuple((each.code, each.container) for each in causes)
            alike.setdefault(key, []).append(pod)
            ranks[key] = causes[0].rank
    telling = sorted(alike, key=lambda key: ranks[key])[:TOLD_PODS]
    return [(alike[key][0], len(alike[key])) for key in telling]


def _ready(pod: Pod) -> bool:
    return pod.status.phase == "Succeeded" or is_true(pod.status.conditions, "Ready") is not None


def failed_jobs(found: Workload, around: Around) -> list[Workload]:
    """Of the Jobs of a CronJob the newest, when it failed."""
    jobs: Iterable[Workload] = around.many("jobs", f"CronJob/{found.metadata.name}") or ()
    mine = [
        job
        for job in jobs
        if any(owner.uid == found.metadata.uid for owner in job.metadata.owner_references)
    ]
    newest = sorted(mine, key=lambda job: seconds(job.metadata.creation_timestamp))[-1:]
    return [job for job in newest if job.status.failed and not job.succeeded]
