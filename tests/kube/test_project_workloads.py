"""Workloads and jobs in states that a test cluster does not get into quickly."""

from itertools import count
from typing import Any

import pytest

from tests.kube.projected import AT, conditions, row


def replicas(**parts: Any) -> dict[str, int]:
    """A Deployment's status with 3 of everything, unless told."""
    names = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    return {**dict.fromkeys(names, 3), **parts}


COMPLETE = "True:NewReplicaSetAvailable"
UNDER_WAY = "True:ReplicaSetUpdated"
LATE = "False:ProgressDeadlineExceeded"


@pytest.mark.parametrize(
    ("spec", "status", "word", "health", "since"),
    [
        ({}, replicas(conditions=conditions(Available="True")), "Available", "healthy", AT),
        ({}, replicas(availableReplicas=2, conditions=conditions(Available="False")),
         "Unavailable", "degraded", AT),
        ({}, replicas(availableReplicas=0, conditions=conditions(Progressing=COMPLETE)),
         "Unavailable", "degraded", 0),
        ({}, replicas(availableReplicas=2, conditions=conditions(Progressing=UNDER_WAY)),
         "Progressing", "progressing", AT),
        ({}, replicas(updatedReplicas=1), "Progressing", "progressing", 0),
        ({}, replicas(replicas=4), "Progressing", "progressing", 0),
        ({}, replicas(availableReplicas=2, conditions=conditions(Progressing=LATE)),
         "ProgressDeadlineExceeded", "failing", AT),
        ({}, replicas(availableReplicas=2, conditions=conditions(ReplicaFailure="True:Quota")),
         "ReplicaFailure", "degraded", AT),
        ({}, replicas(availableReplicas=0, conditions=conditions(ReplicaFailure="True:Quota")),
         "ReplicaFailure", "failing", AT),
        ({"replicas": 0}, {}, "ScaledDown", "idle", 0),
        ({"replicas": 0}, {"replicas": 1}, "Progressing", "progressing", 0),
        ({"paused": True}, replicas(), "Paused", "healthy", 0),
        ({"paused": True}, replicas(availableReplicas=1), "Paused", "degraded", 0),
    ],
    ids=count(),
)  # fmt: skip
def test_deployments(
    spec: dict[str, Any], status: dict[str, Any], word: str, health: str, since: int
) -> None:
    found = row("Deployment", spec={"replicas": 3, **spec}, status=status)
    assert (found.status, found.health, found.since) == (word, health, since)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"])
def test_a_spec_that_no_controller_has_seen_is_progressing(kind: str) -> None:
    status = {"observedGeneration": 1}
    found = row(kind, {"generation": 2}, status=status)
    assert (found.status, found.health) == ("Progressing", "progressing")


def test_a_deployment_has_its_revision_and_images() -> None:
    annotations = [{"key": "deployment.kubernetes.io/revision", "value": "12"}]
    template = {"spec": {"containers": [{"image": "web:1"}, {"image": "proxy:2"}]}}
    spec = {"template": template, "paused": True}
    found = row("Deployment", {"annotations": annotations}, spec=spec, status={})
    assert found.facts == {"revision": "12", "paused": "true"}
    assert found.images == ("web:1", "proxy:2")
    assert (found.ready, found.wanted) == (0, 1)


@pytest.mark.parametrize(
    ("spec", "status", "word", "health"),
    [
        ({}, {"replicas": 3, "availableReplicas": 3}, "Available", "healthy"),
        ({}, {"replicas": 3, "availableReplicas": 2}, "Unavailable", "degraded"),
        ({}, {"replicas": 1}, "Progressing", "progressing"),
        ({}, {"replicas": 3, "availableReplicas": 3, "updateRevision": "b",
              "currentRevision": "a"}, "Progressing", "progressing"),
        ({"updateStrategy": {"type": "OnDelete"}},
         {"replicas": 3, "availableReplicas": 3, "updateRevision": "b"}, "Available", "healthy"),
        ({"updateStrategy": {"rollingUpdate": {"partition": 2}}},
         {"replicas": 3, "availableReplicas": 3, "updateRevision": "b"}, "Available", "healthy"),
        ({"replicas": 0}, {}, "ScaledDown", "idle"),
    ],
    ids=count(),
)  # fmt: skip
def test_stateful_sets(
    spec: dict[str, Any], status: dict[str, Any], word: str, health: str
) -> None:
    found = row("StatefulSet", spec={"replicas": 3, **spec}, status=status)
    assert (found.status, found.health) == (word, health)


@pytest.mark.parametrize(
    ("spec", "status", "word", "health"),
    [
        ({}, (3, 3, 3), "Available", "healthy"),
        ({}, (3, 3, 2), "Unavailable", "degraded"),
        ({}, (3, 1, 3), "Progressing", "progressing"),
        ({"updateStrategy": {"type": "OnDelete"}}, (3, 1, 3), "Available", "healthy"),
        ({}, (0, 0, 0), "NoNodes", "idle"),
    ],
    ids=count(),
)
def test_daemon_sets(
    spec: dict[str, Any], status: tuple[int, int, int], word: str, health: str
) -> None:
    names = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    found = row("DaemonSet", spec=spec, status=dict(zip(names, status, strict=True)))
    assert (found.status, found.health, found.wanted) == (word, health, status[0])


@pytest.mark.parametrize(
    ("status", "word", "health"),
    [
        ({}, "Running", "progressing"),
        ({"failed": 2}, "Running", "degraded"),
        ({"conditions": conditions(Suspended="True")}, "Suspended", "idle"),
        ({"conditions": conditions(FailureTarget="True")}, "FailureTarget", "failing"),
        ({"conditions": conditions(FailureTarget="True", Failed="True")}, "Failed", "failing"),
        ({"conditions": conditions(SuccessCriteriaMet="True")}, "SuccessCriteriaMet",
         "progressing"),
        ({"conditions": conditions(SuccessCriteriaMet="True", Complete="True")}, "Complete",
         "idle"),
        ({"conditions": conditions(Complete="False")}, "Running", "progressing"),
    ],
    ids=count(),
)  # fmt: skip
def test_jobs(status: dict[str, Any], word: str, health: str) -> None:
    found = row("Job", spec={"completions": 3}, status={"succeeded": 1, **status})
    assert (found.status, found.health) == (word, health)
    assert (found.ready, found.wanted, found.facts) == (1, 3, {"completions": "1/3"})


def test_cron_jobs() -> None:
    last = {"lastScheduleTime": {"seconds": AT}}
    busy = row("CronJob", spec={"schedule": "@daily"}, status={"active": [{}], **last})
    assert (busy.status, busy.health) == ("Active", "progressing")
    assert busy.facts == {
        "schedule": "@daily", "active": "1", "lastSchedule": "2026-11-25T03:00:00Z",
    }  # fmt: skip
    odd = row("CronJob", status={"lastScheduleTime": {"seconds": 2**62}})
    assert "lastSchedule" not in odd.facts
