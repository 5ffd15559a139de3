"""The copy of the trail outside: nothing is lost while the target is away, and no request waits."""

import base64
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from teams import audit, tasks
from teams.audit import chain, forwarding
from teams.audit.forwarding import line
from teams.clients.syslog import LARGEST_DATAGRAM, Server, message
from teams.clients.webhook import Hook, signature
from teams.models import AuditEvent, AuditForward
from teams.trail import Named, Result
from testbed import certs
from tests.clusters.threads import together
from tests.teams import receivers

THING = Named("thing", "1", 'a "thing" ] \\ with 名字')
SECRET = b"planted-secret-of-the-webhook-1234567890"

pytestmark = pytest.mark.django_db(transaction=True)


def sealed(count: int, **facts: Any) -> None:
    for n in range(count):
        audit.record(None, "thing.change", THING, after={"n": n}, **facts)
    chain.seal()


@pytest.fixture
def to(settings: Any) -> Any:
    """Names the targets: `to(syslog=…)`."""

    def name(**targets: Any) -> None:
        settings.AUDIT = replace(settings.AUDIT, **targets)

    return name


def numbers(frames: list[bytes]) -> list[int]:
    return [int(re.findall(rb'seq="(\d+)"', frame)[0]) for frame in frames]


def later(seconds: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds))


def test_a_message_is_as_rfc_5424_says() -> None:
    sealed(1, result=Result.DENIED, reason="no")
    event = AuditEvent.objects.get()
    text = message(line(event), host="mcm host").decode()
    found = re.fullmatch(
        r"<108>1 (\S+) mcm-host mcm \d+ thing.change "
        r'\[mcm@32473 seq="1" hash="[0-9a-f]{64}" who="system" result="denied"\] \ufeff(\{.*\})',
        text,
    )
    assert found, text
    assert datetime.fromisoformat(found[1]) == event.at
    assert found[1].endswith("Z")
    assert json.loads(found[2]) == line(event)


def test_structured_data_is_quoted() -> None:
    sealed(1)
    facts = {**line(AuditEvent.objects.get()), "who": 'a"b]c\\d'}
    assert b'who="a\\"b\\]c\\\\d"' in message(facts)


def test_a_large_line_fits_into_a_datagram() -> None:
    audit.record(None, "thing.change", THING, after={f"k{n}": "v" * 500 for n in range(100)})
    text = message(line(AuditEvent.objects.get()), largest=LARGEST_DATAGRAM)
    assert len(text) <= LARGEST_DATAGRAM
    body = json.loads(text.decode().partition("\ufeff")[2])
    assert body["shortened"] is True
    assert body["object"] == THING.name


def test_syslog_over_udp(to: Any) -> None:
    with receivers.udp() as server:
        to(syslog=Server("udp", "127.0.0.1", server.getsockname()[1]))
        sealed(3)
        assert forwarding.forward() == 3
        assert numbers([server.recv(65536) for _ in range(3)]) == [1, 2, 3]
    assert forwarding.forward() == 0


def test_syslog_over_tcp_in_order_and_once(to: Any) -> None:
    with receivers.tcp() as server:
        to(syslog=Server("tcp", "127.0.0.1", server.port))
        sealed(forwarding.BATCH + 5)
        assert forwarding.forward() == forwarding.BATCH + 5
        sealed(1)
        tasks.forward_audit()
    assert numbers(server.frames) == list(range(1, forwarding.BATCH + 7))


def test_syslog_over_tls_with_a_trusted_certificate(to: Any, tmp_path: Path) -> None:
    ca, key, certificate = written_certificates(tmp_path)
    with receivers.tcp((certificate, key)) as server:
        to(syslog=Server("tls", "localhost", server.port, str(ca)))
        sealed(3)
        assert forwarding.forward() == 3
    assert numbers(server.frames) == [1, 2, 3]


def test_a_certificate_of_somebody_else_gets_nothing(to: Any, tmp_path: Path) -> None:
    _ca, key, certificate = written_certificates(tmp_path)
    with receivers.tcp((certificate, key)) as server:
        to(syslog=Server("tls", "localhost", server.port))
        sealed(1)
        assert forwarding.forward() == 0
    assert server.frames == []
    assert "certificate is not accepted" in AuditForward.objects.get().error


def test_nothing_is_lost_while_the_target_is_away(to: Any, closed_port: int) -> None:
    to(syslog=Server("tcp", "127.0.0.1", closed_port))
    sealed(4)
    assert forwarding.forward() == 0
    row = AuditForward.objects.get()
    assert (row.seq, row.failures, row.claimed_until) == (0, 1, None)
    assert "refused" in row.error
    [(told, lacks)] = forwarding.standing()
    assert (told.target, lacks) == ("syslog", 4)
    with receivers.tcp() as server:
        to(syslog=Server("tcp", "127.0.0.1", server.port))
        assert forwarding.forward() == 0  # its pause is not over
        with later(5):
            assert forwarding.forward() == 4
    assert numbers(server.frames) == [1, 2, 3, 4]
    row.refresh_from_db()
    assert (row.seq, row.failures, row.error) == (4, 0, "")


def test_what_a_server_did_not_read_is_sent_again(to: Any) -> None:
    """The kernel takes what is written also when the server dies with it."""
    with receivers.tcp() as server:
        to(syslog=Server("tcp", "127.0.0.1", server.port))
        sealed(3)
        server.rude = True
        assert forwarding.forward() == 0
        server.rude = False
        with later(5):
            assert forwarding.forward() == 3
    assert numbers(server.frames) == [1, 2, 3]


def test_a_silent_server_holds_nobody_for_long(
    to: Any, black_hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teams.clients.syslog.PATIENCE", 0.3)
    to(syslog=Server("tcp", "127.0.0.1", black_hole))
    sealed(1)
    assert forwarding.forward() == 0
    assert "does not answer in time" in AuditForward.objects.get().error


def test_two_workers_send_no_line_twice(to: Any) -> None:
    with receivers.tcp() as server:
        to(syslog=Server("tcp", "127.0.0.1", server.port))
        sealed(50)
        together(*[forwarding.forward] * 4)
    assert numbers(server.frames) == list(range(1, 51))


def test_a_worker_that_died_is_followed_by_another(to: Any) -> None:
    with receivers.tcp() as server:
        to(syslog=Server("tcp", "127.0.0.1", server.port))
        sealed(2)
        claimed = datetime.now(UTC) + forwarding.CLAIM
        AuditForward.objects.create(target="syslog", claimed_until=claimed)
        assert forwarding.forward() == 0
        with later(forwarding.CLAIM.total_seconds() + 1):
            assert forwarding.forward() == 2
    assert numbers(server.frames) == [1, 2]


def test_pauses_grow_and_end(to: Any, closed_port: int) -> None:
    to(syslog=Server("tcp", "127.0.0.1", closed_port))
    sealed(1)
    now = datetime.now(UTC)
    pauses = []
    for _ in range(12):
        with time_machine.travel(now, tick=False):
            forwarding.forward()
        row = AuditForward.objects.get()
        assert row.next_try is not None
        pauses.append((row.next_try - now).total_seconds())
        now = row.next_try
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def hook(server: receivers.Hooked) -> Hook:
    return Hook(f"http://127.0.0.1:{server.port}/in?key=planted-path", SECRET)


def test_a_webhook_is_signed_so_that_the_receiver_can_check(to: Any) -> None:
    with receivers.webhook() as server:
        to(webhook=hook(server))
        sealed(3)
        assert forwarding.forward() == 3
    [(headers, body)] = server.calls
    events = json.loads(body)["events"]
    assert [event["seq"] for event in events] == [1, 2, 3]
    assert events[0] == line(AuditEvent.objects.get(seq=1))
    assert headers["content-type"] == "application/json"
    sent = headers["webhook-timestamp"]
    assert abs(time.time() - int(sent)) < 60
    expected = signature(SECRET, headers["webhook-id"], sent, body)
    assert headers["webhook-signature"] == expected


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example that its libraries are tested with."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
def test_a_webhook_that_refuses_is_asked_again(to: Any, status: int) -> None:
    with receivers.webhook() as server:
        to(webhook=hook(server))
        sealed(2)
        server.status = status
        assert forwarding.forward() == 0
        assert len(server.calls) == 1  # no redirect was followed
        error = AuditForward.objects.get().error
        assert str(status) in error
        assert "planted" not in error
        server.status = 204
        with later(5):
            assert forwarding.forward() == 2
    first, second = (headers["webhook-id"] for headers, _body in server.calls)
    assert first == second == "audit-1-2"


def test_one_target_away_holds_up_no_other(to: Any, closed_port: int) -> None:
    with receivers.webhook() as server:
        to(syslog=Server("tcp", "127.0.0.1", closed_port), webhook=hook(server))
        sealed(2)
        assert forwarding.forward() == 2
    assert dict(AuditForward.objects.values_list("target", "seq")) == {"syslog": 0, "webhook": 2}


def test_without_targets_nothing_is_sent() -> None:
    sealed(1)
    assert forwarding.forward() == 0
    assert not AuditForward.objects.exists()


def written_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """A CA of its own, and the key and certificate of localhost."""
    ca = certs.new_authority("log server")
    pair = ca.server()
    files = folder / "ca.pem", folder / "key.pem", folder / "certificate.pem"
    for file, text in zip(files, (ca.pair.certificate, pair.key, pair.certificate), strict=True):
        file.write_bytes(text)
    return files
