"""What the REST API takes and gives about charts and releases."""

from typing import Any

from rest_framework import serializers

from deployments.models import Chart, Release
from teams.serializers import StrictSerializer


class ChartSerializer(StrictSerializer):
    """Where the chart comes from: so far an upload."""

    upload = serializers.UUIDField()


class OptionsSerializer(StrictSerializer):
    wait = serializers.BooleanField(default=True)
    timeout = serializers.IntegerField(default=300, min_value=10, max_value=3600)
    atomic = serializers.BooleanField(default=False)


class InstallSerializer(StrictSerializer):
    """The body of `POST /api/v1/releases`."""

    cluster = serializers.CharField(max_length=63)
    namespace = serializers.CharField(max_length=63)
    name = serializers.CharField(max_length=53)
    chart = ChartSerializer()
    values = serializers.CharField(
        default="", allow_blank=True, trim_whitespace=False, max_length=256 * 1024
    )
    options = OptionsSerializer(default=dict)

    def validate_options(self, value: dict[str, Any]) -> dict[str, Any]:
        return {"wait": True, "timeout": 300, "atomic": False, **value}


def chart_json(chart: Chart) -> dict[str, Any]:
    return {
        "id": str(chart.pk),
        "name": chart.name,
        "version": chart.version,
        "appVersion": chart.app_version,
        "description": chart.description,
        "digest": chart.digest,
    }


def release_json(release: Release) -> dict[str, Any]:
    return {
        "id": str(release.pk),
        "cluster": release.cluster.name,
        "namespace": release.namespace,
        "name": release.name,
        "revision": release.revision,
        "status": release.status,
        "chart": release.chart,
        "chartVersion": release.chart_version,
        "appVersion": release.app_version,
        "updated": release.updated.isoformat(),
        "observedAt": release.observed_at.isoformat(),
    }


class ChartShape(serializers.Serializer[Any]):
    """Of `chart_json`, for the schema."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.CharField()
    appVersion = serializers.CharField()  # noqa: N815 (its name)
    description = serializers.CharField()
    digest = serializers.CharField()


class ChartsShape(serializers.Serializer[Any]):
    charts = ChartShape(many=True)
    total = serializers.IntegerField()


class ChartFileSerializer(serializers.Serializer[Any]):
    """The multipart body of `POST /api/v1/charts`, for the schema."""

    file = serializers.FileField()


class ReleaseShape(serializers.Serializer[Any]):
    """Of `release_json`, for the schema."""

    id = serializers.UUIDField()
    cluster = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    revision = serializers.IntegerField()
    status = serializers.CharField()
    chart = serializers.CharField()
    chartVersion = serializers.CharField()  # noqa: N815 (its name)
    appVersion = serializers.CharField()  # noqa: N815 (its name)
    updated = serializers.DateTimeField()
    observedAt = serializers.DateTimeField()  # noqa: N815 (its name)


class ReleasesShape(serializers.Serializer[Any]):
    releases = ReleaseShape(many=True)
    total = serializers.IntegerField()
