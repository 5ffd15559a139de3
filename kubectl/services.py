"""What is written down of people's requests to clusters, and the kubeconfigs that they use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import msgspec
import prometheus_client
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from clusters.kube import proxied
from clusters.kube.errors import safe_text
from clusters.kube.request_info import RequestInfo
from clusters.models import Cluster
from teams import access, audit
from teams.audit import denials, transcripts
from teams.audit.transcripts import Piece, Whole
from teams.models import AuditEvent, User
from teams.roles import Action, Level, Reach
from teams.services import tokens
from teams.trail import Named, Place, Result

LONGEST_NAME = 253
REQUESTS = prometheus_client.Counter(
    "mcm_kubectl_requests", "Requests that people sent to clusters through MCM.", ["verb", "code"]
)
_VERBS = frozenset(
    {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
)


class NoAddress(Exception):
    """No HTTPS address is known under which kubectl could reach MCM."""


class _Metadata(msgspec.Struct):
    name: str = ""
    generateName: str = ""  # noqa: N815 - Kubernetes' name of it


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def count(info: RequestInfo, status: int) -> None:
    """Counts a request that has ended, reads too; 0 for one that got no whole answer."""
    verb = _verb(info)
    REQUESTS.labels(verb if info.connects or verb in _VERBS else "other", str(status)).inc()


@dataclass(frozen=True)
class Told:
    """A change, or a connection into a pod, as the trail tells of its begin and of its outcome.

    Both lines carry the id of the request (`context`), by which readers find one from the other.
    """

    user: User
    cluster: Cluster
    info: RequestInfo
    body: bytes = b""

    @cached_property
    def named(self) -> Named:
        """The cluster, and who may read of it; asks the database the first time."""
        info, cluster = self.info, self.cluster
        spaces = cluster.namespaces.filter(name=info.namespace) if info.namespace else ()
        place = Place(cluster.name, info.namespace[:63], (cluster, *spaces))
        return Named(cluster._meta.label_lower, str(cluster.pk), cluster.name, place)

    @cached_property
    def detail(self) -> dict[str, Any]:
        info = self.info
        return {
            "verb": _verb(info),
            "resource": safe_text(info.kind or info.path, LONGEST_NAME),
            "namespace": safe_text(info.namespace, LONGEST_NAME),
            "name": safe_text(info.name or _named(self.body), LONGEST_NAME),
        }


def begin(told: Told) -> AuditEvent:
    """Audits what is about to be sent: who, what, where."""
    return audit.record(
        told.user, f"kubectl.{_verb(told.info)}", told.named, result=Result.BEGUN, **told.detail
    )


def keep(begun: AuditEvent, pieces: Sequence[Piece]) -> None:
    """Stores what a shell that stands has shown since the last time."""
    transcripts.keep(begun.pk, pieces)


@transaction.atomic
def end_shell(
    told: Told, status: int | str, *, seconds: int, whole: Whole, rest: Sequence[Piece]
) -> None:
    """As `end`, of a shell with the rest of what it has shown: both are stored, or neither."""
    transcripts.keep(whole.event, rest)
    end(told, status, seconds=seconds, more={transcripts.FACTS: whole.facts})


def end(
    told: Told,
    status: int | str,
    *,
    reason: str = "",
    seconds: int | None = None,
    more: dict[str, Any] | None = None,
) -> None:
    """Audits how it ended: `status` is what was answered, 0 for nothing, "ended" of a connection
    that stood for so many seconds; `reason` is why MCM answered instead of the cluster.
    """
    detail: dict[str, Any] = {**told.detail, "status": status or "unknown", **(more or {})}
    if not status:
        reason = gettext_noop("It was sent, and no answer was seen: it may have been done.")
    if seconds is not None:
        detail["seconds"] = seconds
    action = f"kubectl.{_verb(told.info)}"
    audit.record(told.user, action, told.named, result=_result(status), reason=reason, **detail)


def record_denied(user: User, cluster: Cluster, info: RequestInfo, reason: str) -> None:
    """Audits what was refused; equal tries of a minute are told together."""
    address = f"/k8s/clusters/{cluster.name}{safe_text(info.path, LONGEST_NAME)}"
    denials.denied(user, f"kubectl.{_verb(info)}", address, reason)


def _verb(info: RequestInfo) -> str:
    return info.subresource if info.connects else info.verb


def _result(status: int | str) -> Result:
    if status in (401, 403):
        return Result.DENIED
    is_done = isinstance(status, str) or 100 <= status < 400
    return Result.DONE if is_done else Result.FAILED


def _named(body: bytes) -> str:
    """The name of an object that is about to be created, where its JSON tells."""
    try:
        metadata = msgspec.json.decode(body, type=_Object).metadata
    except (msgspec.DecodeError, RecursionError):
        return ""
    return metadata.name or metadata.generateName


def address(host: str, *, secure: bool) -> str:
    """Where kubectl reaches MCM: as set, or where the person who asks has reached it by HTTPS.

    Raises NoAddress, since kubectl sends no token over anything else.
    """
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    if secure:
        return f"https://{host}"
    raise NoAddress


def authority() -> str:
    """The certificates (PEM) that kubectl is to trust; "" leaves it to the person's system."""
    return settings.PUBLIC_CA.read_text() if settings.PUBLIC_CA else ""


@transaction.atomic
def issue(cluster: Cluster, url: str, lasts: timedelta, *, by: User) -> str:
    """A kubeconfig of the person for the cluster, with a new token that stands nowhere else.

    The token is for this cluster alone, and reaches no further than one that it was asked for with.
    Raises PermissionDenied and tokens.Refused.
    """
    ca = authority()
    level = by.reach.level if by.reach else Level.ADMIN
    reach = Reach(level, frozenset({cluster.pk}))
    wanted = tokens.Wanted(lasts, f"kubeconfig for {cluster.name}", reach)
    row, text = tokens.make(by, wanted, by=by)
    audit.record(
        by, "kubeconfig.create", cluster, name=row.name, hours=lasts.total_seconds() / 3600
    )
    return proxied.kubeconfig(
        cluster.name,
        f"{url}/k8s/clusters/{cluster.name}",
        user=by.get_username(),
        token=text,
        ca=ca,
        namespace=home(cluster, by),
    )


def home(cluster: Cluster, user: User) -> str:
    """The namespace to begin in: the first that is granted, for who does not see the whole."""
    if access.holds(user, Action.VIEW, cluster):
        return ""
    spaces = access.visible(user, cluster.namespaces.model).filter(cluster=cluster)
    first = spaces.order_by("name").first()
    return first.name if first else ""
