"""Addresses of the public pages; a name's page is a permanent link."""

from __future__ import annotations

from django.urls import path

from . import pages

app_name = "status"
urlpatterns = [
    path("", pages.index, name="index"),
    path("<path:name>/json", pages.name_json, name="json"),
    path("<path:name>", pages.name, name="name"),
]
