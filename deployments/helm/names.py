"""Names that Helm and Kubernetes take; everything else never reaches an argument list."""

import re
from typing import Final

from deployments.helm.errors import InvalidName

RELEASE_LIMIT: Final = 53
NAMESPACE_LIMIT: Final = 63
_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_RELEASE: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NAMESPACE: Final = re.compile(_LABEL, re.ASCII)


def release(name: str) -> str:
    """Check a release name. In: the name; out: the same; errors: `InvalidName`."""
    if len(name) > RELEASE_LIMIT or not _RELEASE.fullmatch(name):
        raise InvalidName(
            f"{name[:80]!r} is no release name: at most {RELEASE_LIMIT} lower-case letters, "
            "digits, '-' and '.', beginning and ending with a letter or digit"
        )
    return name


def namespace(name: str) -> str:
    """Check a namespace name. In: the name; out: the same; errors: `InvalidName`."""
    if len(name) > NAMESPACE_LIMIT or not _NAMESPACE.fullmatch(name):
        raise InvalidName(
            f"{name[:80]!r} is no namespace name: at most {NAMESPACE_LIMIT} lower-case letters, "
            "digits and '-', beginning and ending with a letter or digit",
            "namespace",
        )
    return name


def revision(number: int) -> int:
    """Check a revision number. In: the number; out: the same; errors: `InvalidName`."""
    if not 1 <= number < 2**31:
        raise InvalidName(f"{number!r} is no revision: a whole number from 1", "revision")
    return number
