"""The HTML pages for browsers.

A view resolves the actor, parses forms, calls services and selectors, and renders a template. It writes no rows itself
and imports neither RQ nor a model. It shares only body limits and serializers with the published APIs.
"""
