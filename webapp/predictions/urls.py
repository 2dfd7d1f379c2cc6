from django.urls import path

from webapp.predictions import views

app_name = "predictions"
urlpatterns = [
    path("", views.prediction_list, name="prediction_list"),
]
