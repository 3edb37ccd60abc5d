"""The Baidu dialect's addresses."""

from django.urls import path

from . import views

urlpatterns = [
    path("oauth/2.0/token", views.TokenView.as_view(), name="baidu-token"),
    path("rest/2.0/image-process/v1/segment", views.SegmentView.as_view(), name="baidu-segment"),
]
