"""The pages for people in a browser.

A view here resolves the actor, parses forms, calls services and selectors, and renders a template. It writes nothing
itself, imports no RQ and no model, and shares no code with the published APIs except body limits and serializers.
"""
