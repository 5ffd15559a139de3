"""What MCM's own account may do in a cluster, asked of the cluster itself.

One SelfSubjectAccessReview a question, without a namespace (in all of them), since these are right
with any authorizer; a SelfSubjectRulesReview knows one namespace, and only RBAC's rules.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.discovery import custom_resources
from clusters.kube.kinds import KINDS

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
WHO_AM_I = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
METRICS = "/apis/metrics.k8s.io/v1beta1"
SECONDS = 10.0


class Right(NamedTuple):
    """One thing that may be allowed; `resource` may be "pods/log"."""

    verb: str
    resource: str
    group: str = ""


EVERYTHING = Right("*", "*", "*")
ACTIONS: dict[str, tuple[Right, ...]] = {
    "logs": (Right("get", "pods/log"),),
    "exec": (Right("create", "pods/exec"),),
    "apply": (Right("create", "deployments", "apps"), Right("patch", "deployments", "apps")),
    "delete": (Right("delete", "deployments", "apps"), Right("delete", "pods")),
    "impersonate": (Right("impersonate", "users"), Right("impersonate", "groups")),
}
"""What people do through MCM, and what its account needs for it."""


class Rights(msgspec.Struct, frozen=True, rename="camel"):
    """What the account may do in the whole cluster; `msgspec.to_builtins` makes JSON of it.

    `kinds`: whether each of `kinds.KINDS` may be listed and watched, `actions`: whether each of
    `ACTIONS` is allowed. What the cluster did not tell in time is missing in them, and `complete`
    is False. `metrics`: whether there are figures to read. `at` in ISO 8601. `account` is the name
    under which the cluster knows MCM, "" where it does not tell.
    """

    kinds: dict[str, bool]
    actions: dict[str, bool]
    metrics: bool
    custom_resources: int
    complete: bool
    at: str
    account: str = ""


class _TooLate(Exception):
    """The time for questions is over."""


class _Asking:
    """Asks each question once, and none after the deadline or after a refusal to be asked."""

    def __init__(self, client: Client, seconds: float) -> None:
        self._client = client
        self._until = time.monotonic() + seconds
        self._answers: dict[Right, bool] = {}
        self._everything = False
        self.complete = True

    def open(self) -> None:
        """Asks first whether all is allowed, which spares the rest."""
        self._everything = bool(self.may(EVERYTHING))

    def may(self, *rights: Right) -> bool | None:
        """Whether all of these are allowed; None when that is not known."""
        try:
            return self._everything or all(map(self._may, rights))
        except (errors.Refused, _TooLate):
            self.complete = False
            return None

    def _may(self, right: Right) -> bool:
        if right not in self._answers:
            if time.monotonic() > self._until:
                raise _TooLate
            self._answers[right] = allowed(self._client, right)
        return self._answers[right]


def review(client: Client, seconds: float = SECONDS) -> Rights:
    """What the client's identity may do. KubeError when the cluster cannot be asked at all.

    Asks about 50 questions, one after the other on one connection, for at most `seconds` (and the
    client's deadline for the last of them); one question is enough for an account with all rights.
    """
    asking = _Asking(client, seconds)
    asking.open()
    kinds = {name: asking.may(*_watching(name)) for name in KINDS}
    actions = {name: asking.may(*needed) for name, needed in ACTIONS.items()}
    found = _count_custom_resources(client)
    return Rights(
        kinds=_known(kinds.items()),
        actions=_known(actions.items()),
        metrics=_has_metrics(client) and bool(asking.may(*map(_metrics, ("nodes", "pods")))),
        custom_resources=found or 0,
        complete=asking.complete and found is not None,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        account=who_am_i(client),
    )


def _watching(kind: str) -> tuple[Right, Right]:
    *_, group_or_api, _version, plural = KINDS[kind].path.split("/")
    group = "" if group_or_api == "api" else group_or_api
    return Right("list", plural, group), Right("watch", plural, group)


_metrics = partial(Right, "list", group="metrics.k8s.io")


def who_am_i(client: Client) -> str:
    """The user as whom the cluster knows the client; "" before Kubernetes 1.28."""
    try:
        answer: Any = client.request("POST", WHO_AM_I, {})
    except errors.Refused:
        return ""
    for part in ("status", "userInfo", "username"):
        answer = answer.get(part) if isinstance(answer, dict) else None
    return errors.safe_text(answer, 300) if isinstance(answer, str) else ""


def allowed(client: Client, right: Right, *, name: str = "", namespace: str = "") -> bool:
    """Whether the client's identity may do this, to the object of this name, in this namespace."""
    resource, _, subresource = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource}
    more = {"subresource": subresource, "name": name, "namespace": namespace}
    attributes |= {key: value for key, value in more.items() if value}
    answer: Any = client.request("POST", REVIEWS, {"spec": {"resourceAttributes": attributes}})
    status = answer.get("status") if isinstance(answer, dict) else None
    return isinstance(status, dict) and status.get("allowed") is True


def _known(answers: Iterable[tuple[str, bool | None]]) -> dict[str, bool]:
    return {name: answer for name, answer in answers if answer is not None}


def _has_metrics(client: Client) -> bool:
    """Whether the metrics API is there and what serves it answers."""
    try:
        client.read(METRICS)
    except errors.Refused:
        return False
    return True


def _count_custom_resources(client: Client) -> int | None:
    try:
        return len(custom_resources(client))
    except errors.Refused:
        return None
