"""The shapes of answers about clusters, for the schema."""

from typing import Any

from rest_framework import serializers

from clusters.models import Environment, Freshness, IdentityMode, Status


class ClusterShape(serializers.Serializer[Any]):
    """Of `cluster_json`."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    environment = serializers.ChoiceField(choices=Environment.choices)
    region = serializers.CharField()
    version = serializers.CharField()
    nodeCount = serializers.IntegerField()  # noqa: N815 (its name)
    identityMode = serializers.ChoiceField(choices=IdentityMode.choices)  # noqa: N815 (its name)
    status = serializers.ChoiceField(choices=Status.choices)
    statusReason = serializers.CharField()  # noqa: N815 (its name)
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    observedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)


class ClustersShape(serializers.Serializer[Any]):
    clusters = ClusterShape(many=True)
    total = serializers.IntegerField()


class MessageShape(serializers.Serializer[Any]):
    message = serializers.CharField()


class StatsShape(serializers.Serializer[Any]):
    nodeCount = serializers.IntegerField()  # noqa: N815 (its name)
    podCount = serializers.IntegerField()  # noqa: N815 (its name)
    namespaceCount = serializers.IntegerField()  # noqa: N815 (its name)
    runningPods = serializers.IntegerField()  # noqa: N815 (its name)
    pendingPods = serializers.IntegerField()  # noqa: N815 (its name)
    failedPods = serializers.IntegerField()  # noqa: N815 (its name)
    succeededPods = serializers.IntegerField()  # noqa: N815 (its name)
    freshness = serializers.ChoiceField(choices=Freshness.choices)
    observedAt = serializers.DateTimeField(allow_null=True)  # noqa: N815 (its name)


class NodeUseShape(serializers.Serializer[Any]):
    name = serializers.CharField()
    cpu = serializers.IntegerField(help_text="Millicores.")
    memory = serializers.IntegerField(help_text="MiB.")


class PodUseShape(NodeUseShape):
    namespace = serializers.CharField()


class ResourcesShape(serializers.Serializer[Any]):
    nodes = NodeUseShape(many=True)
    pods = PodUseShape(many=True)


class UsageShape(serializers.Serializer[Any]):
    scope = serializers.ChoiceField(choices=["cluster", "node", "namespace", "pod"])
    namespace = serializers.CharField()
    name = serializers.CharField()
    hours = serializers.IntegerField()
    times = serializers.ListField(child=serializers.IntegerField(), help_text="Unix seconds.")
    cpu = serializers.ListField(
        child=serializers.IntegerField(allow_null=True), help_text="Millicores; null: not known."
    )
    memory = serializers.ListField(
        child=serializers.IntegerField(allow_null=True), help_text="MiB; null: not known."
    )
    cpuAllocatable = serializers.IntegerField(allow_null=True)  # noqa: N815 (its name)
    memoryAllocatable = serializers.IntegerField(allow_null=True)  # noqa: N815 (its name)
