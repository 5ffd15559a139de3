"""Live objects as API servers write them, and what is told of them."""

import json
from datetime import UTC, datetime
from typing import Any

from clusters.kube.why.around import Around, PartName, Question, Requested
from clusters.kube.why.cause import Cause
from clusters.kube.why.explain import explain
from clusters.kube.why.subject import read
from clusters.kube.why.wanted import wanted

Json = dict[str, Any]
NOW = int(datetime(2026, 11, 28, 12, 0, tzinfo=UTC).timestamp())
UID = "0d2b4c1e-7f0c-4b93-9a52-6a2c1a9e5f11"

TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}
VOLUMES = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]


def at(minutes: float = 0) -> str:
    """The time so many minutes ago, as Kubernetes writes it."""
    return datetime.fromtimestamp(NOW - minutes * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str, reason: str = "", message: str = "", ago: float = 5) -> Json:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastProbeTime": None,
        "lastTransitionTime": at(ago),
    }


def pod(
    *statuses: Json,
    phase: str = "Running",
    spec: Json | None = None,
    status: Json | None = None,
    meta: Json | None = None,
    container: Json | None = None,
) -> Json:
    """A pod `web-1` in `shop` on node `n1`, ten minutes old, with the container `app`."""
    app = {"name": "app", "image": "registry.example.com/shop/web:1", "resources": {}}
    unready = "containers with unready status: [app]"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-1",
            "namespace": "shop",
            "uid": UID,
            "creationTimestamp": at(10),
            "labels": {"app": "web"},
            **(meta or {}),
        },
        "spec": {"containers": [app | (container or {})], "nodeName": "n1", **(spec or {})},
        "status": {
            "phase": phase,
            "startTime": at(10),
            "conditions": [
                condition("PodScheduled", "True", ago=10),
                condition("Ready", "False", "ContainersNotReady", unready, ago=9),
                condition("ContainersReady", "False", "ContainersNotReady", unready, ago=9),
            ],
            "containerStatuses": list(statuses),
            **(status or {}),
        },
    }


def waiting(reason: str, message: str = "", *, name: str = "app", **more: Any) -> Json:
    """The status of a container that waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": name, "ready": False, "started": False, "restartCount": 0, "image": "",
            "imageID": "", "state": state, "lastState": {}} | more  # fmt: skip


def ended(code: int, reason: str = "Error", message: str = "", ago: float = 1) -> Json:
    """The state of a container that ended."""
    found = {"exitCode": code, "reason": reason, "startedAt": at(ago), "finishedAt": at(ago)}
    return {"terminated": found | ({"message": message} if message else {})}


def looping(code: int, reason: str = "Error", message: str = "", *, name: str = "app") -> Json:
    """The status of a container that ended so and waits to be started again."""
    words = f"back-off 5m0s restarting failed container={name} pod=web-1_shop({UID})"
    last = ended(code, reason, message)
    return waiting("CrashLoopBackOff", words, name=name, restartCount=7, lastState=last)


def running(*, ready: bool = False, **more: Any) -> Json:
    """The status of a container that runs."""
    state = {"running": {"startedAt": at(8)}}
    return {"name": "app", "ready": ready, "started": True, "restartCount": 0,
            "state": state, "lastState": {}} | more  # fmt: skip


def event(
    reason: str,
    message: str,
    *,
    kind: str = "Pod",
    name: str = "web-1",
    uid: str = UID,
    container: str = "",
    ago: float = 1,
    warning: bool = True,
) -> Json:
    """An event of the kubelet or a controller."""
    path = {"fieldPath": f"spec.containers{{{container}}}"} if container else {}
    return {
        "metadata": {"name": f"{name}.17", "namespace": "shop", "creationTimestamp": at(9)},
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name, "uid": uid, **path},
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
        "count": 12,
        "firstTimestamp": at(9),
        "lastTimestamp": at(ago),
        "eventTime": None,
        "reportingComponent": "kubelet",
    }


def node(
    name: str = "n1", *, cpu: str = "4", memory: str = "16Gi", ready: str = "True", **more: Any
) -> Json:
    """A node; `more` goes into its spec."""
    allocatable = {"cpu": cpu, "memory": memory, "pods": "110"}
    why = ("KubeletReady", "kubelet is posting ready status")
    if ready == "Unknown":
        why = ("NodeStatusUnknown", "Kubelet stopped posting node status.")
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": more,
        "status": {
            "allocatable": allocatable,
            "conditions": [condition("Ready", ready, *why)],
            "nodeInfo": {"architecture": "arm64"},
        },
    }


def unplaced(message: str, *, reason: str = "Unschedulable", **spec: Any) -> Any:
    """A pod without a node, of which the scheduler says this."""
    said = condition("PodScheduled", "False", reason, message)
    return pod(phase="Pending", spec={"nodeName": "", **spec}, status={"conditions": [said]})


class Surroundings(Around):
    """What is around an object, put in as an API server would have answered."""

    def __init__(self, *events: Json, requested: dict[str, Requested] | None = None) -> None:
        super().__init__(now=NOW, requested=requested)
        names = {
            (each["involvedObject"]["kind"], each["involvedObject"]["name"]) for each in events
        }
        for kind, name in names or {("Pod", "web-1")}:
            self.list("events", f"{kind}/{name}", *events)

    def list(self, part: PartName, name: str, *items: Json) -> "Surroundings":
        """Puts in a list."""
        self.put(Question(part, name, "/?"), json.dumps({"items": list(items)}).encode())
        return self

    def object(self, part: PartName, name: str, body: Json) -> "Surroundings":
        """Puts in one object."""
        self.put(Question(part, name, "/"), json.dumps(body).encode())
        return self

    def none(self, part: PartName, name: str) -> "Surroundings":
        """Says that there is no such object."""
        self.absent(Question(part, name, "/"))
        return self


def told(body: Json, around: Around | None = None) -> list[Cause]:
    """What is told of an object. Every sentence has all that fills it in."""
    found = explain(read(json.dumps(body).encode()), around or Surroundings())
    for each in found:
        assert "%(" not in each.what + each.todo
        assert each.evidence
    return found


def codes(body: Json, around: Around | None = None) -> list[str]:
    """The codes of what is told."""
    return [each.code for each in told(body, around)]


def asked(body: Json, around: Around | None = None) -> list[tuple[str, str]]:
    """What is worth asking for next: the parts, and of what."""
    found = wanted(read(json.dumps(body).encode()), around or Around(now=NOW))
    return [(each.part, each.name) for each in found]
