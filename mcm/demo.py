"""The demo: three real clusters of the testbed, registered, watched and seen to run."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import yaml
from django.conf import settings
from django.db import connection
from django.db.models import F

from clusters.kube import manifest, policy
from clusters.kube.errors import KubeError
from clusters.models import Cluster, Environment, Freshness, Object, Status
from clusters.services import identity as identities
from clusters.services import registration as services
from clusters.services.checks import RegistrationFailed
from clusters.store import identity
from mcm import demo_people
from mcm.embedded import logs
from teams.models import User
from testbed.cluster import Cluster as RealCluster
from testbed.fleet import DEMO
from testbed.process import Ports
from testbed.specs import SPECS
from testbed.workloads import wanted

Say = Callable[[str], None]

_SETTLE_SECONDS = 120
# The API server's authorizer hears of new rules a moment later.
_HEARD_SECONDS = 10
_FEATURES = ("watch", "metrics", "secrets")


def allow_addresses(fleet: Path) -> None:
    """Lets this process, and those that it starts, connect to the demo's own API servers.

    Takes their ports: the fleet, which starts after this, uses the same ones.
    """
    ports = Ports.of(fleet).take([f"{name}.apiserver" for name in DEMO])
    rules = [f"127.0.0.1/32:{port}" for port in ports.values()]
    policy.use([*settings.CLUSTER_ADDRESSES, *map(policy.parse, rules)])
    given = os.environ.get("MCM_CLUSTER_ADDRESSES", "")
    os.environ["MCM_CLUSTER_ADDRESSES"] = ",".join(filter(None, [given, *rules]))


async def settle(fleet: Path, log: Path, written: int, say: Say) -> None:
    """Until the clusters are registered, active, and their healthy pods seen as Running.

    Then people are made where there is nobody yet, and the clusters are told who may act there.

    `log` is the fleet's own, `written` its length before this start.
    """
    async for line in _progress(log, written):
        say(f"fleet: {line}")
        if line == "fleet ready":
            break
    for line in await asyncio.to_thread(_register_all, fleet):
        say(line)
    deadline = time.monotonic() + _SETTLE_SECONDS
    while missing := await asyncio.to_thread(_missing):
        if time.monotonic() > deadline:
            say(f"The demo is not complete: {'; '.join(missing)}")
            return
        await asyncio.sleep(0.3)
    for line in await asyncio.to_thread(_welcome, fleet):
        say(line)
    say(f"Clusters {', '.join(DEMO)} are active and their healthy pods run")


async def _progress(log: Path, offset: int) -> AsyncIterator[str]:
    while True:
        lines, offset = logs.after(log, offset)
        for line in lines:
            yield line
        await asyncio.sleep(0.2)


def _register_all(fleet: Path) -> list[str]:
    """Registers what is not registered yet; one line for each that was or could not be."""
    said = []
    try:
        admin = _admin()
        known = set(Cluster.objects.values_list("name", flat=True))
        for name in DEMO:
            if name in known:
                continue
            registration = services.Registration(
                name=name,
                environment=Environment(SPECS[name].environment),
                region=SPECS[name].region,
                kubeconfig=_account(RealCluster(name, fleet)),
            )
            try:
                services.register(registration, by=admin)
                said.append(f"Registered the cluster {name}")
            except RegistrationFailed as error:
                said.append(f"The cluster {name} was not registered: {error}")
    finally:
        connection.close()
    return said


def _admin() -> User:
    return User.objects.filter(is_superuser=True, is_active=True).earliest("pk")


def _welcome(fleet: Path) -> list[str]:
    """Makes people for who is alone, and tells each cluster who may act there."""
    try:
        admin = _admin()
        is_alone = not User.objects.exclude(pk=admin.pk).exists()
        said = [demo_people.make(admin)] if is_alone else []
        said += filter(None, (_introduce(RealCluster(name, fleet), admin) for name in DEMO))
    finally:
        connection.close()
    return said


def _account(real: RealCluster) -> str:
    """The kubeconfig of an account made for MCM, which only watches."""
    for each in yaml.safe_load_all(manifest.manifest(_FEATURES)):
        real.api.apply(each)
    return real.account_kubeconfig(manifest.NAMESPACE, manifest.ACCOUNT)


def _introduce(real: RealCluster, admin: User) -> str:
    """Tells the cluster who may act there, as its admin would; what is then still wrong."""
    cluster = Cluster.objects.filter(name=real.name).first()
    if cluster is None or not cluster.impersonates:
        return ""
    for each in yaml.safe_load_all(identity.manifest(cluster)):
        real.api.apply(each)
    deadline = time.monotonic() + _HEARD_SECONDS
    try:
        while not identities.check(cluster, by=admin).fits and time.monotonic() < deadline:
            time.sleep(0.2)
    except KubeError as error:
        return f"The cluster {real.name} does not tell whom it knows: {error}"
    return ""


def _missing() -> list[str]:
    """What is not yet as it should be, by cluster."""
    try:
        return [reason for name in DEMO if (reason := _reason(name))]
    finally:
        connection.close()


def _reason(name: str) -> str:
    cluster = Cluster.objects.filter(name=name).first()
    if cluster is None:
        return f"{name} is not registered"
    if cluster.status != Status.ACTIVE:
        return f"{name} is {cluster.status} {cluster.status_reason}".strip()
    if cluster.freshness != Freshness.LIVE:
        return f"{name} is not watched yet"
    running = Object.objects.filter(
        cluster=cluster, kind="Pod", status="Running", ready=F("wanted")
    ).count()
    expected = wanted(SPECS[name].environment, healthy=True).total()
    return f"{name} shows {running} of {expected} pods running" if running < expected else ""
