"""Columns of sealed bytes; `teams/vault.py` seals."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import models

from teams.vault import DAMAGED as DAMAGED
from teams.vault import NO_KEY as NO_KEY
from teams.vault import CannotOpen as CannotOpen
from teams.vault import newest_mark as newest_mark
from teams.vault import seal as seal
from teams.vault import unseal as unseal


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
