"""Makes the rows that tests begin with. The clusters behind them are nowhere."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from factory import declarations
from factory.django import DjangoModelFactory

from clusters.kube.types import Connection, Row
from clusters.models import Cluster, Environment, IdentityMode, Namespace, Object, Status
from deployments.models import Chart, Release
from operations.models import Operation
from teams import services
from teams.models import Grant, Membership, Team, User
from teams.roles import Role

# Its declarations carry no types.
declare: Any = declarations
# Port 1 of this machine is closed.
NOWHERE = Connection(server="https://127.0.0.1:1", token="planted-cluster-token")
THEN = datetime(2026, 1, 1, tzinfo=UTC)


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    username = declare.Sequence(lambda n: f"user-{n}")
    password = "!"


class ClusterFactory(DjangoModelFactory[Cluster]):
    """A cluster with sealed credentials; `connection` says to where."""

    class Meta:
        model = Cluster

    name = declare.Sequence(lambda n: f"cluster-{n}")
    environment = Environment.DEV
    status = Status.ACTIVE
    connection = NOWHERE
    # Most tests ask for no RBAC in a cluster; those of identity choose the other.
    identity_mode = IdentityMode.SERVICE_ACCOUNT


class NamespaceFactory(DjangoModelFactory[Namespace]):
    class Meta:
        model = Namespace

    cluster = declare.SubFactory(ClusterFactory)
    name = declare.Sequence(lambda n: f"space-{n}")


class PodFactory(DjangoModelFactory[Object]):
    """The row of a running pod."""

    class Meta:
        model = Object

    cluster = declare.SubFactory(ClusterFactory)
    kind = "Pod"
    namespace = "shop"
    name = declare.Sequence(lambda n: f"web-{n}")
    uid = declare.LazyFunction(lambda: secrets.token_hex(8))
    resource_version = 1
    owner_kind = "ReplicaSet"
    owner_name = "web"
    status = "Running"
    health = "healthy"
    ready = 1
    wanted = 1
    restarts = 0
    node = "node-1"
    created = THEN
    since = THEN
    observed_at = THEN


class NodeFactory(PodFactory):
    kind = "Node"
    namespace = ""
    name = declare.Sequence(lambda n: f"node-{n}")
    status = "Ready"


class OperationFactory(DjangoModelFactory[Operation]):
    """Queued work; `payload` is sealed."""

    class Meta:
        model = Operation

    kind = "test.work"
    cluster = declare.SubFactory(ClusterFactory)
    namespace = "shop"
    target = declare.Sequence(lambda n: f"release-{n}")

    @classmethod
    def _create(cls, model_class: type[Operation], *args: Any, **kwargs: Any) -> Operation:
        payload = kwargs.pop("payload", b"{}")
        made = model_class(**kwargs)
        made.seal(payload)
        made.save(force_insert=True)
        return made


class ReleaseFactory(DjangoModelFactory[Release]):
    class Meta:
        model = Release

    cluster = declare.SubFactory(ClusterFactory)
    namespace = "shop"
    name = declare.Sequence(lambda n: f"release-{n}")
    revision = 1
    status = "deployed"
    chart = "demo"
    chart_version = "1.2.3"
    app_version = "9"
    updated = THEN
    observed_at = THEN


class ChartFactory(DjangoModelFactory[Chart]):
    class Meta:
        model = Chart

    name = "demo"
    version = "1.2.3"
    digest = declare.LazyFunction(lambda: secrets.token_hex(32))
    archive = b"not looked at"
    size = 13


def pods(cluster: Cluster, names: Iterable[str], **values: Any) -> list[Object]:
    """Many pods of one cluster in one statement."""
    rows = [PodFactory.build(cluster=cluster, name=name, **values) for name in names]
    return Object.objects.bulk_create(rows)


def row(name: str = "web-1", version: int = 1, **values: Any) -> Row:
    """A pod as the watch sees it; its uid follows from its name."""
    facts: dict[str, Any] = {
        "kind": "Pod", "namespace": "shop", "uid": f"uid-of-{name}", "labels": {"app": "web"},
        "owner_kind": "", "owner_name": "", "images": ("web:1",), "status": "Running",
        "health": "healthy", "ready": 1, "wanted": 1, "restarts": 0, "node": "node-1",
        "created": int(THEN.timestamp()), "since": 0, "cpu": 0, "memory": 0, "facts": {},
    }  # fmt: skip
    return Row(name=name, resource_version=version, **{**facts, **values})


def team(name: str = "", *members: User) -> Team:
    """A team with these members."""
    made = services.save_team(Team(name=name or f"team-{secrets.token_hex(4)}"), by=None)
    for user in members:
        services.save_membership(Membership(team=made, user=user), by=None)
    return made


def give(user: User, role: Role, scope: Cluster | Namespace) -> Grant:
    """The role on the scope, by a new team of this person alone."""
    return services.grant(team("", user), role, scope, by=None)
