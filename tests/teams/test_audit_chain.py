"""The trail is append-only, chained, and tells whoever tampers with it."""

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, InternalError, ProgrammingError, connection, transaction

from teams import audit
from teams.audit import chain, proof
from teams.audit.chain import BEGIN, Point
from teams.models import AuditAnchor, AuditEvent
from tests.clusters.threads import together
from tests.teams.chained import THING, behind_the_trigger, lines, sealed

WRITERS, LINES = 8, 25


@pytest.mark.django_db
def test_a_whole_trail_is_proved() -> None:
    sealed(3)
    lines(2)
    found = proof.verify()
    assert (found.rows, found.start, found.head.seq, found.unsealed) == (3, BEGIN, 3, 2)
    chain.seal()
    assert proof.verify().rows == 5
    assert list(AuditEvent.objects.order_by("pk").values_list("seq", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.django_db
def test_an_empty_trail_is_whole() -> None:
    assert chain.seal() == 0
    assert proof.verify().rows == 0


@pytest.mark.django_db(transaction=True)
def test_many_writers_and_sealers_make_one_chain() -> None:
    done = threading.Event()

    def write() -> None:
        for _ in range(LINES):
            with transaction.atomic():
                lines(1)

    def keep_sealing() -> None:
        while not done.is_set():
            chain.seal()

    def write_all() -> None:
        try:
            together(*[write] * WRITERS)
        finally:
            done.set()

    together(write_all, keep_sealing, keep_sealing, keep_sealing)
    chain.seal()
    assert proof.verify().rows == WRITERS * LINES
    numbers = AuditEvent.objects.order_by("seq").values_list("seq", flat=True)
    assert list(numbers) == list(range(1, WRITERS * LINES + 1))


@pytest.mark.django_db(transaction=True)
def test_a_writer_waits_for_no_sealer() -> None:
    """A sealer in the middle of its step, and an older row that is committed after a newer one."""
    locked, written = threading.Event(), threading.Event()

    def hold_the_lock() -> None:
        with transaction.atomic():
            chain.wait_for_lock()
            locked.set()
            assert written.wait(20)

    def write() -> None:
        assert locked.wait(20)
        assert chain.seal() == 0
        lines(1)
        written.set()

    together(hold_the_lock, write)
    assert chain.seal() == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_committed_late_is_sealed_late() -> None:
    begun, sealed_others = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            audit.record(None, "slow", THING)
            begun.set()
            assert sealed_others.wait(20)

    def quick() -> None:
        assert begun.wait(20)
        audit.record(None, "quick", THING)
        assert chain.seal() == 1
        sealed_others.set()

    together(slow, quick)
    chain.seal()
    assert list(AuditEvent.objects.order_by("seq").values_list("action", flat=True)) == [
        "quick",
        "slow",
    ]
    assert proof.verify().rows == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditEvent.objects.filter(seq=2).update(actor_name="somebody else"),
        lambda: AuditEvent.objects.filter(seq=2).update(seq=None, hash="", previous=""),
        lambda: AuditEvent.objects.filter(seq=2).delete(),
        lambda: AuditEvent.objects.filter(seq=None).update(reason="another"),
        lambda: AuditEvent.objects.filter(seq=None).delete(),
        lambda: AuditEvent.objects.filter(seq=None).update(seq=9, action="other"),
    ],
    ids=["change", "unseal", "remove", "change-new", "remove-new", "change-and-seal"],
)
def test_postgresql_refuses_to_change_or_remove_rows(change: Callable[[], Any]) -> None:
    sealed(3)
    lines(1)
    with pytest.raises(DatabaseError, match="neither changed nor removed"), transaction.atomic():
        change()
    chain.seal()
    assert proof.verify().rows == 4


@pytest.mark.django_db
def test_postgresql_refuses_to_empty_the_table() -> None:
    sealed(1)
    refused = pytest.raises((ProgrammingError, InternalError), match="neither changed nor removed")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE teams_auditevent ENABLE TRIGGER trail_not_emptied")
        cursor.execute("TRUNCATE teams_auditevent CASCADE")
    assert AuditEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE teams_auditevent SET actor_name = 'x' WHERE seq = 3", "row 3 .* was changed"),
        ("UPDATE teams_auditevent SET detail = '{\"a\": 1}' WHERE seq = 2", "row 2 .* was changed"),
        ("UPDATE teams_auditevent SET at = at + interval '1 us' WHERE seq = 1", "row 1 .* changed"),
        ("DELETE FROM teams_auditevent WHERE seq = 3", "row 3 is missing before row 4"),
        (
            "DELETE FROM teams_auditevent WHERE seq IN (2, 3)",
            "rows 2 to 3 are missing before row 4",
        ),
        ("DELETE FROM teams_auditevent WHERE seq = 1", "row 1 is missing before row 2"),
        ("DELETE FROM teams_auditevent WHERE seq >= 4", "rows 4 to 5 are missing at the end"),
        ("DELETE FROM teams_auditevent", "rows 1 to 5 are missing at the end"),
        ("DELETE FROM teams_auditanchor", "anchor of the newest row is missing"),
        ("UPDATE teams_auditanchor SET seq = 4", "was not signed"),
        ("UPDATE teams_auditevent SET seq = -seq WHERE seq = 2", "row 2 is missing"),
    ],
)
def test_tampering_is_found(statement: str, said: str) -> None:
    sealed(5)
    behind_the_trigger(statement)
    with pytest.raises(proof.Broken, match=said):
        proof.verify()


@pytest.mark.django_db
def test_rows_that_changed_places_are_found() -> None:
    sealed(5)
    behind_the_trigger("UPDATE teams_auditevent SET seq = 99 WHERE seq = 4")
    behind_the_trigger("UPDATE teams_auditevent SET seq = 4 WHERE seq = 5")
    behind_the_trigger("UPDATE teams_auditevent SET seq = 5 WHERE seq = 99")
    with pytest.raises(proof.Broken, match=r"row 4 \(id \d+\) does not follow the row before it"):
        proof.verify()


@pytest.mark.django_db
def test_a_chain_that_was_written_anew_is_found() -> None:
    """Whoever owns the database can hash, too, but has no key to sign the head with."""
    sealed(5)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE teams_auditevent DISABLE TRIGGER trail_kept")
        AuditEvent.objects.filter(seq=2).update(actor_name="somebody else")
        last = Point(1, AuditEvent.objects.get(seq=1).hash)
        for row in AuditEvent.objects.filter(seq__gt=1).order_by("seq").values(*chain.COLUMNS):
            row["previous"] = last.hash
            last = Point(row["seq"], chain.digest(row))
            forged = AuditEvent.objects.filter(seq=row["seq"])
            forged.update(previous=row["previous"], hash=last.hash)
        cursor.execute("ALTER TABLE teams_auditevent ENABLE TRIGGER trail_kept")
    with pytest.raises(proof.Broken, match="was not sealed by MCM"):
        proof.verify()
    AuditAnchor.objects.filter(pk="head").update(hash=last.hash)
    with pytest.raises(proof.Broken, match="was not signed with a key"):
        proof.verify()


@pytest.mark.django_db
def test_a_noted_head_finds_a_trail_that_was_set_back(settings: Any) -> None:
    """Rows and anchor of yesterday put back: only what was noted elsewhere tells."""
    sealed(2)
    old = AuditAnchor.objects.get(pk="head")
    sealed(2)
    noted = proof.verify().head
    behind_the_trigger("DELETE FROM teams_auditevent WHERE seq > 2")
    old.save()
    assert proof.verify().rows == 2
    with pytest.raises(proof.Broken, match="rows 3 to 4 are missing at the end"):
        proof.verify(noted)
    sealed(2)
    with pytest.raises(proof.Broken, match="row 4 is not the one that was noted"):
        proof.verify(noted)


@pytest.mark.django_db
def test_the_anchor_outlives_the_rotation_of_keys(settings: Any) -> None:
    sealed(2)
    first = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [b"n" * 32, *first]
    assert chain.seal() == 0
    settings.ENCRYPTION_KEYS = [b"n" * 32]
    assert proof.verify().rows == 2
    settings.ENCRYPTION_KEYS = first
    with pytest.raises(proof.Broken, match="not signed"):
        proof.verify()


@pytest.mark.django_db
def test_the_command_says_what_holds_and_what_does_not() -> None:
    lines(3)
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert "All 3 sealed rows hold." in out.getvalue()
    head = out.getvalue().split("Head: ")[1].strip()
    sealed(1)
    call_command("verify_audit", "--anchor", head, stdout=out)
    behind_the_trigger("UPDATE teams_auditevent SET action = 'x' WHERE seq = 2")
    with pytest.raises(CommandError, match=r"row 2 \(id \d+, x\) was changed"):
        call_command("verify_audit", stdout=out)
    with pytest.raises(CommandError, match="SEQ:HASH"):
        call_command("verify_audit", "--anchor", "abc", stdout=out)


@pytest.mark.django_db
def test_a_trail_that_lost_everything_with_its_anchors_shows_it() -> None:
    sealed(5)
    known = proof.verify().before
    behind_the_trigger("DELETE FROM teams_auditevent")
    AuditAnchor.objects.all().delete()
    assert proof.verify().before == known + 5
    # Also once MCM has written on, as if it were new.
    sealed(2)
    assert (proof.verify().rows, proof.verify().before) == (2, known + 5)
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert f"{known + 5} numbers were given before the first row" in out.getvalue()


@pytest.mark.django_db
def test_what_retention_removed_is_no_loss() -> None:
    sealed(5)
    with transaction.atomic():
        chain.write_anchor(chain.START, Point(*_row(2)))
        AuditEvent.objects.filter(seq__lte=2)._raw_delete("default")
    found = proof.verify()
    assert (found.start.seq, found.before) == (2, 0)


def _row(seq: int) -> tuple[int, str]:
    return seq, AuditEvent.objects.get(seq=seq).hash
