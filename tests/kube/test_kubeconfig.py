import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from clusters.kube import kubeconfig
from clusters.kube.errors import KubeconfigError
from clusters.kube.types import Connection, Identity
from tests.kube.certificates import Authority, Pair

SECRET = "planted-secret-7f3a"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(authority: Authority, **user: Any) -> dict[str, Any]:
    cluster = {
        "server": "https://127.0.0.1:6443",
        "certificate-authority-data": encoded(authority.pem),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "preferences": {},
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user or {"token": SECRET}}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
    }


def refusal(text: str, context: str | None = None) -> KubeconfigError:
    with pytest.raises(KubeconfigError) as caught:
        kubeconfig.parse(text, context)
    assert SECRET not in repr(caught.value) + str(caught.value)
    return caught.value


def test_reads_a_token_and_a_ca(authority: Authority) -> None:
    found = kubeconfig.parse(json.dumps(config(authority)))
    assert (found.server, found.token) == ("https://127.0.0.1:6443", SECRET)
    assert found.ca == authority.pem


def test_reads_a_certificate_with_its_key(authority: Authority, pair: Pair) -> None:
    user = {
        "client-certificate-data": encoded(pair.certificate),
        "client-key-data": encoded(pair.key),
    }
    found = kubeconfig.parse(json.dumps(config(authority, **user)))
    assert (found.certificate, found.key) == (pair.certificate, pair.key)


def test_what_was_rendered_is_read_back(authority: Authority, pair: Pair) -> None:
    made = Connection(
        server="https://[::1]:6443/k8s/clusters/c-1",
        ca=authority.pem,
        token=SECRET,
        certificate=pair.certificate,
        key=pair.key,
        tls_server_name="kube.example",
        context="a context: with # signs",
        namespace="shop",
    )
    assert kubeconfig.parse(kubeconfig.render(made)) == made
    assert Connection.load(made.dump()) == made


def test_renders_an_identity_for_helm() -> None:
    made = Connection(server="https://127.0.0.1", token=SECRET)
    text = kubeconfig.render(made, Identity("mcm:alice", ("mcm:team:a:operator",)))
    user = json.loads(text)["users"][0]["user"]
    assert (user["as"], user["as-groups"]) == ("mcm:alice", ["mcm:team:a:operator"])


def test_a_connection_never_shows_its_secrets(pair: Pair) -> None:
    made = Connection(server="https://h", token=SECRET, key=pair.key, certificate=pair.certificate)
    for text in (repr(made), str(made), f"{made}", f"{[made]}"):
        assert SECRET not in text
        assert "PRIVATE KEY" not in text


@pytest.mark.parametrize(
    ("part", "key", "value", "code"),
    [
        ("user", "exec", {"command": "sh", "args": [SECRET]}, "exec"),
        ("user", "auth-provider", {"name": "gcp"}, "auth_provider"),
        ("user", "tokenFile", "/etc/passwd", "file_path"),
        ("user", "client-certificate", "/tmp/x", "file_path"),
        ("user", "client-key", "/tmp/x", "file_path"),
        ("user", "username", "root", "basic_auth"),
        ("user", "password", SECRET, "basic_auth"),
        ("user", "as", "system:admin", "impersonation"),
        ("user", "as-uid", "1", "impersonation"),
        ("user", "as-groups", ["system:masters"], "impersonation"),
        ("user", "as-user-extra", {"a": ["b"]}, "impersonation"),
        ("user", "impersonate", "x", "unknown_key"),
        ("cluster", "certificate-authority", "/etc/ca.crt", "file_path"),
        ("cluster", "insecure-skip-tls-verify", True, "insecure"),
        ("cluster", "proxy-url", "http://evil", "proxy"),
        ("cluster", "surprise", "x", "unknown_key"),
        ("context", "surprise", "x", "unknown_key"),
    ],
    ids=count(),
)
def test_refuses_by_name(
    authority: Authority, part: str, key: str, value: object, code: str
) -> None:
    made = config(authority)
    made[f"{part}s"][0][part][key] = value
    error = refusal(json.dumps(made))
    assert (error.field, error.code) == (f"{part}s[0].{part}.{key}", code)


@pytest.mark.parametrize(
    ("server", "code"),
    [
        ("http://127.0.0.1:6443", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("127.0.0.1:6443", "not_https"),
        ("https://user:pw@127.0.0.1", "invalid_url"),
        ("https://127.0.0.1/?a=b", "invalid_url"),
        ("https://127.0.0.1/#a", "invalid_url"),
        ("https://127.0.0.1:99999", "invalid_url"),
        ("https://127.0.0.1:0", "invalid_url"),
        ("https://", "invalid_url"),
        ("https://a b", "invalid_url"),
        ("https://127.0.0.1/../x", "invalid_url"),
        ("https://[fe80::1%25eth0]", "invalid_url"),
        ("https://ho\\st", "invalid_url"),
        ("https://host\r\nX: y", "invalid_url"),
        ("https://host/" + "a" * 500, "invalid_url"),
        ("", "missing"),
    ],
    ids=count(),
)
def test_refuses_a_server(authority: Authority, server: str, code: str) -> None:
    made = config(authority)
    made["clusters"][0]["cluster"]["server"] = server
    error = refusal(json.dumps(made))
    assert (error.field, error.code) == ("clusters[0].cluster.server", code)


def without(*path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(made: Any) -> None:
        for each in path[:-1]:
            made = made[each]
        del made[path[-1]]

    return change


def with_(value: object, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(made: Any) -> None:
        for each in path[:-1]:
            made = made[each]
        made[path[-1]] = value

    return change


USER = ("users", 0, "user")
CLUSTER = ("clusters", 0, "cluster")


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        (without("current-context"), "current-context", "missing"),
        (with_("gone", "current-context"), "current-context", "missing_reference"),
        (without("contexts", 0, "context", "user"), "contexts[0].context.user", "missing"),
        (
            with_("gone", "contexts", 0, "context", "cluster"),
            "contexts[0].context.cluster",
            "missing_reference",
        ),
        (without("contexts", 0, "name"), "contexts[0].name", "missing"),
        (with_("Not A Name", "contexts", 0, "context", "namespace"),
         "contexts[0].context.namespace", "invalid"),
        (without(*USER, "token"), "users[0].user", "missing"),
        (with_("a b", *USER, "token"), "users[0].user.token", "invalid_token"),
        (with_("a\nb", *USER, "token"), "users[0].user.token", "invalid_token"),
        (with_("é", *USER, "token"), "users[0].user.token", "invalid_token"),
        (with_(["x"], *USER, "token"), "users[0].user.token", "wrong_type"),
        (with_("%%", *CLUSTER, "certificate-authority-data"),
         "clusters[0].cluster.certificate-authority-data", "invalid_base64"),
        (with_("aGFsbG8=", *CLUSTER, "certificate-authority-data"),
         "clusters[0].cluster.certificate-authority-data", "invalid_pem"),
        (with_("a/b", *CLUSTER, "tls-server-name"),
         "clusters[0].cluster.tls-server-name", "invalid"),
        (with_("aGFsbG8=", *USER, "client-key-data"),
         "users[0].user.client-certificate-data", "missing"),
        (with_("Deployment", "kind"), "kind", "not_a_kubeconfig"),
        (with_("x", "surprise"), "surprise", "unknown_key"),
        (with_("x", "clusters"), "clusters", "wrong_type"),
        (with_([1], "users"), "users[0]", "wrong_type"),
    ],
    ids=count(),
)  # fmt: skip
def test_names_what_is_wrong(
    authority: Authority, change: Callable[[dict[str, Any]], None], field: str, code: str
) -> None:
    made = config(authority)
    change(made)
    error = refusal(json.dumps(made))
    assert (error.field, error.code) == (field, code)


def test_refuses_a_key_of_another_certificate(authority: Authority, pair: Pair) -> None:
    user = {
        "client-certificate-data": encoded(pair.certificate),
        "client-key-data": encoded(authority.sign("other").key),
    }
    error = refusal(json.dumps(config(authority, **user)))
    assert (error.field, error.code) == ("users[0].user.client-key-data", "key_mismatch")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("[]", "not_a_kubeconfig"),
        ("a: 1\n---\nb: 2", "several_documents"),
        ("a: &x [1]\nb: *x", "yaml_alias"),
        ("a: &x {b: c}\nd:\n  <<: *x", "yaml_alias"),
        ("d:\n  <<: {a: b}", "yaml_merge"),
        ("a: !!python/object/apply:os.system [id]", "yaml_tag"),
        ("a: !!str b", "yaml_tag"),
        ("a: 1\na: 2", "duplicate_key"),
        ("? [a]\n: b", "yaml_key"),
        ("a: " + "[" * 30 + "]" * 30, "too_deep"),
        ("a: " + "[" * 100_000, "invalid_yaml"),
        ("a: {", "invalid_yaml"),
        (f"token: {SECRET}\n\t- x", "invalid_yaml"),
        ("a: \x00", "invalid_yaml"),
        ("a: \ud800", "invalid_yaml"),
        ("a: " + "x" * 300_000, "too_large"),
        ("é" * 200_000, "too_large"),
    ],
    ids=count(),
)
def test_refuses_hostile_yaml(text: str, code: str) -> None:
    assert refusal(text).code == code


def test_an_error_does_not_carry_the_file(authority: Authority) -> None:
    error = refusal(json.dumps(config(authority)).replace('"kind"', f'"kind": {SECRET!r} !'))
    assert error.code == "invalid_yaml"
    assert error.__cause__ is None
    assert error.__context__ is None


def test_other_contexts_are_not_looked_into(authority: Authority) -> None:
    made = config(authority)
    made["users"].append({"name": "v", "user": {"exec": {"command": "sh"}}})
    made["contexts"].append({"name": "eks", "context": {"cluster": "c", "user": "v"}})
    text = json.dumps(made)
    assert kubeconfig.contexts(text) == ["dev", "eks"]
    assert kubeconfig.current_context(text) == "dev"
    assert kubeconfig.parse(text, "dev").token == SECRET
    assert refusal(text, "eks").field == "users[1].user.exec"


def test_empty_refused_keys_are_as_absent(authority: Authority) -> None:
    made = config(authority)
    made["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = False
    made["users"][0]["user"]["username"] = ""
    assert kubeconfig.parse(json.dumps(made)).token == SECRET


def test_says_when_the_credential_ends(pair: Pair) -> None:
    claims = encoded(json.dumps({"exp": 1_800_000_000})).rstrip("=")
    token = Connection(server="https://h", token=f"a.{claims}.b")
    assert kubeconfig.credential_expiry(token) == datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
    both = Connection(
        server="https://h", token=f"a.{claims}.b", certificate=pair.certificate, key=pair.key
    )
    ends = kubeconfig.credential_expiry(both)
    assert ends is not None
    assert ends < datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
    for plain in ("abc", "a.b.c", "a.%%.c", f"a.{encoded('[]')}.c"):
        assert kubeconfig.credential_expiry(Connection(server="https://h", token=plain)) is None
