"""Why an object is not well, asked of its cluster as the client's person, within a time."""

import time
from collections.abc import Mapping
from urllib.parse import quote, urlencode

import msgspec

from clusters.kube import errors
from clusters.kube.client import SEGMENT, Client
from clusters.kube.errors import sentence
from clusters.kube.why import budgets, subject
from clusters.kube.why.around import Around, Question, Requested, Unknown, following
from clusters.kube.why.cause import Cause
from clusters.kube.why.explain import explain
from clusters.kube.why.neighbours import Budget
from clusters.kube.why.parts import owner
from clusters.kube.why.pod import Pod
from clusters.kube.why.wanted import PAGE, wanted

SECONDS = 8.0
# Each answer may make further questions worth asking; no object needs more than this.
MOST_QUESTIONS = 30
TOO_LONG = sentence("There are too many of them to read them all here.")
NO_TIME = sentence("There was no time left to ask for it.")


class Why(msgspec.Struct, frozen=True):
    """The causes, the most telling first (none: nothing is wrong), and what could not be known.

    `owner_kind` and `owner_name` say in what the object's template stands, where to mend it; ""
    where nothing owns it.
    """

    kind: str
    namespace: str
    name: str
    owner_kind: str
    owner_name: str
    causes: tuple[Cause, ...]
    unknown: tuple[Unknown, ...]


def why(
    client: Client,
    path: str,
    *,
    seconds: float = SECONDS,
    body: bytes | None = None,
    requested: Mapping[str, Requested] | None = None,
) -> Why:
    """Why the object at `path` ("/api/v1/namespaces/a/pods/b") is not well.

    It takes `seconds` at most. `body` is the object's JSON where it is known already, `requested`
    what pods request by node, else it is asked for where it tells something. KubeError when the
    object itself cannot be read; what else cannot is told in `unknown`.
    """
    ends = time.monotonic() + seconds
    with client.within(seconds):
        found = subject.read(client.read(path) if body is None else body)
        around = Around(requested=requested)
        _ask_around(client, found, around, ends)
    text, owned = errors.safe_text, owner(found.meta)
    return Why(
        kind=text(found.kind, 63),
        namespace=text(found.meta.namespace, 63),
        name=text(found.meta.name, 253),
        owner_kind=text(owned.kind, 63),
        owner_name=text(owned.name, 253),
        causes=tuple(explain(found, around)),
        unknown=tuple(around.unknown),
    )


def eviction(
    client: Client, namespace: str, pod: str, refusal: str, *, seconds: float = SECONDS
) -> list[Cause]:
    """Which disruption budgets keep a pod from being evicted; `refusal` is what the cluster said.

    KubeError when the pod or the budgets cannot be read.
    """
    if not SEGMENT.match(namespace) or not SEGMENT.match(pod):
        raise errors.NotFound("There is no object of this name.", 404)
    inside = f"/namespaces/{quote(namespace)}"
    path = f"/apis/policy/v1{inside}/poddisruptionbudgets?{urlencode({'limit': PAGE})}"
    question = Question("budgets", namespace, path)
    around = Around()
    with client.within(seconds):
        found = subject.read(client.read(f"/api/v1{inside}/pods/{quote(pod)}")).thing
        around.put(question, client.read(path))
    every: list[Budget] = around.many("budgets", namespace)
    return budgets.of_eviction(found, every, refusal) if isinstance(found, Pod) else []


def _ask_around(client: Client, found: subject.Subject, around: Around, ends: float) -> None:
    """Asks what is worth it, until nothing is or the time is over."""
    left = MOST_QUESTIONS
    while questions := wanted(found, around)[:left]:
        for question in questions:
            if time.monotonic() >= ends:
                around.refuse(question, errors.TimedOut(NO_TIME))
            else:
                _ask(client, question, around)
        left -= len(questions)


def _ask(client: Client, question: Question, around: Around) -> None:
    try:
        around.put(question, *_pages(client, question))
    except errors.NotFound as error:
        # A list that is not there is a kind that the cluster does not have.
        if "?" in question.path:
            around.refuse(question, error)
        else:
            around.absent(question)
    except errors.KubeError as error:
        around.refuse(question, error)


def _pages(client: Client, question: Question) -> list[bytes]:
    """The pages of a list, or the one object; BadAnswer when the list is longer than worth it."""
    # Not megabytes first, only to see that there are more.
    if question.part == "requested" and client.count("Pod") > PAGE * question.pages:
        raise errors.BadAnswer(TOO_LONG)
    pages = [client.read(question.path, accept=question.accept)]
    if "?" not in question.path:
        return pages
    while (token := following(pages[-1])) and len(pages) < question.pages:
        path = f"{question.path}&{urlencode({'continue': token})}"
        pages.append(client.read(path, accept=question.accept))
    # A part of the nodes would tell the wrong one as the largest; a part of the others is enough.
    if token and question.pages > 1:
        raise errors.BadAnswer(TOO_LONG)
    return pages
