import json
import zlib
from pathlib import Path

from django.db import migrations

import bootstrap.models.fields

VIEWS = ('checks', 'nameservers', 'signals')
OLD = tuple(f'{name}_json' for name in VIEWS)
DICTIONARY = 2
WORDS = Path(__file__).parent.parent / 'models' / 'dictionaries' / f'{DICTIONARY}.bin'
LIMIT = 16 * 1024 * 1024
SLICE = 500


def squeezed(text):
    """Return JSON as the new column keeps it; nothing for an empty list."""
    found = json.loads(text) if isinstance(text, str) else text
    if not found:
        return b''
    text = json.dumps(found, separators=(',', ':'), ensure_ascii=False).encode()
    writer = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=WORDS.read_bytes())
    return bytes((DICTIONARY,)) + writer.compress(text) + writer.flush()


def text_of(blob):
    """Return a new column's JSON as text."""
    if not bytes(blob):
        return '[]'
    opener = zlib.decompressobj(-15, zdict=WORDS.read_bytes())
    return opener.decompress(bytes(blob)[1:], LIMIT).decode()


def squeeze(apps, schema_editor):
    """Write the views of each evaluation in their new form, a slice at a time."""
    _turn(schema_editor.connection, OLD, VIEWS, squeezed, '%s')


def unsqueeze(apps, schema_editor):
    """Write them as JSON again."""
    place = '%s::jsonb' if schema_editor.connection.vendor == 'postgresql' else '%s'
    _turn(schema_editor.connection, VIEWS, OLD, text_of, place)


def _turn(connection, old, new, turn, place):
    setting = ', '.join(f'{name} = {place}' for name in new)
    after = None
    while rows := _next(connection, old, after):
        with connection.cursor() as cursor:
            cursor.executemany(
                f'UPDATE bootstrap_scanattempt SET {setting} WHERE id = %s',
                [(*map(turn, values), key) for key, *values in rows],
            )
        after = rows[-1][0]


def _next(connection, names, after):
    where = '' if after is None else ' WHERE id > %s'
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT id, {", ".join(names)} FROM bootstrap_scanattempt{where}'
            f' ORDER BY id LIMIT {SLICE}',
            [] if after is None else [after],
        )
        return cursor.fetchall()


class Migration(migrations.Migration):

    dependencies = [
        ('bootstrap', '0022_packets_gone'),
    ]

    operations = [
        *(
            migrations.RenameField('scanattempt', name, old)
            for name, old in zip(VIEWS, OLD)
        ),
        *(
            migrations.AddField('scanattempt', name, bootstrap.models.fields.ViewField(default=list))
            for name in VIEWS
        ),
        migrations.RunPython(squeeze, unsqueeze),
        *(migrations.RemoveField('scanattempt', old) for old in OLD),
    ]
