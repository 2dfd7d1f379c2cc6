"""Jobs, and the System page."""

from django.urls import path

from webapp.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.job_list, name="job_list"),
    path("acknowledge", views.jobs_acknowledge, name="jobs_acknowledge"),
    path("<int:job_id>/", views.job_detail, name="job_detail"),
    path("<int:job_id>/stop", views.job_stop, name="job_stop"),
    path("<int:job_id>/cancel", views.job_cancel, name="job_cancel"),
    path("<int:job_id>/restart", views.job_restart, name="job_restart"),
    path("<int:job_id>/acknowledge", views.job_acknowledge, name="job_acknowledge"),
    path("system/", views.system, name="system"),
]
