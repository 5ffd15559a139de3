"""One real cluster, shared by the tests of this file and more."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import bulk
from testbed.api import Json
from testbed.cluster import Cluster
from testbed.identities import UnknownUser
from testbed.waiting import wait_until
from testbed.workloads import BEHAVIOUR

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of this file alone: its tests break it."""
    cluster = Cluster("own", tmp_path_factory.mktemp("own"))
    cluster.start()
    yield cluster
    cluster.stop()


def kubectl(kubeconfig: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = ["kubectl", f"--kubeconfig={kubeconfig}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def deployment(behaviour: str | None = None) -> Json:
    labels = {"app": "web"} | ({BEHAVIOUR: behaviour} if behaviour else {})
    containers = [{"name": "web", "image": "registry.example.com/web:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": spec,
    }


def apply(cluster: Cluster, namespace: str, manifest: Json) -> None:
    manifest["metadata"]["namespace"] = namespace
    cluster.api.apply(manifest)


def pods(cluster: Cluster, namespace: str) -> list[Json]:
    return list(cluster.api.items(f"/api/v1/namespaces/{namespace}/pods"))


def test_kubectl_sees_the_nodes(cluster: Cluster) -> None:
    reply = kubectl(cluster.kubeconfig_path, "get", "nodes", "-o", "json")
    assert len(json.loads(reply.stdout)["items"]) == 3
    assert cluster.kubeconfig_path.stat().st_mode & 0o777 == 0o600
    assert json.loads(cluster.kubeconfig)["current-context"] == "test"


def test_pods_of_a_deployment_run_log_and_execute(cluster: Cluster, namespace: str) -> None:
    apply(cluster, namespace, deployment())
    wait_until(
        lambda: [pod["status"]["phase"] for pod in pods(cluster, namespace)] == ["Running"] * 2,
        "two pods",
        timeout=30,
    )
    in_namespace = ("-n", namespace, "deploy/web")
    logs = kubectl(cluster.kubeconfig_path, "logs", "--tail=2", *in_namespace)
    assert len(logs.stdout.splitlines()) == 2
    said = kubectl(cluster.kubeconfig_path, "exec", *in_namespace, "--", "echo", "hello")
    assert said.stdout == "hello\n"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("crash-loop", "CrashLoopBackOff"),
        ("crash-error", "CrashLoopBackOff"),
        ("image-pull", "ImagePullBackOff"),
    ],
)
def test_a_behaviour_is_shown_and_stays(
    cluster: Cluster, namespace: str, behaviour: str, reason: str
) -> None:
    def reasons() -> list[str]:
        statuses = [pod["status"].get("containerStatuses") for pod in pods(cluster, namespace)]
        return [found[0]["state"]["waiting"]["reason"] for found in statuses if found]

    apply(cluster, namespace, deployment(behaviour))
    wait_until(lambda: reasons() == [reason] * 2, behaviour, timeout=30)
    before = {pod["metadata"]["resourceVersion"] for pod in pods(cluster, namespace)}
    kubectl(cluster.kubeconfig_path, "version")
    assert before == {pod["metadata"]["resourceVersion"] for pod in pods(cluster, namespace)}


def test_bulk_pods_run_and_go(cluster: Cluster, namespace: str) -> None:
    bulk.make_pods(cluster, 40, namespace)
    assert {pod["status"]["phase"] for pod in pods(cluster, namespace)} == {"Running"}
    bulk.delete_pods(cluster, namespace)
    assert pods(cluster, namespace) == []


def test_a_token_user_has_no_rights_until_bound(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "limited.yaml"
    kubeconfig.write_text(cluster.token_kubeconfig("limited", ["testbed:limited"]))
    get_pods = ("get", "pods", "-n", namespace)
    assert "Forbidden" in kubectl(kubeconfig, *get_pods).stderr
    bind = ("create", "rolebinding", "see", "--clusterrole=view", "--group=testbed:limited")
    kubectl(cluster.kubeconfig_path, *bind, "-n", namespace)
    wait_until(lambda: kubectl(kubeconfig, *get_pods).returncode == 0, "rights", timeout=10)


def test_an_unknown_token_user_is_refused(cluster: Cluster) -> None:
    with pytest.raises(UnknownUser, match="stranger"):
        cluster.token_kubeconfig("stranger")


def test_audit_names_user_and_impersonated_user(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "boss.yaml"
    kubeconfig.write_text(cluster.certificate_kubeconfig("boss", ["system:masters"]))
    kubectl(kubeconfig, "get", "pods", "-n", namespace, "--as=mcm:ann", "--as-group=mcm:team:a")

    def seen() -> bool:
        return any(
            event["user"]["username"] == "boss"
            and event.get("impersonatedUser", {}).get("username") == "mcm:ann"
            and event["verb"] == "list"
            and event["objectRef"]["namespace"] == namespace
            for event in cluster.audit()
            if "objectRef" in event
        )

    wait_until(seen, "the audit event", timeout=10)


def test_a_paused_server_accepts_and_never_answers(own: Cluster) -> None:
    own.pause()
    try:
        assert not own.ready()
        command = ("get", "--raw=/livez", "--request-timeout=1s")
        said = kubectl(own.kubeconfig_path, *command).stderr
        # kubectl's words depend on which of its own clocks is first.
        assert "Timeout exceeded" in said or "deadline exceeded" in said
    finally:
        own.resume()
    wait_until(own.ready, "the resumed server", timeout=10)


def test_a_killed_server_stays_down_until_restart(own: Cluster) -> None:
    uid = own.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]
    own.kill()
    assert not own.ready()
    assert "refused" in kubectl(own.kubeconfig_path, "get", "--raw=/livez").stderr
    own.restart()
    assert own.ready()
    assert own.api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"] == uid
