"""The site's map."""

from django.urls import include, path

from webapp import health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("accounts/", include("webapp.accounts.urls")),
    path("datasets/", include("webapp.datasets.urls")),
    path("experiments/", include("webapp.experiments.urls")),
    path("jobs/", include("webapp.jobs.urls")),
    path("predict/", include("webapp.predictions.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "webapp.views.bad_request"
handler403 = "webapp.views.forbidden"
handler404 = "webapp.views.not_found"
handler500 = "webapp.views.server_error"
