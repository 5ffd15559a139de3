"""The replay server beside a real API server, and its lies on the wire."""

import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from testbed import certs
from testbed.cluster import Cluster
from testbed.replay import (
    PODS,
    TOKEN,
    Broken,
    Close,
    End,
    ErrorEvent,
    Hang,
    Refuse,
    Server,
    objects,
    wire,
)
from testbed.waiting import wait_until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        made.at(PODS).put(objects.pod("a"), objects.pod("b"))
        yield made


def opened(server: Server) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cadata=server.ca)
    return http.client.HTTPSConnection("127.0.0.1", server.port, timeout=5, context=context)


def get(server: Server, target: str) -> tuple[int, Any]:
    connection = opened(server)
    try:
        connection.request("GET", target, headers={"Accept": "application/json"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read() or b"null")
    finally:
        connection.close()


class Watch:
    """A watch in JSON, read line by line."""

    def __init__(self, server: Server, query: str) -> None:
        self.connection = opened(server)
        self.connection.request("GET", f"{PODS}?watch=1&{query}")
        self.reply = self.connection.getresponse()

    def next(self) -> tuple[str, str]:
        """Type and name of the next event; of a refusal its code; ("", "") at the end."""
        line = self.reply.readline()
        if not line:
            return "", ""
        event = json.loads(line)
        return event["type"], event["object"].get("code") or event["object"]["metadata"].get("name")

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self.reply.close()
        self.connection.close()


def test_lists_come_whole_or_in_pages(server: Server) -> None:
    _, whole = get(server, PODS)
    assert [item["metadata"]["name"] for item in whole["items"]] == ["a", "b"]
    assert whole["kind"] == "PodList"
    _, first = get(server, f"{PODS}?limit=1")
    _, second = get(server, f"{PODS}?limit=1&continue={first['metadata']['continue']}")
    names = [page["items"][0]["metadata"]["name"] for page in (first, second)]
    assert (names, second["metadata"]["continue"]) == (["a", "b"], "")
    _, elsewhere = get(server, "/api/v1/namespaces/bank/pods")
    assert elsewhere["items"] == []


def test_a_streaming_list_goes_on_with_changes(server: Server) -> None:
    with Watch(server, "sendInitialEvents=true") as watch:
        assert [watch.next() for _ in range(3)] == [
            ("ADDED", "a"), ("ADDED", "b"), ("BOOKMARK", None),
        ]  # fmt: skip
        server.at(PODS).touch("a", "Evicted")
        server.at(PODS).remove("b")
        assert [watch.next() for _ in range(2)] == [("MODIFIED", "a"), ("DELETED", "b")]


def test_a_watch_starts_after_its_version(server: Server) -> None:
    pods = server.at(PODS)
    version = pods.snapshot()[0]
    pods.put(objects.pod("c"))
    with Watch(server, f"resourceVersion={version}") as watch:
        assert watch.next() == ("ADDED", "c")
    pods.forget()
    with Watch(server, f"resourceVersion={version}") as watch:
        assert [watch.next(), watch.next()] == [("ERROR", 410), ("", "")]
    assert get(server, f"{PODS}?watch=1&resourceVersion=99999")[0] == 504


def test_what_changes_silently_is_only_listed(server: Server) -> None:
    with Watch(server, "sendInitialEvents=true&timeoutSeconds=1") as watch:
        server.at(PODS).remove("a", silently=True)
        types = [type_ for type_, _ in iter(watch.next, ("", ""))]
    assert set(types[2:]) == {"BOOKMARK"}
    assert len(get(server, PODS)[1]["items"]) == 1


def test_a_restored_server_counts_from_the_past(server: Server) -> None:
    before = get(server, PODS)[1]["metadata"]["resourceVersion"]
    server.restore({PODS: [objects.pod("old")]})
    after = get(server, PODS)[1]
    assert int(after["metadata"]["resourceVersion"]) < int(before)
    assert [item["metadata"]["name"] for item in after["items"]] == ["old"]


def test_an_older_server_knows_no_streaming_lists(server: Server) -> None:
    server.watch_list = False
    assert get(server, f"{PODS}?watch=1&sendInitialEvents=true")[0] == 422


def test_faults_meet_whom_they_should(server: Server) -> None:
    server.fault(Refuse(429, "slow down", retry_after=7), path=PODS, on=("list",), times=1)
    assert [get(server, PODS)[0], get(server, PODS)[0], get(server, "/version")[0]] == [
        429, 200, 200,
    ]  # fmt: skip
    server.fault(Refuse(503), share=0.5)
    codes = [get(server, "/readyz")[0] for _ in range(40)]
    assert 8 < codes.count(503) < 32
    server.heal()
    assert get(server, "/readyz")[0] == 200
    assert [request.status for request in server.asked(PODS, "list")] == [429, 200]


def test_one_that_hangs_notes_when_its_client_left(server: Server) -> None:
    server.fault(Hang())
    connection = opened(server)
    connection.connect()
    connection.sock.settimeout(0.5)
    connection.request("GET", PODS)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    (request,) = server.asked(PODS)
    wait_until(lambda: request.ended > 0, "the end", timeout=5)
    assert 0.4 < request.ended - request.at < 3
    assert request.status == 0


def test_streams_end_as_told(server: Server) -> None:
    server.fault(ErrorEvent(410), on=("watch",), times=1)
    server.fault(End(), on=("watch",), times=1)
    server.fault(Broken(b'{"type": "ADD'), on=("watch",), times=1)
    with Watch(server, "resourceVersion=1") as watch:
        assert [watch.next(), watch.next()] == [("ERROR", 410), ("", "")]
    with Watch(server, "resourceVersion=1") as watch:
        assert watch.next() == ("", "")
    with Watch(server, "resourceVersion=1") as watch, pytest.raises(http.client.IncompleteRead):
        watch.reply.read()
    server.fault(Close())
    with pytest.raises((http.client.RemoteDisconnected, ssl.SSLError)):
        get(server, PODS)


def test_bytes_are_put_into_open_watches(server: Server) -> None:
    with Watch(server, "sendInitialEvents=true") as watch:
        for _ in range(3):
            watch.next()
        server.inject(PODS, b'{"type": "ODD", "object": {"code": 1}}\n', ends=True)
        assert [watch.next(), watch.next()] == [("ODD", 1), ("", "")]


def test_a_storm_makes_every_change_a_new_word(server: Server) -> None:
    assert server.at(PODS).storm(500, 0.1) == 50
    words = {thing.body["status"]["reason"] for thing in server.at(PODS).things}
    assert words == {"Evicted"} or words == {"NodeAffinity"}
    assert len(server.at(PODS).history) == 52


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (lambda authority: authority.server(lasts=timedelta(minutes=-1)), "expired"),
        (lambda authority: authority.server(["other"], []), "mismatch"),
        (lambda authority: certs.new_authority("replay").server(), "verify failed"),
    ],
)
def test_certificates_that_are_no_good(server: Server, pair: Any, reason: str) -> None:
    server.present(pair(server.authority))
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        get(server, PODS)
    assert server.requests == []
    server.present(server.authority.server())
    assert get(server, PODS)[0] == 200


@pytest.mark.cluster
def test_recorded_objects_are_replayed_byte_for_byte(
    server: Server, cluster: Cluster, namespace: str
) -> None:
    container = {"name": "app", "image": "registry.example/web:1"}
    manifest = {"metadata": {"name": "web", "labels": {"app": "web"}}}
    path = f"/api/v1/namespaces/{namespace}/pods"
    cluster.api.post(path, {**manifest, "spec": {"containers": [container]}})
    raws = objects.recorded(cluster.api, path, "Pod")
    server.at(PODS).put(*objects.copies("Pod", raws, 3))
    connection = opened(server)
    connection.request("GET", PODS, headers={"Accept": "application/vnd.kubernetes.protobuf"})
    body = connection.getresponse().read()
    connection.close()
    copies = wire.items(body)[2:]
    assert len(copies) == 3
    assert all(copy.startswith(raws[0]) for copy in copies)


def test_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "testbed.replay", "--pods", "3"]
    orders = "churn 6\nstorm 100 0.1\nrequests\nnonsense\n"
    lines = subprocess.check_output(command, input=orders, text=True).splitlines()
    known, churned, stormed, asked, refused = map(json.loads, lines)
    assert (known["token"], known["url"][:18]) == (TOKEN, "https://127.0.0.1:")
    assert (churned["done"], stormed["done"], asked["done"]) == (6, 10, 0)
    assert "nonsense" in refused["error"]
