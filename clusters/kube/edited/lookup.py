"""Where objects of a kind stand in a cluster, asked of the cluster: also of kinds not watched."""

import re
from typing import NamedTuple

import msgspec

from clusters.kube import errors
from clusters.kube.client import SEGMENT, Client
from clusters.kube.errors import sentence
from clusters.kube.objects import Part, decode

UNKNOWN = sentence("The cluster does not know this kind in this version.")
_VERSION = re.compile(r"[a-z0-9]{1,63}\Z")


class Place(NamedTuple):
    """Where a kind is listed, "/apis/apps/v1/deployments", and whether in namespaces."""

    path: str
    namespaced: bool


class _Resource(Part):
    name: str = ""
    kind: str = ""
    namespaced: bool = False
    verbs: list[str] = []


class _Resources(Part):
    resources: list[_Resource] = msgspec.field(default_factory=list)


class Lookup:
    """The kinds of one cluster; each group and version is asked for once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[str, dict[str, Place]] = {}

    def place(self, api_version: str, kind: str) -> Place:
        """Where the kind is. NotFound where the cluster does not have it."""
        if api_version not in self._known:
            self._known[api_version] = self._asked(api_version)
        found = self._known[api_version].get(kind)
        if found is None:
            raise errors.NotFound(UNKNOWN, 404)
        return found

    def _asked(self, api_version: str) -> dict[str, Place]:
        group, _, version = api_version.rpartition("/")
        if not _VERSION.match(version) or (group and not SEGMENT.match(group)):
            raise errors.NotFound(UNKNOWN, 404)
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            found = decode(self._client.read(path), _Resources).resources
        except errors.NotFound as error:
            raise errors.NotFound(UNKNOWN, 404) from error
        return {
            each.kind: Place(f"{path}/{each.name}", each.namespaced)
            for each in found
            if "/" not in each.name and "patch" in each.verbs and SEGMENT.match(each.name)
        }
