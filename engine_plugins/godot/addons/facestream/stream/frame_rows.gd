extends RefCounted
## Rows of frames out of the runs of one stream: 52 weights in ARKit's order, whatever the order of the server's, then head,
## left eye and right eye as quaternions x y z w.

const Answers := preload("../wire/answers.gd")
const Arkit := preload("../face/arkit.gd")

const ROTATIONS := 12
const WIDTH := Arkit.COUNT + ROTATIONS

## What is wrong with the server's curves; empty where nothing is.
var problem := ""

var _columns := PackedInt32Array()
var _is_ordered := false


## Everything 0 and unturned.
static func neutral() -> PackedFloat32Array:
	var row := PackedFloat32Array()
	row.resize(WIDTH)
	for w in range(Arkit.COUNT + 3, WIDTH, 4):
		row[w] = 1.0
	return row


func _init(curve_names: PackedStringArray) -> void:
	var same := "this add-on knows the 52 curves of ARKit: use a server and an add-on of the same version"
	for name in curve_names:
		var column := Arkit.NAMES.find(name)
		if column < 0 or column in _columns:
			problem = "the server's curve %d is '%s', which is unknown or comes twice; %s" % [_columns.size(), name, same]
			return
		_columns.append(column)
	for name in Arkit.NAMES:
		if name not in curve_names:
			problem = "the server sends %d curves and not '%s'; %s" % [curve_names.size(), name, same]
			return
	_is_ordered = Array(_columns) == range(Arkit.COUNT)


## What is wrong with a run; empty where nothing is.
func problem_of(run: Answers.FrameRun) -> String:
	var turns := 4 * run.count if not run.head.is_empty() else 0
	var is_whole := run.count > 0 and run.weights.size() == run.count * Arkit.COUNT and run.head.size() == turns \
		and run.left_eye.size() == turns and run.right_eye.size() == turns
	return "" if is_whole else "the server sent %d weights for %d frames of %d curves; use a server and an add-on of the " \
		% [run.weights.size(), run.count, Arkit.COUNT] + "same version"


## Frame `number` of a run that is whole.
func row_of(run: Answers.FrameRun, number: int) -> PackedFloat32Array:
	var row := run.weights.slice(number * Arkit.COUNT, (number + 1) * Arkit.COUNT)
	if not _is_ordered:
		var received := row.duplicate()
		for column in Arkit.COUNT:
			row[_columns[column]] = received[column]
	if run.head.is_empty():
		row.append_array(neutral().slice(Arkit.COUNT))
		return row
	for turns: PackedFloat32Array in [run.head, run.left_eye, run.right_eye]:
		row.append_array(turns.slice(4 * number, 4 * number + 4))
	return row
