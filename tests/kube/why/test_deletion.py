"""What is being deleted and does not go."""

from typing import Any

import pytest

from tests.kube.why.around import (
    Surroundings,
    asked,
    at,
    codes,
    condition,
    event,
    node,
    pod,
    running,
    told,
)


def deleted(body: Any, *finalizers: str, ago: float = 10) -> Any:
    """The object, whose deletion was to be over so many minutes ago."""
    body["metadata"] |= {"deletionTimestamp": at(ago), "deletionGracePeriodSeconds": 30}
    if finalizers:
        body["metadata"]["finalizers"] = list(finalizers)
    return body


def thing(kind: str = "Widget", group: str = "example.com/v1", **more: Any) -> Any:
    meta = {"name": "web", "namespace": "shop", "uid": "u", "creationTimestamp": at(60)}
    return {"apiVersion": group, "kind": kind, "metadata": meta, **more}


def test_a_finalizer_of_somebody() -> None:
    [found] = told(deleted(thing(), "widgets.example.com/cleanup"))
    assert found.code == "deletion_finalizer"
    assert found.what.startswith(
        "Widget web is being deleted and waits for the finalizer widgets.example.com/cleanup"
    )
    assert found.evidence[0].text == at(10)
    assert found.since == found.evidence[0].since > 0


@pytest.mark.parametrize(
    ("kind", "group", "finalizer", "code"),
    [
        ("Deployment", "apps/v1", "foregroundDeletion", "deletion_foreground"),
        ("PersistentVolumeClaim", "v1", "kubernetes.io/pvc-protection", "deletion_pvc_in_use"),
        ("PersistentVolume", "v1", "kubernetes.io/pv-protection", "deletion_pv_in_use"),
        ("Service", "v1", "service.kubernetes.io/load-balancer-cleanup", "deletion_load_balancer"),
    ],
)
def test_the_finalizers_of_kubernetes_itself(
    kind: str, group: str, finalizer: str, code: str
) -> None:
    assert codes(deleted(thing(kind, group), finalizer)) == [code]


def test_the_pods_that_hold_a_claim_are_named() -> None:
    body = deleted(thing("PersistentVolumeClaim", "v1"), "kubernetes.io/pvc-protection")
    around = Surroundings()
    name = "PersistentVolumeClaim/web"
    assert ("pods", name) in asked(body, around)
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "web"}}]
    mine = pod(running(), spec={"volumes": volumes}, meta={"name": "db-0"})
    around.list("pods", name, mine, pod(running(), meta={"name": "other"}))
    [found] = told(body, around)
    assert found.facts["users"] == "db-0"


def test_a_pod_on_a_node_that_does_not_answer() -> None:
    body = deleted(pod(running()))
    assert asked(body) == [("events", "Pod/web-1"), ("node", "n1")]
    around = Surroundings().object("node", "n1", node(ready="Unknown"))
    [found] = told(body, around)
    assert (found.code, found.facts["node"]) == ("deletion_node_unreachable", "n1")
    assert [each.source for each in found.evidence] == ["field", "condition"]
    assert codes(body, Surroundings().none("node", "n1")) == ["deletion_node_gone"]


def test_a_pod_that_the_node_cannot_stop() -> None:
    words = 'error killing pod: failed to "KillContainer" for "app" with KillContainerError: "rpc error: code = DeadlineExceeded"'
    around = Surroundings(event("FailedKillPod", words)).object("node", "n1", node())
    assert codes(deleted(pod(running())), around) == ["deletion_kill_failed"]


def test_a_pod_that_takes_its_time_and_one_that_is_late() -> None:
    around = Surroundings().object("node", "n1", node())
    assert codes(deleted(pod(running()), ago=-0.4), around) == []
    [found] = told(deleted(pod(running())), around)
    assert (found.code, found.facts["late"]) == ("deletion_slow", "600")


def test_a_pod_that_ended_and_is_kept_by_a_finalizer() -> None:
    body = deleted(pod(running(), phase="Succeeded"), "batch.kubernetes.io/job-tracking")
    assert codes(body) == ["deletion_finalizer"]


def namespace(*conditions: Any) -> Any:
    body = thing("Namespace", "v1", spec={"finalizers": ["kubernetes"]})
    body["status"] = {"phase": "Terminating", "conditions": list(conditions)}
    return deleted(body)


def test_what_keeps_a_namespace() -> None:
    left = "Some resources are remaining: widgets.example.com has 1 resource instances"
    kept = "Some content in the namespace has finalizers remaining: example.com/cleanup in 1 resource instances"
    found = told(
        namespace(
            condition("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
            condition("NamespaceContentRemaining", "True", "SomeResourcesRemain", left),
            condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", kept),
        )
    )  # fmt: skip
    assert [each.code for each in found] == [
        "deletion_namespace_finalizers",
        "deletion_namespace_content",
    ]
    assert found[0].facts["left"] == "example.com/cleanup in 1 resource instances"
    assert found[1].facts["left"] == "widgets.example.com has 1 resource instances"


def test_a_namespace_that_an_absent_api_keeps() -> None:
    words = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1"
    failed = condition("NamespaceDeletionDiscoveryFailure", "True", "DiscoveryFailed", words)
    assert codes(namespace(failed)) == ["deletion_namespace_discovery"]
    assert codes(namespace()) == ["deletion_finalizer"]


def test_what_is_not_being_deleted_has_no_cause() -> None:
    body = thing(metadata={"name": "web", "finalizers": ["a/b"], "creationTimestamp": at(60)})
    assert codes(body) == []
