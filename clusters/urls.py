from django.urls import path

from clusters.api import registry
from clusters.views import cluster, fleet, registration

urlpatterns = [
    path("", fleet.fleet, name="fleet"),
    path("clusters/", fleet.clusters, name="clusters"),
    path("clusters/register/", registration.register, name="cluster-register"),
    path("clusters/<uuid:pk>/", cluster.detail, name="cluster-detail"),
    path("clusters/<uuid:pk>/delete/", registration.delete, name="cluster-delete"),
    path("api/v1/clusters", registry.ClusterList.as_view(), name="api-clusters"),
    path("api/v1/clusters/<uuid:pk>", registry.ClusterDetail.as_view(), name="api-cluster"),
]
