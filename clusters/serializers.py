"""What the REST API takes and gives about clusters."""

from copy import copy
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from clusters.models import Cluster, Environment
from clusters.services.checks import LARGEST_KUBECONFIG
from clusters.services.editing import Changes
from clusters.services.registration import Registration
from teams.serializers import StrictSerializer


class TextField(serializers.CharField):
    """A string; a number is none, though it could be written as one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


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
