"""How a live object stands: its conditions and its containers."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from clusters.kube import objects
from clusters.kube.errors import safe_text
from clusters.kube.objects import Part
from clusters.kube.project.base import FAILING
from clusters.kube.types import Health
from clusters.kube.why.container import Container as Wanted
from clusters.kube.why.container import Status, Terminated
from clusters.kube.why.parts import MOST_CONDITIONS, Condition, Meta, seconds

MOST_CONTAINERS = 60
LONGEST_TEXT = 1000
# Conditions of which True is the bad news.
BAD_WHEN_TRUE = frozenset(
    {
        *(
            "MemoryPressure",
            "DiskPressure",
            "PIDPressure",
            "NetworkUnavailable",
            "FrequentRestarts",
        ),
        *("ReplicaFailure", "Failed", "FailureTarget", "Stalled", "Degraded", "DisruptionTarget"),
        *("NamespaceDeletionDiscoveryFailure", "NamespaceDeletionContentFailure"),
        *("NamespaceDeletionGroupVersionParsingFailure", "NamespaceContentRemaining"),
        *("NamespaceFinalizersRemaining", "KernelDeadlock", "ReadonlyFilesystem"),
    }
)
# Neither way is good or bad: they say what goes on.
NEUTRAL = frozenset({"Progressing", "Reconciling", "ScalingLimited", "Suspended", "Resizing"})


class Shown(msgspec.Struct, frozen=True):
    """A condition; `health` says what it means, `since` is in seconds since 1970 or 0."""

    type: str
    status: str
    reason: str
    message: str
    since: int
    health: Health


class Ended(msgspec.Struct, frozen=True):
    """How a container's run ended; times are in seconds since 1970 or 0."""

    reason: str
    exit_code: int
    signal: int
    message: str
    started: int
    finished: int


class Container(msgspec.Struct, frozen=True):
    """A container as it is; `last` is the end of the run before, None where there was none.

    `kind` is "" for ordinary ones. `asked` and `limits` are amounts by resource, as written.
    """

    name: str
    kind: Literal["", "init", "sidecar", "ephemeral"]
    image: str
    state: str
    message: str
    health: Health
    ready: bool
    restarts: int
    since: int
    exit_code: int | None
    last: Ended | None
    asked: dict[str, str]
    limits: dict[str, str]

    @property
    def is_running(self) -> bool:
        return self.state == "Running"


class State(msgspec.Struct, frozen=True):
    """What the cluster says of an object now; times are in seconds since 1970 or 0."""

    conditions: tuple[Shown, ...]
    containers: tuple[Container, ...]
    deleted: int
    finalizers: tuple[str, ...]


class _Spec(Part):
    containers: list[Wanted] = []
    init_containers: list[Wanted] = []
    ephemeral_containers: list[Wanted] = []


class _PodStatus(Part):
    container_statuses: list[Status] = []
    init_container_statuses: list[Status] = []
    ephemeral_container_statuses: list[Status] = []


class _Pod(Part):
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


class _Any(Part):
    metadata: Meta
    kind: str = ""
    status: msgspec.Raw = msgspec.Raw(b"null")


# Where a pod says which container is meant if none is named.
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


class _Conditions(Part):
    conditions: list[Condition] = []


def state(body: bytes) -> State:
    """The state of the object in `body`; BadAnswer when it is none."""
    found = objects.decode(body, _Any)
    meta = found.metadata
    return State(
        conditions=tuple(_conditions(found.status)),
        containers=tuple(_containers(body)) if found.kind == "Pod" else (),
        deleted=seconds(meta.deletion_timestamp),
        finalizers=tuple(safe_text(each, 120) for each in meta.finalizers[:20]),
    )


def default_container(body: bytes) -> str:
    """The container that is meant where none is named: as the pod says, or else the first that
    runs; "" where none does.
    """
    wanted = objects.decode(body, _Any).metadata.annotations.get(DEFAULT_CONTAINER, "")
    running = [each.name for each in _containers(body) if each.is_running and not each.kind]
    return wanted if wanted in running else next(iter(running), "")


def _conditions(status: msgspec.Raw) -> Iterator[Shown]:
    """Of any kind's status; none where it has another form."""
    try:
        found = msgspec.json.decode(status, type=_Conditions | None)
    except (msgspec.MsgspecError, RecursionError):
        return
    for each in (found.conditions if found else [])[:MOST_CONDITIONS]:
        yield Shown(
            type=safe_text(each.type, 120),
            status=safe_text(each.status, 20),
            reason=safe_text(each.reason, 120),
            message=safe_text(each.message, LONGEST_TEXT),
            since=seconds(each.last_transition_time),
            health=condition_health(each.type, each.status),
        )


def condition_health(type_: str, status: str) -> Health:
    """What a condition means: most are good when True."""
    if type_ in NEUTRAL:
        return "idle"
    if status not in {"True", "False"}:
        return "unknown"
    good = (status == "False") == (type_ in BAD_WHEN_TRUE)
    # A Job that has not failed (yet) is no success either.
    if good:
        return "healthy" if type_ not in BAD_WHEN_TRUE else "idle"
    return "failing"


def _containers(body: bytes) -> Iterator[Container]:
    """Those that come first before the others, each with what is known of it."""
    pod = objects.decode(body, _Pod)
    spec, status = pod.spec, pod.status
    groups = (
        (spec.init_containers, status.init_container_statuses, "init"),
        (spec.containers, status.container_statuses, ""),
        (spec.ephemeral_containers, status.ephemeral_container_statuses, "ephemeral"),
    )
    for wanted, statuses, kind in groups:
        known = {each.name: each for each in statuses}
        for each in wanted[:MOST_CONTAINERS]:
            of = "sidecar" if kind == "init" and each.restart_policy == "Always" else kind
            yield _container(each, known.get(each.name, Status(name=each.name)), of)


def _container(wanted: Wanted, status: Status, kind: str) -> Container:
    word, message, health, since, code = _word(status, kind)
    return Container(
        name=safe_text(wanted.name, 63),
        kind=kind,  # type: ignore[arg-type]  # one of those above
        image=safe_text(wanted.image, 500),
        state=safe_text(word, 120),
        message=safe_text(message, LONGEST_TEXT),
        health=health,
        ready=status.ready,
        restarts=status.restart_count,
        since=since,
        exit_code=code,
        last=_ended(status.last_state.terminated),
        asked=_amounts(wanted.resources.requests),
        limits=_amounts(wanted.resources.limits),
    )


def _word(status: Status, kind: str) -> tuple[str, str, Health, int, int | None]:
    """The word for what it does, its message, what that means, since when, and the exit code."""
    now = status.state
    if now.running is not None:
        since = seconds(now.running.started_at)
        healthy = status.ready or kind in {"init", "ephemeral"}
        return "Running", "", "healthy" if healthy else "degraded", since, None
    if now.terminated is not None:
        ended = now.terminated
        word = ended.reason or f"ExitCode:{ended.exit_code}"
        health: Health = "idle" if ended.exit_code == 0 else "failing"
        return word, ended.message, health, seconds(ended.finished_at), ended.exit_code
    waiting = now.waiting
    if waiting is None or not waiting.reason:
        return "Waiting", "", "progressing", 0, None
    meant: Health = "failing" if waiting.reason in FAILING else "progressing"
    return waiting.reason, waiting.message, meant, 0, None


def _ended(found: Terminated | None) -> Ended | None:
    if found is None:
        return None
    return Ended(
        reason=safe_text(found.reason, 120),
        exit_code=found.exit_code,
        signal=found.signal,
        message=safe_text(found.message, LONGEST_TEXT),
        started=seconds(found.started_at),
        finished=seconds(found.finished_at),
    )


def _amounts(found: dict[str, str]) -> dict[str, str]:
    return {safe_text(key, 120): safe_text(value, 40) for key, value in list(found.items())[:20]}
