"""HTTPS of `manage.py run`: an authority of its own, and a certificate that never ends unseen."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from cryptography import x509

from mcm.embedded import certificates


def served(home: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificates.files(home).certificate.read_bytes())


def test_they_are_made_once(tmp_path: Path) -> None:
    assert certificates.ensure(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert not certificates.ensure(tmp_path)
    assert before == {path: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert len(before) == 4


def test_the_keys_are_ours_alone(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1"])
def test_strict_clients_trust_it(tmp_path: Path, name: str) -> None:
    certificates.ensure(tmp_path)
    files = certificates.files(tmp_path)
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    there.load_cert_chain(files.certificate, files.key)
    here = ssl.create_default_context(cafile=files.authority)
    here.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = here.wrap_bio(to_client, to_server, server_hostname=name)
    server = there.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == "TLSv1.3"


def test_the_served_one_is_renewed_before_it_ends(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    authority = certificates.files(tmp_path).authority.read_bytes()
    first = served(tmp_path)
    late = datetime.now(UTC) + certificates.SERVER_LASTS - certificates.RENEW_BEFORE
    with time_machine.travel(late - timedelta(hours=1)):
        assert not certificates.ensure(tmp_path)
    with time_machine.travel(late + timedelta(hours=1)):
        assert certificates.ensure(tmp_path)
    assert served(tmp_path).not_valid_after_utc > first.not_valid_after_utc
    # What stands in kubeconfigs is still right.
    assert certificates.files(tmp_path).authority.read_bytes() == authority


def test_an_authority_that_ends_is_replaced_with_what_it_signed(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    before = certificates.files(tmp_path).authority.read_bytes()
    with time_machine.travel(datetime.now(UTC) + certificates.AUTHORITY_LASTS):
        assert certificates.ensure(tmp_path)
        files = certificates.files(tmp_path)
        after = x509.load_pem_x509_certificate(files.authority.read_bytes())
    assert files.authority.read_bytes() != before
    served(tmp_path).verify_directly_issued_by(after)


@pytest.mark.parametrize("damaged", ["ca.crt", "ca.key", "server.crt", "server.key"])
def test_what_is_damaged_is_made_anew(tmp_path: Path, damaged: str) -> None:
    certificates.ensure(tmp_path)
    (tmp_path / "tls" / damaged).write_text("rubbish")
    assert certificates.ensure(tmp_path)
    files = certificates.files(tmp_path)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    served(tmp_path).verify_directly_issued_by(authority)


def test_a_key_of_another_certificate_is_none(tmp_path: Path) -> None:
    certificates.ensure(tmp_path)
    (tmp_path / "tls" / "server.key").write_bytes((tmp_path / "tls" / "ca.key").read_bytes())
    assert certificates.ensure(tmp_path)
