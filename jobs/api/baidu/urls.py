"""URL patterns of the Baidu-compatible API (an emulated vendor API)."""

from jobs.api.routes import catch_all, route

from . import views

urlpatterns = [
    route("oauth/2.0/token", views.TokenView.as_view(), name="baidu-token"),
    route("rest/2.0/image-process/v1/segment", views.SegmentView.as_view(), name="baidu-segment"),
    catch_all("oauth", views.OAuthNothingView.as_view(), name="baidu-nothing-oauth"),
    catch_all("rest", views.NothingView.as_view(), name="baidu-nothing"),
]
