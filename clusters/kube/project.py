"""From an object of the API to its slim `Row`.

The STATUS words follow `printPod` and `printNode` of Kubernetes 1.37
(pkg/printers/internalversion/printers.go). Everything from a cluster is hostile: texts lose their
control characters and their excess length here, so that they can be stored and shown.
"""

import unicodedata
from functools import lru_cache
from typing import Any

from clusters.kube.types import Health, Row

FAILING = frozenset(
    {
        *("CrashLoopBackOff", "Error", "ImagePullBackOff", "ErrImagePull", "InvalidImageName"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "OOMKilled"),
        *("Evicted", "ContainerStatusUnknown", "StartError", "DeadlineExceeded", "Unknown"),
    }
)
"""The words that `status:failing` means, with or without "Init:" before them."""
PROGRESSING = frozenset(
    {"Pending", "ContainerCreating", "PodInitializing", "Terminating", "SchedulingGated"}
)
IDLE = frozenset({"Completed", "Succeeded"})
PRESSURES = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"})

LONGEST_NAME = 253
LONGEST_TEXT = 512
LATEST = 253402300799  # the last second of year 9999: no clock of ours goes further
LARGEST_INT32 = 2**31 - 1
LARGEST_INT64 = 2**63 - 1
NO_FACTS: dict[str, str] = {}


# The caches replace sys.intern, which never frees anything on Python 3.12. Sharing these texts
# between rows is what keeps 100,000 pods at about 50 MB instead of 300.
@lru_cache(maxsize=65536)
def shared(text: str) -> str:
    """`text` as one object for all rows, without control characters, at most 512 long."""
    if text.isprintable() and len(text) <= LONGEST_TEXT:
        return text
    visible = (c for c in text[:LONGEST_TEXT] if unicodedata.category(c)[0] != "C")
    return "".join(visible)


@lru_cache(maxsize=16384)
def shared_labels(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """One dict for all rows with the same labels: read it, never change it."""
    return {shared(key): shared(value) for key, value in pairs}


@lru_cache(maxsize=16384)
def shared_images(images: tuple[str, ...]) -> tuple[str, ...]:
    """The images in their order, each once."""
    return tuple(dict.fromkeys(map(shared, images)))


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
    spec = pod.spec
    status, ready, wanted, restarts = pod_status(pod)
    return row(
        "Pod",
        pod.metadata,
        images=shared_images(tuple([each.image for each in spec.containers])),
        status=shared(status),
        health=pod_health(status, ready >= wanted),
        counts=(ready, wanted, min(max(restarts, 0), LARGEST_INT32)),
        node=shared(spec.nodeName),
    )


def node_row(node: Any) -> Row:
    """The row of a Node message; ValueError as for pods."""
    conditions = {each.type: each.status for each in node.status.conditions}
    ready = conditions.get("Ready")
    status = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    health: Health = "failing"
    if ready is None:
        health = "unknown"
    elif ready == "True":
        pressed = any(conditions.get(each) == "True" for each in PRESSURES)
        health = "degraded" if pressed or node.spec.unschedulable else "healthy"
    if node.spec.unschedulable:
        status += ",SchedulingDisabled"
    counts = (int(ready == "True"), 1, 0)
    return row("Node", node.metadata, status=shared(status), health=health, counts=counts)


def namespace_row(namespace: Any) -> Row:
    """The row of a Namespace message; ValueError as for pods."""
    status = namespace.status.phase or "Unknown"
    health: Health = "healthy" if status == "Active" else "progressing"
    return row(
        "Namespace", namespace.metadata, status=shared(status), health=health, counts=(0, 0, 0)
    )


def row(  # noqa: PLR0913 - the parts that differ between kinds, named at each call
    kind: str,
    metadata: Any,
    *,
    status: str,
    health: Health,
    counts: tuple[int, int, int],
    images: tuple[str, ...] = (),
    node: str = "",
    since: int = 0,
    amounts: tuple[int, int] = (0, 0),
    facts: dict[str, str] = NO_FACTS,
) -> Row:
    """A row from an ObjectMeta message; `counts` is (ready, wanted, restarts).

    `amounts` are millicores and MiB.
    """
    uid, name = metadata.uid, metadata.name
    version = int(metadata.resourceVersion)
    if not (_is_name(uid) and _is_name(name) and 0 <= version <= LARGEST_INT64):
        raise ValueError("metadata that no API server sends")
    owner_kind, owner_name = _owner(metadata.ownerReferences)
    created = metadata.creationTimestamp.seconds
    return Row(
        kind,
        shared(metadata.namespace),
        name,
        uid,
        version,
        shared_labels(tuple([(each.key, each.value) for each in metadata.labels])),
        owner_kind,
        owner_name,
        images,
        status,
        health,
        *counts,
        node,
        created if 0 <= created <= LATEST else 0,
        since if 0 <= since <= LATEST else 0,
        *amounts,
        facts,
    )


def _is_name(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


def _owner(references: Any) -> tuple[str, str]:
    if not references:
        return "", ""
    chosen = next((each for each in references if each.controller), references[0])
    return shared(chosen.kind), shared(chosen.name)


def pod_status(pod: Any) -> tuple[str, int, int, int]:
    """The STATUS word of a Pod message, and its ready, wanted and restart counts."""
    state = pod.status
    sidecars = {c.name for c in pod.spec.initContainers if c.restartPolicy == "Always"}
    conditions = {each.type: each for each in state.conditions}
    word = state.reason or state.phase
    scheduled = conditions.get("PodScheduled")
    if scheduled is not None and scheduled.reason == "SchedulingGated":
        word = "SchedulingGated"
    stuck, ready, restarts, sidecar_restarts = _init_containers(pod, sidecars)
    initialized = conditions.get("Initialized")
    if not stuck or (initialized is not None and initialized.status == "True"):
        is_ready = "Ready" in conditions and conditions["Ready"].status == "True"
        word, running = _containers(state.containerStatuses, stuck or word, is_ready)
        ready += running
        restarts = sidecar_restarts + sum(c.restartCount for c in state.containerStatuses)
    else:
        word = stuck
    return _deleted(pod, word), ready, len(pod.spec.containers) + len(sidecars), restarts


def _init_containers(pod: Any, sidecars: set[str]) -> tuple[str, int, int, int]:
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
        if state.waiting.reason:
            word = state.waiting.reason
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
