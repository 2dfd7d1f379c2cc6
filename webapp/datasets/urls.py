"""Datasets: list, import, pages of one dataset and of one video, media, uploads."""

from django.urls import path

from webapp.datasets.views import datasets

app_name = "datasets"
urlpatterns = [
    path("", datasets.dataset_list, name="dataset_list"),
]
