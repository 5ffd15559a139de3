"""What all bodies of the API share."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from teams.models import Membership


class StrictSerializer(serializers.Serializer[Any]):
    """A body whose unknown fields are refused by name: a mistyped option is never ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "keys"):
            unknown = set(data.keys()) - set(self.fields) - {"csrfmiddlewaretoken"}
            if unknown:
                raise serializers.ValidationError(
                    {name: [_("There is no such field.")] for name in sorted(unknown)}
                )
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A string; a number is none, though it could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class TeamSerializer(StrictSerializer):
    """The body of `POST /api/v1/teams` and `PATCH /api/v1/teams/{id}`."""

    name = TextField(max_length=50)


class MemberSerializer(StrictSerializer):
    """The body of `POST /api/v1/teams/{id}/members`."""

    username = TextField(max_length=150)
    manager = serializers.BooleanField(default=False)


class ManagerSerializer(StrictSerializer):
    """The body of `PATCH /api/v1/teams/{id}/members/{user}`."""

    manager = serializers.BooleanField()


def member_json(member: Membership) -> dict[str, Any]:
    user = member.user
    return {
        "id": user.pk,
        "username": user.username,
        "name": user.get_full_name(),
        "manager": member.is_manager,
        "active": user.is_active,
    }
