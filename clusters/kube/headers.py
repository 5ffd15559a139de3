"""The headers that say who asks. A module apart: watchers need no official client and its 20 MB."""

from clusters.kube.types import Connection, Identity

USER_AGENT = "mcm"


def authorization(connection: Connection, identity: Identity) -> list[tuple[str, str]]:
    """Names and values in order; Impersonate-Group occurs once for each group.

    Protocol: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
    """
    headers = [("User-Agent", USER_AGENT)]
    if connection.token:
        headers.append(("Authorization", f"Bearer {connection.token}"))
    if identity.user is not None:
        headers.append(("Impersonate-User", identity.user))
        headers += [("Impersonate-Group", group) for group in identity.groups]
    return headers
