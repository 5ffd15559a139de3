"""Pods that no node takes, by the scheduler's own messages."""

from itertools import count
from typing import Any

import pytest

from clusters.kube.why.around import Requested
from clusters.kube.why.scheduling import read
from tests.kube.why.around import (
    TERM,
    VOLUMES,
    Surroundings,
    asked,
    at,
    codes,
    event,
    node,
    pod,
    told,
    unplaced,
)

NO_VICTIMS = " preemption: 0/5 nodes are available: 5 No preemption victims found for incoming pod."
NOT_HELPFUL = " preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling."


def asking(**requests: str) -> Any:
    """A container that requests this."""
    return {"name": "app", "image": "web:1", "resources": {"requests": requests}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("0/5 nodes are available: 5 Insufficient cpu." + NO_VICTIMS, [("resource", 5, "cpu")]),
        ("0/5 nodes are available: 1 Insufficient memory, 4 Insufficient cpu." + NO_VICTIMS,
         [("resource", 4, "cpu"), ("resource", 1, "memory")]),
        ("0/5 nodes are available: 5 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/5 nodes are available: 5 No preemption victims found for incoming pod.",
         [("resource", 5, "nvidia.com/gpu")]),
        ("0/5 nodes are available: 2 Insufficient memory, 3 node(s) had untolerated taint {dedicated: batch}." + NOT_HELPFUL,
         [("taint", 3, "dedicated: batch"), ("resource", 2, "memory")]),
        ("0/5 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 4 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
         [("resource", 4, "cpu"), ("taint", 1, "node-role.kubernetes.io/control-plane: ")]),
        ("0/5 nodes are available: 5 node(s) had untolerated taint(s)." + NOT_HELPFUL, [("taint", 5, "")]),
        ("0/3 nodes are available: 3 node(s) had taint {key1: value1}, that the pod didn't tolerate.", [("taint", 3, "key1: value1")]),
        ("0/3 nodes are available: 3 node(s) had taints that the pod didn't tolerate.", [("taint", 3, "")]),
        ("0/5 nodes are available: 2 node(s) were unschedulable, 3 node(s) didn't match Pod's node affinity/selector.",
         [("selector", 3, ""), ("cordoned", 2, "")]),
        ("0/3 nodes are available: 3 node(s) didn't match node selector.", [("selector", 3, "")]),
        ("0/3 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 2 node(s) didn't match pod affinity rules.",
         [("affinity", 2, ""), ("affinity", 1, "")]),
        ("0/3 nodes are available: 3 node(s) didn't satisfy existing pods anti-affinity rules.", [("others", 3, "")]),
        ("0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).", [("spread", 3, "")]),
        ("0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.", [("port", 3, "")]),
        ('0/3 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.', [("claim", 3, "data")]),
        ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.", [("unbound", 3, "")]),
        ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found", [("unbound", 3, "")]),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.", [("zone", 3, "")]),
        ("0/3 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity.", [("zone", 3, "")]),
        ("0/3 nodes are available: 3 node(s) had no available volume zone.", [("zone", 3, "")]),
        ("0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.", [("no_volume", 3, "")]),
        ("0/3 nodes are available: 3 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).", [("no_volume", 3, "")]),
        ("0/3 nodes are available: 3 node(s) did not have enough free storage.", [("storage", 3, "")]),
        ("0/3 nodes are available: 3 node(s) exceed max volume count.", [("volume_limit", 3, "")]),
        ("0/3 nodes are available: 3 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod.", [("in_use", 3, "")]),
        ("0/3 nodes are available: 3 node(s) didn't match the requested node name.", [("name", 3, "")]),
        ("0/3 nodes are available: 3 Too many pods.", [("pods", 3, "")]),
        ("0/3 nodes are available: 3 cannot allocate all claims. still not schedulable, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.", [("device", 3, "")]),
        ("0/3 nodes are available: 3 node(s) had an unheard-of trouble.", [("other", 3, "")]),
        ("no nodes available to schedule pods", []),
    ],
    ids=count(),
)  # fmt: skip
def test_a_schedulers_message_is_taken_apart(message: str, expected: list[Any]) -> None:
    found = read(message)
    assert found is not None
    assert [(each.sort, each.nodes, each.about) for each in found.reasons] == expected


def test_other_texts_are_no_refusal() -> None:
    assert read("binding rejected: timed out waiting for the condition") is None
    body = unplaced("running PreBind plugin: binding volumes: timed out")
    assert codes(body) == ["pending_failed"]


def test_how_much_is_asked_and_how_much_the_roomiest_node_has() -> None:
    body = unplaced("0/3 nodes are available: 3 Insufficient cpu." + NO_VICTIMS,
                    containers=[asking(cpu="2500m"), asking(cpu="500m")])  # fmt: skip
    nodes = [node("n1"), node("n2", cpu="8"), node("gone", cpu="64", ready="Unknown")]
    requested = {"n1": Requested({"cpu": 1200}), "n2": Requested({"cpu": 7500})}
    around = Surroundings(requested=requested)
    assert asked(body, around) == [("nodes", "")]
    [found] = told(body, around.list("nodes", "", *nodes))
    assert found.code == "pending_resources"
    assert found.what == (
        "3 of 3 nodes have too little cpu free: the pod asks for 3, and the most that is free is"
        " 2.8 of 4 on n1."
    )
    assert found.evidence[0].place == "status.conditions[PodScheduled]=False"
    assert "0/3 nodes are available" in found.evidence[0].text


def test_what_is_free_comes_from_the_pods_when_nobody_knows_it() -> None:
    body = unplaced("0/1 nodes are available: 1 Insufficient memory.",
                    containers=[asking(memory="12Gi")])  # fmt: skip
    assert asked(body) == [("events", "Pod/web-1"), ("nodes", ""), ("requested", "")]
    placed = [
        {"spec": {"nodeName": "n1", "containers": [asking(memory="4Gi")],
                  "initContainers": [asking(memory="6Gi")]}, "status": {"phase": "Running"}},
        {"spec": {"nodeName": "n1", "containers": [asking(memory="9Gi")]},
         "status": {"phase": "Succeeded"}},
    ]  # fmt: skip
    around = Surroundings().list("nodes", "", node()).list("requested", "", *placed)
    [found] = told(body, around)
    assert "asks for 12Gi, and the most that is free is 10Gi of 16Gi on n1" in found.what


@pytest.mark.parametrize(
    ("requests", "message", "code", "words"),
    [
        ({"cpu": "6"}, "Insufficient cpu", "pending_too_large", "n1, has 4 in all"),
        ({"nvidia.com/gpu": "1"}, "Insufficient nvidia.com/gpu", "pending_resource_unknown", "offers nvidia.com/gpu"),
        ({"cpu": "100m"}, "Insufficient cpu", "pending_resources", "the largest, n1, has 4 in all"),
    ],
)  # fmt: skip
def test_what_no_node_could_ever_give(requests: Any, message: str, code: str, words: str) -> None:
    body = unplaced(f"0/1 nodes are available: 1 {message}.", containers=[asking(**requests)])
    [found] = told(body, Surroundings().list("nodes", "", node()))
    assert found.code == code
    assert words in found.what


def test_sidecars_and_init_containers_count_as_the_scheduler_counts_them() -> None:
    inits = [
        asking(cpu="1") | {"name": "proxy", "restartPolicy": "Always"},
        asking(cpu="3") | {"name": "migrate"},
    ]
    body = unplaced("0/1 nodes are available: 1 Insufficient cpu.", containers=[asking(cpu="2")],
                    initContainers=inits, overhead={"cpu": "250m"})  # fmt: skip
    [found] = told(body)
    assert found.facts["asked"] == "4250m"


def test_without_the_nodes_it_is_told_what_is_asked() -> None:
    body = unplaced("0/3 nodes are available: 3 Insufficient cpu.", containers=[asking(cpu="2")])
    [found] = told(body)
    assert found.what == "3 of 3 nodes have too little cpu free: the pod asks for 2."


AFFINE = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}
    }
}
ANTI = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname"}
        ]
    }
}
SPREAD = [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]
PORTS = [{"containerPort": 80, "hostPort": 8080}]


@pytest.mark.parametrize(
    ("reason", "spec", "code", "words"),
    [
        ("node(s) didn't match Pod's node affinity/selector", {"nodeSelector": {"disk": "ssd"}, "affinity": AFFINE}, "pending_node_selector", "disk=ssd; zone In (a, b)"),
        ("node(s) didn't match pod anti-affinity rules", {"affinity": ANTI}, "pending_pod_affinity", "anti-affinity: kubernetes.io/hostname"),
        ("node(s) didn't satisfy existing pods anti-affinity rules", {}, "pending_others_affinity", "3 of 3"),
        ("node(s) didn't match pod topology spread constraints", {"topologySpreadConstraints": SPREAD}, "pending_topology_spread", "zone (maxSkew 1)"),
        ("node(s) didn't have free ports for the requested pod ports", {"containers": [{"name": "app", "ports": PORTS}]}, "pending_host_port", "host port 8080"),
        ("node(s) were unschedulable", {}, "pending_cordoned", "3 of 3 nodes"),
        ("node(s) had untolerated taint {dedicated: batch}", {}, "pending_taints", "dedicated: batch"),
        ("node(s) had untolerated taint {node.kubernetes.io/unreachable: }", {}, "pending_nodes_not_ready", "(node.kubernetes.io/unreachable)"),
        ("node(s) exceed max volume count", {}, "pending_volume_limit", "3 of 3"),
        ("Too many pods", {}, "pending_too_many_pods", "3 of 3"),
        ("node(s) had an unheard-of trouble", {}, "pending_other", "unheard-of trouble"),
        ("node(s) had volume node affinity conflict", {"volumes": VOLUMES}, "pending_volume_zone", "another place"),
    ],
    ids=count(),
)  # fmt: skip
def test_why_nodes_are_ruled_out(reason: str, spec: Any, code: str, words: str) -> None:
    [found] = told(unplaced(f"0/3 nodes are available: 3 {reason}.", **spec))
    assert found.code == code
    assert words in found.what


def test_newer_schedulers_do_not_name_the_taints_but_the_nodes_do() -> None:
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"},
              {"key": "dedicated", "effect": "NoExecute"},
              {"key": "soft", "effect": "PreferNoSchedule"}]  # fmt: skip
    tolerations = [{"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}]
    body = unplaced(
        "0/1 nodes are available: 1 node(s) had untolerated taint(s).", tolerations=tolerations
    )
    around = Surroundings().list("nodes", "", node(taints=taints))
    [found] = told(body, around)
    assert found.what.endswith("it does not tolerate: gpu=yes:NoSchedule")
    down = [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]
    mixed = Surroundings().list("nodes", "", node("n1", taints=taints), node("n2", taints=down))
    assert codes(body, mixed) == ["pending_taints"]
    assert codes(body, Surroundings().list("nodes", "", node(taints=down))) == [
        "pending_nodes_not_ready"
    ]


@pytest.mark.parametrize(
    ("toleration", "tolerated"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "gpu", "operator": "Equal", "value": "yes"}, True),
        ({"key": "gpu", "value": "no"}, False),
        ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"}, False),
    ],
)
def test_a_taint_is_tolerated_as_kubernetes_does(toleration: Any, tolerated: bool) -> None:
    tainted = node(taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])
    body = unplaced("0/1 nodes are available: 1 Insufficient cpu.",
                    containers=[asking(cpu="8")], tolerations=[toleration])  # fmt: skip
    [found] = told(body, Surroundings().list("nodes", "", tainted))
    assert found.code == ("pending_too_large" if tolerated else "pending_resources")


def test_the_reason_of_most_nodes_comes_first() -> None:
    message = "0/5 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 4 Insufficient cpu."
    assert codes(unplaced(message)) == ["pending_resources", "pending_taints"]


def test_the_scheduler_is_heard_by_its_event_too() -> None:
    body = pod(phase="Pending", spec={"nodeName": ""}, status={"conditions": []})
    words = "0/3 nodes are available: 3 node(s) were unschedulable."
    [found] = told(body, Surroundings(event("FailedScheduling", words)))
    assert (found.code, found.evidence[0].source) == ("pending_cordoned", "event")


def test_pods_that_are_held_back_or_that_no_scheduler_has_seen() -> None:
    gated = unplaced("Scheduling is blocked due to non-empty scheduling gates",
                     reason="SchedulingGated", schedulingGates=[{"name": "kueue.x-k8s.io/admission"}])  # fmt: skip
    [found] = told(gated)
    assert (found.code, found.facts["wanted"]) == ("scheduling_gated", "kueue.x-k8s.io/admission")
    unseen = pod(
        phase="Pending", spec={"nodeName": "", "schedulerName": "mine"}, status={"conditions": []}
    )
    [found] = told(unseen)
    assert (found.code, found.facts["wanted"]) == ("pending_unseen", "mine")
    assert found.since > 0
    unseen["metadata"]["creationTimestamp"] = at(0.5)
    assert codes(unseen) == []
    assert codes(unplaced("no nodes available to schedule pods")) == ["pending_no_nodes"]
