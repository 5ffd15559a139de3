"""The causes of real troubles, asked of a real API server, scheduler and controllers."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity
from clusters.kube.why import ask
from testbed.api import ApiError
from testbed.cluster import Cluster
from testbed.waiting import wait_until

pytestmark = pytest.mark.cluster

Ask = Callable[[str, str], ask.Why]
LABELS = {"app": "web"}


@pytest.fixture
def told(connection: Connection) -> Iterator[Ask]:
    """Asks until this code is among the causes of what is at the path."""
    with Client(connection, SERVICE_ACCOUNT) as client:

        def until(path: str, code: str) -> ask.Why:
            found: list[ask.Why] = []

            def there() -> bool:
                found[:] = [ask.why(client, path)]
                return code in {each.code for each in found[0].causes}

            wait_until(there, f"the cause {code}", timeout=30)
            return found[0]

        yield until


def spec(**more: Any) -> dict[str, Any]:
    """The spec of a pod, with this in its container."""
    container = {"name": "app", "image": "registry.example.com/web:1", **more}
    return {"containers": [container], "automountServiceAccountToken": False}


def deployment(labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": LABELS | (labels or {})}, "spec": spec(**more)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
    }


def pod(**more: Any) -> dict[str, Any]:
    meta = {"name": "web-1", "labels": LABELS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec(**more)}


def test_a_crash_loop_is_told_of_its_deployment(
    cluster: Cluster, namespace: str, told: Ask
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    limits = {"limits": {"memory": "64Mi"}}
    labels = {"testbed.mcm/behaviour": "crash-loop"}
    cluster.api.post(path, deployment(labels, resources=limits))
    why = told(f"{path}/web", "out_of_memory")
    found = why.causes[0]
    assert (found.kind, found.container, found.facts["limit"]) == ("Pod", "app", "64Mi")
    assert (why.kind, why.name, why.unknown) == ("Deployment", "web", ())
    pod_path = f"/api/v1/namespaces/{namespace}/pods/{found.name}"
    of_pod = told(pod_path, "out_of_memory")
    assert (of_pod.owner_kind, of_pod.owner_name) == ("Deployment", "web")
    assert (found.pods, of_pod.causes[0].pods) == (1, 0)


def test_a_pod_that_asks_for_more_than_any_node_has(
    cluster: Cluster, namespace: str, told: Ask
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    cluster.api.post(path, pod(resources={"requests": {"cpu": "1000"}}))
    why = told(f"{path}/web-1", "pending_too_large")
    found = why.causes[0]
    assert (found.facts["asked"], found.facts["whole"]) == ("1000", "64")
    assert found.evidence[0].source in {"condition", "event"}  # the event may be there first
    assert "Insufficient cpu" in found.evidence[0].text


def test_a_claim_without_a_class_and_the_pod_that_waits_for_it(
    cluster: Cluster, namespace: str, told: Ask
) -> None:
    start = f"/api/v1/namespaces/{namespace}"
    cluster.api.post(
        f"{start}/persistentvolumeclaims",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
    )
    waits = pod()
    waits["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]
    cluster.api.post(f"{start}/pods", waits)
    why = told(f"{start}/pods/web-1", "pvc_no_class")
    assert [each.code for each in why.causes] == ["pvc_no_class", "pending_pvc"]
    assert told(f"{start}/persistentvolumeclaims/data", "pvc_no_class").kind == (
        "PersistentVolumeClaim"
    )


def test_a_quota_that_is_used_up(cluster: Cluster, namespace: str, told: Ask) -> None:
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "0"}}}
    made = {"apiVersion": "v1", "kind": "ResourceQuota", **quota}
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    cluster.api.post(quotas, made)
    wait_until(
        lambda: "hard" in cluster.api.get(f"{quotas}/few").get("status", {}),
        "the quota",
        timeout=20,
    )
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    cluster.api.post(path, deployment())
    found = told(f"{path}/web", "quota_exceeded").causes[0]
    assert found.facts | {"requested": "pods=1", "limited": "pods=0"} == found.facts
    assert found.evidence[1].text == "pods: 0 / 0"


def test_a_namespace_that_forbids_such_pods(cluster: Cluster, namespace: str, told: Ask) -> None:
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.api.patch(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": label}})
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    cluster.api.post(path, deployment())
    found = told(f"{path}/web", "pod_security").causes[0]
    assert found.facts["level"] == "restricted:latest"
    assert found.facts["detail"].startswith("allowPrivilegeEscalation != false")


def test_a_limit_range_that_a_job_breaks(cluster: Cluster, namespace: str, told: Ask) -> None:
    limit = {"type": "Container", "max": {"memory": "32Mi"}}
    made = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"},
            "spec": {"limits": [limit]}}  # fmt: skip
    cluster.api.post(f"/api/v1/namespaces/{namespace}/limitranges", made)
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    template = {"spec": spec(resources={"limits": {"memory": "1Gi"}}) | {"restartPolicy": "Never"}}
    cluster.api.post(path, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "web"},
                            "spec": {"template": template}})  # fmt: skip
    found = told(f"{path}/web", "limit_range_above").causes[0]
    assert (found.facts["bound"], found.facts["value"]) == ("32Mi", "1Gi")


def test_a_finalizer_that_keeps_a_config_map(cluster: Cluster, namespace: str, told: Ask) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    meta = {"name": "kept", "finalizers": ["example.com/cleanup"]}
    cluster.api.post(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    cluster.api.delete(f"{path}/kept")
    found = told(f"{path}/kept", "deletion_finalizer").causes[0]
    assert found.facts["finalizers"] == "example.com/cleanup"
    cluster.api.patch(f"{path}/kept", {"metadata": {"finalizers": []}})


def test_the_budget_that_refuses_an_eviction(
    cluster: Cluster, connection: Connection, namespace: str
) -> None:
    start = f"/api/v1/namespaces/{namespace}/pods"
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    cluster.api.post(path, deployment())
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    budget = {"minAvailable": 1, "selector": {"matchLabels": LABELS}}
    cluster.api.post(budgets, {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                               "metadata": {"name": "keep"}, "spec": budget})  # fmt: skip

    def seen() -> bool:
        status = cluster.api.get(f"{budgets}/keep").get("status", {})
        return bool(status.get("currentHealthy") == 1)

    wait_until(seen, "the budget", timeout=30)
    name = cluster.api.get(start)["items"][0]["metadata"]["name"]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    with pytest.raises(ApiError) as refused:
        cluster.api.post(f"{start}/{name}/eviction", eviction)
    with Client(connection, SERVICE_ACCOUNT) as client:
        [found] = ask.eviction(client, namespace, name, str(refused.value))
        assert (found.code, found.facts["budget"]) == ("budget_never_allows", "keep")
        with pytest.raises(errors.NotFound):
            ask.eviction(client, namespace, "../x", "")


@pytest.fixture
def reader(cluster: Cluster, namespace: str) -> Identity:
    """May read pods of one namespace, and neither its events nor any node."""
    name = f"mcm:{namespace}"
    start = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    group = "rbac.authorization.k8s.io"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    made = {"apiVersion": f"{group}/v1", "metadata": {"name": "reader"}}
    cluster.api.post(f"{start}/roles", {**made, "kind": "Role", "rules": rules})
    role = {"kind": "Role", "name": "reader", "apiGroup": group}
    subjects = [{"kind": "User", "name": name, "apiGroup": group}]
    body = {**made, "kind": "RoleBinding", "roleRef": role, "subjects": subjects}
    cluster.api.post(f"{start}/rolebindings", body)
    return Identity(name)


def test_what_a_person_may_not_read_is_told_as_not_known(
    cluster: Cluster, connection: Connection, namespace: str, told: Ask, reader: Identity
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    cluster.api.post(path, pod(resources={"requests": {"cpu": "1000"}}))
    told(f"{path}/web-1", "pending_too_large")
    with Client(connection, reader) as client:
        why = ask.why(client, f"{path}/web-1")
    assert [each.code for each in why.causes] == ["pending_resources"]
    assert why.causes[0].what.endswith("too little cpu free: the pod asks for 1000.")
    assert [(each.part, each.code) for each in why.unknown] == [
        ("events", "forbidden"), ("nodes", "forbidden"), ("requested", "forbidden"),
    ]  # fmt: skip
    assert "cannot list resource" in why.unknown[0].reason
    with Client(connection, Identity("mcm:nobody")) as client, pytest.raises(errors.Forbidden):
        ask.why(client, f"{path}/web-1")


def test_a_cluster_that_hangs_takes_no_longer_than_it_may(black_hole: int) -> None:
    made = Connection(server=f"https://127.0.0.1:{black_hole}", token="x")
    body = json.dumps(pod() | {"status": {"phase": "Running"}}).encode()
    begun = time.monotonic()
    with Client(made, SERVICE_ACCOUNT, deadline=60) as client:
        why = ask.why(client, "/api/v1/namespaces/a/pods/b", seconds=0.5, body=body)
        with pytest.raises(errors.TimedOut):
            ask.why(client, "/api/v1/namespaces/a/pods/b", seconds=0.5)
    assert time.monotonic() - begun < 5
    assert [(each.part, each.code) for each in why.unknown] == [("events", "timed_out")]
