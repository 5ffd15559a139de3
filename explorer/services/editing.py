"""Editing an object as YAML: opening it, looking at what would become of it, asking for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _

from clusters.kube import errors
from clusters.kube.acting import editing
from clusters.kube.acting.target import Target, read
from clusters.kube.client import Client
from clusters.kube.edited import contents, documents
from clusters.kube.edited.contents import Line
from clusters.kube.edited.documents import Document, Wrong
from clusters.kube.opened import text
from clusters.models import Cluster, Freshness, Object
from clusters.services import looking
from clusters.services.waiting import let_others_query
from clusters.store import identity
from explorer.executor import Given
from explorer.executor.catalog import WRITTEN
from explorer.services import acting
from explorer.services.acting import Choice
from explorer.services.clashes import Clash, Draft, clash, draft_of, has_moved, schema_of
from operations.models import Operation, Step
from teams.models import User
from teams.roles import Denied, Level

# Somebody waits for the answer: for each question, and for all of them.
DEADLINE, BUDGET = 6.0, 12.0
EDIT = WRITTEN["edit"]
# What opening, looking and asking may raise; `looking.failure` tells it in words.
FAILURES = looking.FAILURES

Json = dict[str, Any]


@dataclass(frozen=True)
class Opened:
    """An object as it may be edited; values of Secrets are hidden."""

    draft: Draft
    at: datetime


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with the text; `line` is 0 where no line is to blame."""

    line: int
    field: str
    text: str
    document: int = 1


class Refused(Exception):
    """The text cannot be stored as it is; `problems` say why."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("the text is refused")
        self.problems = problems


@dataclass(frozen=True)
class Looked:
    """What the API server would make of the draft."""

    draft: Draft
    wanted: Json = field(repr=False)
    lines: list[Line] = field(repr=False)
    fields: list[str]


def choice(user: User, found: Object) -> Choice:
    """The object for this person to edit. Http404 where nobody can, Denied where he may not."""
    (made,) = acting.choices(user, EDIT, [found])
    if not made.fits:
        raise Http404
    if made.reason:
        raise Denied(made.action, found)
    return made


def offered(user: User, found: Object) -> Choice | None:
    """The object for this person to edit, with why he may not; None where nobody can."""
    (made,) = acting.choices(user, EDIT, [found])
    return made if made.fits else None


@contextmanager
def working(user: User, cluster: Cluster) -> Iterator[Client]:
    """A client as the person by whose rights the work would be done. Raises what is in FAILURES."""
    if cluster.freshness == Freshness.UNREACHABLE:
        raise errors.Unreachable(cluster.reason or looking.SILENT)
    level = user.reach.level if user.reach else Level.ADMIN
    whom = identity.for_work(user, cluster, Level(level))
    connection = cluster.connection
    let_others_query()
    with Client(connection, whom, deadline=DEADLINE, budget=BUDGET) as client:
        yield client


def opened(user: User, made: Choice) -> Opened:
    """The object as it stands in the cluster now. Raises what is in FAILURES."""
    with working(user, made.object.cluster) as client:
        live = read(client, target(made))
    return Opened(draft_of(live), timezone.now())


def target(made: Choice) -> Target:
    found = made.object
    return Target(found.kind, made.path, found.namespace, found.name, found.uid)


def look(user: User, made: Choice, draft: Draft) -> Looked | Clash:
    """What would become of the draft, by a dry run. Raises Refused and what is in FAILURES."""
    try:
        document = documents.only(draft.text)
    except Wrong as wrong:
        raise Refused([problem(wrong)]) from wrong
    try:
        with working(user, made.object.cluster) as client:
            return _look(client, made, draft, document)
    except Wrong as wrong:
        raise Refused([problem(wrong, document)]) from wrong
    except errors.Refused as error:
        if error.status not in (400, 409, 422):
            raise
        raise Refused(problems(error, document)) from error


def _look(client: Client, made: Choice, draft: Draft, document: Document) -> Looked | Clash:
    at = target(made)
    live = read(client, at)
    theirs = draft_of(live)
    if has_moved(draft, theirs, live):
        found, merged = clash(client, made.object.cluster, draft, document, theirs)
        if found.overlaps or not draft.merge:
            return found
        draft = Draft(found.merged, theirs.base, theirs.version)
        document = Document(merged, 1, {})
    else:
        draft = Draft(draft.text, theirs.base, theirs.version)
    seen = editing.preview(client, at, document.data, live)
    fields = contents.changed(seen.live, seen.result)
    return Looked(draft, document.data, contents.difference(seen.live, seen.result), fields)


def fields(user: User, made: Choice) -> Json:
    """The fields of an object's kind for the editor. Raises what is in FAILURES."""
    found = made.object
    kind = found.kind.partition(".")[0]
    api_version = made.path.removeprefix("/apis/").removeprefix("/api/").rpartition("/")[0]
    return fields_of(user, found.cluster, api_version, kind)


def fields_of(user: User, cluster: Cluster, api_version: str, kind: str) -> Json:
    """The fields of any kind of a cluster. Raises what is in FAILURES."""
    with working(user, cluster) as client:
        schema = schema_of(client, cluster, api_version, kind)
    told: Json = msgspec.to_builtins(schema)
    return told


def problem(wrong: Wrong, document: Document | None = None) -> Problem:
    """A place that was not accepted, in the reader's language."""
    line = wrong.line or (document.line_of(wrong.field) if document else 0)
    return Problem(line, wrong.field, _(wrong.reason), wrong.document)


def problems(error: errors.Refused, document: Document) -> list[Problem]:
    """What the API server said is wrong, with the lines of the fields that it names."""
    found = [
        Problem(
            document.line_of(cause.field) if cause.field else 0,
            cause.field,
            _(cause.message) if cause.message else cause.reason,
            document.number,
        )
        for cause in error.causes
    ]
    return found or [Problem(0, "", _(str(error)), document.number)]


def request(user: User, made: Choice, looked: Looked, key: str) -> Operation:
    """Queues what was looked at. Raises PermissionDenied, operations.Held and KeyReused."""
    arguments = {
        "base": looked.draft.base, "wanted": looked.wanted, "version": looked.draft.version
    }  # fmt: skip
    told = {"fields": looked.fields}
    return acting.request(acting.Wanted(EDIT, [made], [arguments], key, told=told), by=user)


def written_before(user: User, found: Object, key: str) -> Draft | None:
    """What this person wrote for an edit of this object that did not succeed."""
    try:
        operation = Operation.objects.filter(pk=key, requested_by=user, kind=EDIT.kind).first()
    except ValueError:
        return None
    if operation is None or not operation.steps.filter(uid=found.uid).exists():
        return None
    given = msgspec.json.decode(operation.unseal(), type=Given).items[0].arguments
    return Draft(text.written(given["wanted"]), given["base"], given["version"])


def way_back(step: Step) -> Json:
    """What putting an object back takes: what it was, and what it was left as."""
    former = getattr(step, "former", None)
    if former is None:
        raise PermissionDenied
    found: Json = msgspec.json.decode(former.unseal())
    return found
