"""The peer of row i: lists as Django REST framework's own guide has them, on MCM's tables."""

import os
from typing import Any

import django
from a2wsgi import WSGIMiddleware
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mcm.settings")
django.setup()
settings.ROOT_URLCONF = __name__

from django.core.wsgi import get_wsgi_application  # noqa: E402 - needs the settings, as below
from django.db.models import Model, QuerySet  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.generics import ListAPIView  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402

from clusters.models import Cluster, Object  # noqa: E402
from deployments.models import Release  # noqa: E402

LIMIT = 50


class ObjectSerializer(serializers.ModelSerializer[Object]):
    cluster = serializers.CharField(source="cluster.name")

    class Meta:
        model = Object
        exclude = ("resource_version",)


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    cluster = serializers.CharField(source="cluster.name")

    class Meta:
        model = Release
        fields = "__all__"


class ClusterSerializer(serializers.ModelSerializer[Cluster]):
    class Meta:
        model = Cluster
        exclude = ("sealed_connection", "created_by")


class Permitted(ListAPIView[Any]):
    """The first rows for which the person has the permission, asked one by one."""

    def list(self, request: Request, *_args: Any, **_kwargs: Any) -> Response:
        found: list[Model] = []
        for row in self.get_queryset().iterator(chunk_size=LIMIT):
            cluster = row if isinstance(row, Cluster) else row.cluster
            if request.user.has_perm("clusters.view_cluster", cluster):
                found.append(row)
            if len(found) == LIMIT:
                break
        return Response({"results": self.get_serializer(found, many=True).data})


class Objects(Permitted):
    queryset: QuerySet[Any] = Object.objects.filter(kind="Pod").select_related("cluster")
    serializer_class = ObjectSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().order_by("name", "pk")


class Releases(Permitted):
    queryset: QuerySet[Any] = Release.objects.select_related("cluster").order_by("name", "pk")
    serializer_class = ReleaseSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(cluster__name=self.request.query_params["cluster"])


class Clusters(Permitted):
    queryset: QuerySet[Any] = Cluster.objects.order_by("name")
    serializer_class = ClusterSerializer


urlpatterns = [
    path("api/v1/objects", Objects.as_view()),
    path("api/v1/releases", Releases.as_view()),
    path("api/v1/clusters", Clusters.as_view()),
]
# On the same server and threads as MCM.
application = WSGIMiddleware(get_wsgi_application(), workers=32)  # type: ignore[arg-type]  # PEP 3333
