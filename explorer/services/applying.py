"""Applying YAML to clusters: what would become of each object, and asking for it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from clusters.kube import errors
from clusters.kube.acting import applying, needs
from clusters.kube.acting.target import Target
from clusters.kube.client import Client
from clusters.kube.edited import contents, documents
from clusters.kube.edited.contents import Line
from clusters.kube.edited.documents import Document, Wrong
from clusters.kube.edited.lookup import Lookup, Place
from clusters.kube.kinds import KINDS
from clusters.kube.opened.text import MASK
from clusters.kube.roles import Custom
from clusters.models import Cluster, Namespace
from clusters.services import looking
from explorer.executor import Given, Item
from explorer.executor.catalog import WRITTEN
from explorer.services.acting import action_of, missing
from explorer.services.editing import Problem, problem, problems, working
from operations import executor
from operations import services as operations
from operations.models import Operation, Step
from teams import access
from teams.models import User
from teams.roles import Action

APPLY = WRITTEN["apply"]
# Objects in all clusters together, and how long they are looked at.
MOST_OBJECTS = 200
SECONDS = 20.0
# What others stand on is made first; the rest as it was written.
_FIRST = ("Namespace", "CustomResourceDefinition", "ServiceAccount", "Secret", "ConfigMap")
_PATHS = {kind.path: kind.name for kind in KINDS.values() if kind.name != "HelmRelease"}

# How an object would fare.
CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"
HELD, REFUSED, FORBIDDEN, LATE = "held", "refused", "forbidden", "late"
GOOD = frozenset((CREATED, CHANGED, UNCHANGED))


@dataclass(frozen=True)
class Asked:
    """What somebody wants to apply. `forced` has the keys of objects whose fields he takes over,
    or "*" for all.
    """

    text: str = field(repr=False)
    clusters: Sequence[Cluster]
    namespace: str = ""
    forced: frozenset[str] = frozenset()


@dataclass
class Planned:
    """One object in one cluster, and what would become of it."""

    key: str
    step: Step
    document: int
    line: int
    state: str = LATE
    item: Item = field(default_factory=lambda: Item(""), repr=False)
    lines: list[Line] = field(default_factory=list, repr=False)
    fields: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    # Fields of other managers: the field and what the cluster says of its owner.
    owners: list[tuple[str, str]] = field(default_factory=list)
    forced: bool = False

    @property
    def good(self) -> bool:
        """Whether it can be applied."""
        return self.state in GOOD


class Unreadable(Exception):
    """The text, or how it is asked for; `problems` say why."""

    def __init__(self, found: list[Problem]) -> None:
        super().__init__("the text is refused")
        self.problems = found


def offered(user: User) -> QuerySet[Cluster]:
    """The clusters in which the person may change something somewhere."""
    spaces = access.visible(user, Namespace, Action.OPERATE).values("cluster")
    whole = access.visible(user, Cluster, Action.OPERATE).values("pk")
    rows = access.visible(user, Cluster).filter(Q(pk__in=whole) | Q(pk__in=spaces))
    return rows.order_by("name")


def plan(user: User, asked: Asked) -> list[Planned]:
    """What would become of each object in each cluster, by dry runs. Raises Unreadable."""
    try:
        found = documents.load(asked.text)
    except Wrong as wrong:
        raise Unreadable([problem(wrong)]) from wrong
    if len(found) * len(asked.clusters) > MOST_OBJECTS:
        text = _("These are more than %(most)d objects in all clusters.") % {"most": MOST_OBJECTS}
        raise Unreadable([Problem(0, "", text)])
    ordered = sorted(found, key=_rank)
    ends = time.monotonic() + SECONDS
    made: list[Planned] = []
    for cluster in asked.clusters:
        made += _Planner(user, asked, cluster, ends).plan(ordered)
    return made


def _rank(document: Document) -> int:
    kind = str(document.data["kind"])
    return _FIRST.index(kind) if kind in _FIRST else len(_FIRST)


class _Planner:
    """Looks at the documents in one cluster."""

    def __init__(self, user: User, asked: Asked, cluster: Cluster, ends: float) -> None:
        self._user = user
        self._asked = asked
        self._cluster = cluster
        self._ends = ends
        customs = cluster.custom_resources.values_list("group", "plural", "namespaced")
        self._customs = {
            (group, plural): Custom(group, plural, ns) for group, plural, ns in customs
        }
        self._spaces: set[str] = set()

    def plan(self, found: Sequence[Document]) -> list[Planned]:
        made = [self._begun(each) for each in found]
        try:
            with working(self._user, self._cluster) as client:
                lookup = Lookup(client)
                for document, planned in zip(found, made, strict=True):
                    if (left := self._ends - time.monotonic()) <= 0:
                        break
                    with client.within(left):
                        self._look(client, lookup, document, planned)
        except looking.FAILURES as error:
            failed = looking.failure(error)
            for planned in made:
                if planned.state == LATE and not planned.problems:
                    planned.state = REFUSED
                    planned.problems = [Problem(0, "", failed.text, planned.document)]
        for planned in made:
            if planned.state == LATE and not planned.problems:
                text = _("There was no time left to look at it.")
                planned.problems = [Problem(planned.line, "", text, planned.document)]
        return made

    def _begun(self, document: Document) -> Planned:
        data = document.data
        group = str(data["apiVersion"]).rpartition("/")[0]
        kind = f"{data['kind']}.{group}" if group else str(data["kind"])
        name = str(data["metadata"]["name"])
        step = Step(cluster=self._cluster, kind=kind[:253], namespace="", name=name[:253], uid="")
        key = f"{self._cluster.pk}:{document.number}"
        forced = key in self._asked.forced or "*" in self._asked.forced
        return Planned(key, step, document.number, document.line, forced=forced)

    def _look(self, client: Client, lookup: Lookup, document: Document, made: Planned) -> None:
        try:
            data = document.data
            place = lookup.place(str(data["apiVersion"]), str(data["kind"]))
            wanted = self._placed(document, made.step, place)
            self._allow(made.step, place)
            made.item = Item(place.path, {"object": wanted, "force": made.forced})
            self._preview(client, made)
            if made.good and made.step.kind == "Namespace":
                self._spaces.add(made.step.name)
        except PermissionDenied as error:
            made.state = FORBIDDEN
            made.problems = [Problem(made.line, "", str(error), made.document)]
        except Wrong as wrong:
            made.state = REFUSED
            made.problems = [problem(wrong, document)]
        except errors.Refused as error:
            self._refused(error, document, made)

    def _placed(self, document: Document, step: Step, place: Place) -> dict[str, Any]:
        """The object as it is sent, with the namespace in which it is made."""
        wanted = contents.content(document.data)
        metadata = wanted["metadata"]
        given = metadata.pop("namespace", "") or self._asked.namespace
        step.kind = _PATHS.get(place.path, step.kind)
        if place.namespaced:
            if not isinstance(given, str) or not given:
                text = errors.sentence("Write its namespace, or choose one for all.")
                raise Wrong(text, 0, "metadata.namespace", document.number)
            step.namespace = metadata["namespace"] = given[:63]
        if contents.is_secret(wanted) and MASK in str(wanted):
            text = errors.sentence("A hidden value was pasted: write the value itself.")
            raise Wrong(text, 0, "data", document.number)
        return wanted

    def _allow(self, step: Step, place: Place) -> None:
        """Sets the right that it takes; PermissionDenied with the reason where it is missing."""
        start, _slash, plural = place.path.rpartition("/")
        group = start.split("/")[2] if start.startswith("/apis/") else ""
        custom = self._customs.get((group, plural))
        least = needs.least(needs.needs("apply", place.path), custom)
        if least is None:
            if not access.is_platform_admin(self._user):
                raise PermissionDenied(_("No role of MCM changes objects of this kind."))
            step.needs, step.whole = Action.ADMIN, True
        else:
            step.needs = action_of(least)
            step.whole = least.whole
        try:
            executor.require(self._user, step)
        except PermissionDenied as error:
            whole = step.whole or not step.namespace
            raise PermissionDenied(missing(Action(step.needs), whole=whole)) from error

    def _preview(self, client: Client, made: Planned) -> None:
        step, item = made.step, made.item
        target = Target(step.kind, item.path, step.namespace, step.name, "")
        try:
            seen = applying.preview(client, target, item.arguments["object"], force=made.forced)
        except applying.NoNamespace as error:
            if step.namespace not in self._spaces:
                made.problems = [
                    Problem(made.line, "", _(error.words) % error.facts, made.document)
                ]
                made.state = REFUSED
                return
            # A document before it makes the namespace: only then can the server look at it.
            made.state = CREATED
            made.lines = contents.difference(None, item.arguments["object"])
            return
        made.lines = contents.difference(seen.live, seen.result)
        made.fields = contents.changed(seen.live, seen.result) if seen.live else []
        made.state = CREATED if seen.live is None else CHANGED if made.fields else UNCHANGED

    def _refused(self, error: errors.Refused, document: Document, made: Planned) -> None:
        if isinstance(error, errors.Conflict) and (held := applying.owners(error)):
            made.state = HELD
            made.owners = [(each.field.lstrip("."), each.message) for each in held]
            return
        made.state = FORBIDDEN if isinstance(error, errors.Forbidden) else REFUSED
        made.problems = problems(error, document)


def request(user: User, planned: Sequence[Planned], key: str) -> Operation:
    """Queues what can be applied, a step for each object.

    Raises PermissionDenied, operations.Held and operations.KeyReused.
    """
    good = [each for each in planned if each.good]
    payload = msgspec.json.encode(Given([each.item for each in good]))
    made = operations.Steps(APPLY.kind, [each.step for each in good], payload, key)
    told = {"objects": len(good), "forced": sum(each.forced for each in good)}
    return operations.request_steps(made, by=user, told=told)
