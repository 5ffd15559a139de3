"""Which custom resources of a cluster are watched."""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from clusters import live
from clusters.kube.client import Client
from clusters.kube.discovery import CustomResourceFound, custom_resources
from clusters.models import Cluster, CustomResource
from clusters.services import registration
from clusters.services.waiting import let_others_query
from clusters.store import identity
from teams import access, audit
from teams.models import User
from teams.roles import Action


class UnknownResource(Exception):
    """The cluster has no such custom resource; `str(error)` names it."""


def full_name(found: CustomResourceFound | CustomResource) -> str:
    """As Kubernetes names a definition: "certificates.cert-manager.io"."""
    return f"{found.plural}.{found.group}"


def turned_on(user: User, key: str) -> list[tuple[str, str]]:
    """Group and plural of what is watched of the cluster with this id; none without an id.

    Raises Http404 for a cluster that the person does not see.
    """
    if not key:
        return []
    rows = access.get_or_404(user, Cluster, key).custom_resources
    return list(rows.order_by("group", "plural").values_list("group", "plural"))


def available(cluster: Cluster, *, by: User) -> list[CustomResourceFound]:
    """What the cluster has now, as it tells this person. Raises KubeError and vault.CannotOpen."""
    who = identity.for_reading(by, cluster)
    let_others_query()
    with Client(cluster.connection, who) as client:
        return custom_resources(client)


def wanted(cluster: Cluster, names: Collection[str], *, by: User) -> list[CustomResourceFound]:
    """Those of these custom resources ("certificates.cert-manager.io") that are not watched yet.

    The cluster is asked about them, if there are any. Raises UnknownResource, KubeError and
    vault.CannotOpen.
    """
    new = set(names) - {full_name(row) for row in cluster.custom_resources.all()}
    found = {full_name(each): each for each in available(cluster, by=by)} if new else {}
    for name in sorted(new - found.keys()):
        message = _("The cluster has no custom resource %(name)s that can be watched.")
        raise UnknownResource(message % {"name": name})
    return [found[name] for name in sorted(new)]


@transaction.atomic
def watch_only(
    cluster: Cluster, names: Collection[str], added: list[CustomResourceFound], *, by: User
) -> None:
    """Watches just the custom resources of these names from now on; `added` is what is `wanted`.

    The watcher sees the rows within seconds. Raises PermissionDenied, and Http404 when the cluster
    was deleted meanwhile.
    """
    cluster = registration.locked(cluster)
    access.require(by, Action.ADMIN, cluster, ())
    removed = [row for row in cluster.custom_resources.all() if full_name(row) not in names]
    if not added and not removed:
        return
    CustomResource.objects.filter(pk__in=[row.pk for row in removed]).delete()
    for each in added:
        CustomResource.objects.get_or_create(
            cluster=cluster,
            group=each.group,
            plural=each.plural,
            defaults={
                "version": each.version,
                "kind": each.kind,
                "namespaced": each.namespaced,
            },
        )
    audit.record(
        by,
        "cluster.kinds",
        cluster,
        added=[full_name(each) for each in added],
        removed=[full_name(row) for row in removed],
    )
    live.publish("clusters", cluster.pk, [(str(cluster.pk), None)])
