"""Phones of a recording, from the JSON file that lies beside it."""

import json
from pathlib import Path

from facestream.errors import InvalidValue
from facestream.preview.moments import Caption

SILENCE = "sil"


def read_phones(clip: Path) -> list[Caption]:
    """Phones of `clip` with their words, without the silences; none where there is no JSON of that name.

    The file holds `sample_rate_hz` and `phones`, a list of `[phone, first sample, end sample, word]`. Raises
    `InvalidValue` for a file of another form.
    """
    path = clip.with_suffix(".json")
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rate_hz = content["sample_rate_hz"]
        return [
            Caption(start / rate_hz, end / rate_hz, str(phone), str(word))
            for phone, start, end, word in content["phones"]
            if phone != SILENCE
        ]
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise InvalidValue(
            str(path), type(error).__name__, 'JSON with "sample_rate_hz" and "phones": [[phone, start, end, word], ...]'
        ) from error
