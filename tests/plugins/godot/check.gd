extends Node
## Loaded beside the demo by tests: reads every script of the project, and lets the page ask what the add-on computes.

const FrameBuffer := preload("res://addons/facestream/playback/frame_buffer.gd")
const Expressions := preload("res://addons/facestream/face/expressions.gd")
const ShapeMatcher := preload("res://addons/facestream/face/shape_matcher.gd")
const Pcm := preload("res://addons/facestream/sound/pcm.gd")
const Recording := preload("res://addons/facestream/sound/recording.gd")
const Reader := preload("res://addons/facestream/wire/proto_reader.gd")
const Turning := preload("res://addons/facestream/face/turning.gd")
const Writer := preload("res://addons/facestream/wire/proto_writer.gd")

var _asked: JavaScriptObject
var _freezing := Callable()


func _ready() -> void:
	draw(false)
	for path in _scripts("res://"):
		load(path)
		print("read ", path)
	_asked = JavaScriptBridge.create_callback(_on_asked)
	var page := JavaScriptBridge.create_object("Object")
	page.ask = _asked
	JavaScriptBridge.get_interface("window").check = page


func _on_asked(arguments: Array) -> void:
	var answer: Variant = call(arguments[0], JSON.parse_string(arguments[1]))
	JavaScriptBridge.get_interface("window").check.last = JSON.stringify(answer, "", true, true)


## Whether pictures are drawn: a crowded machine has better things to do.
func draw(is_wanted: bool) -> void:
	RenderingServer.render_loop_enabled = is_wanted


## The face of the next line stays as it is from a sample on: a picture may take seconds.
func freeze_at(sample: float) -> void:
	var face: FaceStream = get_node("/root/Demo/Character/FaceStream")
	if _freezing.is_valid():
		face.face_shown.disconnect(_freezing)
	_freezing = func() -> void: face.set_process(face.position < sample)
	face.stop()
	face.face_shown.connect(_freezing)
	face.set_process(true)


## Plays the WAV of an address on a bus of its own, which the demo's face listens to. The answer: samples a second.
func play_on_bus(address: String) -> float:
	var face: FaceStream = get_node("/root/Demo/Character/FaceStream")
	var player := AudioStreamPlayer.new()
	var request := HTTPRequest.new()
	add_child(player)
	add_child(request)
	AudioServer.add_bus()
	AudioServer.set_bus_name(AudioServer.bus_count - 1, "voices")
	player.bus = "voices"
	player.playback_type = AudioServer.PLAYBACK_TYPE_STREAM
	request.request_completed.connect(
		func(_result: int, _code: int, _headers: PackedStringArray, body: PackedByteArray) -> void:
			player.stream = AudioStreamWAV.load_from_buffer(body)
			face.listen_to_bus("voices")
			player.play())
	request.request(address)
	return AudioServer.get_mix_rate()


func forbid_microphone(_nothing: Variant) -> void:
	ProjectSettings.set_setting("audio/driver/enable_input", false)


func values_of(weights: Array) -> Array:
	var face := PackedFloat32Array(weights)
	face.resize(64)
	return Array(Expressions.of(face, true))


func matched(shapes: Array) -> Dictionary:
	var found := ShapeMatcher.match_names(PackedStringArray(shapes), {})
	var told := {}
	for value in found.size():
		if found[value] >= 0:
			told[Expressions.names()[value]] = shapes[found[value]]
	return told


## What those may do who are told of a failure. Stop the face, as soon as another try has failed: how often that was told.
## Begin another line, when one is over that had no connection: whether that is said.
func answered_failures(_nothing: Variant) -> Array:
	var face := FaceStream.new()
	var told := [0]
	get_node("/root/Demo/Character").add_child(face)
	face.server = "no-address"
	face.listen_to_bus("Master")
	face.failed.connect(
		func(_kind: StringName, _message: String) -> void:
			told[0] += 1
			face.stop()
			if face.server != "no-address":
				face.open_voice(16000))
	face._retry_at = 0.0
	face._process(0.1)
	var was_stopped := face.stream == null
	face.server = "ws://127.0.0.1:9"
	face.open_voice(16000)
	face._sound._over_at = -1e9
	# as if it had been told before, and so no error a second time: other tests count those
	face.problem = "there was no connection to %s when the line was over; is the server running there?" % face.server
	face._process(0.1)
	var goes_on := face.stream != null
	face.queue_free()
	return [told[0], was_stopped, goes_on]


## Whole numbers written and read, as text: JSON has no 64 bits.
func numbers(texts: Array) -> Array:
	var told := []
	for text: String in texts:
		var writer := Writer.new()
		writer.integer(9, text.to_int())
		var reader := Reader.new(writer.bytes)
		reader.next()
		told.append([writer.bytes.hex_encode(), str(reader.integer), reader.field])
	return told


## Bytes that are no message: how each is taken.
func malformed(messages: Array) -> Array:
	var told := []
	for hex: String in messages:
		var reader := Reader.new(hex.hex_decode())
		while reader.next():
			pass
		told.append(reader.is_malformed)
	return told


## A recording of 8 bits, which only Godot's own mixer can read: how long it is, and how loud.
func mixed(seconds: float) -> Array:
	var wav := AudioStreamWAV.new()
	wav.mix_rate = 22050
	var data := PackedByteArray()
	for index in int(seconds * 22050):
		data.append(int(64 * sin(TAU * 220 * index / 22050.0)) & 255)
	wav.data = data
	var recording := Recording.new(wav)
	var samples := recording.take(1 << 40)
	var loudest := 0
	for index in samples.size() / 2:
		loudest = maxi(loudest, absi(samples.decode_s16(2 * index)))
	return [samples.size() / 2.0 / recording.sample_rate, loudest / 32768.0, recording.is_over]


## Where a bone looks when the head turns to its left by a quarter, and its parent is tilted.
func turned(_nothing: Variant) -> Array:
	var skeleton := Skeleton3D.new()
	add_child(skeleton)
	skeleton.add_bone("neck")
	skeleton.add_bone("head")
	skeleton.set_bone_parent(1, 0)
	skeleton.set_bone_rest(0, Transform3D(Basis(Vector3.RIGHT, 0.4), Vector3.UP))
	skeleton.set_bone_rest(1, Transform3D(Basis(Vector3.RIGHT, -0.4), Vector3.UP))
	skeleton.reset_bone_poses()
	Turning.new(skeleton, "head").turn(Quaternion(Vector3.UP, PI / 2))
	var ahead := skeleton.get_bone_global_pose(1).basis * Vector3.BACK
	skeleton.queue_free()
	return [ahead.x, ahead.y, ahead.z]


## Microseconds for a second of captured sound.
func cost_of_capture(_nothing: Variant) -> int:
	var frames := PackedVector2Array()
	frames.resize(44100)
	var began := Time.get_ticks_usec()
	Pcm.mono16(frames)
	return Time.get_ticks_usec() - began


static func _scripts(folder: String) -> PackedStringArray:
	var found := PackedStringArray()
	for name in DirAccess.get_files_at(folder):
		# of the editor, which is not here
		if name.ends_with(".gd") and name != "plugin.gd":
			found.append(folder.path_join(name))
	for name in DirAccess.get_directories_at(folder):
		found.append_array(_scripts(folder.path_join(name)))
	return found
