"""Typed readers of environment variables: a wrong value stops the start and names its variable."""

import os
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from cryptography.x509 import load_pem_x509_certificates
from django.core.exceptions import ImproperlyConfigured

from clusters.kube import policy


def text(name: str, default: str | None = None) -> str:
    """The variable's value; without a default it must be set and not empty."""
    value = os.environ.get(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} must be set")
    return value


def boolean(name: str, default: bool) -> bool:
    value = os.environ.get(name, str(default)).lower()
    if value not in {"true", "false", "1", "0"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}")
    return value in {"true", "1"}


def integer(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    value = os.environ.get(name, str(default))
    if not value.isdecimal() or not least <= int(value) <= most:
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {least} to {most}, not {value!r}"
        )
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty items."""
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def addresses(name: str) -> list[policy.Rule]:
    """A comma-separated list of `CIDR[:port]`, IPv6 as `[fd00::/8]:6443`."""
    try:
        return [policy.parse(item) for item in words(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


def one_of(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = os.environ.get(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def url(name: str, schemes: tuple[str, ...], default: str | None = None) -> SplitResult:
    """A URL of one of the schemes. Its text may hold a password, so errors never repeat it."""
    parts = urlsplit(text(name, default))
    if parts.scheme not in schemes or not (parts.hostname or "host=" in parts.query):
        raise ImproperlyConfigured(f"{name} must be a URL like {schemes[0]}://user@host:port/name")
    try:
        _ = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} has a port that is no number") from error
    return parts


def https(name: str) -> str:
    """An address such as `https://mcm.example.com:8443`, without a path; "" when it is not set."""
    value = os.environ.get(name, "").rstrip("/")
    parts = urlsplit(value)
    if value and (
        parts.scheme != "https" or not parts.hostname or value != f"https://{parts.netloc}"
    ):
        raise ImproperlyConfigured(f"{name} must be like https://mcm.example.com, not {value!r}")
    return value


def certificates(name: str) -> Path | None:
    """A file of certificates (PEM) that can be read; None when it is not set."""
    value = os.environ.get(name)
    if not value:
        return None
    try:
        load_pem_x509_certificates(Path(value).read_bytes())
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} must name a file of PEM certificates") from error
    return Path(value)


def database(name: str, default: str | None = None) -> dict[str, object]:
    """Django's settings of a PostgreSQL database from `postgresql://user:password@host:port/name`."""
    parts = url(name, ("postgresql", "postgres"), default)
    if not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must name a database after the host")
    return {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }
