from django.urls import path

from explorer.api import completion, files, logs, objects, views
from explorer.views import details, lists, menu, saved, selection
from explorer.views import logs as log_views

urlpatterns = [
    path("pods/", lists.pods, name="pods"),
    path("pods/rows/", lists.PodRows.as_view(), name="pod-rows"),
    path("pods/<int:pk>/", details.pod, name="pod-detail"),
    path("objects/", menu.kinds, name="objects"),
    path("objects/rows/", lists.ObjectRows.as_view(), name="object-rows"),
    path("objects/<int:pk>/", details.detail, name="object-detail"),
    path("objects/<str:kind>/", lists.objects, name="object-list"),
    path("objects/<str:kind>/columns/", saved.choose_columns, name="object-columns"),
    path("objects/<str:kind>/keys/", selection.keys, name="object-keys"),
    path("objects/<str:kind>/csv/", selection.as_csv, name="object-csv"),
    path("views/new/", saved.create, name="view-create"),
    path("views/<int:pk>/edit/", saved.edit, name="view-edit"),
    path("views/<int:pk>/delete/", saved.delete, name="view-delete"),
    path("logs/", log_views.logs, name="logs"),
    path("logs/file/", log_views.log_file, name="log-file"),
    path("api/v1/objects", objects.ObjectList.as_view(), name="api-objects"),
    path("api/v1/objects/complete", completion.Complete.as_view(), name="api-objects-complete"),
    path("api/v1/objects/export.csv", files.Export.as_view(), name="api-objects-csv"),
    path("api/v1/objects/<int:pk>/logs", logs.ObjectLogs.as_view(), name="api-object-logs"),
    path("api/v1/views", views.ViewList.as_view(), name="api-views"),
    path("api/v1/views/<int:pk>", views.ViewDetail.as_view(), name="api-view"),
]
