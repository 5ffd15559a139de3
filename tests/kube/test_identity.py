from itertools import count

import pytest

from clusters.kube.types import Identity


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        (None, ("a",)),
        ("system:admin", ()),
        ("a", ("system:masters",)),
        ("a\r\nImpersonate-Group: b", ()),
        ("", ()),
        (" a", ()),
        ("é", ()),
    ],
    ids=count(),
)
def test_some_identities_cannot_be_made(user: str | None, groups: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"impersonated|system:|printable"):
        Identity(user, groups)
