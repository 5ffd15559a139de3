"""Kubeconfig files, read strictly: only what is on the list below becomes a `Connection`.

The client's own loader runs `exec` commands and reads files that the kubeconfig names, so it never
sees an upload. Grammar: k8s.io/client-go/tools/clientcmd/api/v1/types.go.
"""

import ipaddress
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from clusters.kube import credentials
from clusters.kube.errors import KubeconfigError, sentence
from clusters.kube.strict_yaml import expect, load
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity

INLINE = sentence("Paths are not accepted; inline the data: kubectl config view --raw --flatten.")
NO_PROGRAMS = sentence(
    "Programs are never run from a kubeconfig. Use a token or a client certificate, inline."
)
NO_PROVIDERS = sentence(
    "Auth providers are not accepted. Use a token or a client certificate, inline."
)
NO_PASSWORDS = sentence(
    "Basic authentication is not accepted. Use a token or a client certificate, inline."
)
NO_IMPERSONATION = sentence("Impersonation is not accepted in a kubeconfig.")
NO_CREDENTIAL = sentence(
    "There is no credential. A token or a client certificate with its key must stand inline."
)
# Where a name leads to nothing, by the list that it should stand in.
ABSENT = {
    "contexts": sentence("There is no context of this name."),
    "clusters": sentence("There is no cluster of this name in the file."),
    "users": sentence("There is no user of this name in the file."),
}
UNNAMED = {
    "cluster": sentence("The context names no cluster."),
    "user": sentence("The context names no user."),
}

ACCEPTED = {
    "": {"current-context", "clusters", "contexts", "users"},
    "cluster": {"server", "certificate-authority-data", "tls-server-name"},
    "context": {"cluster", "user", "namespace"},
    "user": {"client-certificate-data", "client-key-data", "token"},
}
HARMLESS = {
    "": {"apiVersion", "kind", "preferences", "extensions", "colors"},
    "cluster": {"disable-compression", "extensions"},
    "context": {"extensions"},
    "user": {"extensions"},
}
REFUSED = {
    "exec": (NO_PROGRAMS, "exec"),
    "auth-provider": (NO_PROVIDERS, "auth_provider"),
    "tokenFile": (INLINE, "file_path"),
    "client-certificate": (INLINE, "file_path"),
    "client-key": (INLINE, "file_path"),
    "certificate-authority": (INLINE, "file_path"),
    "username": (NO_PASSWORDS, "basic_auth"),
    "password": (NO_PASSWORDS, "basic_auth"),
    "insecure-skip-tls-verify": (
        sentence("The server's certificate is always verified; give certificate-authority-data."),
        "insecure",
    ),
    "proxy-url": (sentence("Proxies are not accepted in a kubeconfig."), "proxy"),
    "as": (NO_IMPERSONATION, "impersonation"),
    "as-uid": (NO_IMPERSONATION, "impersonation"),
    "as-groups": (NO_IMPERSONATION, "impersonation"),
    "as-user-extra": (NO_IMPERSONATION, "impersonation"),
}
DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?)*\.?\Z",
    re.I,
)
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
LONGEST_SERVER = 500
URL_PATH = re.compile(r"(/[A-Za-z0-9._~%-]+)*\Z")


def contexts(text: str) -> list[str]:
    """The names of the contexts in their order; KubeconfigError when the file is not accepted."""
    return list(_named(_top(text), "contexts"))


def current_context(text: str) -> str | None:
    """The name of the context that kubectl would use, None when the file does not say."""
    return _text(_top(text), "current-context", "")


def parse(text: str, context: str | None = None) -> Connection:
    """The connection of one context (the current one by default); KubeconfigError names the field.

    Entries that the context does not use are not looked into: nothing of them is kept.
    """
    top = _top(text)
    name = context or _text(top, "current-context", "")
    if not name:
        raise KubeconfigError("current-context", "No context is chosen.", "missing")
    chosen, field = _lookup(top, "contexts", name, "current-context" if not context else "context")
    cluster, cluster_field = _referred(top, chosen, field, "cluster")
    user, user_field = _referred(top, chosen, field, "user")
    server, ca, server_name = _cluster(cluster, cluster_field)
    token, certificate, key = _user(user, user_field)
    return Connection(
        server=server,
        ca=ca,
        token=token,
        certificate=certificate,
        key=key,
        tls_server_name=server_name,
        context=name,
        namespace=_namespace(chosen, field),
    )


def render(connection: Connection, identity: Identity = SERVICE_ACCOUNT) -> str:
    """A kubeconfig with every secret inline, for the helm program: write it 0600, remove it soon.

    JSON, which every YAML reader reads and where nothing needs quoting rules.
    """
    cluster = {
        "server": connection.server,
        "certificate-authority-data": _base64(connection.ca),
        "tls-server-name": connection.tls_server_name,
    }
    user = {
        "token": connection.token,
        "client-certificate-data": _base64(connection.certificate),
        "client-key-data": _base64(connection.key),
        "as": identity.user,
        "as-groups": list(identity.groups) or None,
    }
    name = connection.context or "cluster"
    context = {"cluster": name, "user": name, "namespace": connection.namespace}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": _present(cluster)}],
        "users": [{"name": name, "user": _present(user)}],
        "contexts": [{"name": name, "context": _present(context)}],
    }
    return json.dumps(config, indent=2) + "\n"


def credential_expiry(connection: Connection) -> datetime | None:
    """When the connection's certificate or token ends (the sooner one), None when unknown."""
    return credentials.expiry(connection)


def _top(text: str) -> dict[str, Any]:
    top = load(text)
    if not isinstance(top, dict):
        raise KubeconfigError("", "This is not a kubeconfig.", "not_a_kubeconfig")
    _check_keys(top, "", "")
    if top.get("kind", "Config") != "Config" or top.get("apiVersion", "v1") != "v1":
        raise KubeconfigError("kind", "This is not a kubeconfig of version v1.", "not_a_kubeconfig")
    if "contexts" not in top and "clusters" not in top:
        raise KubeconfigError("contexts", "This is not a kubeconfig.", "not_a_kubeconfig")
    return top


def _check_keys(found: dict[str, Any], kind: str, field: str) -> None:
    for key, value in found.items():
        if key in ACCEPTED[kind] or key in HARMLESS[kind]:
            continue
        inner = f"{field}.{key}" if field else key
        if key not in REFUSED or not field:
            raise KubeconfigError(inner, "This key is not known.", "unknown_key")
        if value not in (None, "", False, [], {}):
            raise KubeconfigError(inner, *REFUSED[key])


def _named(top: dict[str, Any], plural: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Entry and field of each name: `[{name: x, context: {…}}, …]`."""
    singular = plural.removesuffix("s")
    found: dict[str, tuple[dict[str, Any], str]] = {}
    for position, item in enumerate(expect(top.get(plural), list, plural)):
        field = f"{plural}[{position}]"
        entry = expect(item, dict, field)
        for key in entry.keys() - {"name", singular}:
            raise KubeconfigError(f"{field}.{key}", "This key is not known.", "unknown_key")
        name = _text(entry, "name", field)
        if not name:
            raise KubeconfigError(f"{field}.name", "The name is missing.", "missing")
        if name in found:
            raise KubeconfigError(f"{field}.name", "This name occurs twice.", "duplicate_name")
        inner = f"{field}.{singular}"
        found[name] = expect(entry.get(singular), dict, inner), inner
    return found


def _lookup(top: dict[str, Any], plural: str, name: str, field: str) -> tuple[dict[str, Any], str]:
    entries = _named(top, plural)
    if name not in entries:
        raise KubeconfigError(field, ABSENT[plural], "missing_reference")
    entry, inner = entries[name]
    _check_keys(entry, plural.removesuffix("s"), inner)
    return entry, inner


def _referred(
    top: dict[str, Any], chosen: dict[str, Any], field: str, key: str
) -> tuple[dict[str, Any], str]:
    name = _text(chosen, key, field)
    if not name:
        raise KubeconfigError(f"{field}.{key}", UNNAMED[key], "missing")
    return _lookup(top, f"{key}s", name, f"{field}.{key}")


def _text(found: dict[str, Any], key: str, field: str) -> str | None:
    return expect(found.get(key), str, f"{field}.{key}" if field else key) or None


def _cluster(cluster: dict[str, Any], field: str) -> tuple[str, str | None, str | None]:
    server = _server(_text(cluster, "server", field), f"{field}.server")
    ca_field = f"{field}.certificate-authority-data"
    ca = _text(cluster, "certificate-authority-data", field)
    name = _text(cluster, "tls-server-name", field)
    if name and not _is_host(name):
        raise KubeconfigError(f"{field}.tls-server-name", "This is not a host name.", "invalid")
    if ca is None:
        return server, None, name
    return server, credentials.certificates(credentials.decode_base64(ca, ca_field), ca_field), name


def _server(server: str | None, field: str) -> str:
    if not server:
        raise KubeconfigError(field, "The server's address is missing.", "missing")
    try:
        parts = urlsplit(server)
        port = parts.port
    except ValueError:
        raise KubeconfigError(field, "This is not a valid URL.", "invalid_url") from None
    if parts.scheme != "https":
        raise KubeconfigError(field, "The address must begin with https://.", "not_https")
    if "@" in parts.netloc or "?" in server or "#" in server:
        reason = sentence("The address must not hold a user, a password, a query or a fragment.")
        raise KubeconfigError(field, reason, "invalid_url")
    path = parts.path.rstrip("/")
    is_odd = port == 0 or len(server) > LONGEST_SERVER
    if is_odd or not _is_host(parts.hostname or "") or not _is_path(path):
        raise KubeconfigError(field, "This is not a valid URL of an API server.", "invalid_url")
    return f"https://{parts.netloc}{path}"


def _is_host(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host)) and "%" not in host
    except ValueError:
        return DNS_NAME.match(host) is not None


def _is_path(path: str) -> bool:
    return URL_PATH.match(path) is not None and not {".", ".."} & set(path.split("/"))


def _user(user: dict[str, Any], field: str) -> tuple[str | None, str | None, str | None]:
    token = _text(user, "token", field)
    certificate_field = f"{field}.client-certificate-data"
    key_field = f"{field}.client-key-data"
    certificate_data = _text(user, "client-certificate-data", field)
    key_data = _text(user, "client-key-data", field)
    if token:
        token = credentials.check_token(token, f"{field}.token")
    if certificate_data is None and key_data is None:
        if not token:
            raise KubeconfigError(field, NO_CREDENTIAL, "missing")
        return token, None, None
    if certificate_data is None or key_data is None:
        lacking = certificate_field if certificate_data is None else key_field
        raise KubeconfigError(lacking, "A certificate and its key belong together.", "missing")
    pem = credentials.decode_base64(certificate_data, certificate_field)
    certificate = credentials.certificates(pem, certificate_field)
    key, parsed = credentials.private_key(credentials.decode_base64(key_data, key_field), key_field)
    credentials.check_pair(certificate, parsed, key_field)
    return token, certificate, key


def _namespace(chosen: dict[str, Any], field: str) -> str | None:
    namespace = _text(chosen, "namespace", field)
    if namespace and not DNS_LABEL.match(namespace):
        raise KubeconfigError(f"{field}.namespace", "This is not a namespace's name.", "invalid")
    return namespace


def _present(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}


def _base64(pem: str | None) -> str | None:
    return None if pem is None else credentials.encode_base64(pem)
