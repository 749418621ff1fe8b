"""How long a stream may go on: without audio, without being read, at all."""

from facestream.errors import TimeLimit
from facestream.events import GoingAway
from facestream.serving.limits import Limits
from facestream.serving.stream import ServedStream


def enforce(stream: ServedStream, limits: Limits, now_s: float) -> None:
    """Tell or end `stream` where a limit says so. Called a few times a second for every open stream."""
    if stream.is_released:
        # its row is free already; what is left is a client that does not read the end
        if now_s - stream.last_output_s > limits.idle_timeout_s:
            stream.hang_up()
        return
    if limits.max_age_s is not None:
        left_s = stream.opened_s + limits.max_age_s - now_s
        if left_s <= 0:
            stream.fail(TimeLimit(f"the stream reached its largest age, {limits.max_age_s:g} s; continue on a new one"))
            return
        if left_s <= limits.going_away_notice_s and not stream.going_away_told:
            stream.going_away_told = True
            stream.tell(GoingAway("max_age", left_s))
    if stream.is_waiting_for_audio:
        if now_s - stream.last_input_s > limits.idle_timeout_s:
            stream.fail(TimeLimit(f"no audio for {limits.idle_timeout_s:g} s; half-close a stream that is over"))
    elif stream.is_waiting_for_reader and now_s - stream.last_output_s > limits.idle_timeout_s:
        stream.fail(TimeLimit(f"frames were not read for {limits.idle_timeout_s:g} s"))
