"""People at the door, and the machinery itself."""

from __future__ import annotations

from datetime import timedelta

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from bootstrap.core.tlog.types import EntryType as T
from bootstrap.models import (
    AuditDisclosure,
    AuditEntry,
    RoleRequest,
    Token,
    Webhook,
)
from bootstrap.services import (
    deliveries,
    disclosures,
    erasure,
    exports,
    people,
    roles,
    tokens,
)
from bootstrap.services.actors import OPERATOR, Actor
from tests.services.builders import (
    NOW,
    a_person,
)
from tests.services.test_keeping import Time, a_keeper
from tests.support.factors import code_of

from .acting import PASSWORD, writes
from .changes import decide, waiting

# ── people ─────────────────────────────


def a_browser(scene) -> Client:
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    scene.settings.PASSWORD_HASHERS = hashers
    User.objects.create_user("person", password=PASSWORD, is_staff=True)
    cache.clear()
    return Client()


def post(browser: Client, page: str, **fields: str) -> None:
    """Send a form."""
    browser.post(reverse(page), fields)


def once_more(browser: Client, page: str, **fields: str) -> None:
    """Send a form; the browser forgets what came of it."""
    again = Client()
    again.cookies.update(browser.cookies)
    again.post(page if "/" in page else reverse(page), fields)


@writes(T.USER_SIGNED_IN)
def sign_in(scene):
    browser = a_browser(scene)
    return lambda: once_more(
        browser, "account_login", login="person", password=PASSWORD
    )


@writes(T.USER_SIGN_IN_FAILED)
def fail_to_sign_in(scene):
    browser = a_browser(scene)
    return lambda: once_more(browser, "account_login", login="person", password="wrong")


@writes(T.USER_SIGNED_OUT)
def sign_out(scene):
    browser = a_browser(scene)
    post(browser, "account_login", login="person", password=PASSWORD)
    return lambda: once_more(browser, "account_logout")


@writes(T.USER_CHANGED)
def change_the_password(scene):
    browser = a_browser(scene)
    post(browser, "account_login", login="person", password=PASSWORD)
    new = "another horse battery"
    return lambda: once_more(
        browser,
        "account_change_password",
        oldpassword=PASSWORD,
        password1=new,
        password2=new,
    )


@writes(T.USER_STEPPED_UP)
def show_a_second_factor_again(scene):
    browser = a_browser(scene)
    person, secret = User.objects.get(), generate_totp_secret()
    browser.force_login(person)
    TOTP.activate(person, secret)
    return lambda: once_more(browser, "mfa_reauthenticate", code=code_of(secret))


@writes(T.SESSION_ENDED)
def end_a_session(scene):
    browser = a_browser(scene)
    post(browser, "account_login", login="person", password=PASSWORD)
    row = UserSession.objects.get()
    page = reverse("session-end", args=[row.pk])
    return lambda: once_more(browser, page)


def set_roles(*names: str) -> None:
    user = User.objects.get(username="ada")
    roles.set_roles(user, names, actor=OPERATOR, now=NOW)


@writes(T.ROLE_GRANTED)
def grant_a_role(scene):
    User.objects.create_user("ada")
    return lambda: set_roles("auditor")


@writes(T.ROLE_REVOKED)
def revoke_a_role(scene):
    User.objects.create_user("ada")
    set_roles("auditor")
    return set_roles


@writes(T.ROLE_ASKED)
def ask_for_a_role(scene):
    boss = an_administrator("boss")
    wish = roles.Wish(User.objects.create_user("ada"), "auditor", reason="reads")
    return lambda: roles.ask(wish, actor=boss, now=NOW)


@writes(T.ROLE_REFUSED)
def refuse_a_role(scene):
    ask_for_a_role(scene)()
    row, second = RoleRequest.objects.get(), an_administrator("second")
    return lambda: roles.refuse(row, actor=second, comment="no", now=NOW)


def an_administrator(name: str) -> Actor:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name="administrator"))
    return people.person(name, via="dashboard")


def issue() -> None:
    terms = tokens.Terms(name="monitor", scopes=("domains:read",))
    owner = User.objects.get(username="robot")
    tokens.issue(owner, terms, actor=OPERATOR, now=NOW)


def a_robot() -> None:
    user = User.objects.create_user("robot", is_staff=True)
    user.groups.set(Group.objects.filter(name="viewer"))


@writes(T.TOKEN_ISSUED)
def issue_a_token(scene):
    a_robot()
    return issue


@writes(T.TOKEN_REVOKED)
def revoke_a_token(scene):
    a_robot()
    issue()
    return lambda: tokens.revoke(Token.objects.get(), actor=OPERATOR, now=NOW)


def hook() -> None:
    deliveries.add("https://h.example/", ("scan.*",), actor=OPERATOR, now=NOW)


@writes(T.WEBHOOK_ADDED)
def add_a_webhook(scene):
    return hook


@writes(T.WEBHOOK_REMOVED)
def remove_a_webhook(scene):
    hook()
    return lambda: deliveries.remove(Webhook.objects.get(), actor=OPERATOR, now=NOW)


@writes(T.DATA_VIEWED)
def view_personal_values(scene):
    waiting()
    decide("approve")
    entry = AuditEntry.objects.get(type=T.PROPOSAL_APPROVED)
    return lambda: disclosures.show(entry, actor=a_person("olga"), now=NOW)


@writes(T.DATA_ERASED)
def erase_a_person(scene):
    waiting()
    decide("approve")
    name = AuditDisclosure.objects.get(name="actor").value
    return lambda: erasure.person(name, actor=OPERATOR, now=NOW)


@writes(T.DATA_EXPORTED)
def export(scene):
    asked = exports.Export("domains", "csv", "", a_person("olga"), NOW)
    return lambda: b"".join(exports.follow(asked, ["a\r\n"]))


# ── the machinery ─────────────────────────────


@writes(T.KEY_USED)
def start_the_sealer(scene):
    keeper = a_keeper(scene.folder, Time())
    return keeper.start


@writes(T.LOG_HEARTBEAT)
def stay_silent(scene):
    keeper = a_keeper(scene.folder, Time())
    return lambda: keeper._beat(NOW)


@writes(T.CLOCK_CHANGED)
def step_the_clock(scene):
    time = Time()
    keeper = a_keeper(scene.folder, time)
    keeper._watch_clock(time.now)
    before = keeper.offset

    def act():
        keeper.offset = before
        keeper._watch_clock(time.now + timedelta(seconds=30))

    return act


@writes(T.SYSTEM_RESTORED)
def restore(scene):
    return lambda: call_command("restored", "--reason", "a drill")
