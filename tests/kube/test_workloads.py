import json
from itertools import count
from typing import Any

import pytest

from clusters.kube import errors, problems, workloads


def judged(kind: str, spec: dict[str, Any], status: dict[str, Any]) -> tuple[bool, bool, str]:
    made = {
        "metadata": {"generation": 2},
        "spec": spec,
        "status": {"observedGeneration": 2, **status},
    }
    found = workloads.state(kind, "shop", "web", json.dumps(made).encode())
    return found.done, found.failed, found.reason


def replicas(wanted: int, updated: int, available: int) -> dict[str, int]:
    return {
        "replicas": wanted,
        "updatedReplicas": updated,
        "availableReplicas": available,
        "readyReplicas": available,
    }


LATE = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "too late"}
FAILED = {"type": "Failed", "status": "True", "message": "BackoffLimitExceeded"}
COMPLETE = {"type": "Complete", "status": "True"}
ROLLED = {"updateRevision": "b", "currentRevision": "b"}


@pytest.mark.parametrize(
    ("kind", "spec", "status", "done", "failed", "words"),
    [
        ("Deployment", {"replicas": 2}, replicas(2, 2, 2), True, False, ""),
        ("Deployment", {}, replicas(1, 1, 1), True, False, ""),
        ("Deployment", {"replicas": 0}, {}, True, False, ""),
        ("Deployment", {"replicas": 2}, {"observedGeneration": 1}, False, False, "newest spec"),
        ("Deployment", {"replicas": 2}, replicas(2, 1, 1), False, False, "1 of 2 new"),
        ("Deployment", {"replicas": 2}, replicas(3, 2, 2), False, False, "1 old"),
        ("Deployment", {"replicas": 2}, replicas(2, 2, 1), False, False, "1 of 2 updated"),
        ("Deployment", {"replicas": 2}, {"conditions": [LATE]}, False, True, "too late"),
        ("StatefulSet", {"replicas": 1}, {"readyReplicas": 1, **ROLLED}, True, False, ""),
        ("StatefulSet", {"replicas": 2}, {"readyReplicas": 1}, False, False, "1 pods"),
        ("StatefulSet", {}, {"readyReplicas": 1, "updateRevision": "b"}, False, False, "revision"),
        ("DaemonSet", {}, {"desiredNumberScheduled": 2}, False, False, "0 of 2 new"),
        ("DaemonSet", {}, {"desiredNumberScheduled": 1, "updatedNumberScheduled": 1}, False, False,
         "0 of 1 updated"),
        ("DaemonSet", {}, {}, True, False, ""),
        ("Job", {"completions": 2}, {"succeeded": 1}, False, False, "1 of 2"),
        ("Job", {}, {"conditions": [COMPLETE]}, True, False, ""),
        ("Job", {}, {"conditions": [FAILED]}, False, True, "Backoff"),
        ("Job", {"suspend": True}, {}, False, False, "suspended"),
    ],
    ids=count(),
)  # fmt: skip
def test_a_rollout_is_judged_as_kubectl_does(
    kind: str, spec: dict[str, Any], status: dict[str, Any], done: bool, failed: bool, words: str
) -> None:
    found = judged(kind, spec, status)
    assert found[:2] == (done, failed)
    assert words in found[2]
    assert bool(found[2]) != done


def test_problems_of_pods_are_named() -> None:
    crashed = {
        "name": "app",
        "restartCount": 4,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 3, "message": "no\u001b[31m config"}},
    }
    pods = {
        "items": [
            {"metadata": {"name": "a"}, "status": {"containerStatuses": [crashed]}},
            {"metadata": {"name": "b"}, "status": {"phase": "Failed", "reason": "Evicted"}},
            {
                "metadata": {"name": "c"},
                "status": {"containerStatuses": [{"name": "app", "state": {"waiting": {}}}]},
            },
        ]
    }
    found = problems.problems(json.dumps(pods).encode())
    assert [(p.pod, p.container, p.status, p.exit_code, p.restarts) for p in found] == [
        ("a", "app", "CrashLoopBackOff", 3, 4),
        ("b", "", "Evicted", None, 0),
    ]
    assert found[0].message == "no [31m config"


def test_something_else_is_a_bad_answer() -> None:
    for body in (b"", b"[]", b'{"metadata": 1}'):
        with pytest.raises(errors.BadAnswer):
            workloads.state("Job", "shop", "web", body)
