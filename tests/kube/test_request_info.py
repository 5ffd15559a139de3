"""Requests are read as an API server reads them, or not at all."""

import pytest

from clusters.kube.request_info import Unsafe, read

SHOP = "/api/v1/namespaces/shop"
# method, path, query → verb, kind, namespace, name
READ = [
    ("GET", "/version", "", "get", "", "", ""),
    ("GET", "/api/v1", "", "get", "", "", ""),
    ("GET", "/apis/apps/v1/", "", "get", "", "", ""),
    ("GET", "/api/v1/pods", "limit=500", "list", "pods", "", ""),
    ("GET", f"{SHOP}/pods", "watch=true", "watch", "pods", "shop", ""),
    ("GET", f"{SHOP}/pods", "watch", "watch", "pods", "shop", ""),
    ("GET", f"{SHOP}/pods", "watch=0", "list", "pods", "shop", ""),
    ("GET", f"{SHOP}/pods/a", "watch=1", "get", "pods", "shop", "a"),
    ("GET", f"{SHOP}/pods/a/log", "", "get", "pods/log", "shop", "a"),
    ("GET", SHOP, "", "get", "namespaces", "shop", "shop"),
    ("PUT", f"{SHOP}/finalize", "", "update", "namespaces/finalize", "shop", "shop"),
    ("POST", f"{SHOP}/pods", "", "create", "pods", "shop", ""),
    ("PATCH", "/apis/apps/v1/namespaces/shop/deployments/w/scale", "", "patch",
     "deployments.apps/scale", "shop", "w"),
    ("DELETE", f"{SHOP}/pods/a", "", "delete", "pods", "shop", "a"),
    ("DELETE", f"{SHOP}/pods", "", "deletecollection", "pods", "shop", ""),
    ("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", "", "get",
     "clusterroles.rbac.authorization.k8s.io", "", "system:node"),
    ("POST", f"{SHOP}/services/web:80/proxy/a/b", "", "create", "services/proxy", "shop", "web:80"),
]  # fmt: skip
UNSAFE = [
    "", "/", "//api", "/api//v1/pods", "/api/v1/../pods", "/api/v1/./pods", "/api/%2e%2e/v1",
    "/api/v1/namespaces/shop%2fpods", "/api/v1/namespaces/shop%2Fpods", "/api%5cv1", "/api\\v1",
    "/api/v1/%", "/api/v1/%zz", "/api/v1/%00", "/api/v1/%252e", "/api/v1/caf%C3%A9", "/api/v1/a b",
    "/api/v1/a\r\nx: y", "/api/v1/pods#a", "/api/v1/watch/namespaces/shop/pods",
    "/api/v1/proxy/nodes/a", "api/v1/pods", "/api/v1/pods?watch",
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "query", "verb", "kind", "namespace", "name"), READ, ids=str
)
def test_it_is_read(
    method: str, path: str, query: str, verb: str, kind: str, namespace: str, name: str
) -> None:
    info = read(method, path, query)
    assert (info.verb, info.kind, info.namespace, info.name) == (verb, kind, namespace, name)


@pytest.mark.parametrize("path", UNSAFE)
def test_what_could_be_read_in_two_ways_is_refused(path: str) -> None:
    with pytest.raises(Unsafe):
        read("GET", path, "")


@pytest.mark.parametrize("query", ["a b", "a\r\nb", "a#b", "a=é"])
def test_a_query_is_plain(query: str) -> None:
    with pytest.raises(Unsafe):
        read("GET", "/api", query)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "CONNECT", "TRACE", "get", ""])
def test_other_methods_are_refused(method: str) -> None:
    with pytest.raises(Unsafe):
        read(method, "/api", "")


def test_what_is_followed_has_no_end() -> None:
    log = f"{SHOP}/pods/a/log"
    assert read("GET", f"{SHOP}/pods", "watch=true").follows
    assert read("GET", log, "follow=true&tailLines=1").follows
    assert not read("GET", log, "follow=false").follows
    assert not read("GET", log, "").follows


def test_a_terminal_is_what_kubernetes_takes_for_one() -> None:
    shell = f"{SHOP}/pods/a/exec"
    for query in ("tty=true", "tty=1", "tty", "tty=yes&tty=false"):
        assert read("GET", shell, f"command=sh&{query}").has_terminal, query
    for query in ("", "tty=false", "tty=0", "tty=false&tty=true", "stdin=true"):
        assert not read("GET", shell, query).has_terminal, query
    assert not read("GET", f"{SHOP}/pods/a/log", "tty=true").has_terminal
