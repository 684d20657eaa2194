"""Settings of the portal; what differs between machines comes from `env`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django_stubs_ext

from .env import (
    choice,
    database,
    endpoint,
    env,
    examined,
    flag,
    hosts,
    roles_by_group,
    secret_key,
)

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent

PORTAL_DEMO = flag("PORTAL_DEMO")
"""No second factor, and every page says so; never for a real parent zone."""
PORTAL_NAME = env.str("PORTAL_NAME", default="DS Bootstrapping")
DEBUG = flag("DEBUG")
LOCAL = PORTAL_DEMO or DEBUG or examined()
SECRET_KEY = secret_key(optional=LOCAL)
ALLOWED_HOSTS = hosts()

INSTALLED_APPS = [
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "django_q",
    "ninja",
    "bootstrap",
    "portal.apps.PortalConfig",
]
MIDDLEWARE = [
    "portal.middleware.request_id",
    "portal.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.middleware.languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",  # also compares Origin (S-106)
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.middleware.no_store",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.middleware.session_limits",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "portal.middleware.second_factor",
    "portal.middleware.own_zone",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
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
                "django.template.context_processors.i18n",
                "portal.access.page_facts",
            ]
        },
    }
]
WSGI_APPLICATION = "portal.wsgi.application"

DATABASES = {"default": database(f"sqlite:///{BASE_DIR}/db.sqlite3")}
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
else:
    # A page of its own connection takes three times as long; `?conn_max_age=` differs.
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
    # A machine that is cut off must neither wait nor keep rows locked for hours: the
    # next worker takes its children after the lease (S-74). `?name=value` differs.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        "options": "-c idle_in_transaction_session_timeout=120s",
        **DATABASES["default"].get("OPTIONS", {}),
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Limits of sign-in are counted where every process sees them (S-104).
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
    }
}

# Sign-in: accounts are made by the registry, never by visitors.
AUTHENTICATION_BACKENDS = ["portal.accounts.backend.Accounts"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": (
            "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
        )
    },
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:overview"
ACCOUNT_ADAPTER = "portal.accounts.adapters.StaffAccounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip,5/5m/key"}
ACCOUNT_FORMS = {"login": "portal.accounts.forms.SignIn"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = PORTAL_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL

# The registry's own identity provider (S-102); without an issuer there is none.
OIDC: dict[str, Any] = {
    "issuer": env.str("OIDC_ISSUER", default=""),
    "client_id": env.str("OIDC_CLIENT_ID", default=""),
    "client_secret": env.str("OIDC_CLIENT_SECRET", default=""),
    "name": env.str("OIDC_NAME", default="single sign-on"),
    "name_claim": env.str("OIDC_NAME_CLAIM", default="preferred_username"),
    "roles_claim": env.str("OIDC_ROLES_CLAIM", default="groups"),
    "roles": roles_by_group("OIDC_ROLES"),
    "create": choice("OIDC_UNKNOWN", "refuse", "create") == "create",
    "acr": env.list("OIDC_ACR", default=[]),
    "passwords": env.list("OIDC_PASSWORDS", default=[]),
}

# Transport and headers (S-100, S-101, S-103, S-114).
HTTPS = flag("PORTAL_HTTPS", default=not LOCAL)
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
PUBLIC_PER_MINUTE = env.int("PUBLIC_PER_MINUTE", default=600 if PORTAL_DEMO else 30)
"""Pages that one network may open in a minute without an account (S-109)."""
PUBLIC_BURST = env.int("PUBLIC_BURST", default=60 if PORTAL_DEMO else 10)
"""How many of them at once."""
POLICY_CONTACT = env.str("POLICY_CONTACT", default="").strip()
"""Whom operators may write to about the rules, as the public page says it (P-5.4)."""
DSYNC_ENDPOINT = endpoint("DSYNC_ENDPOINT")
"""Where `manage.py notify` is heard: what the zones' DSYNC records point to."""
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 28_800
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.dashboard.errors.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Mail: what leaves by it is the log's checkpoint of the day (AUDIT_PUBLISH, P-8.30).
EMAIL_SECURITY = choice("EMAIL_SECURITY", "none", "starttls", "tls")
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int(
    "EMAIL_PORT", default={"none": 25, "starttls": 587, "tls": 465}[EMAIL_SECURITY]
)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="portal@localhost")

# One JSON line an event, on standard error (S-53).
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "portal.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": ["stderr"], "propagate": False}},
}

# Static files come from the packages themselves; with STATIC_ROOT set, from what
# `collectstatic` put there, under names that may be cached for ever.
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = env.str("STATIC_ROOT", default="") or None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if STATIC_ROOT
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}


# English is the source; another language is a folder of `locale`.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = "portal.formats"
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
    "SCAN_CPU_SECONDS": env.str("SCAN_CPU_SECONDS", default="10"),
    "SCAN_MEMORY_MIB": env.str("SCAN_MEMORY_MIB", default="1024"),
    "SCAN_DEATHS": env.str("SCAN_DEATHS", default="3"),
    "SCAN_FULL_DAYS": env.str("SCAN_FULL_DAYS", default="90"),
    "DISCOVERY_MINUTES": env.str("DISCOVERY_MINUTES", default="60"),
    "PUBLISH_STOP_FILE": env.str(
        "PUBLISH_STOP_FILE", default=f"{BASE_DIR}/publication.stop"
    ),
    "PUBLISHER_STATE_FILE": env.str("PUBLISHER_STATE_FILE", default=""),
    "BREAKER_LIMITS": env.str("BREAKER_LIMITS", default=""),
    "WEBHOOK_ALLOWED_NETWORKS": env.str("WEBHOOK_ALLOWED_NETWORKS", default=""),
    "SCAN_DETAIL_DAYS": env.str("SCAN_DETAIL_DAYS", default="60"),
    "AUDIT_LOG_DIR": env.str("AUDIT_LOG_DIR", default=f"{BASE_DIR}/audit-log"),
    "AUDIT_ORIGIN": env.str("AUDIT_ORIGIN", default=""),
    "AUDIT_KEY_FILE": env.str("AUDIT_KEY_FILE", default=""),
    "AUDIT_STATE_FILE": env.str("AUDIT_STATE_FILE", default=""),
    "AUDIT_WITNESSES": env.str("AUDIT_WITNESSES", default=""),
    "AUDIT_PUBLISH": env.str("AUDIT_PUBLISH", default=""),
    "AUDIT_PUBLISH_SECONDS": env.str("AUDIT_PUBLISH_SECONDS", default="60"),
    "AUDIT_TSA": env.str("AUDIT_TSA", default=""),
    "AUDIT_TSA_CERTIFICATES": env.str("AUDIT_TSA_CERTIFICATES", default=""),
    "WORKER_PUBLISHES": env.bool("WORKER_PUBLISHES", default=False),
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
    "timeout": Q_RETRY // 2,  # a child that takes longer ends its worker (P-7.84)
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
    Q_CLUSTER["broker_class"] = "bootstrap.bell.OnlyOurs"
