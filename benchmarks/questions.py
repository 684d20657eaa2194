"""What a scan has asked: `python -m benchmarks.questions N > FILE`.

One JSON array a line, [server, name, type, transport], out of the stored evidence
of every Nth evaluation in DATABASE_URL; what many children share was asked once and comes once.
"""

from __future__ import annotations

import json
import os
import sys

import django


def main(step: int) -> None:
    """Print every question once, in the order of the children."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    # Only a configured Django has models.
    from bootstrap.models import Evidence  # noqa: PLC0415
    from bootstrap.services import evidence  # noqa: PLC0415

    asked: dict[tuple[str, str, str, str], None] = {}
    for digest in Evidence.objects.values_list("digest", flat=True)[::step]:
        for seen in evidence.load(digest).case.observations:
            query = seen.query
            name, kind = query.name.to_text(), query.rdtype.name
            asked[query.server, name, kind, seen.transport] = None
    sys.stdout.writelines(json.dumps(question) + "\n" for question in asked)


if __name__ == "__main__":
    main(int(sys.argv[1]))
