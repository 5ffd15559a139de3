"""Changing what is registered: names and places, credentials, custom resources."""

from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clusters import live
from clusters.models import Cluster, Environment
from clusters.services import checks, registration
from clusters.services.checks import Look, RegistrationFailed
from teams import access, audit
from teams.models import User
from teams.roles import Action


@dataclass(frozen=True)
class Changes:
    """What becomes of a cluster's own fields; None leaves one as it is."""

    name: str | None = None
    environment: Environment | None = None
    region: str | None = None


def change(cluster: Cluster, changes: Changes, *, by: User) -> Cluster:
    """Gives the cluster other fields, for its admins.

    Raises PermissionDenied, RegistrationFailed when the name is taken, and Http404 when the
    cluster was deleted meanwhile.
    """
    wanted = {name: value for name, value in asdict(changes).items() if value is not None}
    try:
        return _change(cluster, wanted, by)
    except IntegrityError as error:
        raise registration.taken(wanted["name"]) from error


@transaction.atomic
def _change(cluster: Cluster, wanted: dict[str, str], by: User) -> Cluster:
    row = registration.locked(cluster)
    access.require(by, Action.ADMIN, row, ())
    if "name" in wanted:
        registration.refuse_taken_name(wanted["name"], but=row)
    before = {name: getattr(row, name) for name in wanted}
    changed = {name: value for name, value in wanted.items() if before[name] != value}
    if not changed:
        return row
    for name, value in changed.items():
        setattr(row, name, value)
    row.save(update_fields=list(changed))
    before = {name: before[name] for name in changed}
    audit.record(by, "cluster.change", row, before=before, after=changed)
    _tell(row)
    return row


def check_credentials(text: str, context: str | None = None, *, by: User) -> Look:
    """Takes all steps with a new kubeconfig, and stores nothing.

    Raises PermissionDenied, and RegistrationFailed.
    """
    access.require_platform_admin(by)
    with Look(text, context) as look:
        checks.look(look)
    return look


@transaction.atomic
def replace_credentials(cluster: Cluster, look: Look, *, by: User) -> Cluster:
    """Puts checked credentials of the same cluster in place of the old.

    Raises PermissionDenied, RegistrationFailed when they are another cluster's, and Http404 when
    the cluster was deleted meanwhile.
    """
    access.require_platform_admin(by)
    row = registration.locked(cluster)
    _refuse_another_cluster(row, look)
    before = {"server": row.server, "kind": row.credential_kind}
    registration.fill_in(row, look)
    row.connection_version += 1
    row.save()
    after = {"server": row.server, "kind": row.credential_kind}
    audit.record(by, "cluster.credentials", row, before=before, after=after)
    _tell(row)
    return row


def _refuse_another_cluster(row: Cluster, look: Look) -> None:
    if row.system_uid and look.system_uid:
        same = row.system_uid == look.system_uid
    else:  # one of them may not read it: then the address must speak for it
        same = not row.system_uid or row.server == look.connection.server
    if same:
        return
    message = _(
        "This kubeconfig leads to another cluster than %(name)s. Register that one by itself."
    ) % {"name": row.name}
    failed = RegistrationFailed("store", "kubeconfig", message)
    failed.results = look.results
    raise failed


def _tell(cluster: Cluster) -> None:
    live.publish("clusters", cluster.pk, [(str(cluster.pk), None)])
