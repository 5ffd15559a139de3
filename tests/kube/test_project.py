from itertools import count
from typing import Any

import pytest

from clusters.kube import decode
from clusters.kube.kinds import KINDS
from clusters.kube.project import FAILING
from clusters.kube.project.nodes import node_row
from clusters.kube.project.pods import pod_row
from tests.kube.objects import node, page, pod

CRASHED = {"exitCode": 1, "reason": "Error"}
DONE = {"exitCode": 0, "reason": "Completed"}


def waiting(reason: str) -> dict[str, Any]:
    return {"name": "app", "state": {"waiting": {"reason": reason}}}


def ended(**terminated: Any) -> dict[str, Any]:
    return {"name": "app", "state": {"terminated": terminated}}


def running(*, ready: bool = True, name: str = "app") -> dict[str, Any]:
    return {"name": name, "ready": ready, "state": {"running": {}}}


def with_init(*statuses: dict[str, Any], total: int = 2, **status: Any) -> Any:
    return pod(
        spec={"initContainers": [{"name": f"i{n}"} for n in range(total)]},
        status={
            "phase": "Pending",
            "initContainerStatuses": [{**each, "name": f"i{n}"} for n, each in enumerate(statuses)],
            "containerStatuses": [waiting("PodInitializing")],
            **status,
        },
    )


def with_app(*statuses: dict[str, Any], phase: str = "Running", **status: Any) -> Any:
    return pod(
        spec={"containers": [{"name": "app"}] * max(1, len(statuses))},
        status={"phase": phase, "containerStatuses": list(statuses), **status},
    )


READY = [{"type": "Ready", "status": "True"}]
GATED = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]
DELETED = {"deletionTimestamp": {"seconds": 1_700_000_001}}


@pytest.mark.parametrize(
    ("message", "status", "health"),
    [
        (pod(), "Running", "healthy"),
        (with_app(running(ready=False)), "Running", "degraded"),
        (with_app(phase="Pending"), "Pending", "progressing"),
        (with_app(phase="Pending", conditions=GATED), "SchedulingGated", "progressing"),
        (with_app(waiting("ContainerCreating"), phase="Pending"), "ContainerCreating",
         "progressing"),
        (with_app(ended(**DONE), phase="Succeeded"), "Completed", "idle"),
        (with_app(phase="Succeeded"), "Succeeded", "idle"),
        (with_app(ended(**CRASHED), phase="Failed"), "Error", "failing"),
        (with_app(ended(exitCode=137, reason="OOMKilled")), "OOMKilled", "failing"),
        (with_app(ended(exitCode=3)), "ExitCode:3", "degraded"),
        (with_app(ended(exitCode=137, signal=9)), "Signal:9", "degraded"),
        (with_app(phase="Failed", reason="Evicted"), "Evicted", "failing"),
        (with_app(phase="Failed", reason="DeadlineExceeded"), "DeadlineExceeded", "failing"),
        (with_app(phase="Failed", reason="NodeAffinity"), "NodeAffinity", "degraded"),
        (with_app(running(), ended(**DONE), conditions=READY), "Running", "degraded"),
        (with_app(running(), ended(**DONE)), "NotReady", "degraded"),
        (with_app(ended(**DONE), ended(**CRASHED)), "Error", "failing"),
        (pod(metadata=DELETED), "Terminating", "progressing"),
        (pod(metadata=DELETED, status={"reason": "NodeLost"}), "Unknown", "failing"),
        (pod(metadata=DELETED, status={"phase": "Succeeded"}), "Succeeded", "idle"),
        (with_init(), "PodInitializing", "progressing"),
        (with_init(running()), "Init:0/2", "progressing"),
        (with_init(ended(**DONE), waiting("PodInitializing")), "Init:1/2", "progressing"),
        (with_init(ended(**CRASHED)), "Init:Error", "failing"),
        (with_init(ended(exitCode=2)), "Init:ExitCode:2", "degraded"),
        (with_init(ended(exitCode=9, signal=9)), "Init:Signal:9", "degraded"),
        (with_init(waiting("CrashLoopBackOff")), "Init:CrashLoopBackOff", "failing"),
        (with_init(ended(**DONE), ended(**DONE)), "PodInitializing", "progressing"),
    ],
    ids=count(),
)  # fmt: skip
def test_status_word_and_health(message: Any, status: str, health: str) -> None:
    found = pod_row(message)
    assert (found.status, found.health) == (status, health)


@pytest.mark.parametrize("word", sorted(FAILING))
def test_every_failing_word_is_failing(word: str) -> None:
    assert pod_row(with_app(waiting(word))).health == "failing"
    init = pod_row(with_init(waiting(word)))
    assert (init.status, init.health) == (f"Init:{word}", "failing")


def test_a_sidecar_counts_as_a_container() -> None:
    found = pod_row(
        pod(
            spec={
                "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
                "containers": [{"name": "app", "image": "web:1"}],
            },
            status={
                "initContainerStatuses": [
                    {**running(name="proxy"), "started": True, "restartCount": 2}
                ],
                "containerStatuses": [{**running(), "restartCount": 3}],
            },
        )
    )
    assert (found.status, found.ready, found.wanted, found.restarts) == ("Running", 2, 2, 5)


def test_a_row_has_what_lists_show() -> None:
    found = pod_row(
        pod(
            metadata={
                "labels": [{"key": "app", "value": "web"}],
                "ownerReferences": [
                    {"kind": "Other", "name": "x"},
                    {"kind": "ReplicaSet", "name": "web-1", "controller": True},
                ],
            },
            spec={
                "nodeName": "node-1",
                "containers": [{"name": n, "image": i} for n, i in ("ax", "bx", "cy")],
            },
        )
    )
    assert (found.labels, found.images) == ({"app": "web"}, ("x", "y"))
    assert (found.owner_kind, found.owner_name) == ("ReplicaSet", "web-1")
    assert (found.node, found.created, found.wanted) == ("node-1", 1_700_000_000, 3)


def test_rows_share_their_texts() -> None:
    labels = {"labels": [{"key": "app", "value": "web"}]}
    one, other = (pod_row(pod(name, metadata=labels)) for name in ("a", "b"))
    assert one.labels is other.labels
    assert one.images is other.images
    assert one.namespace is other.namespace


def test_control_characters_and_long_texts_do_not_get_through() -> None:
    found = pod_row(
        pod(
            metadata={"namespace": "a\x00b", "labels": [{"key": "\x1b[31m", "value": "x" * 9999}]},
            status={"phase": "Fai\nled\u202e", "containerStatuses": []},
        )
    )
    assert (found.namespace, found.status) == ("ab", "Failed")
    assert found.labels == {"[31m": "x" * 512}


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "x" * 254},
        {"uid": ""},
        {"resourceVersion": "abc"},
        {"resourceVersion": str(2**63)},
        {"resourceVersion": "9" * 5000},
    ],
    ids=count(),
)
def test_impossible_metadata_costs_the_object(metadata: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"metadata|int|string"):
        pod_row(pod(metadata=metadata))


@pytest.mark.parametrize("where", ["labels", "ownerReferences", "resources", "overhead"])
def test_parts_that_cannot_be_decoded_cost_the_object(where: str) -> None:
    bad = pod("bad")
    if where == "resources":
        bad.spec.containers[0].resources = b"\xff\xff"
    elif where == "overhead":
        bad.spec.overhead.append(b"\xff\xff")
    else:
        getattr(bad.metadata, where).append(b"\xff\xff")
    found = decode.page(KINDS["Pod"], page([bad, pod("good")], 9))
    assert ([each.name for each in found.rows], found.skipped) == (["good"], 1)


def test_a_pod_has_its_address_and_since_when_it_is_ready() -> None:
    became = {"type": "Ready", "status": "True", "lastTransitionTime": {"seconds": 1_700_000_009}}
    found = pod_row(pod(status={"podIP": "10.1.2.3", "conditions": [became]}))
    assert (found.facts, found.since) == ({"ip": "10.1.2.3"}, 1_700_000_009)
    evicted = pod_row(pod(status={"phase": "Failed", "reason": "Evicted", "podIP": "x" * 999}))
    assert evicted.facts == {"ip": "x" * 64, "reason": "Evicted"}


@pytest.mark.parametrize(
    ("conditions", "unschedulable", "status", "health", "ready"),
    [
        ({"Ready": "True"}, False, "Ready", "healthy", 1),
        ({"Ready": "True"}, True, "Ready,SchedulingDisabled", "degraded", 1),
        ({"Ready": "True", "MemoryPressure": "True"}, False, "Ready", "degraded", 1),
        ({"Ready": "True", "MemoryPressure": "False"}, False, "Ready", "healthy", 1),
        ({"Ready": "False"}, False, "NotReady", "failing", 0),
        ({"Ready": "Unknown"}, True, "NotReady,SchedulingDisabled", "failing", 0),
        ({}, False, "Unknown", "unknown", 0),
    ],
    ids=count(),
)
def test_nodes(
    conditions: dict[str, str], unschedulable: bool, status: str, health: str, ready: int
) -> None:
    listed = [{"type": key, "status": value} for key, value in conditions.items()]
    found = node_row(node(spec={"unschedulable": unschedulable}, status={"conditions": listed}))
    assert (found.status, found.health, found.ready, found.wanted) == (status, health, ready, 1)


def test_a_node_says_what_it_is_short_of_and_whom_it_keeps_away() -> None:
    taints = [
        {"key": "gpu", "value": "yes", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"},
    ]
    conditions = [
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"},
        {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure"},
    ]
    found = node_row(node(spec={"taints": taints}, status={"conditions": conditions}))
    assert found.facts["taints"] == ("gpu=yes:NoSchedule, node.kubernetes.io/unreachable:NoExecute")
    assert found.facts["reason"] == "NodeStatusUnknown, DiskPressure"
