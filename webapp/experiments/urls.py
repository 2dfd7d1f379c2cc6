from django.urls import path

from webapp.experiments import chosen_views, compare_views, fusion_views, launch_views, results_views, run_views, views

app_name = "experiments"
urlpatterns = [
    path("", views.run_list, name="run_list"),
    path("new/", launch_views.gallery, name="gallery"),
    path("new/run/", launch_views.new_run, name="new_run"),
    path("new/two-stream/", launch_views.new_two_stream, name="new_two_stream"),
    path("<int:pk>/", run_views.run_detail, name="run_detail"),
    path("<int:pk>/curves.json", run_views.run_curves, name="run_curves"),
    path("<int:pk>/config.json", run_views.run_config, name="run_config"),
    path("<int:pk>/evaluate", run_views.run_evaluate, name="run_evaluate"),
    path("<int:pk>/notes", run_views.run_notes, name="run_notes"),
    path("<int:pk>/archive", run_views.run_archive, name="run_archive"),
    path("chosen", chosen_views.chosen, name="chosen"),
    path("delete", chosen_views.delete_chosen, name="delete"),
    path("compare", compare_views.compare, name="compare"),
    path("fusions/", fusion_views.fusion_list, name="fusion_list"),
    path("fusions/new", fusion_views.fusion_new, name="fusion_new"),
    path("fusions/<int:pk>/", fusion_views.fusion_detail, name="fusion_detail"),
    path("evaluations/<int:pk>/", results_views.evaluation_detail, name="evaluation_detail"),
    path("evaluations/<int:pk>/videos", results_views.evaluation_videos, name="evaluation_videos"),
    path("evaluations/<int:pk>/classes.csv", results_views.evaluation_csv, name="evaluation_csv"),
]
