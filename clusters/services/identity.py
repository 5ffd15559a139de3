"""As whom people act in a cluster: choosing it, and asking the cluster whether it knows them."""

import msgspec
from django.db import transaction

from clusters import live
from clusters.kube import identity_check
from clusters.kube.identity_check import Report
from clusters.models import Cluster, IdentityMode
from clusters.services import registration
from clusters.services.waiting import let_others_query
from clusters.store import identity
from teams import access, audit
from teams.models import User
from teams.roles import Action


@transaction.atomic
def choose(
    cluster: Cluster,
    *,
    mode: IdentityMode | None = None,
    binds_platform_admins: bool | None = None,
    by: User,
) -> Cluster:
    """Changes as whom people act there, and whether platform admins may do everything.

    Raises PermissionDenied, and Http404 when the cluster was deleted meanwhile.
    """
    row = registration.locked(cluster)
    access.require(by, Action.ADMIN, row, ())
    if mode == IdentityMode.SERVICE_ACCOUNT != row.identity_mode:
        # MCM's account may do more than an admin of the cluster.
        access.require_platform_admin(by)
    wanted = {"identity_mode": mode, "binds_platform_admins": binds_platform_admins}
    changes = {
        name: [getattr(row, name), value]
        for name, value in wanted.items()
        if value is not None and value != getattr(row, name)
    }
    if not changes:
        return row
    for name, (_before, value) in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    audit.record(by, "cluster.identity", row, changes=changes)
    identity.compare([row] if row.identity_digest else [])
    _tell(row)
    return row


def check(cluster: Cluster, *, by: User) -> Report:
    """Asks the cluster whether it knows those who may act there, and stores what it said.

    Raises PermissionDenied, KubeError and vault.CannotOpen, and Http404 when the cluster was
    deleted meanwhile.
    """
    access.require(by, Action.ADMIN, cluster, ())
    people, made_of = identity.roster(cluster), identity.registration(cluster)
    connection = cluster.connection
    let_others_query()
    report = identity_check.check(connection, people, made_of.key, made_of.custom)
    _store(cluster, report, by)
    return report


@transaction.atomic
def _store(cluster: Cluster, report: Report, by: User) -> None:
    row = registration.locked(cluster)
    row.identity_report = msgspec.to_builtins(report)
    row.identity_fits = report.fits
    row.identity_digest = report.digest
    row.identity_changed_at = None
    row.save(
        update_fields=["identity_report", "identity_fits", "identity_digest", "identity_changed_at"]
    )
    # Grants may have changed while the cluster was asked.
    identity.compare([row])
    missing, excess = len(report.missing), len(report.excess)
    audit.record(by, "cluster.identity.check", row, missing=missing, excess=excess)
    _tell(row)


def _tell(cluster: Cluster) -> None:
    live.publish("clusters", cluster.pk, [(str(cluster.pk), None)])
