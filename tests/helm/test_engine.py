"""Helm's verbs against a real API server, with Helm 3 and Helm 4."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from deployments.helm import (
    Helm,
    HelmFailed,
    HelmTimedOut,
    Install,
    InvalidName,
    Program,
    ReleaseExists,
    ReleaseNotFound,
    Upgrade,
    objects,
)
from testbed.cluster import Cluster
from tests.helm.archives import chart
from tests.helm.releases import DEMO, NOWHERE, installed

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("nothing_left")]


def of_helm(program: Program, tmp_path: Path) -> bytes:
    """Return the chart that `helm create` makes, with an image tag, as `helm package` packs it."""
    for words in ("create", "package"):
        environment = {"HOME": str(tmp_path), "PATH": os.defpath}
        subprocess.check_output([program.path, words, "made"], cwd=tmp_path, env=environment)
    return (tmp_path / "made-0.1.0.tgz").read_bytes()


def test_a_life_of_a_release(helm: Helm, program: Program, namespace: str, tmp_path: Path) -> None:
    made = of_helm(program, tmp_path)
    lines: list[str] = []
    release = helm.install(Install(namespace, "web", made, "replicaCount: 2\n"), lines.append)
    assert (release.revision, release.status) == (1, "deployed")
    assert (release.chart, release.chart_version, release.app_version) == (
        "made",
        "0.1.0",
        "1.16.0",
    )
    assert any("wait" in line for line in lines)
    assert any("Get the application URL" in line for line in lines)
    assert release == helm.status(namespace, "web")
    assert helm.values(namespace, "web") == "replicaCount: 2\n"
    assert "pullPolicy: IfNotPresent" in helm.values(namespace, "web", all=True)

    names = {(one.kind, one.name) for one in objects(helm.manifest(namespace, "web"))}
    assert {("Deployment", "web-made"), ("Service", "web-made")} <= names

    upgraded = helm.upgrade(Upgrade(namespace, "web", made, "replicaCount: 3\n"), lines.append)
    assert upgraded.revision == 2
    again = helm.rollback(namespace, "web", 1, on_line=lines.append)
    assert (again.revision, again.status) == (3, "deployed")
    assert helm.values(namespace, "web") == "replicaCount: 2\n"
    past = helm.history(namespace, "web")
    assert [one.status for one in past] == ["superseded", "superseded", "deployed"]
    assert past[-1].description == "Rollback to 1"

    helm.uninstall(namespace, "web", on_line=lines.append)
    assert helm.list(namespace=namespace) == []
    for verb in (helm.status, helm.values, helm.manifest, helm.history, helm.uninstall):
        with pytest.raises(ReleaseNotFound):
            verb(namespace, "web")


def test_the_list_agrees_with_the_program(
    helm: Helm, cluster: Cluster, namespace: str, program: Program, tmp_path: Path
) -> None:
    for number in range(3):
        installed(helm, namespace, f"web-{number}")
    with pytest.raises(HelmTimedOut):
        helm.install(Install(namespace, "failed", DEMO, NOWHERE, timeout=1))
    config = tmp_path / "config"
    config.write_text(cluster.kubeconfig)
    command = [
        str(program.path),
        "list",
        "-n",
        namespace,
        "-o",
        "json",
        "--kubeconfig",
        str(config),
    ]
    command += ["-a"] if program.major == 3 else []
    told = json.loads(subprocess.check_output(command, env={"HOME": str(tmp_path)}))
    found = helm.list(namespace=namespace)
    assert len(found) == 4
    assert [(one["name"], one["revision"], one["status"], one["chart"]) for one in told] == [
        (one.name, str(one.revision), one.status, f"{one.chart}-{one.chart_version}")
        for one in found
    ]
    assert {one.name for one in helm.list() if one.namespace == namespace} == {
        one.name for one in found
    }


def test_values_are_replaced_or_reused_as_asked(helm: Helm, namespace: str) -> None:
    installed(helm, namespace, values="replicas: 2\n")
    helm.upgrade(Upgrade(namespace, "web", DEMO, "password: x\n", wait=False, reuse_values=True))
    assert helm.values(namespace, "web") == "password: x\nreplicas: 2\n"
    helm.upgrade(Upgrade(namespace, "web", DEMO, "", wait=False))
    assert helm.values(namespace, "web") == ""


def test_an_install_that_never_gets_ready_fails_and_says_why(helm: Helm, namespace: str) -> None:
    with pytest.raises(HelmTimedOut, match="ready") as caught:
        helm.install(Install(namespace, "web", DEMO, NOWHERE, timeout=2))
    assert ".go:" not in caught.value.message
    assert helm.status(namespace, "web").status == "failed"


def test_atomic_goes_back(helm: Helm, namespace: str) -> None:
    installed(helm, namespace)
    with pytest.raises(HelmTimedOut, match="rolled back"):
        helm.upgrade(Upgrade(namespace, "web", DEMO, NOWHERE, timeout=5, atomic=True))
    assert helm.status(namespace, "web").status == "deployed"
    with pytest.raises(HelmTimedOut):
        helm.install(Install(namespace, "new", DEMO, NOWHERE, timeout=2, atomic=True))
    with pytest.raises(ReleaseNotFound):
        helm.status(namespace, "new")


def test_helms_refusals_have_their_own_errors(helm: Helm, namespace: str) -> None:
    installed(helm, namespace)
    with pytest.raises(ReleaseExists):
        installed(helm, namespace)
    with pytest.raises(ReleaseNotFound):
        helm.upgrade(Upgrade(namespace, "none", DEMO))
    with pytest.raises(ReleaseNotFound):
        helm.rollback(namespace, "web", 7)
    with pytest.raises(InvalidName):
        helm.status(namespace, "--kube-token=x")
    broken = chart({"templates/a.yaml": '{{ fail "release: not found" }}'})
    with pytest.raises(HelmFailed) as caught:
        helm.install(Install(namespace, "broken", broken))
    assert caught.value.code == "template_failed"
    strict = chart({"values.schema.json": '{"required": ["size"]}'})
    with pytest.raises(HelmFailed) as caught:
        helm.template(Install(namespace, "strict", strict))
    assert caught.value.code == "values_refused"
    assert "size" in caught.value.message
