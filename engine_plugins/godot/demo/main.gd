extends Node3D
## The open head says `speech.wav`, or what the microphone hears. Options stand behind `--` of the command line:
## `godot --path demo -- --server=ws://HOST:PORT --token=TOKEN --model=NAME`.

const HEAD := "res://open_head.glb"
const SPEECH := "res://speech.wav"
const WebHooks := preload("web_hooks.gd")

@onready var face: FaceStream = $Character/FaceStream
@onready var _told: Label = $Panel/Told
@onready var _speak: Button = $Panel/Buttons/Speak
@onready var _microphone: Button = $Panel/Buttons/Microphone


func _ready() -> void:
	for argument in OS.get_cmdline_user_args():
		var option := argument.trim_prefix("--").split("=", true, 1)
		if option.size() == 2 and option[0] in ["server", "token", "model"]:
			face.set(option[0], option[1])
	$Character.add_child(_head())
	face.find_shapes()
	face.state_changed.connect(func(state: StringName) -> void: _told.text = state)
	face.failed.connect(func(_kind: StringName, message: String) -> void: _told.text = message)
	face.spoken.connect(func() -> void: _told.text = "")
	_speak.pressed.connect(func() -> void: face.speak(AudioStreamWAV.load_from_file(SPEECH)))
	_microphone.toggled.connect(_listen)
	if OS.has_feature("web"):
		add_child(WebHooks.new(face))


func _listen(is_wanted: bool) -> void:
	if is_wanted:
		face.listen_to_microphone()
	else:
		face.stop()


## The head as it lies in the project, read at run time; a character of yours is a scene that Godot has imported.
func _head() -> Node:
	var state := GLTFState.new()
	var document := GLTFDocument.new()
	if document.append_from_file(HEAD, state) != OK:
		_told.text = "%s is missing; see the demo's README" % HEAD
		return Node.new()
	return document.generate_scene(state)
