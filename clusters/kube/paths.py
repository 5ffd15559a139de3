"""Where in the API one object stands."""

from urllib.parse import quote

from clusters.kube import errors
from clusters.kube.client import SEGMENT


def path_to(plural_path: str, namespace: str, name: str) -> str:
    """ "/api/v1/pods", "shop", "web-1" become "/api/v1/namespaces/shop/pods/web-1".

    NotFound for names that could lead elsewhere.
    """
    # Names of RBAC objects may hold a colon, none may hold a slash.
    if not SEGMENT.match(name) or (namespace and not SEGMENT.match(namespace)):
        raise errors.NotFound("There is no object of this name.", 404)
    group, _, plural = plural_path.rpartition("/")
    inside = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"{group}{inside}/{plural}/{quote(name)}"


def list_of(plural_path: str, namespace: str) -> str:
    """Where the objects of a kind are listed in a namespace, of all where it is ""."""
    if not namespace:
        return plural_path
    if not SEGMENT.match(namespace):
        raise errors.NotFound("There is no object of this name.", 404)
    group, _, plural = plural_path.rpartition("/")
    return f"{group}/namespaces/{quote(namespace)}/{plural}"
