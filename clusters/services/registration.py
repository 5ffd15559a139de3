"""Changes of the registry: each one transaction, audited, with its effects after the commit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from clusters import live
from clusters.kube import errors, kubeconfig
from clusters.kube.client import Client
from clusters.kube.errors import KubeconfigError, KubeError
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.models import Cluster, Environment, Status
from teams import access, audit
from teams import services as teams
from teams.models import User

T = TypeVar("T")

LARGEST_KUBECONFIG = 256 * 1024

# The steps of a registration, in order; a failure is told as the step and its reason.
STEPS = {
    "parse": gettext_lazy("Read the kubeconfig"),
    "connect": gettext_lazy("Connect to the API server"),
    "version": gettext_lazy("Read the server version"),
    "nodes": gettext_lazy("List the nodes"),
    "store": gettext_lazy("Store the cluster"),
}


class RegistrationFailed(Exception):
    """A step of the registration failed; nothing was stored.

    `step` is a key of STEPS, `field` the input to look at, `str(error)` what is wrong and what
    to do, `cause` the cluster's error where one was the reason.
    """

    def __init__(self, step: str, field: str, message: str, cause: KubeError | None = None) -> None:
        super().__init__(message)
        self.step = step
        self.field = field
        self.cause = cause


@dataclass(frozen=True)
class Registration:
    """What a person fills in. `context` chooses one where the kubeconfig has several."""

    name: str
    environment: Environment
    kubeconfig: str
    region: str = ""
    context: str | None = None


@dataclass(frozen=True)
class Found:
    version: str
    node_count: int
    system_uid: str


def register(wanted: Registration, *, by: User) -> Cluster:
    """Registers a cluster after it has answered. Raises RegistrationFailed, PermissionDenied."""
    access.require_platform_admin(by)
    _refuse_taken_name(wanted.name)
    connection = parse(wanted.kubeconfig, wanted.context)
    found = look(connection)
    try:
        return _store(wanted, connection, found, by)
    except IntegrityError as error:
        raise _taken(wanted.name) from error


def parse(text: str, context: str | None = None) -> Connection:
    try:
        return kubeconfig.parse(text, context or None)
    except KubeconfigError as error:
        reason = gettext(error.reason)
        message = f"{error.field}: {reason}" if error.field else reason
        raise RegistrationFailed("parse", "kubeconfig", message) from error


def look(connection: Connection) -> Found:
    """Asks the cluster what it is; each question is a step of its own."""
    with _step("connect", lambda: Client(connection, SERVICE_ACCOUNT)) as client:
        _step("connect", client.ready)
        version = _step("version", client.version)
        nodes = _step("nodes", client.nodes)
        system_uid = _step("nodes", client.system_uid)
    return Found(version.git_version, len(nodes), system_uid)


def explain(error: KubeError) -> str:
    """What the cluster's error means and what to do about it, in the reader's language."""
    match error:
        case errors.Unauthorized():
            return _("The cluster does not accept these credentials. Make new ones and try again.")
        case errors.Forbidden():
            return _("The cluster refuses: %(reason)s Give the account this right.") % {
                "reason": str(error)
            }
        case _:
            return gettext(str(error))


def _step(name: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except KubeError as error:
        raise RegistrationFailed(name, "kubeconfig", explain(error), error) from error


def _refuse_taken_name(name: str) -> None:
    if Cluster.objects.filter(name=name).exists():
        raise _taken(name)


def _taken(name: str) -> RegistrationFailed:
    message = _("A cluster named %(name)s is registered already.") % {"name": name}
    return RegistrationFailed("store", "name", message)


@transaction.atomic
def _store(wanted: Registration, connection: Connection, found: Found, by: User) -> Cluster:
    cluster = Cluster(
        name=wanted.name,
        environment=wanted.environment,
        region=wanted.region,
        version=found.version,
        node_count=found.node_count,
        system_uid=found.system_uid,
        status=Status.ACTIVE,
        created_by=by,
    )
    cluster.connection = connection
    cluster.save(force_insert=True)
    audit.record(by, "cluster.register", cluster, server=cluster.server)
    live.publish("clusters", cluster.pk, [(str(cluster.pk), None)])
    return cluster


@transaction.atomic
def delete(cluster: Cluster, *, by: User) -> None:
    """Forgets a cluster with its rows, grants and credentials; the cluster itself is untouched."""
    audit.record(by, "cluster.delete", cluster, server=cluster.server)
    for namespace in cluster.namespaces.all():
        teams.forget_scope(namespace)
    teams.forget_scope(cluster)
    live.publish("clusters", cluster.pk, [(str(cluster.pk), None)])
    cluster.delete()
