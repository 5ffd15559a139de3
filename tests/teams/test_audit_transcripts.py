"""Transcripts of shells: sealed, kept, proved, read by who may, and gone with their line."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from clusters.models import Cluster, Namespace
from teams import audit, vault
from teams.audit import chain, context, proof, retention, transcripts
from teams.audit.transcripts import Piece, Whole
from teams.models import AuditEvent, TranscriptPiece, User
from teams.roles import Role
from teams.trail import Result
from tests import factories
from tests.teams.browsing import of
from tests.teams.chained import lines, rewritten

pytestmark = pytest.mark.django_db

HEAD = b'{"version":2,"width":80,"height":24,"timestamp":1700000000}\n'
SHOWN = b'[0.5,"o","planted <b>words</b> \\u001b[31mred"]\n'


def began(place: Cluster | Namespace, request: str = "r1") -> AuditEvent:
    """A shell of which two pieces are stored."""
    with context.acting(context.Origin(via="kubectl", request_id=request)):
        begun = audit.record(None, "kubectl.exec", place, result=Result.BEGUN)
    transcripts.keep(begun.pk, [Piece(0, HEAD)])
    transcripts.keep(begun.pk, [Piece(1, SHOWN)])
    return begun


def ended(begun: AuditEvent, place: Cluster | Namespace, cut: int = 0) -> AuditEvent:
    whole = HEAD + SHOWN
    facts = Whole(begun.pk, hashlib.sha256(whole).hexdigest(), len(whole), cut, 17).facts
    with context.acting(context.Origin(via="kubectl", request_id=begun.request_id)):
        return audit.record(None, "kubectl.exec", place, transcript=facts)


def behind_the_trigger(statement: str, *values: Any) -> None:
    """What somebody does who owns the database."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE teams_transcriptpiece DISABLE TRIGGER transcripts_kept")
        cursor.execute(statement, values)
        cursor.execute("ALTER TABLE teams_transcriptpiece ENABLE TRIGGER transcripts_kept")


def test_the_end_tells_the_hash_as_it_is(prod: Cluster) -> None:
    """Masking takes nothing of it for a secret."""
    begun = began(prod)
    assert ended(begun, prod, 3).detail["transcript"] == {
        "event": begun.pk, "sha256": hashlib.sha256(HEAD + SHOWN).hexdigest(),
        "bytes": len(HEAD + SHOWN), "cut": 3, "input": 17,
    }  # fmt: skip


def test_a_piece_that_comes_twice_is_kept_once(prod: Cluster) -> None:
    begun = began(prod)
    transcripts.keep(begun.pk, [Piece(1, SHOWN), Piece(2, b"[]\n")])
    assert transcripts.read(begun.pk) == HEAD + SHOWN + b"[]\n"


def test_nothing_of_it_stands_in_the_clear(prod: Cluster) -> None:
    began(prod)
    assert TranscriptPiece.objects.count() == 2
    for row in TranscriptPiece.objects.all():
        assert b"planted" not in bytes(row.sealed)
        assert b"version" not in bytes(row.sealed)


@pytest.mark.parametrize(
    "change",
    [
        lambda: TranscriptPiece.objects.update(number=7),
        lambda: TranscriptPiece.objects.update(at=timezone.now()),
        lambda: TranscriptPiece.objects.all().delete(),
        lambda: TranscriptPiece.objects.filter(number=1)._raw_delete("default"),
    ],
    ids=["number", "time", "delete", "raw-delete"],
)
def test_postgresql_refuses_to_change_or_remove_them(
    change: Callable[[], Any], prod: Cluster
) -> None:
    began(prod)
    with pytest.raises(DatabaseError, match="neither changed nor removed"), transaction.atomic():
        change()
    assert TranscriptPiece.objects.count() == 2


def test_the_trail_proves_them(prod: Cluster) -> None:
    ended(began(prod), prod)
    began(prod, "r2")  # goes on still
    chain.seal()
    assert proof.verify().transcripts == 1
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert "So do 1 transcripts." in out.getvalue()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM teams_transcriptpiece WHERE number = 1", "was changed"),
        ("DELETE FROM teams_transcriptpiece", "is missing"),
        ("UPDATE teams_transcriptpiece SET sealed = sealed || 'x'", "cannot be opened"),
        ("UPDATE teams_transcriptpiece SET number = 2 - number WHERE number = 0", "be opened"),
    ],
)
def test_tampering_is_found(statement: str, said: str, prod: Cluster) -> None:
    end = ended(began(prod), prod)
    chain.seal()
    behind_the_trigger(statement)
    with pytest.raises(proof.Broken, match=rf"the transcript of row 2 \(id {end.pk}\).*{said}"):
        proof.verify()
    with pytest.raises(CommandError, match=said):
        call_command("verify_audit")


def test_a_piece_of_another_shell_does_not_open(prod: Cluster) -> None:
    one, two = began(prod), began(prod, "r2")
    behind_the_trigger("DELETE FROM teams_transcriptpiece WHERE event_id = %s", one.pk)
    behind_the_trigger("UPDATE teams_transcriptpiece SET event_id = %s", one.pk)
    assert two.pk != one.pk
    with pytest.raises(vault.CannotOpen):
        transcripts.read(one.pk)


def test_retention_takes_them_with_their_line(prod: Cluster, settings: Any) -> None:
    settings.AUDIT = replace(settings.AUDIT, days=30)
    old = began(prod)
    ended(old, prod)
    young = began(prod, "r2")
    end = ended(young, prod)
    lines(1)
    chain.seal()
    older = AuditEvent.objects.filter(pk__lt=young.pk).count()
    rewritten(timezone.now() - timedelta(days=31), upto=older)
    assert retention.sweep() > 0
    chain.seal()
    assert set(TranscriptPiece.objects.values_list("event", flat=True)) == {young.pk}
    assert proof.verify().transcripts == 1
    assert AuditEvent.objects.filter(pk=end.pk).exists()
    # What the shell that began so long ago still writes goes with the next sweep.
    transcripts.keep(old.pk, [Piece(2, b"[]\n")])
    retention.sweep()
    assert not TranscriptPiece.objects.filter(event=old.pk).exists()


def test_an_end_whose_begin_was_removed_still_holds(prod: Cluster, settings: Any) -> None:
    settings.AUDIT = replace(settings.AUDIT, days=30)
    begun = began(prod)
    count = AuditEvent.objects.count()
    ended(begun, prod)
    chain.seal()
    rewritten(timezone.now() - timedelta(days=31), upto=count)
    assert retention.sweep() == count
    chain.seal()
    assert not TranscriptPiece.objects.exists()
    assert proof.verify().transcripts == 0


def test_new_keys_seal_them_anew(prod: Cluster, settings: Any) -> None:
    begun = began(prod)
    old, new = settings.ENCRYPTION_KEYS[0], b"n" * 32
    settings.ENCRYPTION_KEYS = [new, old]
    call_command("rotate_keys")
    settings.ENCRYPTION_KEYS = [new]
    assert transcripts.read(begun.pk) == HEAD + SHOWN


# ---- as it is read ----

PATHS = ("/audit/{}/transcript/", "/audit/{}/transcript.cast", "/api/v1/audit/{}/transcript")


@pytest.mark.parametrize("path", PATHS)
def test_who_administers_the_place_reads_it_and_nobody_else(
    path: str, admin: User, owner: User, operator: User, outsider: User, shop: Namespace
) -> None:
    keeper = factories.UserFactory.create(username="keeper")
    factories.give(keeper, Role.ADMIN, shop)
    begun = began(shop)
    end = ended(begun, shop)
    for row in (begun, end):
        address = path.format(row.pk)
        answers = [
            client.get(address).status_code
            for client in of(admin, owner, keeper, operator, outsider)
        ]
        assert answers == [200, 200, 200, 403, 404]
    told = AuditEvent.objects.filter(action="audit.transcript").order_by("pk")
    assert [row.actor_name for row in told] == ["admin", "owner", "keeper"] * 2
    assert {row.object_id for row in told} == {str(begun.pk)}
    # Who administers the place reads who has read it.
    [client] = of(keeper)
    found = client.get("/api/v1/audit", {"action": "audit.transcript"}).json()["events"]
    assert len(found) == 6


@pytest.mark.parametrize("path", PATHS)
def test_lines_without_one_have_none(path: str, admin: User, prod: Cluster) -> None:
    [client] = of(admin)
    line = audit.record(None, "cluster.change", prod)
    assert client.get(path.format(line.pk)).status_code == 404
    assert not AuditEvent.objects.filter(action="audit.transcript").exists()


def test_the_file_is_what_the_trail_has_the_hash_of(admin: User, prod: Cluster) -> None:
    begun = began(prod)
    end = ended(begun, prod)
    [client] = of(admin)
    for path in PATHS[1:]:
        answer = client.get(path.format(begun.pk))
        assert answer.headers["Content-Type"] == "application/x-asciicast"
        assert "attachment" in answer.headers["Content-Disposition"]
        assert hashlib.sha256(answer.content).hexdigest() == end.detail["transcript"]["sha256"]
        assert json.loads(answer.content.splitlines()[0])["version"] == 2


def test_the_page_shows_text_and_nothing_else(admin: User, prod: Cluster) -> None:
    begun = began(prod)
    [client] = of(admin)
    running = page(client, begun)
    assert "planted &lt;b&gt;words&lt;/b&gt; red" in running
    assert "\x1b" not in running
    assert "0:00.5" in running
    assert "No end is known" in running
    end = ended(begun, prod, cut=5)
    over = page(client, begun)
    assert "No end is known" not in over
    assert "It is cut: 5 bytes more were shown" in over
    assert "17 bytes were sent to it" in over
    for row in (begun, end):
        link = f'href="/audit/{begun.pk}/transcript/"'
        assert link in client.get(f"/audit/{row.pk}/").content.decode()


def test_what_no_key_opens_is_said(admin: User, prod: Cluster, settings: Any) -> None:
    begun = began(prod)
    settings.ENCRYPTION_KEYS = [b"o" * 32]
    [client] = of(admin)
    assert "no key of MCM_ENCRYPTION_KEYS fits" in page(client, begun)
    assert client.get(PATHS[1].format(begun.pk)).status_code == 404
    assert client.get(PATHS[2].format(begun.pk)).status_code == 409


def page(client: Client, begun: AuditEvent) -> str:
    answer = client.get(PATHS[0].format(begun.pk))
    assert answer.status_code == 200
    return answer.content.decode()
