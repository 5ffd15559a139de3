"""Deployments and their like, Jobs and CronJobs: refused pods, deadlines, and their pods."""

import json
from itertools import count
from typing import Any

import pytest

from clusters.kube.why.parts import owner
from clusters.kube.why.subject import read
from clusters.kube.why.wanted import wanted
from tests.kube.why.around import (
    Surroundings,
    asked,
    at,
    codes,
    condition,
    event,
    looping,
    pod,
    running,
    told,
    waiting,
)

PODS = 'pods "web-7d4b9c6f5-x2x9k" is forbidden: '


def workload(
    kind: str = "Deployment", spec: Any = None, conditions: Any = (), **status: Any
) -> Any:
    """A workload `web` in `shop` that wants two pods."""
    group = "batch/v1" if kind in {"Job", "CronJob"} else "apps/v1"
    wanted = {} if kind in {"Job", "CronJob", "DaemonSet"} else {"replicas": 2}
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": "web", "namespace": "shop", "uid": "w1", "creationTimestamp": at(60)},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **wanted, **(spec or {})},
        "status": {"conditions": list(conditions), **status},
    }


def of_web(reason: str, message: str, kind: str = "Deployment", **more: Any) -> Any:
    return event(reason, message, kind=kind, name="web", uid="w1", **more)


REFUSALS = [
    ("exceeded quota: compute, requested: requests.cpu=500m,requests.memory=1Gi, used: requests.cpu=2,requests.memory=4Gi, limited: requests.cpu=2,requests.memory=4Gi",
     "quota_exceeded", "asks for requests.cpu=500m,requests.memory=1Gi, used is requests.cpu=2,requests.memory=4Gi of requests.cpu=2,requests.memory=4Gi."),
    ("failed quota: compute: must specify limits.cpu for: app; limits.memory for: app", "quota_needs_values", "limits.cpu for: app; limits.memory for: app"),
    ("maximum memory usage per Container is 1Gi, but limit is 2Gi", "limit_range_above", "a Container at most 1Gi of memory; the pod wants 2Gi."),
    ("[maximum cpu usage per Container is 1, but limit is 4, maximum cpu usage per Pod is 2, but limit is 4]", "limit_range_above", "at most 1 of cpu; the pod wants 4."),
    ("minimum memory usage per Container is 128Mi, but request is 64Mi", "limit_range_below", "at least 128Mi of memory; the pod asks for 64Mi."),
    ("maximum cpu usage per Container is 800m.  No limit is specified", "limit_range_above", "at most 800m of cpu"),
    ("cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000", "limit_range_ratio", "a limit of cpu at most 2 times"),
    ('violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true)',
     "pod_security", "level restricted:latest forbids this pod: allowPrivilegeEscalation != false"),
    ('error looking up service account shop/web: serviceaccount "web" not found', "service_account_missing", "account web that"),
    ("no PriorityClass with name high was found", "priority_class_missing", "class high that"),
    ("unable to create new content in namespace shop because it is being terminated", "namespace_ending", "being deleted"),
    ("ValidatingAdmissionPolicy 'replicas' with binding 'all' denied request: too many replicas", "admission_policy", "policy replicas refuses the pod: too many replicas"),
    ("something unheard of", "create_refused", "refuses to make the pods of web"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "code", "words"), REFUSALS, ids=count())
def test_why_the_api_server_makes_no_pod(message: str, code: str, words: str) -> None:
    refused = condition("ReplicaFailure", "True", "FailedCreate", PODS + message)
    for kind, around in (("Deployment", None), ("ReplicaSet", None)):
        [found] = told(workload(kind, conditions=[refused]), around)
        assert (found.code, found.kind, found.name) == (code, kind, "web")
        assert words in found.what
    for kind in ("StatefulSet", "DaemonSet", "Job"):
        said = of_web("FailedCreate", f"Error creating: {PODS}{message}", kind)
        status = {"desiredNumberScheduled": 2} if kind == "DaemonSet" else {}
        [found] = told(workload(kind, **status), Surroundings(said))
        assert (found.code, found.evidence[0].source) == (code, "event")


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ('Error creating: admission webhook "policy.example.com" denied the request: image must come from our registry', "webhook_denied", "refuses the pod: image must come from our registry"),
        ('Error creating: Internal error occurred: failed calling webhook "inject.example.com": failed to call webhook: Post "https://inject.mesh.svc:443/inject?timeout=10s": dial tcp 10.0.0.9:443: connect: connection refused', "webhook_down", "webhook inject.example.com does not answer"),
        ('create Pod web-0 in StatefulSet web failed error: Pod "web-0" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1', "pod_invalid", "must be less than or equal to cpu limit"),
    ],
)  # fmt: skip
def test_webhooks_and_invalid_pods(message: str, code: str, words: str) -> None:
    said = of_web("FailedCreate", message, "StatefulSet")
    [found] = told(workload("StatefulSet"), Surroundings(said))
    assert found.code == code
    assert words in found.what


def test_how_far_the_quota_is_used_now_stands_beside_the_refusal() -> None:
    refused = condition("ReplicaFailure", "True", "FailedCreate", PODS + REFUSALS[0][0])
    body = workload(conditions=[refused])
    assert ("quotas", "shop") in asked(body, Surroundings())
    quota = {
        "metadata": {"name": "compute"},
        "status": {"hard": {"pods": "10"}, "used": {"pods": "9"}},
    }
    [found] = told(body, Surroundings().list("quotas", "shop", quota))
    assert found.evidence[1].text == "pods: 9 / 10"


def test_the_limit_range_stands_beside_its_refusal() -> None:
    refused = condition("ReplicaFailure", "True", "FailedCreate", PODS + REFUSALS[2][0])
    body = workload(conditions=[refused])
    assert ("limits", "shop") in asked(body, Surroundings())
    limits = [{"type": "Container", "max": {"cpu": "1", "memory": "1Gi"}, "min": {"cpu": "10m"}}]
    limit = {"metadata": {"name": "small"}, "spec": {"limits": limits}}
    [found] = told(body, Surroundings().list("limits", "shop", limit))
    assert found.evidence[1].place == "LimitRange small spec.limits"
    assert found.evidence[1].text == "Container min cpu=10m; Container max cpu=1, memory=1Gi"


def test_a_rollout_that_is_on_its_way_has_no_cause() -> None:
    body = workload(conditions=[condition("Available", "False", "MinimumReplicasUnavailable")])
    young = {"conditions": [condition("Ready", "False", "ContainersNotReady", ago=0.5)]}
    pods = [pod(waiting("ContainerCreating"), phase="Pending", status=young)]
    assert codes(body, Surroundings().list("pods", "Deployment/web", *pods)) == []
    assert codes(body, Surroundings().list("pods", "Deployment/web")) == ["unclear"]


def test_a_refusal_is_past_once_pods_were_made() -> None:
    said = [
        of_web(
            "FailedCreate",
            f"Error creating: {PODS}exceeded quota: c, requested: pods=1, used: pods=2, limited: pods=2",
            "StatefulSet",
            ago=9,
        ),
        of_web(
            "SuccessfulCreate",
            "create Pod web-0 in StatefulSet web successful",
            "StatefulSet",
            ago=1,
            warning=False,
        ),
    ]
    assert "quota_exceeded" not in codes(workload("StatefulSet", replicas=1), Surroundings(*said))
    said[0]["lastTimestamp"] = at(20)
    assert codes(workload("StatefulSet", replicas=2, readyReplicas=2), Surroundings(said[0])) == []


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("DeadlineExceeded", "Job was active longer than specified deadline", "job_deadline"),
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit", "job_backoff_limit"),
        ("PodFailurePolicy", "Container app for pod shop/web-x failed with exit code 42 matching FailJob rule at index 0", "job_failure_policy"),
        ("FailedIndexes", "Job has failed indexes", "job_failed_indexes"),
        ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes", "job_failed_indexes"),
        ("New", "unheard of", "job_failed"),
    ],
)  # fmt: skip
def test_a_job_that_failed(reason: str, message: str, code: str) -> None:
    failed = [
        condition("FailureTarget", "True", reason, message),
        condition("Failed", "True", reason, message),
    ]
    [found] = told(workload("Job", {"backoffLimit": 2}, failed, failed=3))
    assert found.code == code
    assert found.since > 0


def test_a_rollout_that_makes_no_progress() -> None:
    late = condition(
        "Progressing",
        "False",
        "ProgressDeadlineExceeded",
        'ReplicaSet "web-7d4b9c6f5" has timed out progressing.',
    )
    body = workload(spec={"progressDeadlineSeconds": 300}, conditions=[late])
    [found] = told(body)
    assert (found.code, found.facts["deadline"]) == ("rollout_deadline", "300")


def test_what_stands_still_on_purpose() -> None:
    assert codes(workload(spec={"paused": True})) == ["rollout_paused"]
    [found] = told(workload("Job", {"suspend": True}))
    assert (found.code, found.what) == ("suspended", "Job web is suspended: it starts nothing.")
    assert codes(workload("CronJob", {"suspend": True, "schedule": "* * * * *"})) == ["suspended"]


@pytest.mark.parametrize(
    ("reason", "message", "code"),
    [
        ("MissSchedule", "Missed scheduled time to start a job: Sat, 28 Nov 2026 11:00:00 +0000", "cron_missed"),
        ("TooManyMissedTimes", "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew", "cron_missed"),
        ("UnparseableSchedule", 'unparseable schedule: "* * *" : expected exactly 5 fields', "cron_schedule"),
        ("UnknownTimeZone", 'invalid timeZone: "Mars": unknown time zone Mars', "cron_schedule"),
        ("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid", "cron_still_running"),
        ("FailedCreate", 'Error creating job: jobs.batch "web-29" is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1, used: count/jobs.batch=5, limited: count/jobs.batch=5', "quota_exceeded"),
    ],
)  # fmt: skip
def test_a_cron_job_that_does_not_start(reason: str, message: str, code: str) -> None:
    body = workload(
        "CronJob", {"schedule": "* * * * *"}, active=[{"kind": "Job", "name": "web-28"}]
    )
    assert codes(body, Surroundings(of_web(reason, message, "CronJob"))) == [code]
    since = of_web("SuccessfulCreate", "Created job web-29", "CronJob", ago=0.5, warning=False)
    assert codes(body, Surroundings(of_web(reason, message, "CronJob", ago=20), since)) == []


def test_the_newest_job_of_a_cron_job_and_its_pod_tell_why() -> None:
    body = workload("CronJob", {"schedule": "* * * * *"})
    around = Surroundings()
    assert ("jobs", "CronJob/web") in asked(body, around)
    failed = condition(
        "Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    )
    job = workload("Job", conditions=[failed], failed=3)
    job["metadata"] |= {
        "name": "web-29",
        "ownerReferences": [{"kind": "CronJob", "name": "web", "uid": "w1"}],
    }
    other = workload("Job", conditions=[failed], failed=3)
    other["metadata"] |= {"name": "other", "creationTimestamp": at(1)}
    around.list("jobs", "CronJob/web", other, job)
    assert ("pods", "Job/web-29") in asked(body, around)
    around.list("pods", "Job/web-29", pod(looping(3), phase="Failed"))
    assert [(each.code, each.kind) for each in told(body, around)] == [
        ("exit_code", "Pod"),
        ("job_backoff_limit", "Job"),
    ]


def test_a_deployment_is_explained_by_its_pods_one_of_each_trouble() -> None:
    body = workload(replicas=4, readyReplicas=1, updatedReplicas=2)
    around = Surroundings()
    assert asked(body, around) == [("events", "Deployment/web"), ("pods", "Deployment/web")]
    pods = [
        pod(looping(1), meta={"name": "old", "creationTimestamp": at(50)}),
        pod(looping(1), meta={"name": "new", "creationTimestamp": at(5)}),
        pod(waiting("ErrImagePull", "manifest unknown"), phase="Pending", meta={"name": "third"}),
        pod(running(ready=True), status={"conditions": [condition("Ready", "True")]}),
    ]
    around.list("pods", "Deployment/web", *pods)
    assert asked(body, around) == [
        ("events", "Deployment/web"), ("events", "Pod/third"), ("events", "Pod/new"),
    ]  # fmt: skip
    found = told(body, around)
    assert [(each.code, each.name) for each in found] == [
        ("image_not_found", "third"),
        ("exit_code", "new"),
    ]
    assert [each.pods for each in found] == [1, 2]


def test_in_what_the_template_of_a_pod_stands() -> None:
    def owned(kind: str, name: str, **labels: str) -> Any:
        references = [{"kind": kind, "name": name, "uid": "o", "controller": True}]
        meta = {"ownerReferences": references, "labels": labels}
        return owner(read(json.dumps(pod(meta=meta)).encode()).meta)

    hashed = {"pod-template-hash": "7d4b9c6f5"}
    assert owned("ReplicaSet", "web-7d4b9c6f5", **hashed) == ("Deployment", "shop", "web")
    assert owned("ReplicaSet", "web") == ("ReplicaSet", "shop", "web")
    assert owned("StatefulSet", "db", **hashed) == ("StatefulSet", "shop", "db")
    assert owner(read(json.dumps(pod()).encode()).meta).kind == ""


def test_a_workload_that_is_well_needs_no_pods() -> None:
    body = workload(replicas=2, readyReplicas=2, updatedReplicas=2)
    assert asked(body) == [("events", "Deployment/web")]
    assert codes(body) == []
    done = workload("Job", conditions=[condition("Complete", "True")], succeeded=1, failed=2)
    assert asked(done) == [("events", "Job/web")]
    assert codes(done) == []


def test_a_selector_is_written_as_the_api_takes_it() -> None:
    rules = [
        {"key": "tier", "operator": "In", "values": ["a", "b"]},
        {"key": "old", "operator": "DoesNotExist"},
    ]
    body = workload(spec={"selector": {"matchLabels": {"app": "web"}, "matchExpressions": rules}})
    [question] = [
        each
        for each in wanted(read(json.dumps(body).encode()), Surroundings())
        if each.part == "pods"
    ]
    assert (
        question.path
        == "/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb%2Ctier+in+%28a%2Cb%29%2C%21old&limit=500"
    )
