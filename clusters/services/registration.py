"""Registering clusters and forgetting them: each in one transaction, with its audit row."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from django.db import IntegrityError, connection, transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from clusters import live
from clusters.kube import kubeconfig
from clusters.models import Cluster, Environment, Status
from clusters.services import checks
from clusters.services.checks import Look, RegistrationFailed
from teams import access, audit
from teams import services as teams
from teams.models import User

# What the trail tells of a cluster; never its credentials.
TOLD = ("name", "environment", "region", "server", "credential_kind")


@dataclass(frozen=True)
class Registration:
    """What a person fills in. `context` chooses one where the kubeconfig has several.

    `allow_duplicate` registers a cluster once more that is registered already.
    """

    name: str
    environment: Environment
    kubeconfig: str
    region: str = ""
    context: str | None = None
    allow_duplicate: bool = False


def register(
    wanted: Registration, *, by: User, tell: Callable[[str, str], None] | None = None
) -> Cluster:
    """Registers a cluster after it has answered. Raises RegistrationFailed, PermissionDenied.

    `tell` hears each step that is done, with its result.
    """
    access.require_platform_admin(by)
    refuse_taken_name(wanted.name)
    with Look(wanted.kubeconfig, wanted.context) as look:
        checks.look(look, tell)
        try:
            return _store(wanted, look, by)
        except IntegrityError as error:
            failed = taken(wanted.name)
            failed.results = look.results
            raise failed from error


def refuse_taken_name(name: str, but: Cluster | None = None) -> None:
    """RegistrationFailed when another cluster has this name."""
    holders = Cluster.objects.filter(name=name)
    if (holders.exclude(pk=but.pk) if but else holders).exists():
        raise taken(name)


def taken(name: str) -> RegistrationFailed:
    """What is said of a name that another cluster has."""
    message = _("A cluster named %(name)s is registered already.") % {"name": name}
    return RegistrationFailed("store", "name", message)


def fill_in(cluster: Cluster, look: Look) -> None:
    """Writes what a look found, with the credentials it used, into the row. Does not save."""
    cluster.connection = look.connection
    cluster.version = look.version
    cluster.node_count = look.node_count
    cluster.system_uid = look.system_uid or cluster.system_uid
    cluster.credential_kind = checks.credential_kind(look.connection)
    cluster.credential_expires = kubeconfig.credential_expiry(look.connection)
    cluster.certificate_expires = look.certificate_expires
    cluster.latency_ms = look.latency_ms
    if look.rights is not None:
        if cluster.identity_report.get("account", look.rights.account) != look.rights.account:
            # It was another account that was checked.
            cluster.identity_report, cluster.identity_digest = {}, ""
            cluster.identity_fits = cluster.identity_changed_at = None
        cluster.rights = msgspec.to_builtins(look.rights)
        cluster.has_metrics = look.rights.metrics
    cluster.status = Status.ACTIVE
    cluster.status_reason = ""


@transaction.atomic
def _store(wanted: Registration, look: Look, by: User) -> Cluster:
    if not wanted.allow_duplicate:
        _refuse_duplicate(look, by)
    cluster = Cluster(
        name=wanted.name, environment=wanted.environment, region=wanted.region, created_by=by
    )
    fill_in(cluster, look)
    cluster.save(force_insert=True)
    audit.record(by, "cluster.register", cluster, after=audit.fields(cluster, *TOLD))
    live.publish("clusters", cluster.pk, [(str(cluster.pk), None)])
    return cluster


def _refuse_duplicate(look: Look, by: User) -> None:
    """RegistrationFailed when this very cluster is registered under another name.

    Known by the uid of kube-system; where that may not be read, by the server's address.
    """
    same = (
        {"system_uid": look.system_uid} if look.system_uid else {"server": look.connection.server}
    )
    with connection.cursor() as cursor:
        # Of two registrations at once, the second one sees the first.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [str(same)])
    if not Cluster.objects.filter(**same).exists():
        return
    known = access.visible(by, Cluster).filter(**same).first()
    if known is None:
        message = _("This cluster is registered already.")
    else:
        message = _(
            "This cluster is registered already, as %(name)s. Use that one, or replace its"
            " credentials on its page; or say that you want it twice."
        ) % {"name": known.name}
    failed = RegistrationFailed("store", "allow_duplicate", message)
    failed.results = look.results
    raise failed


def locked(cluster: Cluster) -> Cluster:
    """The cluster as it is now, held until the transaction ends; Http404 when it is gone."""
    return get_object_or_404(Cluster.objects.select_for_update(), pk=cluster.pk)


@transaction.atomic
def delete(cluster: Cluster, *, by: User) -> None:
    """Forgets a cluster with its rows, grants and credentials; the cluster itself is untouched.

    Http404 when somebody else has deleted it meanwhile.
    """
    cluster = locked(cluster)
    audit.record(by, "cluster.delete", cluster, before=audit.fields(cluster, *TOLD))
    for namespace in cluster.namespaces.all():
        teams.forget_scope(namespace, by=by)
    teams.forget_scope(cluster, by=by)
    live.publish("clusters", cluster.pk, [(str(cluster.pk), None)])
    cluster.delete()
