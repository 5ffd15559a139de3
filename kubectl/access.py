"""Who may pass which request on to which cluster, and as whom the cluster sees it.

MCM's own grants are the first lock; the cluster's RBAC, which sees the person, is the second.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.views import APIView

from clusters import vault
from clusters.kube import errors, stream
from clusters.kube.request_info import RequestInfo
from clusters.kube.types import Identity
from clusters.models import Cluster, Namespace
from clusters.store import identity
from teams import access, tokens
from teams.access import Held
from teams.audit import context
from teams.models import User
from teams.roles import Action
from teams.throttles import Strangers, Throttle

# What tells of the API and not of what is in the cluster: for everybody who sees any of it.
DISCOVERY = ("/api", "/apis", "/openapi", "/version", "/healthz", "/livez", "/readyz")
# Reviews that a person may ask for of himself.
OF_ONESELF = frozenset(
    {"selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"}
)
# Parts of an object that show no more than the object does.
SHOWN = frozenset({"", "status", "scale", "approval", "resize", "ephemeralcontainers"})
# Who changes these decides what others may do, or how much.
GOVERNING_GROUPS = frozenset({"rbac.authorization.k8s.io", "authorization.k8s.io"})
GOVERNING = frozenset({"resourcequotas", "limitranges", "serviceaccounts/token"})

NOBODY = "Send a token of MCM as Authorization: Bearer TOKEN."
# The same words for a cluster that is not there and for one that is not to be seen.
NO_CLUSTER = "There is no such cluster, or you may not see it."
UNKNOWN = "MCM: you hold nothing in this cluster under which it could know you."
SEALED = "The stored credentials of the cluster cannot be opened."
TOO_OFTEN = "You call the API too often; wait a moment."
STRANGER = "There were too many calls from your address that no token opened; wait a moment."


class Refused(Exception):
    """A request that goes no further; `user` and `cluster` are told as far as they are known."""

    # Seconds after which a 429 may be tried again.
    wait = 5.0

    def __init__(
        self, status: int, message: str, user: User | None = None, cluster: Cluster | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.user = user
        self.cluster = cluster


class Pass(NamedTuple):
    """That this person may send this request to this cluster now, and as whom."""

    user: User
    cluster: Cluster
    identity: Identity


def admit(authorization: str, name: str, info: RequestInfo, *, begins: bool = False) -> Pass:
    """Lets the bearer of a token through to the cluster of this name. Raises Refused."""
    try:
        user = bearer(authorization)
    except Refused:
        if begins:
            _count_stranger()
        raise
    context.current().token = context.token_name(user.token)
    if begins:
        _count(user)
    held = access.holdings(user)
    cluster = access.visible(held, Cluster).filter(name=name).first()
    if cluster is None:
        raise Refused(404, NO_CLUSTER, user)
    action = needed(info)
    if not _holds(user, cluster, action, info):
        raise Refused(403, _why(action, info, cluster, user), user, cluster)
    try:
        return Pass(user, cluster, identity.person(user, cluster))
    except PermissionDenied as error:
        raise Refused(403, UNKNOWN, user, cluster) from error


def admit_new(authorization: str, name: str, info: RequestInfo) -> tuple[Pass, stream.Link]:
    """As `admit`, of a request that begins: it counts, and gets the way to the cluster."""
    passed = admit(authorization, name, info, begins=True)
    try:
        return passed, stream.link(passed.cluster.connection, passed.identity)
    except vault.CannotOpen as error:
        raise Refused(503, SEALED, passed.user, passed.cluster) from error
    except errors.BadCertificate as error:
        raise Refused(503, str(error), passed.user, passed.cluster) from error


def _count(user: User) -> None:
    """Raises Refused for who asks too often, before anything is looked up or written down."""
    request = HttpRequest()
    request.user = user
    _require_rate(Throttle(), request, TOO_OFTEN)


def _count_stranger() -> None:
    """Raises Refused for an address that had too many refusals, those of the API among them."""
    request = HttpRequest()
    request.META["REMOTE_ADDR"] = context.current().address
    _require_rate(Strangers(), request, STRANGER)


def _require_rate(throttle: Throttle, request: HttpRequest, words: str) -> None:
    # It asks for nothing else of it; DRF's own request would look for the person itself.
    if throttle.allow_request(cast(Request, request), APIView()):
        return
    refused = Refused(429, words)
    refused.wait = throttle.wait()
    raise refused


def bearer(authorization: str) -> User:
    """Whose token it is; nothing else signs in here. Raises Refused."""
    token = tokens.bearer(authorization)
    user = tokens.caller(token, context.current().address) if token else None
    if user is None:
        raise Refused(401, NOBODY)
    return user


def needed(info: RequestInfo) -> Action:
    """The action that a person must hold where the request leads to."""
    if not info.resource:
        tells = info.verb == "get" and f"/{info.path.split('/')[1]}" in DISCOVERY
        return Action.VIEW if tells else Action.ADMIN
    if _asks_of_oneself(info):
        return Action.VIEW
    # Behind this stands each kubelet, which knows no namespaces.
    if info.resource == "nodes" and info.subresource not in SHOWN:
        return Action.ADMIN
    if info.reads or info.connects:
        is_open = info.subresource in SHOWN and (info.group, info.resource) != ("", "secrets")
        return Action.VIEW if is_open else Action.OPERATE
    outside = not info.namespace or info.resource == "namespaces"
    governs = info.group in GOVERNING_GROUPS or info.kind in GOVERNING
    return Action.ADMIN if outside or governs else Action.OPERATE


def changes(info: RequestInfo) -> bool:
    """Whether it may change anything, and so is told in the trail."""
    return not (info.reads or _asks_of_oneself(info))


def _asks_of_oneself(info: RequestInfo) -> bool:
    groups = {"authorization.k8s.io", "authentication.k8s.io"}
    plain = not (info.namespace or info.name)
    return plain and info.verb == "create" and info.group in groups and info.resource in OF_ONESELF


def _holds(user: User, cluster: Cluster, action: Action, info: RequestInfo) -> bool:
    if action is Action.VIEW and (not info.resource or _asks_of_oneself(info)):
        return True  # as the cluster itself is seen
    return any(_scopes(Held(user, action), cluster, info))


def _scopes(held: Held, cluster: Cluster, info: RequestInfo) -> Iterator[bool]:
    yield held.everything or cluster.pk in held.ids(Cluster)
    if info.namespace and not (info.resource == "namespaces" and not info.reads):
        spaces = access.visible(held, Namespace, held.action)
        yield spaces.filter(cluster=cluster, name=info.namespace).exists()


def _why(action: Action, info: RequestInfo, cluster: Cluster, user: User) -> str:
    """What is missing; the same for a namespace that is there and for one that is not."""
    asked = f"{info.verb} {info.kind}" if info.resource else f"{info.verb} {info.path}"
    inside = info.namespace and not (info.resource == "namespaces" and not info.reads)
    where = f'in the namespace "{info.namespace}"' if inside else "in the whole cluster"
    role = {Action.VIEW: "viewer", Action.OPERATE: "operator", Action.ADMIN: "admin"}[action]
    return errors.safe_text(
        f'MCM: {user.get_username()} may not {asked} {where} of "{cluster.name}".'
        f" It takes the role {role} there, which none of your teams holds.",
        600,
    )
