"""Installing with the real helm program on a real cluster, by the services and the executor."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from clusters.kube.types import Connection
from clusters.models import Cluster
from deployments import executor as helm
from deployments import services, store
from deployments.helm import Helm, Install, programs
from deployments.models import Chart, Release, ReleaseList
from deployments.services import InstallRequest
from operations import executor
from operations.models import Operation
from teams.models import AuditEvent, User
from testbed.api import ApiError
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.helm.archives import DEPLOYMENT, chart
from tests.helm.releases import DEMO, NOWHERE

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

MARKER = "planted-password"


def installed(wanted: InstallRequest, by: User) -> Operation:
    """The operation of an install, after it ran."""
    operation = services.request_install(wanted, by=by)
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    return operation


def log(operation: Operation) -> str:
    return "\n".join(operation.lines.values_list("text", flat=True))


def by_helm(cluster: RealCluster, namespace: str, folder: Path) -> list[tuple[str, str, str, str]]:
    """What the helm program itself says."""
    config = folder / "config"
    config.write_text(cluster.kubeconfig)
    program = programs.find("helm").path
    command = [str(program), "list", "-n", namespace, "-o", "json", "--kubeconfig", str(config)]
    environment = {"HOME": str(folder), "PATH": os.defpath}
    found = json.loads(subprocess.check_output(command, env=environment))
    return [(one["name"], one["revision"], one["status"], one["chart"]) for one in found]


def test_a_life_of_a_release(
    real: Cluster, deployer: User, demo: Chart, client: Client, cluster: RealCluster,
    namespace: str, tmp_path: Path,
) -> None:  # fmt: skip
    client.force_login(deployer)
    body = {
        "cluster": "real", "namespace": namespace, "name": "web", "chart": {"upload": str(demo.pk)},
        "values": f"replicas: 2\npassword: {MARKER}\n", "options": {"timeout": 120},
    }  # fmt: skip
    answer = client.post("/api/v1/releases", body, content_type="application/json")
    assert answer.status_code == 202
    operation = Operation.objects.get(pk=answer.json()["operation"]["id"])
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    assert (operation.status, operation.error) == ("succeeded", "")
    assert operation.result == {"revision": 1}
    assert "All workloads are ready." in log(operation)
    deployment = cluster.api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/web")
    assert deployment["status"]["readyReplicas"] == 2

    said = client.get("/api/v1/releases", {"cluster": "real", "namespace": namespace}).json()
    (release,) = said["releases"]
    told = (release["name"], str(release["revision"]), release["status"], "demo-1.2.3")
    assert by_helm(cluster, namespace, tmp_path) == [told]
    assert (release["chart"], release["chartVersion"], release["appVersion"]) == (
        "demo",
        "1.2.3",
        "9",
    )
    assert client.get(f"/api/v1/releases/{release['id']}").json() == release
    for shown in (log(operation), json.dumps(said), str(list(AuditEvent.objects.values()))):
        assert MARKER not in shown

    answer = client.delete(f"/api/v1/releases/{release['id']}")
    assert answer.status_code == 202
    executor.run(answer.json()["operation"]["id"])
    assert Operation.objects.get(pk=answer.json()["operation"]["id"]).status == "succeeded"
    assert by_helm(cluster, namespace, tmp_path) == []
    assert client.get(f"/api/v1/releases/{release['id']}").status_code == 404
    with pytest.raises(ApiError):
        cluster.api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/web")


def test_a_pod_that_never_gets_ready_fails_with_its_reason(
    real: Cluster, deployer: User, namespace: str
) -> None:
    label = "app: {{ .Release.Name }}"
    more = f"{label}, testbed.mcm/behaviour: crash-loop"
    template = DEPLOYMENT["templates/all.yaml"].replace(
        f"metadata: {{labels: {{{label}}}", f"metadata: {{labels: {{{more}}}"
    )
    assert "crash-loop" in template
    broken = services.upload_chart(
        chart({**DEPLOYMENT, "templates/all.yaml": template}), by=deployer
    )
    made = installed(InstallRequest(real, namespace, "web", broken, timeout=10), by=deployer)
    assert made.status == "failed"
    assert "CrashLoopBackOff" in made.error
    assert Release.objects.get(namespace=namespace).status == "failed"


def test_not_waiting_is_said_and_is_a_success(
    real: Cluster, deployer: User, demo: Chart, namespace: str
) -> None:
    made = installed(InstallRequest(real, namespace, "web", demo, NOWHERE, wait=False), by=deployer)
    assert made.status == "succeeded"
    assert "not waited for" in log(made)


def test_a_namespace_that_is_gone_is_made_again(
    real: Cluster, deployer: User, demo: Chart, cluster: RealCluster
) -> None:
    gone = f"test-gone-{os.getpid()}"
    factories.NamespaceFactory.create(cluster=real, name=gone)
    try:
        made = installed(InstallRequest(real, gone, "web", demo, wait=False), by=deployer)
        assert (made.status, made.error) == ("succeeded", "")
    finally:
        cluster.api.delete(f"/api/v1/namespaces/{gone}")


def test_installing_twice_is_refused_by_helm(
    real: Cluster, deployer: User, demo: Chart, namespace: str
) -> None:
    wanted = InstallRequest(real, namespace, "web", demo, wait=False)
    assert [installed(wanted, deployer).status for _ in range(2)] == ["succeeded", "failed"]


def test_a_new_namespace_is_created(
    real: Cluster, deployer: User, demo: Chart, namespace: str, cluster: RealCluster
) -> None:
    name = f"{namespace}-new"
    assert installed(InstallRequest(real, name, "web", demo), by=deployer).status == "succeeded"
    assert cluster.api.delete(f"/api/v1/namespaces/{name}")


def test_a_chart_that_is_gone_fails_the_operation(
    real: Cluster, deployer: User, demo: Chart, namespace: str
) -> None:
    operation = services.request_install(InstallRequest(real, namespace, "web", demo), by=deployer)
    demo.delete()
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    assert operation.error == "The uploaded chart is not there any more."


def test_a_release_made_by_hand_is_found_and_one_that_went_is_dropped(
    real: Cluster, namespace: str, told: Any
) -> None:
    gone = factories.ReleaseFactory.create(cluster=real, namespace=namespace, name="gone")
    program = Helm(real.connection)
    program.install(Install(namespace, "hand", DEMO, wait=False))
    with told() as messages:
        helm.refresh(real)
        helm.refresh(real)
    mine = Release.objects.filter(namespace=namespace)
    assert list(mine.values_list("name", "revision", "status")) == [("hand", 1, "deployed")]
    mentioned = [key for message in messages for key in message["keys"]]
    assert [str(gone.pk), namespace] in mentioned
    assert mentioned.count([str(mine.get().pk), namespace]) == 1


def test_an_unreachable_cluster_keeps_its_rows_with_the_reason(
    real: Cluster, deployer: User, namespace: str, client: Client, closed_port: int
) -> None:
    old = factories.ReleaseFactory.create(cluster=real, namespace=namespace, name="kept")
    real.connection = Connection(server=f"https://127.0.0.1:{closed_port}", token="planted")
    real.save()
    helm.refresh(real)
    assert list(Release.objects.filter(namespace=namespace)) == [old]
    error = ReleaseList.objects.get(cluster=real).error
    assert error
    assert "planted" not in error
    client.force_login(deployer)
    assert error[:20] in client.get("/releases/").content.decode()
    store.replace(real, [], store.now())
    assert ReleaseList.objects.get(cluster=real).error == ""
