"""What a request asks of an API server, read from its path as the API server itself reads it.

Grammar: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go. Whatever the two could read in two
ways is refused before anything reads it.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
READING = frozenset({"get", "list", "watch"})
# What a container or a port of a pod is connected to by.
CONNECTING = frozenset({"exec", "attach", "portforward"})

_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+/?")
_ESCAPE = re.compile(r"%(.{0,2})", re.S)
# Not ";" either: to Go it spoils the parameter, to Python it is a part of it.
_QUERY = re.compile(r"[\x21\x22\x24-\x3a\x3c-\x7e]*")
_OF_A_NAMESPACE = {"status", "finalize"}


class Unsafe(ValueError):
    """A request that nobody passes on; `str(error)` says why."""


class RequestInfo(NamedTuple):
    """`resource` is empty where the path names none (discovery, /version), `namespace` outside
    namespaces, `name` for a whole collection.
    """

    verb: str
    path: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    follows: bool = False
    has_terminal: bool = False

    @property
    def reads(self) -> bool:
        return self.verb in READING

    @property
    def connects(self) -> bool:
        return self.subresource in CONNECTING

    @property
    def kind(self) -> str:
        """As kubectl names it: deployments.apps, pods/exec."""
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{resource}/{self.subresource}" if self.subresource else resource


def read(method: str, path: str, query: str) -> RequestInfo:
    """What is asked by this method, path (as sent, percent-encoded) and query. Raises Unsafe."""
    verb = VERBS.get(method)
    if verb is None:
        raise Unsafe(f"The method {method[:20]} is not passed on.")
    parts = _parts(path)
    if not _QUERY.fullmatch(query):
        raise Unsafe("The query holds characters that must be percent-encoded.")
    plain = "/" + "/".join(parts)
    if parts[0] == "api":
        group, rest = "", parts[2:]
    elif parts[0] == "apis":
        group, rest = "".join(parts[1:2]), parts[3:]
    else:
        group, rest = "", []
    if not rest:
        return RequestInfo(verb, plain)
    if rest[0] in {"watch", "proxy"}:
        raise Unsafe(f"The old form of addresses with /{rest[0]}/ is not passed on.")
    return _of_resource(verb, plain, group, rest, query)


def _of_resource(verb: str, path: str, group: str, rest: list[str], query: str) -> RequestInfo:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _OF_A_NAMESPACE:
            rest = rest[2:]
    resource, name, subresource, *_more = [*rest, "", ""]
    asked = parse_qs(query, keep_blank_values=True)
    watches = verb == "get" and not name and _is_true(asked.get("watch"))
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return RequestInfo(
        "watch" if watches else verb,
        path,
        group,
        resource,
        subresource,
        namespace,
        name,
        follows=watches or (subresource == "log" and _is_true(asked.get("follow"))),
        has_terminal=subresource in CONNECTING and _is_true(asked.get("tty")),
    )


def _parts(path: str) -> list[str]:
    """The decoded segments of a path that has only one reading."""
    if not _PATH.fullmatch(path):
        raise Unsafe("The path holds empty parts, or characters that no address has.")
    for code in _ESCAPE.findall(path):
        character = unquote(f"%{code}")
        if len(character) != 1 or not "!" <= character <= "~" or character in "/.\\%":
            raise Unsafe(f"The path holds %{code[:2]}, which is not passed on.")
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if any(part in {".", ".."} for part in parts):
        raise Unsafe("The path holds . or .. as a part.")
    return parts


def _is_true(values: list[str] | None) -> bool:
    """As Kubernetes converts a parameter: given without a value is true."""
    return values is not None and values[0].lower() not in {"0", "false"}
