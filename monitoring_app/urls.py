from django.urls import path

from monitoring_app import views

urlpatterns = [path("metrics", views.metrics, name="metrics")]
