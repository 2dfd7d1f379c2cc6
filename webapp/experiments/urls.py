from django.urls import path

from webapp.experiments import compare_views, fusion_views, results_views, views

app_name = "experiments"
urlpatterns = [
    path("", views.run_list, name="run_list"),
    path("compare", compare_views.compare, name="compare"),
    path("fusions/new", fusion_views.fusion_new, name="fusion_new"),
    path("fusions/<int:pk>/", fusion_views.fusion_detail, name="fusion_detail"),
    path("evaluations/<int:pk>/", results_views.evaluation_detail, name="evaluation_detail"),
    path("evaluations/<int:pk>/videos", results_views.evaluation_videos, name="evaluation_videos"),
    path("evaluations/<int:pk>/classes.csv", results_views.evaluation_csv, name="evaluation_csv"),
]
