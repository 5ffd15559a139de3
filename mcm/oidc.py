"""The identity providers of `MCM_OIDC_PROVIDERS`, as django-allauth wants them."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from django.core.exceptions import ImproperlyConfigured

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,49}\Z")]


class Provider(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One provider; docs/signing-in.md explains the fields."""

    id: Slug
    issuer: Name
    client_id: Name
    client_secret: str = ""
    name: str = ""
    scopes: list[Name] = msgspec.field(default_factory=lambda: ["openid", "profile", "email"])
    groups_claim: Name = "groups"
    create_users: bool = False
    second_factor: bool = False

    def app(self) -> dict[str, Any]:
        return {
            "provider_id": self.id,
            "name": self.name or self.id,
            "client_id": self.client_id,
            "secret": self.client_secret,
            "settings": {
                "server_url": self.issuer.rstrip("/"),
                "scope": self.scopes,
                "oauth_pkce_enabled": True,
                "groups_claim": self.groups_claim,
                "create_users": self.create_users,
                "second_factor": self.second_factor,
            },
        }


def providers(name: str, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """The JSON list in a variable. It holds secrets: errors name the place and never repeat it."""
    text = environment.get(name) or "[]"
    try:
        found = msgspec.json.decode(text.encode(), type=list[Provider])
    except msgspec.ValidationError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None
    except msgspec.DecodeError:
        raise ImproperlyConfigured(f"{name} must be a list in JSON") from None
    names = [provider.id for provider in found]
    if len(set(names)) < len(names):
        raise ImproperlyConfigured(f"{name} names one id twice")
    for provider in found:
        if not _is_safe(provider.issuer):
            raise ImproperlyConfigured(f"{name}: the issuer of {provider.id} must be an https URL")
    return [provider.app() for provider in found]


def _is_safe(issuer: str) -> bool:
    """https, or http that never leaves this machine."""
    parts = urlsplit(issuer)
    if parts.scheme == "https":
        return bool(parts.hostname)
    try:
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
