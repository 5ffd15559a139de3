"""Pods. The STATUS words follow `printPod` of Kubernetes 1.37.

(pkg/printers/internalversion/printers.go)
"""

from collections.abc import Set
from functools import lru_cache
from typing import Any

from clusters.kube.project.base import (
    FAILING,
    NO_FACTS,
    count,
    plain,
    row,
    shared,
    shared_images,
)
from clusters.kube.project.requests import Asked, effective
from clusters.kube.types import Health, Row

PROGRESSING = frozenset(
    {"Pending", "ContainerCreating", "PodInitializing", "Terminating", "SchedulingGated"}
)
IDLE = frozenset({"Completed", "Succeeded"})
NO_SIDECARS: frozenset[str] = frozenset()
LONGEST_ADDRESS = 64


@lru_cache(maxsize=4096)
def pod_health(status: str, full: bool) -> Health:
    """What a STATUS word means; `full` says that all wanted containers are ready."""
    word = status.removeprefix("Init:")
    if word in FAILING:
        return "failing"
    if status == "Running":
        return "healthy" if full else "degraded"
    if status in IDLE:
        return "idle"
    if word in PROGRESSING or (word != status and word[:1].isdigit()):
        return "progressing"
    return "degraded"


def pod_row(pod: Any) -> Row:
    """The row of a Pod message; ValueError when its metadata cannot be an API server's."""
    spec, state = pod.spec, pod.status
    containers = spec.containers
    conditions = {each.type: each for each in state.conditions}
    word, ready, wanted, restarts = pod_status(pod, conditions)
    status = shared(word)
    became = conditions.get("Ready")
    init = spec.initContainers
    return row(
        "Pod",
        pod.metadata,
        images=shared_images(tuple([each.image for each in containers])),
        status=status,
        health=pod_health(status, ready >= wanted),
        counts=(ready, wanted, count(restarts)),
        node=shared(spec.nodeName),
        since=0 if became is None else became.lastTransitionTime.seconds,
        amounts=effective(
            Asked(
                tuple([each.resources for each in containers]),
                tuple([(each.restartPolicy == "Always", each.resources) for each in init]),
                tuple(spec.overhead),
                spec.resources,
            )
        ),
        facts=_pod_facts(state),
    )


def _pod_facts(state: Any) -> dict[str, str]:
    """Not shared: every pod has an address of its own."""
    found = {}
    if ip := state.podIP:
        found["ip"] = plain(ip, LONGEST_ADDRESS)
    if reason := state.reason:
        found["reason"] = shared(reason)
    return found or NO_FACTS


def pod_status(pod: Any, conditions: dict[str, Any]) -> tuple[str, int, int, int]:
    """The STATUS word of a Pod message, and its ready, wanted and restart counts."""
    state = pod.status
    init = pod.spec.initContainers
    sidecars = {c.name for c in init if c.restartPolicy == "Always"} if init else NO_SIDECARS
    word = state.reason or state.phase
    scheduled = conditions.get("PodScheduled")
    if scheduled is not None and scheduled.reason == "SchedulingGated":
        word = "SchedulingGated"
    stuck, ready, restarts, sidecar_restarts = _init_containers(pod, sidecars)
    initialized = conditions.get("Initialized")
    if not stuck or (initialized is not None and initialized.status == "True"):
        is_ready = "Ready" in conditions and conditions["Ready"].status == "True"
        containers = list(state.containerStatuses)
        word, running = _containers(containers, stuck or word, is_ready)
        ready += running
        restarts = sidecar_restarts + sum([c.restartCount for c in containers])
    else:
        word = stuck
    return _deleted(pod, word), ready, len(pod.spec.containers) + len(sidecars), restarts


def _init_containers(pod: Any, sidecars: Set[str]) -> tuple[str, int, int, int]:
    """The word of the init container that is not through ("" if all are), ready, restarts."""
    ready = restarts = sidecar_restarts = 0
    for position, container in enumerate(pod.status.initContainerStatuses):
        restarts += container.restartCount
        is_sidecar = container.name in sidecars
        sidecar_restarts += container.restartCount if is_sidecar else 0
        state = container.state
        terminated = state.terminated if state.HasField("terminated") else None
        if terminated is not None and terminated.exitCode == 0:
            continue
        if is_sidecar and container.started:
            ready += container.ready
            continue
        if terminated is not None:
            word = ended_word(terminated)
        elif state.waiting.reason not in ("", "PodInitializing"):
            word = state.waiting.reason
        else:
            word = f"{position}/{len(pod.spec.initContainers)}"
        return f"Init:{word}", ready, restarts, sidecar_restarts
    return "", ready, restarts, sidecar_restarts


def _containers(statuses: Any, word: str, is_ready: bool) -> tuple[str, int]:
    """The word and the number of ready containers, read from the last one to the first."""
    ready = 0
    error = ""
    for container in reversed(statuses):
        state = container.state
        # Asking for a part that is not there would make it.
        if state.HasField("waiting") and (reason := state.waiting.reason):
            word = reason
        elif state.HasField("terminated"):
            word = ended_word(state.terminated)
            error = word if state.terminated.exitCode else error
        elif container.ready and state.HasField("running"):
            ready += 1
    if word != "Completed":
        return word, ready
    if ready and is_ready:
        return "Running", ready
    return error or ("NotReady" if ready else word), ready


def ended_word(terminated: Any) -> str:
    """What a terminated state is called: its reason, or its signal, or its exit code."""
    if terminated.reason:
        return str(terminated.reason)
    if terminated.signal:
        return f"Signal:{terminated.signal}"
    return f"ExitCode:{terminated.exitCode}"


def _deleted(pod: Any, word: str) -> str:
    if not pod.metadata.HasField("deletionTimestamp"):
        return word
    if pod.status.reason == "NodeLost":
        return "Unknown"
    return word if pod.status.phase in ("Succeeded", "Failed") else "Terminating"
