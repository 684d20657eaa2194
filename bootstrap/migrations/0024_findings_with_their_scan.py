import json
import zlib
from collections import defaultdict
from pathlib import Path

from django.db import migrations, models
import django.db.models.deletion

import bootstrap.models.fields

COLUMNS = ('reason', 'kind', 'subject', 'detail')
DICTIONARY = 2
WORDS = Path(__file__).parent.parent / 'models' / 'dictionaries' / f'{DICTIONARY}.bin'
SLICE = 500
INFORMATION = 'I'


def squeezed(found):
    text = json.dumps(found, separators=(',', ':'), ensure_ascii=False).encode()
    writer = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=WORDS.read_bytes())
    return bytes((DICTIONARY,)) + writer.compress(text) + writer.flush()


def gather(apps, schema_editor):
    """Put all findings of an evaluation into its row; keep rows of those looked for."""
    connection = schema_editor.connection
    after = None
    while keys := _keys(connection, after):
        places = ', '.join(['%s'] * len(keys))
        found = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT scan_id, {", ".join(COLUMNS)} FROM bootstrap_scanfinding'
                f' WHERE scan_id IN ({places}) ORDER BY id',
                keys,
            )
            for key, *values in cursor.fetchall():
                found[key].append(dict(zip(COLUMNS, values)))
            cursor.executemany(
                'UPDATE bootstrap_scanattempt SET findings = %s WHERE id = %s',
                [(squeezed(told), key) for key, told in found.items()],
            )
        after = keys[-1]
    with connection.cursor() as cursor:
        cursor.execute(
            'DELETE FROM bootstrap_scanfinding WHERE kind = %s', [INFORMATION]
        )


def _keys(connection, after):
    where = '' if after is None else ' WHERE scan_id > %s'
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT DISTINCT scan_id FROM bootstrap_scanfinding{where}'
            f' ORDER BY scan_id LIMIT {SLICE}',
            [] if after is None else [after],
        )
        return [key for (key,) in cursor.fetchall()]


def scatter(apps, schema_editor):
    """Give each finding a row of its own again."""
    ScanAttempt = apps.get_model('bootstrap', 'ScanAttempt')
    ScanFinding = apps.get_model('bootstrap', 'ScanFinding')
    ScanFinding.objects.all().delete()
    rows = ScanAttempt.objects.exclude(findings=b'').order_by('pk')
    for scan in rows.only('findings').iterator(SLICE):
        ScanFinding.objects.bulk_create(
            ScanFinding(scan=scan, **told) for told in scan.findings
        )


class Migration(migrations.Migration):

    dependencies = [
        ('bootstrap', '0023_views_packed'),
    ]

    operations = [
        migrations.AddField('scanattempt', 'findings', bootstrap.models.fields.ViewField(default=list)),
        migrations.AlterField(
            model_name='scanfinding',
            name='scan',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='marks', to='bootstrap.scanattempt'),
        ),
        migrations.RunPython(gather, scatter),
    ]
