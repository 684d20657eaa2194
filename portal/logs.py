"""Log lines for operators: one JSON object a line, ASCII only (S-53)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Formats a record so that no text from outside can break or forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger, message, request id and traceback as JSON."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request = getattr(record, "request", None)
        if request is not None and hasattr(request, "META"):
            told["request_id"] = request.META.get("REQUEST_ID", "")
        if record.exc_info:
            told["trouble"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=True)
