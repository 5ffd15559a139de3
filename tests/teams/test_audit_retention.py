"""Old lines go where that is set, and the rest can still be proved."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from teams.audit import chain, proof, retention
from teams.clients.syslog import Server
from teams.models import AuditEvent, AuditForward
from tests.teams.chained import behind_the_trigger, rewritten, sealed


@pytest.mark.django_db
def test_retention_keeps_the_rest_provable(settings: Any) -> None:
    settings.AUDIT = replace(settings.AUDIT, days=30)
    sealed(6)
    noted = proof.verify().head
    old = timezone.now() - timedelta(days=31)
    rewritten(old, upto=4)
    assert retention.sweep() == 4
    assert retention.sweep() == 0
    chain.seal()
    found = proof.verify()
    assert (found.start.seq, found.rows) == (4, 3)
    told = AuditEvent.objects.get(action="audit.retention")
    assert told.detail == {"rows": 4, "days": 30}
    assert noted.seq == 6
    behind_the_trigger("DELETE FROM teams_auditevent WHERE seq = 5")
    with pytest.raises(proof.Broken, match="row 5 is missing before row 6"):
        proof.verify()


@pytest.mark.django_db
def test_retention_waits_for_what_was_not_forwarded(settings: Any) -> None:
    server = Server("tcp", "127.0.0.1", 1)
    settings.AUDIT = replace(settings.AUDIT, days=1, syslog=server)
    sealed(4)
    rewritten(timezone.now() - timedelta(days=2), upto=4)
    assert retention.sweep() == 0
    AuditForward.objects.create(target="syslog", seq=3)
    assert retention.sweep() == 3
    assert proof.verify().start.seq == 3


@pytest.mark.django_db
def test_without_a_limit_nothing_is_ever_removed(settings: Any) -> None:
    sealed(2)
    rewritten(timezone.now() - timedelta(days=9999), upto=2)
    assert settings.AUDIT.days == 0
    assert retention.sweep() == 0
