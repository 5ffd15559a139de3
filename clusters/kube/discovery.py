"""Which custom resources a cluster has.

Protocol: https://kubernetes.io/docs/concepts/overview/kubernetes-api/ (aggregated discovery: every
group, version and resource in one answer), since Kubernetes 1.30 in its version 2.
"""

import msgspec

from clusters.kube import errors
from clusters.kube.client import METADATA, SEGMENT, Client
from clusters.kube.objects import Part, decode

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MOST_FOUND = 2000
# Groups that API servers bring along; they and what extension servers add (whose resources cannot
# be watched) are told from custom resources by name where the definitions may not be listed.
BUILT_IN = frozenset(
    {
        *("apps", "autoscaling", "batch", "extensions", "policy"),
        *(
            f"{name}.k8s.io"
            for name in (
                *("admissionregistration", "apiextensions", "apiregistration", "authentication"),
                *("authorization", "certificates", "coordination", "discovery", "events"),
                *("flowcontrol.apiserver", "internal.apiserver", "lifecycle", "metrics"),
                *("networking", "node", "rbac.authorization", "resource", "scheduling", "storage"),
                *("storagemigration", "custom.metrics", "external.metrics"),
            )
        ),
    }
)


class CustomResourceFound(msgspec.Struct, frozen=True):
    """One custom resource in the version that the cluster prefers, as `kinds.custom` takes it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool


class _Kind(Part):
    kind: str = ""


class _Resource(Part):
    resource: str
    scope: str
    response_kind: _Kind = msgspec.field(default_factory=_Kind)
    verbs: list[str] = []


class _Version(Part):
    version: str
    resources: list[_Resource] = []


class _Named(Part):
    name: str = ""


class _Group(Part):
    metadata: _Named
    versions: list[_Version] = []


class _Groups(Part):
    kind: str
    items: list[_Group] = []


class _Names(Part):
    plural: str
    kind: str


class _Served(Part):
    name: str
    served: bool = False


class _Spec(Part):
    group: str
    scope: str
    names: _Names
    versions: list[_Served] = []


class _Definition(Part):
    spec: _Spec


class _Definitions(Part):
    items: list[_Definition] = []


class _Name(Part):
    metadata: _Named


class _NamedItems(Part):
    # An empty list of metadata comes as null.
    items: list[_Name] | None = None


def custom_resources(client: Client) -> list[CustomResourceFound]:
    """The custom resources that can be listed and watched, by group and plural.

    KubeError when the cluster does not tell: it must let the account either discover its API (as
    it lets everybody by default) or list its CustomResourceDefinitions.
    """
    try:
        groups = decode(client.read("/apis", accept=DISCOVERY), _Groups)
    except errors.Refused as error:
        if error.status != 406:
            raise
        groups = None
    if groups is None or groups.kind != "APIGroupDiscoveryList":
        found = _defined(decode(client.read(DEFINITIONS), _Definitions))
    else:
        found = _discovered(groups, _definition_names(client))
    possible = {(each.group, each.plural): each for each in found if _is_possible(each)}
    return [possible[key] for key in sorted(possible)][:MOST_FOUND]


def _definition_names(client: Client) -> set[str] | None:
    """The names ("plural.group") of all definitions, None when the account may not list them."""
    try:
        body = client.read(DEFINITIONS, accept=METADATA)
    except (errors.Forbidden, errors.NotFound):
        return None
    return {each.metadata.name for each in decode(body, _NamedItems).items or []}


def _discovered(groups: _Groups, names: set[str] | None) -> list[CustomResourceFound]:
    found: dict[tuple[str, str], CustomResourceFound] = {}
    for group in groups.items:
        name = group.metadata.name
        for version in group.versions:  # the preferred one comes first
            for each in version.resources:
                is_custom = name not in BUILT_IN
                if names is not None:
                    is_custom = f"{each.resource}.{name}" in names
                if is_custom and {"list", "watch"} <= set(each.verbs):
                    made = CustomResourceFound(
                        name,
                        version.version,
                        each.resource,
                        each.response_kind.kind,
                        each.scope == "Namespaced",
                    )
                    found.setdefault((name, each.resource), made)
    return list(found.values())


def _defined(definitions: _Definitions) -> list[CustomResourceFound]:
    found = []
    for spec in (each.spec for each in definitions.items):
        version = next((each.name for each in spec.versions if each.served), "")
        names = spec.names
        made = CustomResourceFound(
            spec.group, version, names.plural, names.kind, spec.scope == "Namespaced"
        )
        found.append(made)
    return found


def _is_possible(found: CustomResourceFound) -> bool:
    """Whether its names may be part of an address, and of an API server."""
    short = (found.version, found.plural, found.kind)
    fits = max(map(len, short)) <= 63 and len(f"{found.kind}.{found.group}") <= 253
    return fits and all(SEGMENT.match(each) for each in (found.group, *short))
