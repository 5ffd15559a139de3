"""Row h: clusters that die in every way, until MCM says so, and what the others feel."""

import functools
import http.client
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.apiserver import ApiServer, restart_count
from bench.bench import Bench
from bench.instance import Product
from bench.measure import quantile, until
from bench.report import Result, Samples
from testbed import certs
from testbed.proxy import Proxy

METHOD = (
    "MCM (all of it) with one real API server registered many times, each through a TCP proxy of"
    " its own. Five of them die at the same moment, each in its way: stopped (connections stay and"
    " are made, nobody answers), reset (and refused afterwards), black hole (not even a SYN is"
    " answered), a server certificate that has expired, a service account whose token is no longer"
    " accepted (timed from the API server's own first 401). Flagged is the moment that MCM's own"
    " `status_since` names. Then half of all registrations fall into the black hole: how long a"
    " change takes to the rows of the others, before and during."
)
WAYS = ("stopped", "reset", "black hole", "expired certificate", "401")
REGISTRATIONS = 100
CHANGES = 15
FLAGGED = """
SELECT extract(epoch FROM status_since) FROM clusters_cluster
WHERE name = %s AND status NOT IN ('active', 'pending')
"""
LIVE = """
SELECT count(*) FROM clusters_cluster
WHERE status = 'active' AND observed_at > now() - interval '15 seconds'
"""
DEAD = "SELECT count(*) FROM clusters_cluster WHERE name = ANY(%s) AND status <> 'active'"
LAST = "SELECT extract(epoch FROM max(status_since)) FROM clusters_cluster WHERE name = ANY(%s)"
FALSE = "SELECT count(*) FROM clusters_cluster WHERE status <> 'active' AND NOT name = ANY(%s)"
REFRESHED = """
SELECT extract(epoch FROM o.observed_at) FROM clusters_object AS o
JOIN clusters_cluster AS c ON c.id = o.cluster_id
WHERE o.kind = 'Pod' AND o.restarts = %s AND c.name = ANY(%s)
"""


@dataclass
class Registered:
    """One registration and the network in front of it."""

    name: str
    proxy: Proxy


def run(bench: Bench) -> Result:
    """Five deaths a round, then the death of half."""
    result = Result("h", "clusters that die", METHOD)
    samples = Samples()
    count = bench.size(REGISTRATIONS, 12)
    with ExitStack() as stack:
        server = stack.enter_context(ApiServer(bench.folder / "cluster", bench.say))
        server.seed(20)
        product = stack.enter_context(Product(bench.folder / "mcm"))
        account = Account(server)
        expired = stack.enter_context(expired_server(server))
        all_of_them = [
            Registered(f"h-{number:03d}", stack.enter_context(Proxy(server.port)))
            for number in range(count)
        ]
        for number in bench.each_round("h, one by one"):
            five = [
                Registered(
                    f"dies-{number}-{way.replace(' ', '-')}",
                    stack.enter_context(Proxy(server.port)),
                )
                for way in WAYS
            ]
            deaths(product, server, account, expired, five, samples)
        register(product, server, all_of_them)
        half(bench, product, server, all_of_them, samples)
    judge(result, samples, count)
    return result


def judge(result: Result, samples: Samples, count: int) -> None:
    """Soon flagged, none wrongly, the others untouched."""
    for way in WAYS:
        seconds = samples.median(way, "flagged_s")
        result.at_most(f"flagged ≤ 15 s: {way}", seconds, 15, "s")
    result.at_most("no false flag", samples.median("others", "false_flags"), 0, "flags")
    ratio = samples.ratio("others, half dead", "others, all alive", "refresh_p50_ms")
    result.at_most(
        f"others' refresh ≤ 1.2 × while {count // 2} of {count} are dead", ratio, 1.2, "×"
    )
    result.tables.append(samples.table("Seconds from death to flag, and the refresh of the others"))


def register(product: Product, server: ApiServer, those: list[Registered], token: str = "") -> None:
    """Registers them, and returns when all are live."""
    product.register(
        {each.name: server.kubeconfig(port=each.proxy.port, token=token or None) for each in those}
    )
    before = len(those)
    until(lambda: int(product.value(LIVE)) >= before, f"{before} live clusters", 240, every=0.5)


def deaths(
    product: Product,
    server: ApiServer,
    account: "Account",
    expired: int,
    five: list[Registered],
    samples: Samples,
) -> None:
    """All five ways at once; each has its own moment."""
    token = account.create()
    *four, last = five
    product.register({each.name: server.kubeconfig(port=each.proxy.port) for each in four})
    register(product, server, [last], token)
    until(lambda: int(product.value(LIVE)) >= len(five), "five live clusters", 120, every=0.5)
    stopped, reset, hole, certificate = (each.proxy for each in four)
    moments = dict.fromkeys(WAYS, time.time())
    stopped.half_open()
    reset.cut()
    hole.black_hole()
    certificate.target = expired
    certificate.reset()
    account.delete()
    moments["401"] = account.refused(token)
    for way, each in zip(WAYS, five, strict=True):
        until(functools.partial(flagged, product, each.name), way, 60, every=0.2)
        samples.add(way, flagged_s=float(product.value(FLAGGED, each.name)) - moments[way])
    names = [each.name for each in five]
    samples.add("others", false_flags=float(product.value(FALSE, names)))
    product.inside("remove", clusters=names)


def half(
    bench: Bench, product: Product, server: ApiServer, those: list[Registered], samples: Samples
) -> None:
    """Before and during, in turns: they die and come back each round."""
    dead, living = those[::2], those[1::2]
    names, dead_names = [each.name for each in living], [each.name for each in dead]
    marks = iter(range(1_000_001, 2_000_000))
    for _ in bench.each_round("h, half of all"):
        refresh("others, all alive", product, server, names, marks, samples)
        for each in dead:
            each.proxy.black_hole()
        began = time.time()
        until(lambda: all_dead(product, dead_names), "the flags", 60, every=0.2)
        last = float(product.value(LAST, dead_names)) - began
        samples.add(f"{len(dead)} of {len(those)} in a black hole", flagged_s=last)
        refresh("others, half dead", product, server, names, marks, samples)
        samples.add("others", false_flags=float(product.value(FALSE, dead_names)))
        for each in dead:
            each.proxy.flow()
        until(lambda: int(product.value(LIVE)) == len(those), "all live again", 180, every=0.5)


def flagged(product: Product, name: str) -> bool:
    """Whether MCM says that this cluster is not well."""
    return product.value(FLAGGED, name) is not None


def all_dead(product: Product, names: list[str]) -> bool:
    """Whether MCM says so of each."""
    return int(product.value(DEAD, names)) == len(names)


def refresh(
    who: str,
    product: Product,
    server: ApiServer,
    names: list[str],
    marks: Iterator[int],
    samples: Samples,
) -> None:
    """Milliseconds from a change to the committed rows of these clusters."""
    api, pods = server.api, server.pods()
    took: list[float] = []
    for number in range(CHANGES):
        mark, sent = next(marks), time.time()
        restart_count(api, pods[number % len(pods)], mark)
        rows: list[tuple[float]] = []

        def all_have(mark: int = mark, rows: list[tuple[float]] = rows) -> bool:
            rows[:] = product.database.execute(REFRESHED, (mark, names)).fetchall()
            return len(rows) == len(names)

        until(all_have, f"{len(names)} rows", 30, every=0.1)
        took += [(float(at) - sent) * 1000 for (at,) in rows]
        time.sleep(0.3)
    samples.add(who, refresh_p50_ms=quantile(took, 0.5), refresh_p95_ms=quantile(took, 0.95))


class Account:
    """A service account with all rights; without it its tokens are worth nothing."""

    PATH = "/api/v1/namespaces/team-00/serviceaccounts"

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        server.api.create_missing(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "mortal"},
                "roleRef": {
                    "kind": "ClusterRole",
                    "name": "cluster-admin",
                    "apiGroup": "rbac.authorization.k8s.io",
                },
                "subjects": [{"kind": "ServiceAccount", "name": "mortal", "namespace": "team-00"}],
            }
        )

    def create(self) -> str:
        """Makes it; returns a token."""
        meta = {"name": "mortal", "namespace": "team-00"}
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
        self._server.api.post(self.PATH, body)
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        reply = self._server.api.post(f"{self.PATH}/mortal/token", request)
        return str(reply["status"]["token"])

    def delete(self) -> None:
        """Its tokens are refused as soon as the API server's memory of them is over (10 s)."""
        self._server.api.delete(f"{self.PATH}/mortal")

    def refused(self, token: str) -> float:
        """When the API server first refused the token, in seconds since 1970."""
        context = ssl.create_default_context(cafile=str(self._server.ca))
        headers = {"Authorization": f"Bearer {token}"}

        def answered_401() -> bool:
            to = http.client.HTTPSConnection("127.0.0.1", self._server.port, context=context)
            to.request("GET", "/api/v1/nodes?limit=1", headers=headers)
            status = to.getresponse().status
            to.close()
            return status == http.client.UNAUTHORIZED

        until(answered_401, "the refusal of a token", 60, every=0.1)
        return time.time()


@contextmanager
def expired_server(server: ApiServer) -> Iterator[int]:
    """The port of a server that shows a certificate of the cluster's authority, but too late."""
    pair = certs.authority(server.folder, "ca").server(lasts=timedelta(minutes=-5))
    files = server.folder / "expired.crt", server.folder / "expired.key"
    for file, content in zip(files, (pair.certificate, pair.key), strict=True):
        certs.write_private(file, content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    listening = Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler)
    # The handshake is each connection's own matter, or one that hangs would stop them all.
    listening.socket = context.wrap_socket(
        listening.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(listening.server_address[1])
    finally:
        listening.shutdown()
        listening.server_close()


class Quiet(ThreadingHTTPServer):
    """Whom nobody trusts needs not say so."""

    def handle_error(self, *_: object) -> None:
        """A client that refuses the certificate is what this server is for."""
