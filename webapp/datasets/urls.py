"""Datasets: list, import, pages of one dataset and of one video, media, uploads."""

from django.urls import path

from webapp.datasets.views import combine, datasets, flow, imports, media, sharing, splits, uploads, videos

app_name = "datasets"
urlpatterns = [
    path("", datasets.dataset_list, name="dataset_list"),
    path("import/", imports.import_new, name="import_new"),
    path("imports/<int:import_id>/", imports.import_detail, name="import_detail"),
    path("imports/<int:import_id>/confirm", imports.import_confirm, name="import_confirm"),
    path("imports/<int:import_id>/retry", imports.import_retry, name="import_retry"),
    path("imports/<int:import_id>/discard", imports.import_discard, name="import_discard"),
    path("uploads/", uploads.upload_open, name="upload_open"),
    path("uploads/<uuid:upload_id>/", uploads.upload_detail, name="upload"),
    path("<int:dataset_id>/", datasets.dataset_detail, name="dataset_detail"),
    path("<int:dataset_id>/edit", datasets.dataset_edit, name="dataset_edit"),
    path("<int:dataset_id>/delete", datasets.dataset_delete, name="dataset_delete"),
    path("<int:dataset_id>/combine/", combine.combine_new, name="combine_new"),
    path("<int:dataset_id>/combined", combine.combine_progress, name="combine_progress"),
    path("<int:dataset_id>/members", sharing.member_add, name="member_add"),
    path("<int:dataset_id>/members/<int:membership_id>/remove", sharing.member_remove, name="member_remove"),
    path("<int:dataset_id>/splits/new/", splits.split_new, name="split_new"),
    path("<int:dataset_id>/flow/new/", flow.flow_new, name="flow_new"),
    path("flow/<int:cache_id>/complete", flow.flow_complete, name="flow_complete"),
    path("flow/<int:cache_id>/delete", flow.flow_delete, name="flow_delete"),
    path("<int:dataset_id>/videos/", videos.browse, name="browse"),
    path("<int:dataset_id>/videos.csv", videos.browse_csv, name="browse_csv"),
    path("videos/<int:video_id>/", videos.video_detail, name="video_detail"),
    path("videos/<int:video_id>/label", videos.video_relabel, name="video_relabel"),
    path("videos/<int:video_id>/poster.jpg", media.media_poster, name="media_poster"),
    path("videos/<int:video_id>/proxy.mp4", media.media_proxy, name="media_proxy"),
    path("videos/<int:video_id>/flow/<int:cache_id>.mp4", media.media_flow, name="media_flow"),
    path("videos/<int:video_id>/original", media.media_original, name="media_original"),
]
