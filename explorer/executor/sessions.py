"""The clusters of one operation: a client for each, as the person, until it does not answer."""

import re
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_noop

from clusters import vault
from clusters.kube import errors
from clusters.kube.acting.target import Unfit
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Identity
from clusters.models import Cluster
from clusters.store import identity
from operations.executor.steps import NOT_ALLOWED, StepFailed
from operations.models import Operation
from teams.roles import Level

SEALED = gettext_noop("The stored credentials of the cluster cannot be opened.")
MISSING = gettext_noop("It is not there any more.")
MAYBE = gettext_noop("%(said)s It may have been done all the same: look at the object.")
NOT_KNOWN = gettext_noop(
    "%(said)s MCM acts there as %(user)s, and the cluster's own RBAC says no: an admin of the"
    " cluster applies and checks the manifest on its page, tab Access, Identity."
)
BY_FIELD = gettext_noop("The cluster refuses it: %(fields)s")
# "Invalid value: "x": must be…", "Unsupported value: …", "Duplicate value: …"
_QUOTED = re.compile(r"(?<=value): (\"(?:[^\"\\\\]|\\\\.)*\"|\S+?)(?=:|$)")
# After one of these nothing more is asked of the cluster: each question would take as long again.
_AWAY = (errors.Unreachable, errors.TimedOut, errors.BadCertificate, errors.Unauthorized)


class Sessions:
    """`with Sessions(operation) as sessions`; the clients are closed at the end."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._clients: dict[UUID, Client] = {}
        self._identities: dict[UUID, Identity] = {}
        self._away: dict[UUID, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            client.close()

    def of(self, cluster: Cluster) -> Client:
        """A client of the cluster; StepFailed where it did not answer before, or none is to be."""
        if (reason := self._away.get(cluster.pk)) is not None:
            raise StepFailed(reason)
        if cluster.pk not in self._clients:
            self._clients[cluster.pk] = self._open(cluster)
        return self._clients[cluster.pk]

    def _open(self, cluster: Cluster) -> Client:
        user = self._operation.requested_by
        try:
            if user is None:
                raise PermissionDenied
            whom = identity.for_work(user, cluster, Level(self._operation.level))
            self._identities[cluster.pk] = whom
            return Client(cluster.connection, whom)
        except PermissionDenied as error:
            raise StepFailed(NOT_ALLOWED) from error
        except vault.CannotOpen as error:
            raise StepFailed(SEALED) from error
        except errors.KubeError as error:
            raise StepFailed(str(error)) from error

    def explain(self, error: errors.KubeError, cluster: Cluster) -> StepFailed:
        """What a failure means for the step, in words for who asked for it."""
        if isinstance(error, Unfit):
            return StepFailed(error.words, facts(error))
        if isinstance(error, _AWAY):
            self._away[cluster.pk] = str(error)
        if isinstance(error, errors.TimedOut):
            return StepFailed(MAYBE, {"said": {"words": str(error), "facts": {}}})
        if isinstance(error, errors.NotFound):
            return StepFailed(MISSING)
        if isinstance(error, errors.Refused) and error.causes:
            return StepFailed(BY_FIELD, {"fields": by_field(error)})
        whom = self._identities.get(cluster.pk, SERVICE_ACCOUNT)
        if isinstance(error, errors.Forbidden) and whom.user:
            return StepFailed(NOT_KNOWN, {"said": str(error), "user": whom.user})
        return StepFailed(str(error))


def by_field(error: errors.Refused) -> str:
    """What the cluster says is wrong, by field: without the values that it quotes."""
    told = [
        f"{cause.field}: {_QUOTED.sub('', cause.message)}" if cause.field else cause.reason
        for cause in error.causes[:5]
    ]
    return "; ".join(told)


def facts(error: Unfit) -> dict[str, Any]:
    """As a step keeps them: a reason within is a sentence of its own."""
    return {
        name: {"words": fact.words, "facts": facts(fact)} if isinstance(fact, Unfit) else fact
        for name, fact in error.facts.items()
    }
