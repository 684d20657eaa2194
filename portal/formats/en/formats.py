"""English pages: as everywhere in the portal, in UTC."""

from __future__ import annotations

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = r"Y-m-d H:i:s\Z"
TIME_FORMAT = r"H:i:s\Z"
SHORT_DATE_FORMAT = "Y-m-d"
