from django.urls import path

from webapp.experiments import views

app_name = "experiments"
urlpatterns = [
    path("", views.run_list, name="run_list"),
]
