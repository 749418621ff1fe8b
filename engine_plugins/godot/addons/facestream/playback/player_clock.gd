extends RefCounted
## Which sample of a sound is audible now. The mixer takes sound a block at a time; in between the position runs on, never
## backwards. Behind the end of the sound it runs on by the host's clock, so that the face comes to rest.

const _LATENCY_READ_EVERY_S := 1.0

var _sample_rate: int
var _position := -INF
var _at := 0.0
var _latency := 0.0
var _latency_read_at := -INF


func _init(sample_rate: int) -> void:
	_sample_rate = sample_rate


## In samples, fractions included: `mixed` seconds of the sound were taken by the mixer, and there is more, or not.
func position(mixed: float, has_more: bool, now: float) -> float:
	if now - _latency_read_at > _LATENCY_READ_EVERY_S:
		_latency = AudioServer.get_output_latency()  # costs a call into the driver
		_latency_read_at = now
	if has_more:
		var audible := mixed + AudioServer.get_time_since_last_mix() - _latency
		_position = maxf(_position, audible * _sample_rate)
	else:
		_position += (now - _at) * _sample_rate
	_at = now
	return _position
