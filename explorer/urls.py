from django.urls import path

from explorer.api import objects
from explorer.views import pods as views

urlpatterns = [
    path("pods/", views.pods, name="pods"),
    path("pods/rows/", views.PodRows.as_view(), name="pod-rows"),
    path("pods/<int:pk>/", views.pod, name="pod-detail"),
    path("api/v1/objects", objects.ObjectList.as_view(), name="api-objects"),
]
