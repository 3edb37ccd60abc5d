"""The Baidu dialect's addresses."""

from jobs.api.addresses import address, whatever_else_below

from . import views

urlpatterns = [
    address("oauth/2.0/token", views.TokenView.as_view(), name="baidu-token"),
    address("rest/2.0/image-process/v1/segment", views.SegmentView.as_view(), name="baidu-segment"),
    whatever_else_below("oauth", views.OAuthNothingView.as_view(), name="baidu-nothing-oauth"),
    whatever_else_below("rest", views.NothingView.as_view(), name="baidu-nothing"),
]
