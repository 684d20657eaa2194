"""The whole database back to an earlier state: noticed, named, and mended (S-94)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.product import Product

pytestmark = pytest.mark.system
WRITE = """
from bootstrap import clock
from bootstrap.services import audit
from bootstrap.services.actors import SCANNER
audit.append(
    audit.Draft(type=audit.EntryType.SCAN_VERDICT, stream=f"s{n %% 7}", actor=SCANNER,
                now=clock.now(), data={"n": n})
    for n in range(%d)
)
"""


class Copies:
    """Copies of the database as a whole, as a backup has them."""

    def __init__(self, postgres, folder: Path) -> None:
        self.postgres = postgres
        self.folder = folder

    @property
    def url(self) -> str:
        if self.postgres is None:
            return f"sqlite:///{self.folder}/portal.sqlite3"
        return str(self.postgres.url.rpartition("/")[0]) + "/restored"

    def copy(self, source: str, target: str) -> None:
        if self.postgres is not None:
            self.postgres.psql(f"DROP DATABASE IF EXISTS {target}")
            self.postgres.psql(f"CREATE DATABASE {target} TEMPLATE {source}")
            return
        names = {"restored": "portal.sqlite3", "backup": "backup.sqlite3"}
        for rest in ("-wal", "-shm"):
            (self.folder / (names[target] + rest)).unlink(missing_ok=True)
        shutil.copy(self.folder / names[source], self.folder / names[target])

    def save(self) -> None:
        self.copy("restored", "backup")

    def restore(self) -> None:
        self.copy("backup", "restored")


@pytest.fixture(params=["sqlite", "postgresql"])
def copies(request, tmp_path) -> Copies:
    if request.param == "sqlite":
        return Copies(None, tmp_path)
    server = request.getfixturevalue("postgres")
    server.psql("DROP DATABASE IF EXISTS restored")
    server.psql("CREATE DATABASE restored")
    return Copies(server, tmp_path)


def test_a_restored_backup_signs_nothing_until_its_entries_are_back(copies, tmp_path):
    settings = {
        "AUDIT_ORIGIN": "portal.example/audit",
        "AUDIT_LOG_DIR": str(tmp_path / "log"),
        "AUDIT_KEY_FILE": str(tmp_path / "key"),
    }
    product = Product(tmp_path, settings, copies.url)
    product.migrate()
    product.manage("shell", "-v", "0", "-c", WRITE % 300)
    product.manage("sealer", "--once", "--make-key")
    copies.save()
    product.manage("shell", "-v", "0", "-c", WRITE % 500)
    product.manage("sealer", "--once")
    signed = (tmp_path / "key.state").read_text()
    copies.restore()

    with pytest.raises(AssertionError, match="nothing was signed"):
        product.manage("sealer", "--once")
    assert (tmp_path / "key.state").read_text() == signed
    with pytest.raises(
        AssertionError, match=r"leaf 301: entry [0-9a-f-]{36} \(s0 44\)"
    ):
        product.manage("audit", "verify")

    assert "501 entries put back" in product.manage("audit", "recover")
    product.manage("sealer", "--once")

    assert "everything holds" in product.manage("audit", "verify")
