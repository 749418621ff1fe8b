extends RefCounted
## What a server answers, read from messages of facestream.v1. Fields that only a newer server knows are passed over.

const Reader := preload("proto_reader.gd")


## What the server said when the stream opened. Samples are those of the client.
class StreamInfo:
	extends RefCounted
	var model := ""
	var curve_names := PackedStringArray()
	var frame_rate := Vector2i(30, 1)
	var latency_samples := 0
	var chunk_samples := 0
	var resume_token := ""


## Consecutive frames, row after row; rotations are quaternions x y z w, or nothing.
class FrameRun:
	extends RefCounted
	var first := 0
	var count := 0
	var weights := PackedFloat32Array()
	var head := PackedFloat32Array()
	var left_eye := PackedFloat32Array()
	var right_eye := PackedFloat32Array()


## Something that happened to the stream, with its position and count where it has them.
class StreamEvent:
	extends RefCounted
	var kind: StringName
	var first := 0
	var count := 0


const _EVENTS: Array[StringName] = [
	&"", &"flush_done", &"gap", &"frames_dropped", &"speech_started", &"speech_ended", &"ahead_of_real_time", &"going_away"
]


## One message of `Animate`: a `StreamInfo`, a `FrameRun`, a `StreamEvent`; null where it is none, or of a newer server.
static func read(message: PackedByteArray) -> RefCounted:
	var reader := Reader.new(message)
	var answer: RefCounted
	while reader.next():
		match reader.field:
			1:
				answer = _info(reader.data())
			2:
				answer = _frames(reader.data())
			3:
				answer = _event(reader.data())
	return null if reader.is_malformed else answer


static func _info(message: PackedByteArray) -> StreamInfo:
	var info := StreamInfo.new()
	var reader := Reader.new(message)
	while reader.next():
		match reader.field:
			2:
				info.model = reader.text()
			4:
				info.curve_names.append(reader.text())
			5:
				var rate := _integers(reader.data())
				info.frame_rate = Vector2i(rate[1], maxi(rate[2], 1))
			6:
				info.latency_samples = reader.integer
			7:
				info.chunk_samples = _integers(reader.data())[2]
			8:
				info.resume_token = reader.text()
	return info


static func _frames(message: PackedByteArray) -> FrameRun:
	var run := FrameRun.new()
	var reader := Reader.new(message)
	while reader.next():
		match reader.field:
			1:
				run.first = reader.integer
			2:
				run.count = reader.integer
			3:
				run.weights = reader.singles()
			4:
				run.head = reader.singles()
			5:
				run.left_eye = reader.singles()
			6:
				run.right_eye = reader.singles()
	return run


static func _event(message: PackedByteArray) -> StreamEvent:
	var reader := Reader.new(message)
	if not reader.next() or reader.field >= _EVENTS.size():
		return null
	var event := StreamEvent.new()
	event.kind = _EVENTS[reader.field]
	var values := _integers(reader.data())
	match event.kind:
		&"ahead_of_real_time", &"flush_done":
			event.count = values[1]
		&"going_away":
			pass
		_:
			event.first = values[1]
			event.count = values[2]
	return event


## Whole numbers of the fields 1 to 3 at their places; a field that is 0 is not on the wire.
static func _integers(message: PackedByteArray) -> Array[int]:
	var values: Array[int] = [0, 0, 0, 0]
	var reader := Reader.new(message)
	while reader.next():
		if reader.field < values.size():
			values[reader.field] = reader.integer
	return values
