"""Secrets are hidden wherever data is shown or kept."""

import json
from base64 import b64encode
from typing import Any

import pytest

from teams.audit.masking import DEEPEST, MASK, MOST_ITEMS, concealing, is_secret, masked

PLANTED = "planted-secret-1"


@pytest.mark.parametrize(
    "key",
    ["password", "DB_PASSWORD", "adminPassword", "apiKey", "api_key", "secretKey", "tls.key",
     "token", "accessToken", "clientSecret", "credentials", "kubeconfig", "ssh-keys", "basicAuth",
     "pwd", "POSTGRES_PASSWORD", "passphrase", "Authorization", "sessionCookie", "totp",
     "bearerToken"],
)  # fmt: skip
def test_a_key_that_sounds_like_a_secret_hides_its_value(key: str) -> None:
    assert is_secret(key)
    assert masked({key: PLANTED}) == {key: MASK}
    assert masked({"a": [{key: {"deep": [PLANTED, 12345]}}]}) == {
        "a": [{key: {"deep": [MASK, MASK]}}]
    }


@pytest.mark.parametrize(
    "key",
    ["name", "replicas", "key", "publicKey", "topologyKey", "secretName", "tokenExpiry", "image",
     "passwordPolicy", "sessionAffinity", "monkey", "keyboard", "tokenId", "auth", "compass"],
)  # fmt: skip
def test_what_only_tells_about_a_secret_is_shown(key: str) -> None:
    assert masked({key: "plain"}) == {key: "plain"}


@pytest.mark.parametrize(
    "value",
    [
        f"postgres://user:{PLANTED}@db.example/app",
        f"-----BEGIN RSA PRIVATE KEY-----\n{PLANTED}\n-----END RSA PRIVATE KEY-----",
        f"Authorization: Bearer {PLANTED}",
        f"start --password={PLANTED} --verbose",
        f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.{PLANTED}",
        f"apiVersion: v1\nusers:\n- user:\n    client-key-data: {PLANTED}",
    ],
)
def test_a_secret_is_known_by_its_look(value: str) -> None:
    assert PLANTED not in json.dumps(masked({"note": value}))


def test_environments_of_containers_and_secrets_of_kubernetes_are_hidden() -> None:
    env = [{"name": "DB_PASSWORD", "value": PLANTED}, {"name": "MODE", "value": "fast"}]
    assert masked({"env": env})["env"] == [
        {"name": "DB_PASSWORD", "value": MASK},
        {"name": "MODE", "value": "fast"},
    ]
    secret = {"kind": "Secret", "metadata": {"name": "db"}, "data": {"any": PLANTED}}
    assert masked(secret)["data"] == {"any": MASK}
    assert masked(secret)["metadata"] == {"name": "db"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"password": True, "token": None}, {"password": True, "token": None}),
        ({"n": 3, "f": 1.5, "nan": float("nan")}, {"n": 3, "f": 1.5, "nan": "nan"}),
        ({"text": "a\0b\ud800"}, {"text": "ab?"}),
        ({1: {"x"}}, {"1": ["x"]}),
    ],
)
def test_the_rest_stays_as_json_knows_it(data: Any, expected: Any) -> None:
    assert masked(data) == expected
    json.dumps(masked(data), allow_nan=False)


def test_what_is_huge_is_cut_off() -> None:
    deep: Any = "end"
    for _ in range(DEEPEST * 4):
        deep = [deep]
    assert "end" not in json.dumps(masked(deep))
    assert len(masked(list(range(MOST_ITEMS * 2)))) == MOST_ITEMS + 1
    assert len(masked("x" * 100_000)) < 3000


def test_words_about_data_are_told_without_its_secrets() -> None:
    given = {
        "image": "nginx",
        "db": {"password": PLANTED, "passwordPolicy": "strict", "pin": 1234567},
        "env": [{"name": "API_TOKEN", "value": 'a"quoted-one'}, {"name": "MODE", "value": "fast"}],
        "tls": {"privateKey": "first line\nsecond line\n"},
        "token": "no",
    }
    conceal = concealing(given)
    said = [
        f'the password "{PLANTED}" is not strict', f"{b64encode(PLANTED.encode()).decode()}!",
        "pin 1234567", r'"a\"quoted-one"', "second line",
    ]  # fmt: skip
    assert [conceal(line) for line in said] == [
        f'the password "{MASK}" is not strict', f"{MASK}!", f"pin {MASK}", f'"{MASK}"', MASK,
    ]  # fmt: skip
    # What is too short to be told from a word stays, and what is no secret.
    assert conceal("no nginx is fast") == "no nginx is fast"
    assert concealing({"image": "nginx"})("nginx") == "nginx"
