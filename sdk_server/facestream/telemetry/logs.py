"""Structured logs on the standard library: one JSON object a line, or a line for people.

Facts travel in `extra`: `log.info("stream opened", extra={"stream": stream_id, "model": name})`.
"""

import json
import logging
import sys
from functools import partial
from typing import Literal, TextIO

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class JsonFormatter(logging.Formatter):
    """`{"time": ..., "level": ..., "logger": ..., "message": ..., facts...}`; a traceback is one string."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """`12:30:01 info  stream opened  stream=a1 model=live`."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{key}={value}" for key, value in _facts(record).items())
        head = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname.lower():<7} {record.getMessage()}"
        lines = [f"{head}  {facts}" if facts else head]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return "\n".join(lines)


def _name_process(process: str, record: logging.LogRecord) -> bool:
    record.process_name = process
    return True


def configure_logs(
    form: Literal["json", "text"], level: str, stream: TextIO | None = None, *, process: str | None = None
) -> None:
    """Send the logs of this package to `stream` (standard error by default), each with the name of its `process`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    if process is not None:
        handler.addFilter(partial(_name_process, process))
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logger = logging.getLogger("facestream")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
