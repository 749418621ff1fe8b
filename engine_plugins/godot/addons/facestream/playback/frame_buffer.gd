extends RefCounted
## The jitter buffer: takes frames as they come, and answers for any position of the audio clock.
##
## Between two frames weights are linear and rotations take the shorter arc. Behind the last one the face holds, then eases
## to rest; when frames are back it blends to them. A frame that is held is never replaced.

const Arkit := preload("../face/arkit.gd")
const FrameClock := preload("../stream/frame_clock.gd")
const FrameRows := preload("../stream/frame_rows.gd")

const _HOLD_MS := 100.0
const _REST_MS := 250.0
const _REJOIN_MS := 80.0

## Whether frames were missing for the last position.
var is_starved := false

## Index of the newest frame; -1 before there was one.
var newest := -1

var _clock: FrameClock
var _hold: float
var _rest: float
var _rejoin: float
var _indices: Array[int] = []
var _rows: Array[PackedFloat32Array] = []
var _neutral := FrameRows.neutral()
var _shown := FrameRows.neutral()
var _rejoin_from := PackedFloat32Array()
var _rejoin_at := NAN


func _init(clock: FrameClock, sample_rate: int) -> void:
	_clock = clock
	var frames_of_ms := clock.frame_at(sample_rate) / 1000
	_hold = _HOLD_MS * frames_of_ms
	_rest = _REST_MS * frames_of_ms
	_rejoin = _REJOIN_MS * frames_of_ms


## Take over a frame; one at or before the newest is ignored.
func add(index: int, row: PackedFloat32Array) -> void:
	if index > newest:
		_indices.append(index)
		_rows.append(row)
		newest = index


## The face for a position of the audio clock, in samples: 52 weights and 12 numbers of rotation. Positions are expected to
## advance.
func at(sample: float) -> PackedFloat32Array:
	var position := _clock.frame_at(sample)
	while _indices.size() > 1 and _indices[1] <= position:
		_indices.pop_front()
		_rows.pop_front()
	var was_starved := is_starved
	var current := _face_at(position)
	if was_starved and not is_starved:
		_rejoin_from = _shown
		_rejoin_at = position
	if not is_starved and not is_nan(_rejoin_at):
		var share := (position - _rejoin_at) / _rejoin
		if share >= 0 and share < 1:
			current = between(_rejoin_from, current, share)
		else:
			_rejoin_at = NAN
	_shown = current
	return current


func _face_at(position: float) -> PackedFloat32Array:
	is_starved = _indices.is_empty() or position < _indices[0]
	if is_starved:
		return _neutral
	var age := position - _indices[0]
	if _indices.size() > 1:
		var step := _indices[1] - _indices[0]
		if step == 1 or step <= _hold:
			return between(_rows[0], _rows[1], age / step)
	if age <= 1:
		return _rows[0]
	is_starved = true
	var eased := clampf((age - _hold) / _rest, 0, 1)
	return between(_rows[0], _neutral, eased * eased * (3 - 2 * eased))


## A row between two: weights linear, quaternions along the shorter arc and of unit length.
static func between(first: PackedFloat32Array, second: PackedFloat32Array, share: float) -> PackedFloat32Array:
	var row := first.duplicate()
	for index in Arkit.COUNT:
		row[index] = lerpf(first[index], second[index], share)
	for start in range(Arkit.COUNT, FrameRows.WIDTH, 4):
		var one := Vector4(first[start], first[start + 1], first[start + 2], first[start + 3])
		var other := Vector4(second[start], second[start + 1], second[start + 2], second[start + 3])
		var turn := one.lerp(other if one.dot(other) >= 0 else -other, share)
		turn /= maxf(turn.length(), 1e-9)
		for part in 4:
			row[start + part] = turn[part]
	return row
