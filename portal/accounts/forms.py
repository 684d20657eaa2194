"""The sign-in form."""

from __future__ import annotations

from allauth.account.forms import LoginForm


class SignIn(LoginForm):  # type: ignore[misc]  # the library has no types
    """User name and password, nothing to tick or to guess at."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("remember", None)
        self.fields["password"].help_text = ""
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
