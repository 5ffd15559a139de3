"""Who may open a shell in a pod, and what the trail tells of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_noop

from clusters import vault
from clusters.kube import errors, stream
from clusters.kube.shell import Spot
from clusters.kube.stream import Link
from clusters.kube.types import Identity
from clusters.models import Cluster, Environment, Namespace, Object
from clusters.store import identity
from explorer.access import Caller, Ended
from teams import access, audit
from teams.access import Held
from teams.audit import context, denials, transcripts
from teams.audit.transcripts import Piece, Whole
from teams.models import AuditEvent, User
from teams.roles import Action, Denied, Level
from teams.trail import Named, Result

ACTION = "terminal.exec"

SIGNED_OUT = gettext_noop("You are signed out.")
NOTHING = gettext_noop("This is gone, or you may not see it.")
NOT_ALLOWED = gettext_noop(
    "A terminal takes the role operator, which none of your teams holds there."
)
REVOKED = gettext_noop("Your right to this terminal has ended.")
CHANGED = gettext_noop("What you may do in this cluster has changed. Open a new terminal.")
UNKNOWN = gettext_noop("You hold nothing in this cluster under which it could know you.")
SEALED = gettext_noop("The stored credentials of the cluster cannot be opened.")
UNCONFIRMED = gettext_noop("In a cluster of production the shell is confirmed first.")


class Wanted(NamedTuple):
    """A shell that somebody asks for; `confirmed` names it as he was asked about it."""

    key: int
    container: str
    shell: str
    confirmed: str


class Admitted(NamedTuple):
    """That this person may have a shell in this pod now, and as whom the cluster sees it."""

    user: User
    pod: Object
    cluster: UUID
    who: Identity


class Opened(NamedTuple):
    """The line of the begin, and the way to the cluster."""

    begun: AuditEvent
    link: Link


def spot(wanted: Wanted, pod: Object) -> Spot:
    return Spot(pod.namespace, pod.name, wanted.container)


def question(wanted: Wanted, pod: Object) -> str:
    """What is confirmed of a shell in production: cluster, namespace, pod and container."""
    return "/".join((pod.cluster.name, pod.namespace, pod.name, wanted.container))


def admit(caller: Caller, wanted: Wanted) -> Admitted:
    """Raises Ended for whom there is no shell; being refused is told to the trail, as every 403."""
    user = _person(caller)
    pods = access.visible(user, Object).filter(pk=wanted.key, kind="Pod")
    pod = pods.select_related("cluster").first()
    if pod is None:
        raise Ended("gone", NOTHING)
    if not access.may(user, Action.OPERATE, pod):
        denials.denied(
            user, "socket terminal", f"/ws/terminal/{pod.pk}/", Denied(Action.OPERATE, pod)
        )
        raise Ended("forbidden", NOT_ALLOWED)
    if pod.cluster.environment == Environment.PROD and wanted.confirmed != question(wanted, pod):
        raise Ended("unconfirmed", UNCONFIRMED)
    return Admitted(user, pod, pod.cluster_id, _who(user, pod.cluster))


def require_still(caller: Caller, admitted: Admitted) -> None:
    """That the person may have what he was admitted to, also where the pod is gone meanwhile.
    Raises Ended.
    """
    user = _person(caller)
    cluster = Cluster.objects.filter(pk=admitted.cluster).first()
    if cluster is None or not _operates(user, cluster, admitted.pod.namespace):
        raise Ended("revoked", REVOKED)
    # The cluster judged the groups that the person had then.
    if _who(user, cluster) != admitted.who:
        raise Ended("revoked", CHANGED)


def begin(admitted: Admitted, wanted: Wanted) -> Opened:
    """Audits the shell that is about to be opened, and gives the way. Raises Ended."""
    try:
        link = stream.link(admitted.pod.cluster.connection, admitted.who)
    except vault.CannotOpen as error:
        raise Ended("sealed", SEALED) from error
    except errors.BadCertificate as error:
        raise Ended("sealed", str(error)) from error
    told: dict[str, Any] = {"container": wanted.container, "shell": wanted.shell or "bash, sh"}
    named = _named(admitted.pod)
    begun = audit.record(admitted.user, ACTION, named, result=Result.BEGUN, **told)
    return Opened(begun, link)


def keep(begun: AuditEvent, pieces: Sequence[Piece]) -> None:
    """Stores what a shell that stands has shown since the last time."""
    transcripts.keep(begun.pk, pieces)


@transaction.atomic
def end(
    admitted: Admitted,
    wanted: Wanted,
    how: dict[str, Any],
    *,
    reason: str = "",
    shown: tuple[Whole, Sequence[Piece]] | None = None,
) -> None:
    """Audits how it ended: `reason` says why there was none, `shown` is the transcript of one with
    what of it is not stored yet; both are stored, or neither.
    """
    detail: dict[str, Any] = {"container": wanted.container, **how}
    if shown is not None:
        whole, rest = shown
        transcripts.keep(whole.event, rest)
        detail[transcripts.FACTS] = whole.facts
    result = Result.FAILED if reason else Result.DONE
    audit.record(
        admitted.user, ACTION, _named(admitted.pod), result=result, reason=reason, **detail
    )


def _person(caller: Caller) -> User:
    user = caller.person()
    if user is None:
        raise Ended("signed_out", SIGNED_OUT)
    context.current().token = context.token_name(user.token)
    return user


def _operates(user: User, cluster: Cluster, namespace: str) -> bool:
    held = Held(user, Action.OPERATE)
    if access.may(held, Action.OPERATE, cluster):
        return True
    spaces = access.visible(held, Namespace, Action.OPERATE)
    return spaces.filter(cluster=cluster, name=namespace).exists()


def _who(user: User, cluster: Cluster) -> Identity:
    """As whom all work is done that a person starts."""
    try:
        return identity.for_work(user, cluster, user.reach.level if user.reach else Level.ADMIN)
    except PermissionDenied as error:
        raise Ended("forbidden", UNKNOWN) from error


def _named(pod: Object) -> Named:
    return Named(pod._meta.label_lower, str(pod.pk), str(pod), pod.place)
