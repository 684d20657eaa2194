"""Every page of the portal by name, for whoever looks at all of them.

`test_every_page_is_looked_at.py` holds these tables against the addresses that the
portal has: a new page is either here, or named below as no page, or a test fails.
"""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from bootstrap.models import Proposal, ScanAttempt
from portal import causes

FILE = "a file, or octets for a program"
PRESSED = "answers to a button and leads to a page"
NO_PAGE = {
    FILE: {
        "api:api-root",
        "api:openapi-json",
        "api:nothing",
        "dashboard:evidence",
        "dashboard:messages",
        "dashboard:operator-csv",
        "dashboard:operator-json",
        "dashboard:proof",
        "dashboard:octets",
        "healthz",
        "healthz-live",
        "healthz-ready",
        "healthz-worker",
        "mfa_download_recovery_codes",
        "mfa_login_webauthn",
        "reports:report-json",
        "shared:csv",
        "shared:json",
        "status:badge",
        "status:json",
        "status:policy-json",
    },
    PRESSED: {
        "dashboard:acknowledge",
        "dashboard:batch-decide",
        "dashboard:breaker-release",
        "dashboard:decide",
        "dashboard:delete-view",
        "dashboard:dossier",
        "dashboard:export",
        "dashboard:layout",
        "dashboard:note-domain",
        "dashboard:note-proposal",
        "dashboard:person-sessions",
        "dashboard:person-token",
        "dashboard:report-download",
        "dashboard:resume",
        "dashboard:role-ask",
        "dashboard:role-decide",
        "dashboard:role-revoke",
        "dashboard:rollback",
        "dashboard:rules-decide",
        "dashboard:save-view",
        "dashboard:scan-again",
        "dashboard:scans-start",
        "dashboard:scans-stop",
        "dashboard:suspend",
        "dashboard:switch-engage",
        "dashboard:switch-release",
        "dashboard:token-issue",
        "dashboard:token-revoke",
        "display-lists",
        "display-zone",
        "accounts/2fa/totp/activate/",  # with its own policy: `mfa_activate_totp`
        "keys",
        "language",
        "oidc_begin",
        "oidc_callback",
        "session-end",
        "sessions-end-others",
        "status:check",
        "theme",
    },
}


def open_pages(registry, rf) -> dict[str, str]:
    """Return what anybody may open, by name."""
    link = causes.link_to(registry.finding, rf.get("/"))
    return {
        "login": reverse("account_login"),
        "index": "/status/",
        "wrong": "/status/?name=a..b",
        "policies": "/status/policy/",
        "policy": "/status/policy/example",
        "waiting": "/status/lonely.example",
        "differs": "/status/differs.example",
        "broken": "/status/broken.example",
        "signed": "/status/quiet.example",
        "secured": "/status/xn--bcher-kva.example",
        "looked-at": "/status/lonely.example/look",
        "unknown": "/status/unknown.example",
        "report": f"/r/{registry.scans['waiting'].pk}",
        "cause": link.removeprefix("http://testserver"),
        "missing": "/nothing-here",
        "inactive": reverse("account_inactive"),
        "oidc-out": reverse("oidc_out"),
        "api": "/api/v1/docs",
    }


def staff_pages(registry) -> dict[str, str]:
    """Return what staff may open, by name, of the dashboard and the account."""

    def to(name, *args):
        return reverse(f"dashboard:{name}", args=args)

    scan = registry.scans["alarm"].pk
    pages = {
        "overview": "/",
        "queue": "/queue/",
        "queue-all-columns": f"/queue/?columns={every_column('queue')}",
        "queue-nothing": "/queue/?q=nothing-of-that-name",
        "domains": "/domains/",
        "domains-all-columns": f"/domains/?columns={every_column('domains')}",
        "scans": "/scans/",
        "scans-all-columns": f"/scans/?columns={every_column('scans')}",
        "scan": to("scan", scan),
        "scan-hostile": to("scan", registry.scans["hostile"].pk),
        "compare": to("compare", registry.scans["blocked"].pk, _older(registry)),
        "running": "/scans/running/",
        "system": "/system/",
        "rules": to("rules", registry.rules.pk),
        "rules-edit": to("rules-edit", registry.zone.pk),
        "audit-report": "/audit/report/",
        "operators": "/operators/",
        "operator": to("operator", registry.finding.ns_key),
        "readiness": to("readiness", registry.zone.pk),
        "zones": "/zones/",
        "zone": to("zone", registry.zone.pk),
        "alarms": "/alarms/",
        "trail": "/audit/",
        "trail-all-columns": f"/audit/?columns={every_column('trail')}",
        "entry": to("entry", registry.entries[0].uid),
        "tokens": "/tokens/",
        "people": "/people/",
        "person": to("person", User.objects.order_by("pk")[0].pk),
        "password": reverse("account_change_password"),
        "sessions": reverse("sessions"),
        "display": reverse("display"),
        "sign-out": reverse("account_logout"),
    }
    for state in ("candidate", "held", "failed", "visible", "hostile"):
        pages[f"proposal-{state}"] = to("proposal", registry.proposals[state].pk)
    for state in ("blocked", "alarm", "secured", "suspended", "hostile"):
        pages[f"domain-{state}"] = to("domain", registry.domains[state].pk)
    return pages


def every_column(what: str) -> str:
    """Return all columns that a list can show."""
    from portal.dashboard.layouts import OFFERS  # noqa: PLC0415 - after Django's setup

    return ",".join(column.key for column in OFFERS[what][0])


def _older(registry):
    domain = registry.domains["blocked"]
    return ScanAttempt.objects.filter(domain=domain).order_by("started_at")[0].pk


FACTORS = (
    "mfa_index",
    "mfa_activate_totp",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_generate_recovery_codes",
)
"""Pages of the second factor for whoever has none yet."""
HELD_FACTORS = (
    "mfa_index",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_list_webauthn",
    "mfa_reauthenticate",
    "account_reauthenticate",
)
"""Pages of the second factor for whoever has each kind."""


def give_factors(person: User) -> dict[str, str]:
    """Give a person a factor of each kind; return the pages about a single one."""
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    row = Authenticator.objects.create(
        user=person, type="webauthn", data={"name": "Key on the desk", "credential": {}}
    )
    return {
        "mfa_edit_webauthn": reverse("mfa_edit_webauthn", args=[row.pk]),
        "mfa_remove_webauthn": reverse("mfa_remove_webauthn", args=[row.pk]),
    }


def admin_pages(registry) -> dict[str, str]:
    """Return the pages of the admin: every table, and one row of each that has one."""
    pages = {"admin": reverse("admin:index"), "admin-app": _app_list()}
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        pages[f"admin-{name}-list"] = reverse(f"admin:{name}_changelist")
        row = model._base_manager.order_by("pk").first()
        if model is Proposal:
            row = registry.proposals["candidate"]
        if row is not None:
            pages[f"admin-{name}"] = reverse(f"admin:{name}_change", args=[row.pk])
    pages["admin-person-new"] = reverse("admin:auth_user_add")
    pages["admin-person-password"] = reverse(
        "admin:auth_user_password_change", args=[User.objects.order_by("pk")[0].pk]
    )
    return pages


def _app_list() -> str:
    return reverse("admin:app_list", args=["bootstrap"])


def all_names() -> set[str]:
    """Return the name of every address that the portal has, but for the admin's."""
    return {
        name for name in _names(get_resolver(), "") if not name.startswith("admin:")
    }


def _names(resolver: URLResolver, space: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield f"{space}{each.name or each.pattern}"
        else:
            inner = f"{space}{each.namespace}:" if each.namespace else space
            yield from _names(each, inner)


def for_programs() -> set[str]:
    """Return the names of the API's operations, and of what the log serves."""
    begins = ("api:", "^log/")
    found = {name for name in all_names() if name.startswith(begins)}
    return found - {"api:openapi-view"}
