"""Putting another text in the place of an object, as long as nobody else has changed it."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

from clusters.kube import errors
from clusters.kube.acting.target import SAME, TRIES, Did, Json, Target, Unfit, read
from clusters.kube.client import Client
from clusters.kube.edited import contents
from clusters.kube.edited.documents import Wrong
from clusters.kube.edited.merging import merge, whole
from clusters.kube.errors import sentence

# As the API server names who set which field.
MANAGER = "mcm"
CHANGED = sentence("It was changed meanwhile: %(fields)s. Nothing was done: edit it again.")
CHANGED_SECRET = sentence("The Secret was changed meanwhile. Nothing was done: edit it again.")
SINCE = sentence("It was changed since: %(fields)s. Nothing was done.")
AGAIN = sentence("It is changed again and again by others. Try once more.")
MOST_NAMED = 5


class Previewed(NamedTuple):
    """An object as it is, and as it would be; nothing was changed."""

    live: Json
    result: Json


def written(target: Target, **params: str) -> str:
    """Where an object is written, each of its fields known to the cluster and set by MCM."""
    asked = {"fieldManager": MANAGER, "fieldValidation": "Strict"} | params
    return f"{target.url()}?{urlencode(asked)}"


def preview(client: Client, target: Target, wanted: Json, live: Json) -> Previewed:
    """What the API server would make of the wanted content, with defaults and admission.

    `live` is the object as it was just read. Wrong for what cannot be sent, KubeError for what the
    server refuses; Conflict when it was changed in between.
    """
    contents.require_identity(wanted, live)
    body = _body(contents.unmasked(wanted, live), live)
    return Previewed(live, client.request("PUT", written(target, dryRun="All"), body))


def replace(client: Client, target: Target, base: Json, wanted: Json, version: str) -> Did:
    """Stores the wanted content in the place of `base`, both with values hidden.

    Unfit when others have changed more than the status since. Of a Secret nobody could tell, so it
    must have the very `version` that was seen.
    """

    def made(live: Json) -> Json:
        if contents.is_secret(live) and live["metadata"].get("resourceVersion") != version:
            raise Unfit(CHANGED_SECRET)
        now = contents.masked(live)
        if not contents.is_same(now, base):
            raise Unfit(CHANGED, fields=named(contents.changed(base, now)))
        contents.require_identity(wanted, live)
        return contents.unmasked(wanted, live)

    before, after = _put(client, target, made)
    if contents.is_same(before, after):
        return Did(SAME)
    return _did(sentence("Saved: %(fields)s."), before, after)


def revert(client: Client, target: Target, former: Json, left: Json) -> Did:
    """Puts `former` back, which an edit had turned into `left`.

    What others have changed since stays, unless it is the same field: then it is Unfit.
    """

    def made(live: Json) -> Json:
        merged = merge(left, former, contents.content(live), whole, {})
        if merged.overlaps:
            raise Unfit(SINCE, fields=named([each.path for each in merged.overlaps]))
        return contents.unmasked(merged.data, live)

    before, after = _put(client, target, made)
    if contents.is_same(before, after):
        return Did(SAME)
    return _did(sentence("Put back: %(fields)s."), before, after)


def _put(client: Client, target: Target, made: Callable[[Json], Json]) -> tuple[Json, Json]:
    """The object before and after; with the version that was looked at, so nothing is lost."""
    for _ in range(TRIES):
        live = read(client, target)
        try:
            body = _body(made(live), live)
        except Wrong as error:
            raise Unfit(error.reason) from error
        try:
            return live, client.request("PUT", written(target), body)
        except errors.Conflict:
            continue
    raise Unfit(AGAIN)


def _body(wanted: Json, live: Json) -> Json:
    """What is sent: the server keeps its own fields, and refuses it once the object has changed."""
    metadata = {key: value for key, value in wanted["metadata"].items() if key != "managedFields"}
    held = {key: live["metadata"].get(key) for key in ("uid", "resourceVersion")}
    return wanted | {"metadata": metadata | held}


def _did(words: str, before: Json, after: Json) -> Did:
    """What is kept of it: the fields, and for the way back both contents (sealed, never shown)."""
    fields = contents.changed(before, after)
    return Did(
        words,
        {"fields": named(fields)},
        after={"fields": fields},
        undo=("revert", {}),
        former={"former": contents.content(before), "left": contents.content(after)},
    )


def named(fields: list[str]) -> str:
    rest = "…" if len(fields) > MOST_NAMED else ""
    return ", ".join([*fields[:MOST_NAMED], rest] if rest else fields)
