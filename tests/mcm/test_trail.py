"""Settings of the audit trail."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from mcm import trail
from teams.clients.syslog import Server
from teams.clients.webhook import Hook

SECRET = b"planted-secret-of-the-webhook-1234567890"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MCM_AUDIT_SYSLOG", "http://logs.example", "MCM_AUDIT_SYSLOG"),
        ("MCM_AUDIT_SYSLOG", "tcp://", "MCM_AUDIT_SYSLOG"),
        ("MCM_AUDIT_SYSLOG", "tls://logs.example/path", "tls://host:6514"),
        ("MCM_AUDIT_WEBHOOK", "ftp://logs.example", "MCM_AUDIT_WEBHOOK"),
        ("MCM_AUDIT_WEBHOOK", "https://logs.example", "MCM_AUDIT_WEBHOOK_SECRET must have"),
        ("MCM_AUDIT_DAYS", "-1", "MCM_AUDIT_DAYS"),
        ("MCM_AUDIT_CA", "/nowhere/ca.pem", "MCM_AUDIT_CA"),
    ],
)
def test_a_wrong_setting_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=said):
        trail.read()


def test_settings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCM_AUDIT_SYSLOG", "tls://logs.example")
    monkeypatch.setenv("MCM_AUDIT_WEBHOOK", "https://hooks.example/mcm")
    monkeypatch.setenv("MCM_AUDIT_WEBHOOK_SECRET", SECRET.decode())
    monkeypatch.setenv("MCM_AUDIT_DAYS", "365")
    found = trail.read()
    assert found.syslog == Server("tls", "logs.example", 6514)
    assert found.webhook == Hook("https://hooks.example/mcm", SECRET)
    assert found.days == 365
    assert SECRET.decode() not in repr(found)
