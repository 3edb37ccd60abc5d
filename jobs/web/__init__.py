"""The pages for people in a browser.

A view here resolves the actor, parses forms, calls services and selectors, and renders a template. It writes nothing
itself and imports neither RQ nor a model. It shares only body limits and serializers with the published APIs.
"""
