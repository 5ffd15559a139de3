"""What is asked at `/k8s/clusters/NAME/…`, and who answers it before any cluster does."""

import json
import logging
import math
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError

from clusters.kube import errors, request_info
from clusters.kube.request_info import RequestInfo
from clusters.live.sockets import Threads
from kubectl import services
from kubectl.access import Refused

# Kubernetes' words for what a status means; kubectl decides by them.
REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "RequestEntityTooLarge",
    429: "TooManyRequests",
    502: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
AWAY = "MCM: its database does not answer; try again in a moment."
IMPERSONATES = "Through MCM you are always yourself: kubectl's --as is not possible."
# What a pod answers through its API server comes from the same origin as MCM's own pages.
INERT = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"),
]

_TARGET = re.compile(r"/k8s/clusters/(?P<cluster>[a-z0-9-]{1,63})(?P<path>/.*)?", re.S)
# Threads of their own: they only look at the database, and wait for nobody's cluster.
_desk = Threads("mcm-kubectl", 4)
# Who floods the desk with new requests must not end the streams that are open.
_lookout = Threads("mcm-kubectl-open")

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Asked(NamedTuple):
    """A request as far as it can be read without knowing who sent it."""

    method: str
    authorization: str
    cluster: str
    target: str
    info: RequestInfo
    headers: list[tuple[str, str]]


def read(scope: Any) -> Asked:
    """Raises Refused for what is not safe to pass on."""
    headers = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in scope["headers"]
    ]
    tokens = [value for name, value in headers if name == "authorization"]
    # Both spellings: WSGI servers behind us, if ever, know no difference.
    if any(name.replace("_", "-").startswith("impersonate-") for name, _value in headers):
        raise Refused(403, IMPERSONATES)
    method = scope.get("method", "GET")
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    found = _TARGET.fullmatch(path)
    if found is None:
        raise Refused(404, "Addresses here are /k8s/clusters/NAME/… with the name of a cluster.")
    try:
        below = found["path"] or "/"
        info = request_info.read(method, below, query)
    except request_info.Unsafe as error:
        raise Refused(400, f"MCM: {error}") from error
    target = f"{below}?{query}" if query else below
    token = tokens[0] if len(tokens) == 1 else ""
    return Asked(method, token, found["cluster"], target, info, headers)


async def ask(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function that asks the database says, on a thread of this app's own.

    Raises Refused while the database does not answer.
    """
    return await _on(_desk, partial(function, *args, **kwargs))


async def look(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `ask`, of what is open already, and never behind what begins."""
    return await _on(_lookout, partial(function, *args, **kwargs))


async def _on(threads: Threads, function: Callable[[], T]) -> T:
    try:
        return await threads.ask(function)
    except (OperationalError, InterfaceError) as error:
        raise Refused(503, AWAY) from error


async def note_end(
    told: services.Told, status: int | str, tell: Callable[..., None] | None = None, **more: Any
) -> None:
    """Tells the outcome of what was begun; the log does where the trail cannot."""
    telling: Callable[..., None] = tell or services.end
    try:
        await ask(telling, told, status, **more)
    except Refused:
        lost = (told.user, told.info.verb, told.info.path, told.cluster, status)
        log.exception("kubectl: no outcome told: %s %s %s of %s: %s", *lost)


async def note_refusal(refused: Refused, info: RequestInfo) -> None:
    """Counts it, and audits what somebody tried who is known."""
    services.count(info, refused.status)
    log.info("kubectl: %s %s refused: %s", info.verb, info.kind or info.path, refused)
    user, cluster, why = refused.user, refused.cluster, str(refused)
    if user is None or cluster is None:
        return
    await ask(services.record_denied, user, cluster, info, why)


def of_cluster(error: errors.KubeError) -> Refused:
    """What is answered when a cluster did not answer, or not to the person."""
    match error:
        case errors.TimedOut():
            status = 504
        case errors.Unauthorized():
            return Refused(502, "The cluster does not accept the credentials that MCM has of it.")
        case errors.Refused() if 400 <= error.status < 600:
            status = error.status
        case errors.Unreachable():
            status = 503
        case _:
            status = 502
    return Refused(status, f"MCM: {error}")


def status_body(refused: Refused) -> bytes:
    """The refusal as an object of Kubernetes, which kubectl shows as it shows the cluster's own."""
    return json.dumps(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(refused),
            "reason": REASONS.get(refused.status, HTTPStatus(refused.status).phrase),
            "code": refused.status,
        }
    ).encode()


def status_headers(refused: Refused, body: bytes) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *INERT,
    ]
    if refused.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refused.status == 429:
        headers.append((b"retry-after", str(math.ceil(refused.wait)).encode()))
    return headers
