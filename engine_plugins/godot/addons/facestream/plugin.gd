@tool
extends EditorPlugin
## The node `FaceStream` needs no plugin: its class is known by its name. This turns on what a project needs for it.

const _INPUT := "audio/driver/enable_input"


func _enable_plugin() -> void:
	# without it Godot gives no microphone to anyone; whoever needs none can turn it off again
	ProjectSettings.set_setting(_INPUT, true)
	ProjectSettings.save()
	print("facestream: turned on Project Settings > Audio > Driver > Enable Input, for microphones")
