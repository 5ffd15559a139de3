"""Helm's verbs against a real API server, with Helm 3 and Helm 4."""

import io
import json
import os
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from clusters.kube import kubeconfig
from clusters.kube.types import Connection, Identity
from deployments.helm import (
    ClusterUnreachable,
    Helm,
    HelmCancelled,
    HelmFailed,
    HelmKilled,
    HelmTimedOut,
    Install,
    InvalidName,
    NotPermitted,
    OperationInProgress,
    Program,
    ReleaseExists,
    ReleaseNotFound,
    Upgrade,
    objects,
)
from deployments.helm.runner import Limits
from deployments.helm.workspace import PREFIX
from testbed.cluster import Cluster
from tests.helm.archives import DEPLOYMENT, chart

pytestmark = [pytest.mark.cluster]

DEMO = chart(DEPLOYMENT)
NOWHERE = "nodeSelector: {no: where}\n"  # its pod stays Pending
MARKER = "hunter2-in-values"


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test leaves no folder and no process."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.glob(f"{PREFIX}*")) == []
    assert children() == []


def children() -> list[Path]:
    """Return the living processes that work in a folder of the adapter."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
            if (
                int(ours) == os.getpid()
                and b"chart.tgz" in process.joinpath("cmdline").read_bytes()
            ):
                found.append(process)
        except OSError:
            continue
    return found


def installed(helm: Helm, namespace: str, name: str = "web", values: str = "") -> None:
    """Install the demo without waiting."""
    helm.install(Install(namespace, name, DEMO, values, wait=False, create_namespace=False))


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


def test_cancel_ends_helm_and_marks_the_release(helm: Helm, namespace: str) -> None:
    lines: list[str] = []
    start = time.monotonic()
    with pytest.raises(HelmCancelled):
        helm.install(
            Install(namespace, "web", DEMO, NOWHERE, timeout=60),
            lines.append,
            cancelled=lambda: any("wait" in line for line in lines),
        )
    assert time.monotonic() - start < 8
    assert children() == []
    assert helm.status(namespace, "web").status == "failed"


@pytest.mark.parametrize("first", [True, False], ids=["install", "upgrade"])
def test_a_killed_helm_leaves_a_lock_that_repair_opens(
    helm: Helm, namespace: str, first: bool
) -> None:
    def kill(line: str) -> None:
        if "wait" in line:
            for process in children():
                os.kill(int(process.name), signal.SIGKILL)

    if not first:
        installed(helm, namespace, values="replicas: 2\n")
        with pytest.raises(HelmKilled, match="SIGKILL"):
            helm.upgrade(Upgrade(namespace, "web", DEMO, NOWHERE), kill)
    else:
        with pytest.raises(HelmKilled, match="SIGKILL"):
            helm.install(Install(namespace, "web", DEMO, NOWHERE), kill)
    assert helm.status(namespace, "web").pending
    with pytest.raises((OperationInProgress, HelmFailed)):
        helm.upgrade(Upgrade(namespace, "web", DEMO, wait=False))
    repaired = helm.repair(namespace, "web")
    if first:
        assert repaired is None
        installed(helm, namespace)
    else:
        assert repaired is not None
        assert (repaired.status, repaired.revision) == ("deployed", 3)
        assert helm.values(namespace, "web") == "replicas: 2\n"
        assert helm.repair(namespace, "web") == repaired
    assert helm.upgrade(Upgrade(namespace, "web", DEMO, wait=False)).status == "deployed"


def test_no_secret_is_seen_from_outside(
    helm: Helm,
    connection: Connection,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", MARKER)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    lines: list[str] = []
    seen: list[bytes] = []
    modes: set[int] = set()

    def look() -> bool:
        for process in children():
            seen.append(process.joinpath("cmdline").read_bytes())
            seen.append(process.joinpath("environ").read_bytes())
        for folder in tmp_path.glob(f"{PREFIX}*"):
            modes.add(folder.stat().st_mode & 0o77)
            ours = [folder / name for name in ("kubeconfig", "values.yaml", "chart.tgz")]
            modes.update(one.stat().st_mode & 0o77 for one in ours if one.exists())
        return any("wait" in line for line in lines) and len(seen) > 4

    with pytest.raises(HelmCancelled):
        helm.install(
            Install(namespace, "web", DEMO, f"password: {MARKER}\n{NOWHERE}"), lines.append, look
        )
    key = (connection.key or connection.token or "").strip()
    everything = b"\n".join(seen) + "\n".join(lines).encode()
    assert seen
    assert MARKER.encode() not in everything
    assert key.splitlines()[1].encode() not in everything
    assert b"PROXY" not in everything
    assert modes == {0}
    assert MARKER in helm.manifest(namespace, "web")


def test_the_person_s_rights_decide(
    connection: Connection, cluster: Cluster, program: Program, namespace: str
) -> None:
    name = f"mcm:{namespace}"
    person = Helm(connection, Identity(name, ("mcm:team:a:operator",)), program=program)
    spec = Install(namespace, "web", DEMO, wait=False, create_namespace=False)
    with pytest.raises(NotPermitted, match=name):
        person.install(spec)
    group = "rbac.authorization.k8s.io"
    cluster.api.create_missing(
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "person", "namespace": namespace},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "admin"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
        }
    )
    assert person.install(spec).status == "deployed"
    assert [one.name for one in person.list(namespace=namespace)] == ["web"]
    with pytest.raises(NotPermitted):
        person.list()


def test_a_wrong_token_is_not_a_dead_cluster(connection: Connection, program: Program) -> None:
    stranger = msgspec.structs.replace(connection, token="wrong", certificate=None, key=None)
    with pytest.raises(NotPermitted) as caught:
        Helm(stranger, program=program).list()
    assert caught.value.code == "unauthorized"


def test_a_dead_cluster_is_said(connection: Connection, program: Program) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{closed.getsockname()[1]}"
        gone = Helm(msgspec.structs.replace(connection, server=server), program=program)
        with pytest.raises(ClusterUnreachable):
            gone.list()
        with pytest.raises(ClusterUnreachable):
            gone.install(Install("default", "web", DEMO))
        assert "kind: Deployment" in gone.template(Install("x", "web", DEMO), server=False)


def test_a_silent_cluster_is_said_in_time(connection: Connection, program: Program) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        server = f"https://127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(ClusterUnreachable):
            Helm(msgspec.structs.replace(connection, server=server), program=program).list()
        assert time.monotonic() - start < 45


def test_a_chart_that_eats_memory_is_stopped(connection: Connection, program: Program) -> None:
    greedy = chart({"templates/a.yaml": '{{ repeat 2000000000 "x" }}'})
    helm = Helm(connection, program=program, limits=Limits(memory=1 << 30))
    with pytest.raises(HelmKilled, match="out of memory"):
        helm.template(Install("x", "web", greedy), server=False)


def test_a_chart_that_never_ends_is_stopped(connection: Connection, program: Program) -> None:
    endless = chart({"templates/a.yaml": "{{ range until 2000000000 }}{{ . }}{{ end }}"})
    helm = Helm(connection, program=program, limits=Limits(cpu_seconds=1))
    with pytest.raises(HelmKilled):
        helm.template(Install("x", "web", endless), server=False)


def test_no_room_for_temporary_files_is_said(
    helm: Helm, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(HelmFailed) as caught:
        helm.list(namespace=namespace)
    assert caught.value.code == "disk_full"


def test_an_unpacked_subchart_and_a_packed_one_are_installed(helm: Helm) -> None:
    sub = chart({"templates/a.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: inner}\n"})
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in (("demo/Chart.yaml", None), ("demo/charts/demo-1.2.3.tgz", sub)):
            content = text or b"apiVersion: v2\nname: outer\nversion: 1.0.0\n"
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    rendered = helm.template(Install("x", "web", data.getvalue()), server=False)
    assert [one.name for one in objects(rendered)] == ["inner"]


def test_connection_of_a_token(cluster: Cluster, program: Program, namespace: str) -> None:
    limited = kubeconfig.parse(cluster.token_kubeconfig("limited"))
    with pytest.raises(NotPermitted, match="limited"):
        Helm(limited, program=program).list()
