"""One object read live from its cluster for a person: why it fails, its YAML, what is around it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from clusters import vault
from clusters.kube import errors, kinds, paths
from clusters.kube.client import Client
from clusters.kube.errors import sentence
from clusters.kube.fenced import FencedClient
from clusters.kube.kinds import KINDS
from clusters.kube.opened import around, mentions, state, text
from clusters.kube.opened.mentions import Mention
from clusters.kube.types import SERVICE_ACCOUNT
from clusters.kube.why import ask
from clusters.models import Cluster, CustomResource, Freshness, Namespace, Object
from clusters.services.waiting import let_others_query
from clusters.store import family, identity
from clusters.store.family import Named
from teams import access, audit
from teams.models import User
from teams.roles import Action
from teams.trail import Result

# Somebody waits for the answer: for each question, and for all of them.
DEADLINE, BUDGET = 5.0, 9.0
# What reading may raise; `failure` tells it in words.
FAILURES = (errors.KubeError, vault.CannotOpen, PermissionDenied)

# Kinds whose objects are Secrets in the cluster.
SECRETS = frozenset({"Secret", "HelmRelease"})

TURNED_OFF = sentence("This kind is no longer turned on for the cluster.")
SILENT = sentence("The cluster does not answer.")


class Failure(NamedTuple):
    """Why something could not be read: a stable code, a sentence, and what to do about it."""

    code: str
    text: str
    advice: str


@dataclass(frozen=True)
class Looked:
    """Why an object is not well, and how it stands; all read at this moment."""

    why: ask.Why
    state: state.State
    at: datetime


@dataclass(frozen=True)
class Containers:
    """The containers of a pod, and the one that is meant if none is named ("": none runs)."""

    all: Sequence[state.Container]
    default: str
    at: datetime


@dataclass(frozen=True)
class Written:
    """The object as YAML; read at this moment."""

    manifest: text.Manifest
    at: datetime


class Relative(NamedTuple):
    """An object in a relation to another; `row` is what is stored of it, for who may see it."""

    relation: str
    kind: str
    namespace: str
    name: str
    row: Object | None


@dataclass(frozen=True)
class Related:
    """What stands around an object; `more` of what it owns is left out.

    `failure` says why the cluster could not be asked: then only stored rows are told of. `unread`
    are lists that could not be read.
    """

    relatives: list[Relative]
    unread: list[around.Unread]
    more: bool
    failure: Failure | None
    at: datetime


def failure(error: BaseException) -> Failure:
    """What is said of an error of `FAILURES`."""
    if isinstance(error, PermissionDenied):
        return Failure("forbidden", _("You hold nothing in this cluster."), _ASK)
    if isinstance(error, vault.CannotOpen):
        return Failure("sealed", _("The stored credentials cannot be opened."), _ADMIN)
    if not isinstance(error, errors.KubeError):
        raise TypeError("this is no failure to read")
    return Failure(error.code, _(str(error)), _ADVICE.get(error.code, _AGAIN))


_AGAIN = sentence("What MCM saw last is shown. Try again in a moment.")
_ASK = sentence("Ask for a role that may read it, or have the cluster told of the roles anew.")
_ADMIN = sentence("Who administers MCM finds the reason on the page of the cluster.")
_GONE = sentence("It is no longer in the cluster. What MCM saw last is shown.")
_ADVICE = {"forbidden": _ASK, "not_found": _GONE, "unauthorized": _ADMIN, "address_refused": _ADMIN}


@contextmanager
def reading(user: User, cluster: Cluster) -> Iterator[Client]:
    """A client that reads as the person, and no further than the person may see.

    Raises what is in `FAILURES`; a cluster that is known to be away is not asked.
    """
    if cluster.freshness == Freshness.UNREACHABLE:
        raise errors.Unreachable(cluster.reason or SILENT)
    who, connection = identity.for_reading(user, cluster), cluster.connection
    client = Client(connection, who, deadline=DEADLINE, budget=BUDGET)
    if who == SERVICE_ACCOUNT:
        client = FencedClient(
            connection,
            namespaces=_within(user, cluster, Action.VIEW),
            secrets=_within(user, cluster, Action.OPERATE),
            deadline=DEADLINE,
            budget=BUDGET,
        )
    let_others_query()
    with client:
        yield client


def _within(user: User, cluster: Cluster, action: Action) -> frozenset[str] | None:
    """The namespaces in which the person may do this; None: in the whole cluster."""
    if access.holds(user, action, cluster):
        return None
    spaces = access.visible(user, Namespace, action).filter(cluster=cluster)
    return frozenset(spaces.values_list("name", flat=True))


def path_of(row: Object) -> str:
    """Where the object stands in the API of its cluster; NotFound for kinds that are turned off."""
    if row.kind in KINDS:
        return paths.path_to(KINDS[row.kind].path, row.namespace, row.name)
    kind, _dot, group = row.kind.partition(".")
    found = CustomResource.objects.filter(cluster=row.cluster_id, kind=kind, group=group).first()
    if found is None:
        raise errors.NotFound(TURNED_OFF, 404)
    read = kinds.custom(group, found.version, found.plural, kind, found.namespaced)
    return paths.path_to(read.path, row.namespace, row.name)


def look(user: User, row: Object) -> Looked:
    """Why the object is not well, and its conditions and containers. Raises what is in FAILURES."""
    path = path_of(row)
    with reading(user, row.cluster) as client:
        body = client.read(path)
        why = ask.why(client, path, body=body)
    return Looked(why, state.state(body), timezone.now())


def containers(user: User, row: Object) -> Containers:
    """The containers of a pod as they stand. Raises what is in FAILURES."""
    path = path_of(row)
    with reading(user, row.cluster) as client:
        body = client.read(path)
    found = state.state(body).containers
    return Containers(found, state.default_container(body), timezone.now())


def written(user: User, row: Object) -> Written:
    """The object as YAML, the values of a Secret hidden. Raises what is in FAILURES."""
    path = path_of(row)
    with reading(user, row.cluster) as client:
        body = client.read(path)
    return Written(text.manifest(body), timezone.now())


def visible(plain: str) -> str:
    """The text with characters written out that nobody sees."""
    return text.visible(plain)


def require_secret(row: Object) -> None:
    """Http404 for what is no Secret: nothing else has values to reveal."""
    if row.kind != "Secret":
        raise Http404


def reveal(user: User, row: Object) -> list[text.Value]:
    """The values of a Secret for who administers its place, told in the audit trail.

    Raises what is in FAILURES, which is told there, too.
    """
    path = path_of(row)
    try:
        with reading(user, row.cluster) as client:
            found = text.values(client.read(path))
    except FAILURES as error:
        reason = failure(error).text
        audit.record(user, "secret.reveal", row, result=Result.FAILED, reason=reason)
        raise
    audit.record(user, "secret.reveal", row, keys=[value.key for value in found])
    return found


def related(user: User, row: Object) -> Related:
    """What stands around the object: from the stored rows, and from the cluster if it answers."""
    owners, made = family.above(user, row), family.below(user, row)
    named: list[Mention] = []
    unread: list[around.Unread] = []
    failed = None
    try:
        path = path_of(row)
        with reading(user, row.cluster) as client:
            found = _opened(client, row, path)
            named = mentions.mentions(found)
            targets = [(owner.kind, owner.name) for owner in owners]
            near = around.around(client, found, targets)
        named, unread = [*named, *near.mentions], near.unread
    except FAILURES as error:
        failed = failure(error)
        named = _known(row)
    return Related(
        _relatives(user, row, owners, made.rows, named),
        unread, made.more, failed, timezone.now(),
    )  # fmt: skip


def _opened(client: Client, row: Object, path: str) -> mentions.Opened:
    """The live object; of a Secret what is stored, which is enough: it names nothing."""
    if row.kind not in SECRETS:
        return mentions.Opened(client.read(path))
    metadata = {"name": row.name, "namespace": row.namespace}
    return mentions.Opened.of({"metadata": metadata}, "Secret")


def _known(row: Object) -> list[Mention]:
    """What the stored row names, where the cluster cannot be asked."""
    found = [Mention("node", "Node", "", row.node)] if row.node else []
    if row.owner_name and row.kind != "Event":
        found.append(Mention("owner", row.owner_kind, row.namespace, row.owner_name))
    facts = row.facts
    if row.kind == "PersistentVolumeClaim" and facts.get("volume"):
        found.append(Mention("volume", "PersistentVolume", "", facts["volume"]))
    if row.kind == "HorizontalPodAutoscaler":
        kind, _slash, name = str(facts.get("target", "")).partition("/")
        found.append(Mention("target", kind, row.namespace, name))
    return found


def _relatives(
    user: User, row: Object, owners: list[Object], made: list[Object], named: list[Mention]
) -> list[Relative]:
    rows = family.at(user, row.cluster_id, (Named(*each[1:]) for each in named))
    known = {(owner.kind, owner.name) for owner in owners}
    found = [Relative("owner", one.kind, one.namespace, one.name, one) for one in owners]
    found += [
        Relative(*each, rows.get(Named(*each[1:])))
        for each in named
        if not (each.relation == "owner" and _is_known(each, known))
    ]
    return found + [Relative("owned", one.kind, one.namespace, one.name, one) for one in made]


def _is_known(owner: Mention, known: set[tuple[str, str]]) -> bool:
    """Whether it is among the stored owners, of which a row may tell the kind without a group."""
    kind = owner.kind.partition(".")[0]
    return any(name == owner.name and each.partition(".")[0] == kind for each, name in known)
