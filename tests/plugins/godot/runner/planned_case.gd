extends RefCounted
## One line of a plan: a stream that is played, and what came of it.

const AnimationStream := preload("res://addons/facestream/stream/animation_stream.gd")
const FrameBuffer := preload("res://addons/facestream/playback/frame_buffer.gd")
const Arkit := preload("res://addons/facestream/face/arkit.gd")
const Options := preload("res://addons/facestream/stream/stream_options.gd")

const SAMPLE_RATE := 16000
const CHUNK := 640
const FAILURES := {
	&"invalid_value": "options", &"not_found": "options", &"denied": "denied", &"unavailable": "unavailable",
	&"busy": "unavailable", &"protocol": "protocol", &"time_limit": "time_limit", &"engine": "server",
}

var name := ""
var audio := ""
var mistake := ""
var recording := PackedByteArray()
var is_over := false

var _options := Options.new()
var _is_live := true
var _pause_at := -1
var _pause_s := 0.0
var _read_after := 0
var _cancel_after := -1
var _draw := Vector3i.ZERO
var _lose := Vector2i.ZERO

var _stream: AnimationStream
var _began := 0.0
var _given := 0
var _is_cancelled := false
var _frames: Array[Array] = []
var _events: Array[Array] = []


func _init(line: String) -> void:
	for pair in line.split(" ", false):
		var parts := pair.split("=", true, 1)
		if parts.size() < 2 or not _take(parts[0], parts[1]):
			mistake = "'%s' is no key with a value of a plan" % pair


func begin(now: float) -> void:
	_began = now
	_stream = AnimationStream.new(_options)
	_stream.frame_received.connect(_on_frame)
	_stream.event_received.connect(
		func(kind: StringName, first: int, count: int) -> void: _events.append([kind, first, count]))


func play(now: float) -> void:
	if is_over:
		return
	_give(now)
	_stream.is_reading = _stream.info == null or _stream.sent_samples >= _read_after
	_stream.pump(now)
	if _cancel_after >= 0 and _frames.size() >= _cancel_after and _stream.state == &"streaming":
		_is_cancelled = true
		_stream.cancel()
	is_over = _stream.state == &"finished" or _stream.state == &"failed"


func report() -> Dictionary:
	var failure := _stream.failure
	var status := "cancelled" if _is_cancelled else "finished" if failure == null else "failed"
	return {
		"status": status,
		"failure": FAILURES.get(failure.kind, "server") if failure != null else "",
		"message": failure.message if failure != null else "",
		"curve_names": Arkit.NAMES if _stream.info != null else PackedStringArray(),
		"latency_samples": _stream.info.latency_samples if _stream.info != null else 0,
		"frames": _frames,
		"events": _events,
		"resumes": _stream.resumes,
		"lost_samples": 0,
		"drawn": _drawn(),
	}


func _give(now: float) -> void:
	var length := recording.size() / 2
	while _given < length:
		var until := mini(_given + CHUNK, length)
		var due := _began + until / float(SAMPLE_RATE)
		if _pause_at >= 0 and _given >= _pause_at:
			due += _pause_s
		if _is_live and now < due:
			return
		_stream.write(recording.slice(2 * _given, 2 * until))
		_given = until
	_stream.finish()


func _on_frame(index: int, row: PackedFloat32Array) -> void:
	_frames.append([index, _stream.clock.sample_of(index)] + Array(row))


func _drawn() -> Array[Array]:
	var drawn: Array[Array] = []
	if _draw.x == 0:
		return drawn
	var buffer := FrameBuffer.new(_stream.clock, SAMPLE_RATE)
	var next := 0
	for position in range(0, _draw.z, _draw.x):
		while next < _frames.size() and _frames[next][1] <= position + _draw.y:
			var index: int = _frames[next][0]
			if index < _lose.x or index >= _lose.x + _lose.y:
				buffer.add(index, PackedFloat32Array(_frames[next].slice(2)))
			next += 1
		var face := buffer.at(position)
		drawn.append([position, int(buffer.is_starved)] + Array(face))
	return drawn


func _take(key: String, value: String) -> bool:
	var numbers := value.split_floats(",")
	match key:
		"case":
			name = value
		"server":
			_options.server = value
		"token":
			_options.token = value
		"audio":
			audio = value
		"model":
			_options.model = value
		"seed":
			_options.seed = int(value)
		"frame_rate":
			_options.frame_rate = Vector2i(int(value), 1)
		"slow_reader":
			_options.slow_reader = {"drop": &"drop_oldest", "wait": &"wait"}[value]
		"pace":
			_is_live = value == "live"
		"pause":
			_pause_at = int(numbers[0])
			_pause_s = numbers[1] / 1000
		"read_after":
			_read_after = int(value)
		"cancel_after":
			_cancel_after = int(value)
		"draw":
			_draw = Vector3i(int(numbers[0]), int(numbers[1]), int(numbers[2]))
		"lose":
			_lose = Vector2i(int(numbers[0]), int(numbers[1]))
		"together":
			pass  # all lines are
		_:
			return false
	return true
