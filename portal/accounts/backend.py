"""Who is signed in and what they may do, asked of the database once each.

Every page of staff begins with it, and has a limit of questions to keep.
"""

from __future__ import annotations

from typing import Final

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import User
from django.db.models import Model

from bootstrap.services import powers

KEPT: Final = "_perm_cache"
"""Where Django keeps it."""


class Accounts(AuthenticationBackend):  # type: ignore[misc]  # the library has no types
    """Accounts by user name; each comes with its preferences."""

    def get_user(self, user_id: int) -> User | None:
        """Return the account of a session, while it may sign in."""
        person = User.objects.select_related("preferences").filter(pk=user_id).first()
        return person if person and self.user_can_authenticate(person) else None

    def get_all_permissions(
        self, user_obj: powers.Person, obj: Model | None = None
    ) -> set[str]:
        """Return what an account may do everywhere, by itself and by its groups.

        The same as Django finds in two questions, with what holds in single zones
        beside it; kept with the object, as there.
        """
        common = user_obj.is_active and not user_obj.is_superuser
        if not isinstance(user_obj, User) or not common or obj is not None:
            found: set[str] = super().get_all_permissions(user_obj, obj)
            return found
        if not hasattr(user_obj, KEPT):
            held, _ = powers.grant_all(user_obj)
            setattr(user_obj, KEPT, set(held))
        kept: set[str] = getattr(user_obj, KEPT)
        return kept
