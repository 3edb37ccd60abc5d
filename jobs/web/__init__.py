"""The HTML pages for browsers.

A view determines the actor (the team and its user), parses forms, calls services (functions that change data) and
selectors (functions that read data), and renders a template. Views do not write database rows themselves, and import
neither RQ nor a model. They share only body limits and serializers with the APIs.
"""
