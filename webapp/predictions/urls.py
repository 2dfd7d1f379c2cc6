"""Predict: the list with its drop zone, one prediction, its media, downloads."""

from django.urls import path

from webapp.predictions import exports, views

app_name = "predictions"
urlpatterns = [
    path("", views.prediction_list, name="prediction_list"),
    path("new", views.prediction_create, name="prediction_create"),
    path("delete", views.prediction_delete, name="prediction_delete"),
    path("predictions.csv", exports.prediction_csv, name="prediction_csv"),
    path("predictions.json", exports.prediction_json, name="prediction_json"),
    path("<int:pk>/", views.prediction_detail, name="prediction_detail"),
    path("<int:pk>/confirm", views.prediction_confirm, name="prediction_confirm"),
    path("<int:pk>/send", views.prediction_send, name="prediction_send"),
    path("<int:pk>/proxy.mp4", views.prediction_proxy, name="prediction_proxy"),
    path("<int:pk>/poster.jpg", views.prediction_poster, name="prediction_poster"),
]
