"""The object that is meant, and what was done to it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from clusters.kube import errors
from clusters.kube.client import SEGMENT, Client
from clusters.kube.errors import KubeError, sentence

Json = dict[str, Any]
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
# Controllers write the status of a busy object several times a second.
TRIES = 8
# Told of an act that has changed nothing.
SAME = sentence("It was so already.")


class Unfit(KubeError):
    """An act that does not fit the object as it is; `words` before `facts` are filled in.

    A fact may be another one, where a sentence tells the reason of another.
    """

    code = "unfit"

    def __init__(self, words: str, **facts: object) -> None:
        self.words = words
        self.facts = facts
        super().__init__(words % facts)


class Replaced(Unfit):
    """Another object has the name by now: the one that was meant is gone."""

    code = "replaced"

    def __init__(self) -> None:
        super().__init__(
            sentence("Meanwhile another object has this name. Nothing was done to it.")
        )


class Target(msgspec.Struct, frozen=True):
    """An object by its place and its uid; `path` is where its kind is, "/apis/apps/v1/deployments".

    `version` is the resourceVersion that it must still have, "" for any.
    """

    kind: str
    path: str
    namespace: str
    name: str
    uid: str
    version: str = ""

    def url(self, part: str = "") -> str:
        """Its address, or that of a part of it such as "scale"."""
        return address(self.path, self.namespace, self.name) + (f"/{part}" if part else "")


class Did(msgspec.Struct, frozen=True):
    """What an act did. `before` and `after` are the fields that it concerns.

    `words` tell it, with `facts` filled in. `undo` names the act that takes it back, with its
    arguments; None where there is none. `former` is what that act needs and nobody may read: whole
    objects, with their secrets.
    """

    words: str
    facts: dict[str, object] = {}
    before: Json = {}
    after: Json = {}
    undo: tuple[str, Json] | None = None
    former: Json = {}

    def __repr__(self) -> str:
        """Without the objects: it ends up in logs and tracebacks."""
        return f"Did({self.words!r})"


def address(path: str, namespace: str, name: str = "") -> str:
    """The address of an object or, without a name, of a namespace's list; NotFound for no name."""
    for each in filter(None, (namespace, name)):
        if not SEGMENT.match(each):
            raise errors.NotFound("There is no object of this name.", 404)
    group, _, plural = path.rpartition("/")
    inside = f"{group}/namespaces/{quote(namespace)}/{plural}" if namespace else path
    return f"{inside}/{quote(name, safe=':')}" if name else inside


def read(client: Client, target: Target, part: str = "") -> Json:
    """The object (or a part of it) as it is now; NotFound, or Replaced for another one."""
    found: Json = client.get(target.url(part))
    meta = found.get("metadata", {})
    if meta.get("uid") != target.uid:
        raise Replaced
    if target.version and meta.get("resourceVersion") != target.version:
        raise errors.Conflict(
            sentence("It was changed meanwhile. Nothing was done: look at it again."), 409
        )
    return found


def change(
    client: Client, target: Target, patch: Callable[[Json], Json | None], part: str = ""
) -> tuple[Json, Json]:
    """The object before and after a merge patch, which `patch` makes of what it is; None: as it is.

    The patch holds the version that was looked at, so nothing that others write is lost.
    """
    for _ in range(TRIES):
        found = read(client, target, part)
        wanted = patch(found)
        if wanted is None:
            return found, found
        held = {"uid": target.uid, "resourceVersion": found["metadata"]["resourceVersion"]}
        body = wanted | {"metadata": wanted.get("metadata", {}) | held}
        try:
            return found, client.request("PATCH", target.url(part), body, MERGE_PATCH)
        except errors.Conflict:
            continue
    raise Unfit(sentence("It is changed again and again by others. Try once more."))
