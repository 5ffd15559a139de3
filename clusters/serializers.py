"""What the REST API takes and gives about clusters."""

from copy import copy
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.validators import validate_slug
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from clusters.models import Cluster, Environment, Namespace
from clusters.services import grants
from clusters.services.checks import LARGEST_KUBECONFIG
from clusters.services.editing import Changes
from clusters.services.registration import Registration
from clusters.services.tokens import Shown
from teams.models import Grant
from teams.roles import Level, Reach, Role
from teams.serializers import StrictSerializer, TextField
from teams.services import tokens
from teams.store import Effect


class KubeconfigSerializer(StrictSerializer):
    """A body with a kubeconfig, JSON or multipart (then the file may be uploaded)."""

    kubeconfig = TextField(trim_whitespace=False, max_length=LARGEST_KUBECONFIG)
    # DRF takes declared fields out of the class, so its own `context` stays.
    context = TextField(max_length=253, required=False)  # type: ignore[assignment]

    def to_internal_value(self, data: Any) -> Any:
        upload: Any = data.get("kubeconfig") if hasattr(data, "get") else None
        if hasattr(upload, "read"):
            if upload.size > LARGEST_KUBECONFIG:
                raise serializers.ValidationError(
                    {"kubeconfig": [_("The file is larger than 256 KiB.")]}
                )
            try:
                text = upload.read().decode()
            except UnicodeDecodeError as error:
                raise serializers.ValidationError(
                    {"kubeconfig": [_("The file is not UTF-8 text.")]}
                ) from error
            data = copy(data)
            data["kubeconfig"] = text
        return super().to_internal_value(data)


class RegistrationSerializer(KubeconfigSerializer):
    """The body of `POST /api/v1/clusters`."""

    name = TextField(max_length=63, validators=Cluster._meta.get_field("name").validators)
    environment = serializers.ChoiceField(choices=Environment.choices)
    region = TextField(max_length=63, required=False, allow_blank=True)
    allowDuplicate = serializers.BooleanField(required=False, default=False)  # noqa: N815

    @property
    def registration(self) -> Registration:
        data = self.validated_data
        return Registration(
            name=data["name"],
            environment=Environment(data["environment"]),
            region=data.get("region", ""),
            kubeconfig=data["kubeconfig"],
            context=data.get("context"),
            allow_duplicate=data["allowDuplicate"],
        )


class ChangeSerializer(KubeconfigSerializer):
    """The body of `PATCH /api/v1/clusters/{id}`: what is not named stays."""

    name = TextField(
        max_length=63, required=False, validators=Cluster._meta.get_field("name").validators
    )
    environment = serializers.ChoiceField(choices=Environment.choices, required=False)
    region = TextField(max_length=63, required=False, allow_blank=True)
    customResources = serializers.ListField(  # noqa: N815
        child=TextField(max_length=317), max_length=1000, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kubeconfig"].required = False

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "context" in attrs and "kubeconfig" not in attrs:
            message = _("It chooses within a kubeconfig, and none is given.")
            raise serializers.ValidationError({"context": [message]})
        return attrs

    @property
    def kubeconfig_text(self) -> str | None:
        given: str | None = self.validated_data.get("kubeconfig")
        return given

    @property
    def context_name(self) -> str | None:
        given: str | None = self.validated_data.get("context")
        return given

    @property
    def custom_resources(self) -> list[str] | None:
        given: list[str] | None = self.validated_data.get("customResources")
        return given

    @property
    def changes(self) -> Changes:
        data = self.validated_data
        environment = data.get("environment")
        return Changes(
            name=data.get("name"),
            environment=Environment(environment) if environment else None,
            region=data.get("region"),
        )


def cluster_json(cluster: Cluster) -> dict[str, Any]:
    """A cluster as the API shows it; nothing of its credentials."""
    return {
        "id": str(cluster.pk),
        "name": cluster.name,
        "environment": cluster.environment,
        "region": cluster.region,
        "version": cluster.version,
        "nodeCount": cluster.node_count,
        "identityMode": cluster.identity_mode,
        "status": cluster.status,
        "statusReason": cluster.status_reason,
        "freshness": cluster.freshness,
        "observedAt": cluster.observed_at.isoformat() if cluster.observed_at else None,
    }


class GrantSerializer(StrictSerializer):
    """The body of `POST /api/v1/clusters/{id}/grants`."""

    team = TextField(max_length=50)
    role = serializers.ChoiceField(choices=Role.choices)
    namespace = TextField(
        max_length=63, default="", allow_blank=True, help_text="Empty: the whole cluster."
    )
    ends = serializers.DateTimeField(
        default=None, allow_null=True, help_text="Without: until it is revoked."
    )

    def validate_ends(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError(_("This moment is over."))
        return value

    @property
    def chosen(self) -> Role:
        return Role(self.validated_data["role"])

    @property
    def end(self) -> datetime | None:
        given: datetime | None = self.validated_data["ends"]
        return given


def grant_json(row: Grant, scope: grants.Scope) -> dict[str, Any]:
    is_space = isinstance(scope, Namespace)
    cluster = scope.cluster if isinstance(scope, Namespace) else scope
    return {
        **why_json(row),
        "cluster": cluster.name,
        "clusterId": str(cluster.pk),
        "namespace": scope.name if is_space else "",
        "created": row.created.isoformat(),
    }


def why_json(row: Grant) -> dict[str, Any]:
    """A grant beside what is known of where it is."""
    ends = row.ends.isoformat() if row.ends else None
    return {"id": row.pk, "team": row.team.name, "role": row.role, "ends": ends}


def effect_json(effect: Effect) -> dict[str, Any]:
    return {
        "user": effect.user.username,
        "actions": effect.held,
        "gained": effect.gained,
        "lost": effect.lost,
    }


def row_json(row: grants.Row) -> dict[str, Any]:
    return {
        "user": row.user.username,
        "userId": row.user.pk,
        "namespace": row.namespace,
        "actions": row.actions,
        "grants": [why_json(grant) for grant in row.grants],
        "mayRevoke": row.may_revoke,
    }


class TokenSerializer(StrictSerializer):
    """The body of `POST /api/v1/tokens`."""

    name = TextField(max_length=100)
    scope = serializers.ChoiceField(choices=Level.choices, default=Level.READ)
    clusters = serializers.ListField(
        child=TextField(max_length=63),
        default=None,
        allow_null=True,
        min_length=1,
        max_length=1000,
        help_text="Names or ids; without: all that its owner sees.",
    )
    days = serializers.IntegerField(default=tokens.USUAL_DAYS, min_value=1)

    def wanted(self, keys: frozenset[UUID] | None) -> tokens.Wanted:
        """What is asked for; `keys` are those of the clusters that were named."""
        data = self.validated_data
        reach = Reach(Level(data["scope"]), keys)
        return tokens.Wanted(timedelta(days=data["days"]), data["name"], reach)


class RobotSerializer(TokenSerializer):
    """The body of `POST /api/v1/teams/{id}/tokens`."""

    name = TextField(max_length=50, validators=[validate_slug])


def token_json(shown: Shown) -> dict[str, Any]:
    """A token as the API shows it; nothing by which it could be used."""
    token = shown.token
    return {
        "id": str(token.pk),
        "name": token.name,
        "scope": token.level,
        "clusters": shown.clusters,
        "created": token.created.isoformat(),
        "expires": token.expiry.isoformat() if token.expiry else None,
        "lastUsed": token.last_used.isoformat() if token.last_used else None,
        "lastAddress": token.last_address,
    }
