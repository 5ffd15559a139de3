"""What somebody wrote, and how it fits together with what others have changed meanwhile."""

from dataclasses import dataclass, field
from typing import Any

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.edited import contents, merging, openapi
from clusters.kube.edited.contents import Line
from clusters.kube.edited.documents import Document
from clusters.kube.opened import text
from clusters.models import Cluster

Json = dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """What somebody wrote. `base` is what he had before him when he began, at `version`."""

    text: str = field(repr=False)
    base: Json = field(repr=False)
    version: str
    # Whether what others changed meanwhile is to be merged into it.
    merge: bool = False
    # Of fields that others changed as well: whose side is taken, by their paths.
    decided: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Clash:
    """Others have changed the object since it was opened: what they did, what was written."""

    draft: Draft
    theirs: Draft
    merged: str = field(repr=False)
    overlaps: list[merging.Overlap] = field(repr=False)
    their_lines: list[Line] = field(repr=False)
    my_lines: list[Line] = field(repr=False)


def draft_of(live: Json) -> Draft:
    """An object as somebody begins to edit it."""
    shown = contents.masked(live)
    version = str(live["metadata"].get("resourceVersion", ""))
    return Draft(text.written(shown), shown, version)


def has_moved(draft: Draft, theirs: Draft, live: Json) -> bool:
    """Whether others changed it: of a Secret, whose values are hidden, its version says so."""
    if contents.is_secret(live) and draft.version != theirs.version:
        return True
    return not contents.is_same(draft.base, theirs.base)


def clash(
    client: Client, cluster: Cluster, draft: Draft, document: Document, theirs: Draft
) -> tuple[Clash, Json]:
    """How the draft and what others did fit together, and the merged object."""
    keys = _list_keys(client, cluster, document.data)
    base = contents.content(draft.base)
    mine = contents.content(document.data)
    held = contents.content(theirs.base)
    found = merging.merge(base, mine, held, keys, draft.decided)
    overlaps = found.overlaps
    if contents.is_secret(held):
        overlaps = [*overlaps, *_hidden(base, mine, held, draft.decided)]
        found = found._replace(data=_kept(found.data, held, draft.decided))
    made = Clash(
        draft,
        theirs,
        text.written(found.data),
        overlaps,
        contents.lines(text.written(base), text.written(held)),
        contents.lines(text.written(base), text.written(mine)),
    )
    return made, found.data


def _hidden(base: Json, mine: Json, theirs: Json, decided: dict[str, str]) -> list[merging.Overlap]:
    """New values for keys that others may have given new ones, too: that cannot be seen."""
    mask = text.MASK
    now, old = mine.get("data") or {}, base.get("data") or {}
    return [
        merging.Overlap(f"data.{key}", mask, contents.CHANGED, mask)
        for key, value in now.items()
        if value != mask
        and old.get(key) == (theirs.get("data") or {}).get(key) == mask
        and f"data.{key}" not in decided
    ]


def _kept(merged: Json, theirs: Json, decided: dict[str, str]) -> Json:
    """The cluster's own values, hidden still, where its side was chosen."""
    values = dict(merged.get("data") or {})
    for key in theirs.get("data") or {}:
        if decided.get(f"data.{key}") == "theirs":
            values[key] = text.MASK
    return merged | {"data": values} if values else merged


def _list_keys(client: Client, cluster: Cluster, wanted: Json) -> merging.Keys:
    """By what items of lists are told apart, where the cluster says so; else lists are whole."""
    try:
        found = schema_of(client, cluster, str(wanted["apiVersion"]), str(wanted["kind"]))
    except errors.KubeError:
        return merging.whole
    return found.keys


def schema_of(client: Client, cluster: Cluster, api_version: str, kind: str) -> openapi.Schema:
    """What the cluster says of the fields of a kind; KubeError where it does not."""
    return openapi.schema(client, str(cluster.pk), openapi.Wanted.of(api_version, kind))
