extends Node
## What a page may ask of the demo by `window.facestream.ask`: to say the WAV of an address, to listen, to stop; and what
## was shown, drawn frame by drawn frame, as JSON in `window.facestream.last`.

const _SHOWN: PackedStringArray = ["jawOpen", "mouthClose", "mouthFunnel", "eyeBlinkLeft"]

var _face: FaceStream
var _asked: JavaScriptObject  # JavaScript does not keep it alive
var _shown: Array[Array] = []
var _told: Array[Array] = []


func _init(face: FaceStream) -> void:
	_face = face


func _ready() -> void:
	_asked = JavaScriptBridge.create_callback(_on_asked)
	var page := JavaScriptBridge.create_object("Object")
	page.ask = _asked
	JavaScriptBridge.get_interface("window").facestream = page
	_face.face_shown.connect(_note)
	_face.state_changed.connect(func(state: StringName) -> void: _told.append(["state", state]))
	_face.failed.connect(func(kind: StringName, message: String) -> void: _told.append([kind, message]))
	_face.spoken.connect(func() -> void: _told.append(["spoken", ""]))


## ask(what, ...): what is one of the functions below, without its underscore.
func _on_asked(arguments: Array) -> void:
	callv("_" + str(arguments[0]), arguments.slice(1))


func _note() -> void:
	var row := [_face.position if is_finite(_face.position) else -1.0, int(_face.is_starved)]
	for name in _SHOWN:
		row.append(_face.value(name))
	_shown.append(row)


func _reach(server: String, token: String, model: String) -> void:
	_face.server = server
	_face.token = token
	_face.model = model


func _speak(address: String) -> void:
	_fetch(address, func(wav: AudioStreamWAV) -> void: _face.speak(wav))


## As samples that come bit by bit, of a WAV of one channel.
func _say(address: String) -> void:
	_fetch(address, func(wav: AudioStreamWAV) -> void:
		_face.open_voice(wav.mix_rate)
		for start in range(0, wav.data.size(), 8000):
			_face.push_samples(wav.data.slice(start, start + 8000))
			await get_tree().create_timer(0.05).timeout
		_face.close_voice())


func _listen() -> void:
	_face.listen_to_microphone()


func _stop() -> void:
	_face.stop()


## What happened since the last report.
func _report() -> void:
	var report := {
		"shapes": _face.moved_shapes(), "problem": _face.problem, "shown": _shown, "told": _told,
		"resumes": _face.stream.resumes if _face.stream != null else 0,
		"frames": _face.stream.next_frame if _face.stream != null else 0,
	}
	JavaScriptBridge.get_interface("window").facestream.last = JSON.stringify(report)
	_shown = []
	_told = []


func _fetch(address: String, then: Callable) -> void:
	var request := HTTPRequest.new()
	add_child(request)
	request.request_completed.connect(
		func(_result: int, code: int, _headers: PackedStringArray, body: PackedByteArray) -> void:
			request.queue_free()
			if code == 200:
				then.call(AudioStreamWAV.load_from_buffer(body))
			else:
				_told.append(["fetch", "%s answers %d" % [address, code]]))
	request.request(address)
