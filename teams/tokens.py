"""Who calls the API with a token. Stands alone: DRF loads it while it defines its own views."""

from typing import TYPE_CHECKING

import knox.auth
from django.utils import timezone

if TYPE_CHECKING:
    from knox.models import AuthToken


class TokenAuthentication(knox.auth.TokenAuthentication):  # type: ignore[misc]  # untyped
    """knox's, which at each call asks for all tokens of the person, to drop those that expired.

    Here that is done when one is sent that did.
    """

    def _cleanup_token(self, auth_token: "AuthToken") -> bool:
        if auth_token.expiry is None or timezone.now() <= auth_token.expiry:
            return False
        gone: bool = super()._cleanup_token(auth_token)
        return gone
