"""What one who holds one namespace tries to reach beyond it, at a real API server that would allow
everything: so MCM's own lock is all that is between.
"""

import asyncio
import json

import pytest

from clusters.models import Cluster
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from tests import factories
from tests.kubectl.front import Front, Reply
from tests.kubectl.test_passing import new_token

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

K8S = "/k8s/clusters/real"


@pytest.fixture
def mallory(real: Cluster, cluster: RealCluster, namespace: str) -> User:
    """Operates one namespace in MCM, and may do everything in the cluster."""
    user = factories.UserFactory.create(username=f"m-{namespace}")
    space = factories.NamespaceFactory.create(cluster=real, name=namespace)
    factories.NamespaceFactory.create(cluster=real, name="kube-system")
    factories.give(user, Role.OPERATOR, space)
    api = "rbac.authorization.k8s.io"
    cluster.api.apply(
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": user.username},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": api, "kind": "User", "name": f"mcm:{user.username}"}],
        }
    )
    return user


HERE = "/api/v1/namespaces/{here}"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
# What is not passed on, or what the API server has no such thing of.
OUT = [
    "GET /api/v1/namespaces/kube-system/pods", "GET /api/v1/namespaces/kube-system",
    "GET /api/v1/namespaces/%6bube-system/secrets", "GET /api/v1/%6eamespaces/kube-system/secrets",
    "GET /api/v1/namespaces//kube-system/pods", f"GET {HERE}/../kube-system/pods",
    f"GET {HERE}/%2e%2e/kube-system/pods", f"GET {HERE}%2f..%2fkube-system/pods",
    f"GET {HERE}/..;/kube-system/pods", f"GET {HERE};/pods", f"GET {HERE}\\..\\kube-system/pods",
    f"GET {HERE}/pods;x=1", f"GET {HERE}/pods%00", f"GET {HERE}/pods\xe9", "GET /API/v1/pods",
    "GET /api/v1/Pods", "GET /apis/../api/v1/secrets", "GET /api/v1/pods", "GET /api/v1/nodes",
    f"GET {HERE}/namespaces/kube-system", f"GET {HERE}/nodes", f"GET {HERE}/nodes/x/proxy/",
    f"GET {RBAC}/namespaces/{{here}}/clusterroles", f"GET {HERE}/pods?watch=true;x",
    "GET /api/v1/watch/namespaces/kube-system/pods", f"GET /api/v1/proxy{HERE[7:]}/pods/x",
    "GET /api/v1/namespaces?fieldSelector=metadata.name%3D{here}",
    "GET /api/v1/pods?fieldSelector=metadata.namespace%3D{here}",
    "GET /apis/apiregistration.k8s.io/v1/apiservices", "GET /apis/metrics.k8s.io/v1beta1/nodes",
    "GET /api/v1/namespaces/default/services/https:kubernetes:443/proxy/",
    "GET /api/v1/nodes/x/proxy/metrics", "GET /api/v1/componentstatuses", "GET /", "GET /metrics",
    "GET /debug/pprof/", "GET /logs/", "GET /flagz", "GET /statusz", "GET /openid/v1/jwks",
    "GET /.well-known/openid-configuration", "POST /version", "POST /api/v1/namespaces",
    f"POST {HERE}/serviceaccounts/default/token", f"POST {RBAC}/namespaces/{{here}}/rolebindings",
    "POST /apis/%72bac.authorization.k8s.io/v1/namespaces/{here}/rolebindings",
    "POST /apis/authorization.k8s.io/v1/subjectaccessreviews",
    "POST /apis/authorization.k8s.io/v1/namespaces/{here}/localsubjectaccessreviews",
    "POST /apis/authorization.k8s.io/v1/namespaces/kube-system/selfsubjectaccessreviews",
    "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x/proxy",
    "POST /apis/authentication.k8s.io/v1/tokenreviews", f"POST {HERE}/limitranges",
    f"POST {HERE}/resourcequotas", "POST /apis/certificates.k8s.io/v1/certificatesigningrequests",
    f"PUT {HERE}/finalize", f"PATCH {HERE}", f"DELETE {HERE}", f"TRACE {HERE}/pods",
    f"OPTIONS {HERE}/pods", f"PROPFIND {HERE}/pods", f"CONNECT {HERE}/pods", f"get {HERE}/pods",
    "DELETE /api/v1/namespaces/kube-system/secrets", f"GET {HERE}/{'a' * 60_000}",
]  # fmt: skip
# What is passed on, and shows nothing of anybody else.
EMPTY = [
    f"{HERE}/pods", f"{HERE}/pods/", f"{HERE}/pods?as=system:admin", f"{HERE}/pods#/x",
    f"{HERE}/pods?fieldSelector=metadata.namespace%3Dkube-system",
    f"{HERE}/pods?fieldSelector=metadata.namespace!%3D{{here}}",
    f"{HERE}/pods?namespace=kube-system&allNamespaces=true",
]  # fmt: skip
# What the cluster may have been asked for outside of the namespace.
ASKED = {"/api", "/apis"}


async def test_no_address_leads_out_of_the_namespace(
    front: Front, mallory: User, namespace: str, cluster: RealCluster
) -> None:
    token = await new_token(mallory)

    async def ask(line: str) -> Reply:
        method, _, path = line.format(here=namespace).partition(" ")
        return await front.ask(method, K8S + path, token)

    for line in OUT:
        assert (await ask(line)).status in {400, 403, 404}, line
    for path in EMPTY:
        reply = await ask(f"GET {path}")
        assert (reply.status, reply.json["items"]) == (200, []), path
    for path in ASKED:
        assert (await ask(f"GET {path}")).status == 200
    assert (await ask(f"GET {HERE}/configmaps?limit=1&continue=abc")).status == 400
    elsewhere = json.dumps({"metadata": {"name": "x", "namespace": "kube-system"}}).encode()
    made = await front.ask(
        "POST", f"{K8S}{HERE.format(here=namespace)}/configmaps", token, elsewhere
    )
    assert made.status == 400
    # The API server's own log: nothing else of this person came through.
    assert {
        event["requestURI"]
        for event in cluster.audit()
        if event.get("impersonatedUser", {}).get("username") == f"mcm:{mallory.username}"
        and f"/namespaces/{namespace}" not in event["requestURI"]
    } == ASKED


UPGRADE = (
    "connection: upgrade, close|upgrade: websocket|sec-websocket-version: 13|"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==|"
)
# Statuses, and what is sent, with | for the end of a line: {p} is a list that the person sees, {e}
# a shell there, {a} the headers with the token {t}, {k} those that keep the connection open.
SENT: list[tuple[str, str]] = [
    ("400", "CONNECT 127.0.0.1:443 HTTP/1.1|{a}|"),
    ("403", "GET https://evil/k8s/clusters/real/api/v1/secrets HTTP/1.1|{a}|"),
    ("400", "POST {p} HTTP/1.1|{a}content-length: 5|transfer-encoding: chunked||0||"),
    ("400", "POST {p} HTTP/1.1|{a}transfer-encoding: chunked|transfer-encoding: identity||"),
    ("400", "POST {p} HTTP/1.1|{a}content-length: 0|content-length: 30||"),
    ("400", "GET {p} HTTP/1.1|{a}accept: a| impersonate-user: system:admin||"),
    ("400", "GET {p} HTTP/1.1|{a}impersonate-user : system:admin||"),
    ("403", "GET {p} HTTP/1.1|{a}Impersonate_User: system:admin||"),
    ("400", "GET {p} HTTP/1.1\n{a}\n"),
    ("400", "PRI * HTTP/2.0||SM||"),
    # A body is no second request, a second request has its own token.
    ("200", "GET {p} HTTP/1.1|{a}content-length: 42||GET /api/v1/secrets HTTP/1.1|Host: xxxxx||"),
    ("200 401", "GET {p} HTTP/1.1|{k}|GET {p} HTTP/1.1|host: mcm|connection: close||"),
    # Nothing but the Authorization header says who asks.
    ("401", "GET {p} HTTP/1.1|x-remote-user: a|x-remote-group: system:masters|connection: close||"),
    ("401", "GET {p}?access_token={t} HTTP/1.1|connection: close||"),
    ("401", "GET {e} HTTP/1.1|{u}sec-websocket-protocol: v4.channel.k8s.io, {b}.{t}||"),
    # No other protocol begins here.
    ("200", "GET {p} HTTP/1.1|{a}upgrade: h2c|http2-settings: AAMAAABkAAQCAAAAAAIAAAAA||"),
    ("400", "GET {p}?watch=true HTTP/1.1|{k}{u}sec-websocket-protocol: v4.channel.k8s.io||"),
    ("400", "POST {e} HTTP/1.1|{k}connection: upgrade, close|upgrade: SPDY/3|content-length: 0||"),
]  # fmt: skip


async def test_no_request_hides_another_one(front: Front, mallory: User, namespace: str) -> None:
    token = await new_token(mallory)
    kept = f"host: mcm|authorization: Bearer {token}|"
    here = K8S + HERE.format(here=namespace)
    words = {
        "p": f"{here}/configmaps", "e": f"{here}/pods/x/exec?command=ls", "t": token, "k": kept,
        "a": f"{kept}connection: close|", "u": UPGRADE,
        "b": "base64url.bearer.authorization.k8s.io",
    }  # fmt: skip
    for statuses, text in SENT:
        answer = await said(front, text.format(**words).replace("|", "\r\n").encode())
        found = [part[:3].decode() for part in answer.split(b"HTTP/1.1 ")[1:]]
        assert found == statuses.split(), (text, answer)
        assert b'"SecretList"' not in answer


LONG = b"a" * 2_000_000


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /k8s/clusters/real/api/" + LONG,
        b"GET /k8s/clusters/real/api HTTP/1.1\r\nx: " + LONG,
        b"GET /k8s/clusters/real/api HTTP/1.1\r\n" + b"a: b\r\n" * 400_000,
    ],
    ids=["address", "header", "headers"],
)
async def test_nobody_fills_the_memory_before_he_is_known(front: Front, sent: bytes) -> None:
    """It ends before the request does: what was sent of it has no end."""
    assert (await said(front, sent)).startswith(b"HTTP/1.1 400 ")


async def test_nor_does_who_is_known(front: Front, mallory: User, namespace: str) -> None:
    path = f"{K8S}{HERE.format(here=namespace)}/configmaps"
    head = f"POST {path} HTTP/1.1\r\nhost: mcm\r\nauthorization: Bearer {await new_token(mallory)}"
    body = "\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\ntrailer: "
    assert (await said(front, (head + body).encode() + LONG)).startswith(b"HTTP/1.1 400 ")


async def said(front: Front, sent: bytes) -> bytes:
    """All that is answered until MCM closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port, ssl=front.tls)
    writer.write(sent)
    answer = b""
    try:
        async with asyncio.timeout(20):
            while piece := await reader.read(65536):
                answer += piece
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    return answer
