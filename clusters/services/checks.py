"""The steps from a kubeconfig to what is known of its cluster; none of them stores anything."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from clusters.kube import address, errors, kubeconfig, rights
from clusters.kube.client import Client
from clusters.kube.errors import KubeconfigError, KubeError
from clusters.kube.rights import Rights
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from clusters.models import CredentialKind
from clusters.services.waiting import let_others_query

LARGEST_KUBECONFIG = 256 * 1024
# Seconds for all questions of one look together: somebody waits for its end.
BUDGET = 20.0

# The steps in their order; a failure is told as the step and its reason.
STEPS = {
    "parse": gettext_lazy("Read the kubeconfig"),
    "policy": gettext_lazy("Check the address"),
    "connect": gettext_lazy("Connect to the API server"),
    "version": gettext_lazy("Read the server version"),
    "nodes": gettext_lazy("List the nodes"),
    "rights": gettext_lazy("See what MCM may do there"),
    "store": gettext_lazy("Store it encrypted"),
}
# Refusals that a service account of MCM's own answers.
_WAY_OUT = {"exec", "auth_provider", "file_path", "basic_auth", "impersonation", "missing"}


class RegistrationFailed(Exception):
    """A step failed; nothing was stored.

    `step` is a key of STEPS, `field` the input to look at, `str(error)` what is wrong and what
    to do, `cause` the cluster's error where one was the reason, `way_out` says that a service
    account made for MCM would help. `results` are the details of the steps before it.
    """

    def __init__(
        self,
        step: str,
        field: str,
        message: str,
        cause: KubeError | None = None,
        *,
        way_out: bool = False,
    ) -> None:
        super().__init__(message)
        self.step = step
        self.field = field
        self.cause = cause
        self.way_out = way_out
        self.results: dict[str, str] = {}


@dataclass
class Look:
    """One look at the cluster that a kubeconfig leads to; each step fills in what it found.

    Use it in a `with`: it holds a connection from the step "connect" on.
    """

    text: str
    context: str | None = None
    version: str = ""
    node_count: int = 0
    system_uid: str = ""
    latency_ms: int | None = None
    certificate_expires: datetime | None = None
    rights: Rights | None = None
    # What each finished step found, as a line for people.
    results: dict[str, str] = field(default_factory=dict)
    _connection: Connection | None = None
    _client: Client | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._client is not None:
            self._client.close()

    @property
    def connection(self) -> Connection:
        """What the kubeconfig allows; RegistrationFailed when it is not accepted."""
        if self._connection is None:
            self._connection = parsed(self.text, self.context)
        return self._connection

    @property
    def client(self) -> Client:
        if self._client is None:
            self._client = Client(self.connection, SERVICE_ACCOUNT, budget=BUDGET)
        return self._client

    def run(self, step: str) -> str:
        """Takes one step (not "store"); what it found. Raises RegistrationFailed."""
        let_others_query()
        try:
            self.results[step] = _TAKEN[step](self)
        except KubeError as error:
            failed = RegistrationFailed(
                step, "kubeconfig", explain(error), error, way_out=_is_about_rights(error)
            )
            failed.results = self.results
            raise failed from error
        except RegistrationFailed as failed:
            failed.results = self.results
            raise
        return self.results[step]


def look(look: Look, tell: Callable[[str, str], None] | None = None) -> None:
    """All steps but the last; `tell` hears each with its result. Raises RegistrationFailed."""
    for step in _TAKEN:
        result = look.run(step)
        if tell is not None:
            tell(step, result)


def parsed(text: str, context: str | None = None) -> Connection:
    """The connection that a kubeconfig describes. Raises RegistrationFailed."""
    try:
        return kubeconfig.parse(text, context or None)
    except KubeconfigError as error:
        reason = gettext(error.reason)
        message = f"{error.field}: {reason}" if error.field else reason
        way_out = error.code in _WAY_OUT and ".user" in error.field
        raise RegistrationFailed("parse", "kubeconfig", message, way_out=way_out) from error


def explain(error: KubeError) -> str:
    """What the cluster's error means and what to do about it, in the reader's language."""
    match error:
        case errors.AddressRefused():
            return gettext(error.words) % error.facts
        case errors.Unauthorized():
            return _("The cluster does not accept these credentials. Make new ones and try again.")
        case errors.Forbidden():
            reason = gettext(str(error))
            reason += "" if reason.endswith((".", "。")) else "."
            return _("The cluster refuses: %(reason)s Give the account this right.") % {
                "reason": reason
            }
        case _:
            return gettext(str(error))


def credential_kind(connection: Connection) -> CredentialKind:
    """What the connection proves with who MCM is."""
    if connection.token and connection.certificate:
        return CredentialKind.BOTH
    return CredentialKind.TOKEN if connection.token else CredentialKind.CERTIFICATE


def _is_about_rights(error: KubeError) -> bool:
    return isinstance(error, errors.Unauthorized | errors.Forbidden)


def _parse(look: Look) -> str:
    kind = credential_kind(look.connection).label
    facts = {"context": errors.safe_text(look.connection.context, 120), "kind": kind}
    expires = kubeconfig.credential_expiry(look.connection)
    if expires is None:
        return _("Context %(context)s; %(kind)s.") % facts
    facts["day"] = date_format(timezone.localtime(expires), "Y-m-d")
    if expires < timezone.now():
        return _("Context %(context)s; %(kind)s, expired on %(day)s.") % facts
    return _("Context %(context)s; %(kind)s, good until %(day)s.") % facts


def _policy(look: Look) -> str:
    found = address.check(look.connection)
    at = address.endpoint(look.connection)
    leads = ", ".join(found[:4]) + ("…" if found[4:] else "")
    return _("%(host)s is %(addresses)s, port %(port)s: allowed.") % {
        "host": at.host,
        "addresses": leads,
        "port": at.port,
    }


def _connect(look: Look) -> str:
    began = time.monotonic()
    look.client.ready()
    look.latency_ms = round((time.monotonic() - began) * 1000)
    look.certificate_expires = look.client.certificate_expires
    return _("Its certificate is right; ready after %(ms)s ms.") % {"ms": look.latency_ms}


def _version(look: Look) -> str:
    look.version = look.client.version().git_version
    return look.version


def _nodes(look: Look) -> str:
    look.node_count = look.client.count("Node")
    look.system_uid = look.client.system_uid()
    n = look.node_count
    return ngettext("%(n)s node.", "%(n)s nodes.", n) % {"n": n}


def _rights(look: Look) -> str:
    found = look.rights = rights.review(look.client)
    lacking = [kind for kind, permitted in found.kinds.items() if not permitted]
    parts = [
        _("May watch %(n)s of %(all)s kinds.")
        % {"n": sum(found.kinds.values()), "all": len(found.kinds)}
    ]
    if lacking:
        parts.append(_("Not permitted: %(kinds)s.") % {"kinds": ", ".join(lacking)})
    parts.append(_("The metrics API answers.") if found.metrics else _("There are no metrics."))
    n = found.custom_resources
    parts.append(ngettext("%(n)s custom resource.", "%(n)s custom resources.", n) % {"n": n})
    return " ".join(parts)


_TAKEN: dict[str, Callable[[Look], str]] = {
    "parse": _parse,
    "policy": _policy,
    "connect": _connect,
    "version": _version,
    "nodes": _nodes,
    "rights": _rights,
}
