"""An installation whose processes come to PostgreSQL each by a role of its own (S-86)."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.product import Product

pytestmark = pytest.mark.system


@pytest.fixture
def as_role(postgres, tmp_path):
    """Return the product as it is for one role; the tables are the owner's."""
    postgres.psql("DROP DATABASE IF EXISTS roles")
    if "portal_owner" not in postgres.psql("SELECT rolname FROM pg_roles").split():
        postgres.psql("CREATE ROLE portal_owner LOGIN")
    postgres.psql("CREATE DATABASE roles OWNER portal_owner")
    server = postgres.url.rpartition("@")[2].rpartition("/")[0]
    settings = {
        "AUDIT_ORIGIN": "portal.example/audit",
        "AUDIT_LOG_DIR": str(tmp_path / "log"),
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
    }

    def product(role: str) -> Product:
        return Product(tmp_path, settings, f"postgres://{role}@{server}/roles")

    owner = product("portal_owner")
    owner.migrate()
    for _ in range(2):  # as after each migration
        subprocess.run(
            [
                "psql",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                postgres.url.replace("/portal", "/roles"),
            ],
            input=owner.manage("audit", "roles"),
            check=True,
            text=True,
            capture_output=True,
        )
    return product


def test_each_process_does_its_work_with_its_own_role_and_no_others(as_role, tmp_path):
    app, sealer, monitor = map(
        as_role, ("portal_app", "portal_sealer", "portal_monitor")
    )
    zone = ("zone", "add", "example", "--primary", "127.0.0.1", "--policy", "review")
    app.manage(*zone)

    assert "sealed up to" in sealer.manage("sealer", "--once", "--make-key")

    assert "everything holds" in monitor.manage("audit", "verify")
    app.manage("audit", "export", "-o", str(tmp_path / "export"))
    for product, words in (
        (app, ("sealer", "--once")),
        (sealer, (*zone[:2], "other", *zone[3:])),
        (monitor, ("audit", "export", "-o", str(tmp_path / "again"))),
    ):
        with pytest.raises(AssertionError, match="permission denied"):
            product.manage(*words)
