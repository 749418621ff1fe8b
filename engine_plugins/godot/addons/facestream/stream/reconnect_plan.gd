extends RefCounted
## Whether and when a broken stream is continued on a new call.

const Failure := preload("../wire/failure.gd")

const _GIVE_UP_AFTER_S := 10.0
const _FIRST_DELAY_S := 0.05
const _LONGEST_DELAY_S := 1.0
const _BARREN_CALLS := 3

var _is_wanted: bool
var _next_try := -INF
var _give_up_at := 0.0
var _delay := 0.0
var _barren := 0
var _has_notice := false


func _init(is_wanted: bool) -> void:
	_is_wanted = is_wanted


func is_due(now: float) -> bool:
	return now >= _next_try


## The server has said that it will end the call.
func server_will_end() -> void:
	_has_notice = true


## A new call was accepted; it has yet to bring a frame.
func resumed() -> void:
	_barren += 1
	_has_notice = false


## New frames came.
func succeeded() -> void:
	_barren = 0
	_delay = 0.0


## Plan the next call after this failure; false where that is no use.
func try_again(failure: Failure, now: float) -> bool:
	var passes := failure.is_passing or (failure.kind == &"time_limit" and _has_notice)
	if _delay == 0.0:
		_give_up_at = now + _GIVE_UP_AFTER_S
		_delay = _FIRST_DELAY_S
	else:
		_delay = minf(2 * _delay, _LONGEST_DELAY_S)
	_next_try = now + _delay
	return _is_wanted and passes and _barren < _BARREN_CALLS and _next_try <= _give_up_at
