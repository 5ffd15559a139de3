from itertools import count

import pytest

from clusters.kube.types import Identity


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        (None, ("a",)),
        ("system:admin", ()),
        ("system:serviceaccount:kube-system:default", ()),
        ("admin", ()),
        ("mcm:", ()),
        ("mcm:a", ("system:masters",)),
        ("mcm:a", ("mcm:team:a:owner",)),
        ("mcm:a", ("mcm:team:a:admin", "system:masters")),
        ("mcm:a", ("mcm:platform-admins:more",)),
        ("mcm:a", ("mcm:team:a:admin:",)),
        ("mcm:a", ("mcm:team:a:admin:kube:system",)),
        ("mcm:a", ("mcm:team:a:admin:Shop",)),
        ("mcm:a", ("admins",)),
        ("mcm:a\r\nImpersonate-Group: b", ()),
        ("mcm:a\n", ()),
        ("", ()),
        (" mcm:a", ()),
        ("mcm:é", ()),
    ],
    ids=count(),
)
def test_some_identities_cannot_be_made(user: str | None, groups: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="impersonate"):
        Identity(user, groups)


def test_people_and_their_groups_can() -> None:
    made = Identity("mcm:ann@example.org", ("mcm:platform-admins", "mcm:team:a-b_c:viewer:web-1"))
    assert made.groups[0] == "mcm:platform-admins"
