import io
import json
import logging

from facestream.telemetry.logs import configure_logs


def written(form: str) -> str:
    stream = io.StringIO()
    configure_logs(form, "info", stream)  # type: ignore[arg-type]
    log = logging.getLogger("facestream.test")
    log.debug("unseen")
    log.info("stream opened", extra={"stream": "a1", "rows": 3})
    try:
        raise ValueError("no")
    except ValueError:
        log.exception("failed")
    return stream.getvalue()


def test_json_is_one_object_a_line() -> None:
    opened, failed = map(json.loads, written("json").splitlines())
    assert (opened["message"], opened["level"], opened["stream"], opened["rows"]) == ("stream opened", "info", "a1", 3)
    assert "ValueError: no" in failed["traceback"]


def test_lines_of_several_processes_can_be_told_apart() -> None:
    stream = io.StringIO()
    configure_logs("json", "info", stream, process="front-1")
    logging.getLogger("facestream.test").info("ready", extra={"took_s": 1})
    told = json.loads(stream.getvalue())
    assert (told["message"], told["process_name"], told["took_s"]) == ("ready", "front-1", 1)


def test_text_shows_the_facts() -> None:
    first, *rest = written("text").splitlines()
    assert first.endswith("stream opened  stream=a1 rows=3")
    assert "ValueError: no" in rest[-1]
