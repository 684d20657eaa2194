"""Settings of the portal; what differs between machines comes from `env`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext

from .env import env

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="insecure-for-tests-only")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "bootstrap",
    "portal",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "portal.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
WSGI_APPLICATION = "portal.wsgi.application"

DATABASES = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR}/db.sqlite3")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Without these, a pool of workers meets "database is locked" (S-86, F-5).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON;"
        ),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"

DATA_DIR = BASE_DIR / "bootstrap" / "data"
BOOTSTRAP: dict[str, Any] = {
    "DNS_ROOT_HINTS": env.str("DNS_ROOT_HINTS", default=f"{DATA_DIR}/named.root"),
    "DNS_TRUST_ANCHORS": env.str(
        "DNS_TRUST_ANCHORS", default=f"{DATA_DIR}/root-anchors.xml"
    ),
    "DNS_PORT": env.str("DNS_PORT", default="53"),
    "DNS_ALLOWED_NETWORKS": env.str("DNS_ALLOWED_NETWORKS", default=""),
    "DNS_DENIED_NETWORKS": env.str("DNS_DENIED_NETWORKS", default=""),
    "DNS_LAB_PACE": env.str("DNS_LAB_PACE", default="20"),
    "DNS_SOURCE_ADDRESSES": env.str("DNS_SOURCE_ADDRESSES", default=""),
    "DNS_SKIP_FAMILIES": env.str("DNS_SKIP_FAMILIES", default=""),
    "SCAN_BATCH": env.str("SCAN_BATCH", default="500"),
    "SCAN_AT_ONCE": env.str("SCAN_AT_ONCE", default="100"),
    "SCAN_LEASE_SECONDS": env.str("SCAN_LEASE_SECONDS", default="240"),
    "SCAN_BURST_SECONDS": env.str("SCAN_BURST_SECONDS", default="150"),
    "SCAN_DEATHS": env.str("SCAN_DEATHS", default="3"),
}

# The queue rings the bell; the tables of work are the truth. `retry` exceeds
# `timeout` plus the wait in the internal queue, or tasks run twice at once.
Q_WORKERS = env.int("Q_WORKERS", default=2)
Q_RETRY = env.int("Q_RETRY", default=600)
Q_CLUSTER: dict[str, Any] = {
    "name": "bootstrap",
    "workers": Q_WORKERS,
    "queue_limit": Q_WORKERS,
    "bulk": Q_WORKERS,
    "timeout": Q_RETRY // 2,
    "retry": Q_RETRY,
    "max_attempts": 3,
    "ack_failures": False,
    "save_limit": -1,
    "catch_up": False,
    "poll": env.float("Q_POLL", default=1.0),
    "guard_cycle": 1,
    "recycle": 200,
    "max_rss": 400_000,
    "label": "Queue",
    "cache": "default",
}
if redis_url := env.str("Q_REDIS_URL", default=""):
    Q_CLUSTER["redis"] = redis_url
else:
    Q_CLUSTER["orm"] = "default"
