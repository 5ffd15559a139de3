"""Server-side apply: what is not there is made, of what is there the written fields are set."""

from typing import NamedTuple

from clusters.kube import errors
from clusters.kube.acting.editing import named, written
from clusters.kube.acting.target import SAME, Did, Json, Target, Unfit
from clusters.kube.client import Client
from clusters.kube.edited import contents
from clusters.kube.errors import Cause, sentence

APPLY_PATCH = "application/apply-patch+yaml"
# The reason of a cause that names a field of another manager.
HELD = "FieldManagerConflict"


class Previewed(NamedTuple):
    """An object as it is (None: it is not there) and as it would be; nothing was changed."""

    live: Json | None
    result: Json


def preview(client: Client, target: Target, wanted: Json, *, force: bool) -> Previewed:
    """What applying would do. Conflict with its causes where others manage fields of it."""
    live = _live(client, target)
    return Previewed(live, _send(client, target, wanted, force=force, dry=True))


def apply(client: Client, target: Target, wanted: Json, *, force: bool) -> Did:
    """Applies it; with `force` fields are taken over that others manage."""
    live = _live(client, target)
    after = _send(client, target, wanted, force=force, dry=False)
    if live is None:
        return Did(sentence("Created."))
    fields = contents.changed(live, after)
    if not fields:
        return Did(SAME)
    return Did(
        sentence("Applied: %(fields)s."), {"fields": named(fields)}, after={"fields": fields}
    )


def owners(error: errors.Conflict) -> list[Cause]:
    """Whose fields stand in the way; [] for a conflict of another kind."""
    return [cause for cause in error.causes if cause.reason == HELD]


def _live(client: Client, target: Target) -> Json | None:
    try:
        found: Json = client.get(target.url())
    except errors.NotFound:
        return None
    return found


class NoNamespace(Unfit):
    """There is no namespace to put it into."""

    code = "no_namespace"

    def __init__(self, namespace: str) -> None:
        super().__init__(sentence("There is no namespace %(namespace)s."), namespace=namespace)


def _send(client: Client, target: Target, wanted: Json, *, force: bool, dry: bool) -> Json:
    params = ({"force": "true"} if force else {}) | ({"dryRun": "All"} if dry else {})
    try:
        found: Json = client.request("PATCH", written(target, **params), wanted, APPLY_PATCH)
    except errors.NotFound as error:
        # What is applied need not be there, but its namespace must.
        raise NoNamespace(target.namespace) from error
    return found
