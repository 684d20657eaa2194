"""Who is signed in and what they may do, asked of the database once each.

Every page of staff begins with it, and has a limit of questions to keep.
"""

from __future__ import annotations

from typing import Final

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import Permission, User
from django.db.models import Model

KEPT: Final = "_perm_cache"
"""Where Django keeps it."""


class Accounts(AuthenticationBackend):  # type: ignore[misc]  # the library has no types
    """Accounts by user name; each comes with its preferences."""

    def get_user(self, user_id: int) -> User | None:
        """Return the account of a session, while it may sign in."""
        person = User.objects.select_related("preferences").filter(pk=user_id).first()
        return person if person and self.user_can_authenticate(person) else None

    def get_all_permissions(self, user_obj: User, obj: Model | None = None) -> set[str]:
        """Return what an account may do everywhere, by itself and by its groups.

        The same as Django finds in two questions; kept with the object, as there.
        """
        simple = obj is None and user_obj.is_active and not user_obj.is_anonymous
        if not simple or user_obj.is_superuser:
            found: set[str] = super().get_all_permissions(user_obj, obj)
            return found
        if not hasattr(user_obj, KEPT):
            setattr(user_obj, KEPT, _asked(user_obj))
        kept: set[str] = getattr(user_obj, KEPT)
        return kept


def _asked(person: User) -> set[str]:
    rows = Permission.objects.order_by()
    columns = ("content_type__app_label", "codename")
    own = rows.filter(user=person).values_list(*columns)
    by_role = rows.filter(group__user=person).values_list(*columns)
    return {f"{app}.{code}" for app, code in own.union(by_role)}
