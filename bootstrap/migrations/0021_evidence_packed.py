from django.db import migrations

from . import _packing


def pack(apps, schema_editor):
    """Write each bundle in its new form, a slice at a time.

    Pieces of a day are made once for all its bundles. What was damaged stays so:
    whoever opens it is told, as before.
    """
    filler = _packing.Filler(schema_editor.connection)
    after = b''
    while rows := _next(schema_editor.connection, after):
        filler.fill(rows)
        after = rows[-1][0]


def _next(connection, after):
    """Return the slice of evidence after an address."""
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT digest, created_at, manifest FROM bootstrap_evidence'
            f' WHERE digest > %s ORDER BY digest LIMIT {_packing.SLICE}',
            [after],
        )
        return cursor.fetchall()


class Migration(migrations.Migration):
    """One way: the tables of packets are dropped by the next one.

    Bundles are given back octet for octet from both forms, so nothing is lost; to
    go back means to restore the backup that an upgrade begins with.
    """

    dependencies = [
        ('bootstrap', '0020_evidence_bodies'),
    ]

    operations = [migrations.RunPython(pack)]
