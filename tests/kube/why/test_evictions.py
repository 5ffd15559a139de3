"""Pods that were ended from outside, nodes, budgets and deadlines."""

import json
from itertools import count
from typing import Any

import pytest

from clusters.kube.objects import decode
from clusters.kube.why.budgets import of_eviction
from clusters.kube.why.neighbours import Budget
from clusters.kube.why.pod import Pod
from tests.kube.why.around import (
    Surroundings,
    codes,
    condition,
    ended,
    event,
    node,
    pod,
    running,
    told,
)

KILLED = {"name": "app", "ready": False, "restartCount": 0, "state": ended(137)}


def failed(reason: str, message: str = "", **more: Any) -> Any:
    """A pod that failed as a whole, its container killed."""
    status = {"reason": reason, "message": message}
    return pod(KILLED, phase="Failed", status=status, **more)


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ("The node was low on resource: memory. Threshold quantity: 100Mi, available: 50112Ki. Container app was using 1500Mi, request is 256Mi, has larger consumption of memory. ", "evicted_node_low", "container app used 1500Mi and had requested 256Mi"),
        ("The node was low on resource: ephemeral-storage. Threshold quantity: 10, available: 4. ", "evicted_node_low", "low on ephemeral-storage."),
        ("The node was low on resource: inodes. ", "evicted_node_low", "low on inodes."),
        ("Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ", "evicted_disk_limit", "limit of 1Gi."),
        ('Container app exceeded its local ephemeral storage limit "500Mi". ', "evicted_disk_limit", "limit of 500Mi."),
        ('Usage of EmptyDir volume "tmp" exceeds the limit "64Mi". ', "evicted_volume_limit", "volume tmp grew over its limit of 64Mi."),
        ("The node had condition: [DiskPressure]. ", "evicted_node_condition", "[DiskPressure]"),
        ("Something new. ", "evicted", "evicted"),
    ],
    ids=count(),
)  # fmt: skip
def test_why_a_kubelet_evicted_a_pod(message: str, code: str, words: str) -> None:
    [found] = told(failed("Evicted", message))
    assert found.code == code
    assert words in found.what
    assert found.evidence[0].text.startswith("Evicted: ")
    assert found.since > 0


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("Preempting", "Preempted in order to admit critical pod", "preempted"),
        ("Terminated", "Pod was terminated in response to imminent node shutdown.", "node_shutdown"),
        ("NodeShutdown", "Pod was rejected as the node is shutting down.", "node_shutdown"),
        ("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 4000, used: 3000, capacity: 4000", "node_turned_away"),
        ("NodeAffinity", "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector", "node_turned_away"),
        ("UnexpectedAdmissionError", "Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected", "node_admission_failed"),
        ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline", "pod_deadline"),
    ],
    ids=count(),
)  # fmt: skip
def test_pods_that_nodes_end_or_turn_away(reason: str, message: str, code: str) -> None:
    assert codes(failed(reason, message, spec={"activeDeadlineSeconds": 60})) == [code]


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod", "preempted"),
        ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", "evicted_by_taint"),
        ("EvictionByEvictionAPI", "Eviction API: evicting", "evicted_by_request"),
        ("DeletionByPodGC", "PodGC: node no longer exists", "node_deleted"),
    ],
)  # fmt: skip
def test_pods_that_the_cluster_ends(reason: str, message: str, code: str) -> None:
    status = {"conditions": [condition("DisruptionTarget", "True", reason, message)]}
    [found] = told(pod(KILLED, phase="Failed", status=status))
    assert found.code == code
    assert found.evidence[0].source == "condition"


def test_a_node_that_does_not_report_any_more() -> None:
    body = pod(running())
    around = Surroundings(event("NodeNotReady", "Node is not ready"))
    assert codes(body, around) == ["node_lost"]
    [found] = told(body, around.object("node", "n1", node(ready="Unknown")))
    assert found.code == "node_lost"
    assert found.evidence[0].text == "NodeStatusUnknown: Kubelet stopped posting node status."


def test_a_node_that_is_gone() -> None:
    [found] = told(pod(running()), Surroundings().none("node", "n1"))
    assert (found.code, found.facts["node"]) == ("node_gone", "n1")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized", "node_network_plugin"),
        ("PLEG is not healthy: pleg was last seen active 3m12s ago; threshold is 3m0s", "node_not_ready"),
        ("container runtime is down", "node_not_ready"),
    ],
)  # fmt: skip
def test_why_a_node_is_not_ready(message: str, code: str) -> None:
    body = node()
    body["status"]["conditions"] = [condition("Ready", "False", "KubeletNotReady", message)]
    assert codes(body) == [code]


@pytest.mark.parametrize(
    ("kind", "reason", "code"),
    [
        ("MemoryPressure", "KubeletHasInsufficientMemory", "node_memory_pressure"),
        ("DiskPressure", "KubeletHasDiskPressure", "node_disk_pressure"),
        ("PIDPressure", "KubeletHasInsufficientPID", "node_pid_pressure"),
        ("NetworkUnavailable", "NoRouteCreated", "node_network_unavailable"),
    ],
)
def test_a_node_in_trouble(kind: str, reason: str, code: str) -> None:
    body = node()
    body["status"]["conditions"].append(condition(kind, "True", reason))
    assert codes(body) == [code]


def test_a_trouble_that_only_this_cluster_knows() -> None:
    body = node()
    said = condition("KernelDeadlock", "True", "DockerHung", "task docker:7 blocked")
    body["status"]["conditions"].append(said)
    [found] = told(body)
    assert found.what == "The node n1 reports a trouble, KernelDeadlock: task docker:7 blocked"


def test_a_cordoned_node_and_a_well_one() -> None:
    assert codes(node(unschedulable=True)) == ["node_cordoned"]
    assert codes(node()) == []


def budget(name: str = "web", allowed: int = 0, desired: int = 2, expected: int = 2) -> Any:
    reason = "SufficientPods" if allowed else "InsufficientPods"
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"minAvailable": desired, "selector": {"matchLabels": {"app": "web"}}},
        "status": {
            "disruptionsAllowed": allowed,
            "currentHealthy": 2,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": [condition("DisruptionAllowed", "True" if allowed else "False", reason)],
        },
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (budget(), ["budget_never_allows"]),
        (budget(expected=3), ["budget_blocks"]),
        (budget(allowed=1, expected=3), []),
    ],
)
def test_a_budget_that_lets_nothing_go(body: Any, code: list[str]) -> None:
    assert codes(body) == code


def test_a_budget_that_the_cluster_cannot_work_out() -> None:
    body = budget(expected=3)
    message = "found no controllers for pod web-1"
    body["status"]["conditions"] = [condition("DisruptionAllowed", "False", "SyncFailed", message)]
    assert codes(body) == ["budget_failed"]


def test_the_budget_that_refused_an_eviction_is_named() -> None:
    refusal = "Cannot evict pod as it would violate the pod's disruption budget."
    mine = decode(json.dumps(pod(running())).encode(), Pod)
    others = budget("others")
    others["spec"]["selector"] = {
        "matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]
    }
    budgets = [decode(json.dumps(each).encode(), Budget) for each in (others, budget("mine"))]
    [found] = of_eviction(mine, budgets, refusal)
    assert (found.code, found.facts["budget"]) == ("budget_never_allows", "mine")
    [both] = of_eviction(mine, [budgets[1], budgets[1]], refusal)
    assert (both.code, both.evidence[0].text) == ("budgets_overlap", refusal)
