"""What goes wrong against a real API server: killed, cancelled, refused, unreachable, greedy."""

import io
import os
import signal
import socket
import tarfile
import tempfile
import time
from pathlib import Path

import msgspec
import pytest

from clusters.kube import kubeconfig, policy
from clusters.kube.types import Connection, Identity
from deployments.helm import (
    ClusterUnreachable,
    Helm,
    HelmCancelled,
    HelmFailed,
    HelmKilled,
    Install,
    NotPermitted,
    OperationInProgress,
    Program,
    Upgrade,
    objects,
    replies,
)
from deployments.helm.runner import Limits
from deployments.helm.workspace import PREFIX
from testbed.cluster import Cluster
from tests.helm.archives import chart
from tests.helm.releases import DEMO, NOWHERE, children, installed

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("nothing_left")]

MARKER = "hunter2-in-values"


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
    spec = Install(namespace, "web", DEMO, wait=False)
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


def test_an_address_that_is_not_allowed_is_not_asked(
    connection: Connection, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm = Helm(connection, program=program)
    monkeypatch.setattr(policy, "_rules", ())  # Helm connects by itself: asked right before
    with pytest.raises(ClusterUnreachable, match="MCM_CLUSTER_ADDRESSES"):
        helm.list()


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


def test_a_time_that_is_over_before_helm_looked_says_so() -> None:
    said = replies.error_text(("Error: INSTALLATION FAILED: context deadline exceeded",))
    assert said == "context deadline exceeded (before anything was seen to be ready)"
