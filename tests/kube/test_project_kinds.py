"""Storage, policies, quotas and events in states that a test cluster does not get into quickly."""

from itertools import count
from typing import Any

import pytest

from clusters.kube.kinds import KINDS
from clusters.kube.schema import MESSAGE
from tests.kube.projected import AT, conditions, row

DELETED = {"deletionTimestamp": {"seconds": AT}}
OTHERWISE = {"Pod", "Node", "Namespace", "HelmRelease", "Event"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - OTHERWISE))
def test_what_is_being_deleted_is_terminating(kind: str) -> None:
    bare = {"ConfigMap", "Secret", "ServiceAccount", "NetworkPolicy"}
    message = MESSAGE["AnyObject" if kind in bare else kind]
    metadata = {"name": "web", "uid": "uid-1", "resourceVersion": "7", **DELETED}
    found = KINDS[kind].project(message(metadata=metadata))
    assert (found.status, found.health) == ("Terminating", "progressing")


@pytest.mark.parametrize(
    ("phase", "health"),
    [("Bound", "healthy"), ("Pending", "progressing"), ("Lost", "failing"), ("Odd", "unknown")],
)
def test_claims(phase: str, health: str) -> None:
    found = row("PersistentVolumeClaim", status={"phase": phase})
    assert (found.status, found.health) == (phase, health)


@pytest.mark.parametrize(
    ("phase", "health"),
    [("Bound", "healthy"), ("Available", "idle"), ("Released", "idle"), ("Failed", "failing")],
)
def test_volumes(phase: str, health: str) -> None:
    status = {"phase": phase, "lastPhaseTransitionTime": {"seconds": AT}}
    found = row("PersistentVolume", status=status)
    assert (found.status, found.health, found.since) == (phase, health, AT)


def test_the_default_storage_class() -> None:
    annotations = [{"key": "storageclass.kubernetes.io/is-default-class", "value": "true"}]
    found = row("StorageClass", {"annotations": annotations}, provisioner="example.com/fast")
    assert found.facts == {"provisioner": "example.com/fast", "default": "true"}


@pytest.mark.parametrize(
    ("statuses", "word", "health", "since"),
    [
        ({"AbleToScale": "True", "ScalingActive": "True"}, "Active", "healthy", AT),
        ({"AbleToScale": "True", "ScalingActive": "False:FailedGetResourceMetric"},
         "FailedGetResourceMetric", "degraded", AT),
        ({"ScalingActive": "False:ScalingDisabled"}, "ScalingDisabled", "idle", AT),
        ({"AbleToScale": "False:FailedGetScale"}, "FailedGetScale", "degraded", AT),
        ({"AbleToScale": "False"}, "NotAbleToScale", "degraded", AT),
        ({"ScalingActive": "True", "ScalingLimited": "True:TooManyReplicas"}, "TooManyReplicas",
         "degraded", AT),
        ({"ScalingActive": "True", "ScalingLimited": "True:TooFewReplicas"}, "Active", "healthy",
         AT),
        ({}, "Pending", "progressing", 0),
    ],
    ids=count(),
)  # fmt: skip
def test_autoscalers(statuses: dict[str, str], word: str, health: str, since: int) -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9}
    status = {"currentReplicas": 2, "desiredReplicas": 4, "conditions": conditions(**statuses)}
    found = row("HorizontalPodAutoscaler", spec=spec, status=status)
    assert (found.status, found.health, found.since) == (word, health, since)
    assert (found.ready, found.wanted) == (2, 4)
    assert found.facts == {
        "target": "Deployment/web", "max": "9", "current": "2", "desired": "4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "word", "health"),
    [
        ({}, "NoPods", "idle"),
        ({"expectedPods": 3, "currentHealthy": 1, "desiredHealthy": 2}, "Insufficient",
         "degraded"),
        ({"expectedPods": 3, "currentHealthy": 2, "desiredHealthy": 2}, "Blocking", "healthy"),
        ({"expectedPods": 3, "currentHealthy": 3, "desiredHealthy": 2, "disruptionsAllowed": 1},
         "Allowing", "healthy"),
        ({"conditions": conditions(DisruptionAllowed="False:SyncFailed")}, "SyncFailed",
         "degraded"),
    ],
    ids=count(),
)  # fmt: skip
def test_budgets(status: dict[str, Any], word: str, health: str) -> None:
    percent = {"type": 1, "strVal": "50%"}
    found = row("PodDisruptionBudget", spec={"maxUnavailable": percent}, status=status)
    assert (found.status, found.health) == (word, health)
    assert found.facts["maxUnavailable"] == "50%"
    assert "minAvailable" not in found.facts


@pytest.mark.parametrize(
    ("used", "hard", "word"),
    [
        ("3", "10", "WithinLimits"),
        ("1500m", "1.5", "Exhausted"),
        ("2Gi", "1Gi", "Exhausted"),
        ("0", "0", "WithinLimits"),
        ("odd", "odd", "WithinLimits"),
    ],
)
def test_quotas(used: str, hard: str, word: str) -> None:
    def amounts(text: str) -> list[dict[str, Any]]:
        return [{"key": "pods", "value": {"string": text}}]

    found = row("ResourceQuota", status={"used": amounts(used), "hard": amounts(hard)})
    assert (found.status, found.facts) == (word, {"pods": f"{used}/{hard}"})


@pytest.mark.parametrize(
    ("times", "created", "since", "number"),
    [
        ({"firstTimestamp": {"seconds": 5}, "lastTimestamp": {"seconds": 9}, "count": 4}, 9, 5,
         "4"),
        ({"eventTime": {"seconds": 7}}, 7, 7, "1"),
        ({"eventTime": {"seconds": 7}, "series": {"count": 3, "lastObservedTime": {"seconds": 8}}},
         8, 7, "3"),
        ({}, 2, 0, "1"),
        ({"lastTimestamp": {"seconds": -5}}, 0, 0, "1"),
    ],
    ids=count(),
)  # fmt: skip
def test_events(times: dict[str, Any], created: int, since: int, number: str) -> None:
    found = row(
        "Event",
        {"creationTimestamp": {"seconds": 2}},
        involvedObject={"kind": "Pod", "name": "web-1"},
        type="Warning",
        reason="BackOff",
        message="  Back-off\nrestarting  ",
        reportingComponent="kubelet",
        **times,
    )
    assert (found.status, found.health) == ("BackOff", "degraded")
    assert (found.owner_kind, found.owner_name) == ("Pod", "web-1")
    assert (found.created, found.since) == (created, since)
    assert found.facts == {
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off restarting",
        "object": "Pod/web-1",
        "count": number,
        "source": "kubelet",
    }
