"""What is wrong with pods, container by container, from the JSON of the API server."""

from typing import Any

import msgspec

from clusters.kube import errors
from clusters.kube.objects import Condition, Metadata, Part, decode
from clusters.kube.types import PodProblem

STARTING = frozenset({"ContainerCreating", "PodInitializing"})


class _Waiting(Part):
    reason: str = ""
    message: str = ""


class _Terminated(Part):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""


class _State(Part):
    waiting: _Waiting | None = None
    running: dict[str, Any] | None = None
    terminated: _Terminated | None = None


class _Container(Part):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    state: _State = msgspec.field(default_factory=_State)
    last_state: _State = msgspec.field(default_factory=_State)


class _PodStatus(Part):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: list[Condition] = []
    init_container_statuses: list[_Container] = []
    container_statuses: list[_Container] = []


class _Pod(Part):
    metadata: Metadata
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


class _PodList(Part):
    items: list[_Pod] = []


def problems(body: bytes) -> list[PodProblem]:
    """The problems of a PodList; BadAnswer when `body` is not one."""
    found: list[PodProblem] = []
    for pod in decode(body, _PodList).items:
        whole = _pod_problem(pod)
        found += [whole] if whole else []
        for container in pod.status.init_container_statuses + pod.status.container_statuses:
            one = _container_problem(pod, container)
            found += [one] if one else []
    return found


def _pod_problem(pod: _Pod) -> PodProblem | None:
    status = pod.status
    if status.phase == "Failed" and status.reason:
        return _problem(pod, "", (status.reason, status.message), None, 0)
    for condition in status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return _problem(pod, "", (condition.reason, condition.message), None, 0)
    return None


def _container_problem(pod: _Pod, container: _Container) -> PodProblem | None:
    now, before = container.state, container.last_state.terminated
    if now.waiting is not None:
        if now.waiting.reason in STARTING or not now.waiting.reason:
            return None
        words = (now.waiting.reason, now.waiting.message or (before.message if before else ""))
        code = before.exit_code if before else None
    elif now.terminated is not None:
        ended = now.terminated
        if ended.exit_code == 0:
            return None
        name = f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}"
        words, code = (ended.reason or name, ended.message), ended.exit_code
    elif now.running is not None and not container.ready and pod.status.phase == "Running":
        words, code = ("NotReady", "The container runs but is not ready."), None
    else:
        return None
    return _problem(pod, container.name, words, code, container.restart_count)


def _problem(
    pod: _Pod, container: str, words: tuple[str, str], exit_code: int | None, restarts: int
) -> PodProblem:
    return PodProblem(
        namespace=pod.metadata.namespace,
        pod=pod.metadata.name,
        container=container,
        status=errors.safe_text(words[0], 64),
        message=errors.safe_text(words[1]),
        exit_code=exit_code,
        restarts=restarts,
    )
