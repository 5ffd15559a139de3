"""Sealing of secrets at rest: AES-256-GCM, a key id in front, the owner bound in.

Layout of what is stored: one byte 1 (version), four bytes of SHA-256 of the key (its id), a
random 96-bit nonce (NIST SP 800-38D §8.2.2), then the ciphertext with its tag. The owner (say
`cluster:<id>`) is associated data: bytes moved to another row do not open.
"""

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.translation import gettext_noop

_VERSION = b"\x01"
NO_KEY = gettext_noop("The stored secret cannot be opened: no key of MCM_ENCRYPTION_KEYS fits.")
DAMAGED = gettext_noop("The stored secret cannot be opened: it is damaged or not its owner's.")


class CannotOpen(Exception):
    """The key is gone, or the bytes are not those that were sealed for this owner.

    `str(error)` is a sentence that may be shown; the pages translate it.
    """


def seal(plain: bytes, owner: str) -> bytes:
    """Sealed bytes, made with the newest key."""
    key = settings.ENCRYPTION_KEYS[0]
    nonce = secrets.token_bytes(12)
    return _VERSION + _key_id(key) + nonce + AESGCM(key).encrypt(nonce, plain, owner.encode())


def unseal(sealed: bytes, owner: str) -> bytes:
    """What was sealed for this owner. Raises CannotOpen."""
    version, key_id, nonce, rest = sealed[:1], sealed[1:5], sealed[5:17], sealed[17:]
    key = next((key for key in settings.ENCRYPTION_KEYS if _key_id(key) == key_id), None)
    if version != _VERSION or key is None:
        raise CannotOpen(NO_KEY)
    try:
        return AESGCM(key).decrypt(nonce, rest, owner.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: the nonce itself is cut short
        raise CannotOpen(DAMAGED) from error


def newest_mark() -> bytes:
    """How everything begins that the newest key has sealed."""
    return _VERSION + _key_id(settings.ENCRYPTION_KEYS[0])


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:4]


class SealedField(models.BinaryField):  # type: ignore[type-arg]  # none at run time
    """A column of sealed bytes; they belong to `<owner>:<the row's primary key>`.

    Everything sealed at rest stands in such columns, and nowhere else: rotating the keys finds
    them by this class.
    """

    def __init__(self, owner: str, **kwargs: Any) -> None:
        self.owner = owner
        super().__init__(**kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """To the tables it is a column of bytes like any other."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BinaryField", args, kwargs

    def clone(self) -> "SealedField":
        """A copy; the inherited one would forget the owner."""
        *_rest, kwargs = self.deconstruct()
        return SealedField(self.owner, **kwargs)

    def reseal(self, row: models.Model) -> None:
        """Seals the row's bytes anew, with the newest key. Raises CannotOpen; does not save."""
        owner = f"{self.owner}:{row.pk}"
        setattr(row, self.attname, seal(unseal(bytes(getattr(row, self.attname)), owner), owner))


def sealed_columns() -> Iterator[tuple[type[models.Model], SealedField]]:
    """Every column in which something is sealed."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, SealedField):
                yield model, field
