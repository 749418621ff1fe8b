extends RefCounted
## Moves the shapes of meshes, and head and eyes, by one face after the other.

const Arkit := preload("arkit.gd")
const Expressions := preload("expressions.gd")
const ShapeMatcher := preload("shape_matcher.gd")
const Turning := preload("turning.gd")

## Which shapes are moved: ARKit's where there are ten at least, else visemes, else the vowels of VRM; or those named.
enum Shapes { AUTOMATIC, ARKIT, VISEMES, VOWELS }

const _ENOUGH_OF_ARKIT := 10
const _NOTICEABLE := 1e-4

## Values 0 to 1 of the last face by the names of `Expressions.names()`, gains included.
var values := PackedFloat32Array()

## How many shapes are moved.
var moved_shapes: int:
	get:
		return _moved.size()

## What to tell of meshes that can not speak; empty where one can.
var problem := ""

# mesh, shape, value and last weight of each
var _moved: Array[Array] = []
var _gains := PackedFloat32Array()
var _needs_visemes := false
var _turnings: Array[Turning] = []


## `gains` are factors by name of a value, `names` shapes by name of a value, where matching by name fails.
func _init(meshes: Array[MeshInstance3D], shapes: Shapes, gains: Dictionary, names: Dictionary) -> void:
	_gains.resize(Expressions.COUNT)
	_gains.fill(1.0)
	var known := Expressions.names()
	for name: String in gains:
		if name in known:
			_gains[known.find(name)] = gains[name]
		else:
			problem = "gains: got '%s'; allowed: the names of ARKit, viseme_aa ..., aa ..., blink ..." % name
	var found := PackedStringArray()
	for mesh in meshes:
		var own := _shape_names(mesh)
		_match(mesh, own, shapes, names)
		found.append("%s has %s" % [mesh.name, ", ".join(own) if not own.is_empty() else "none"])
	if _moved.is_empty():
		var there := "; ".join(found) if not found.is_empty() else "there is no MeshInstance3D"
		problem = "no blend shapes that can speak: " + there


## Turn `turnings`: head, left eye, right eye; null for what is not turned.
func turn(turnings: Array[Turning]) -> void:
	_turnings = turnings


## Show a face: 52 weights and 12 numbers of rotation.
func show(face: PackedFloat32Array) -> void:
	values = Expressions.of(face, _needs_visemes)
	for index in values.size():
		values[index] = clampf(values[index] * _gains[index], 0, 1)
	for moved in _moved:
		var weight := values[moved[2]]
		if absf(weight - moved[3]) > _NOTICEABLE or (weight == 0 and moved[3] != 0):
			moved[3] = weight
			moved[0].set_blend_shape_value(moved[1], weight)
	for index in _turnings.size():
		var at := Arkit.COUNT + 4 * index
		if _turnings[index] != null:
			_turnings[index].turn(Quaternion(face[at], face[at + 1], face[at + 2], face[at + 3]).normalized())


func _match(mesh: MeshInstance3D, shape_names: PackedStringArray, shapes: Shapes, names: Dictionary) -> void:
	var found := ShapeMatcher.match_names(shape_names, names)
	match _chosen(found) if shapes == Shapes.AUTOMATIC else shapes:
		Shapes.ARKIT:
			_add(mesh, found, range(Arkit.COUNT))
			return
		Shapes.VISEMES:
			# silence is no shape to be shown
			_add(mesh, found, range(Expressions.FIRST_VISEME + 1, Expressions.FIRST_VOWEL))
		Shapes.VOWELS:
			_add(mesh, found, range(Expressions.FIRST_VOWEL, Expressions.FIRST_BLINK))
	_needs_visemes = true
	var blink := Expressions.FIRST_BLINK
	_add(mesh, found, [blink + 1, blink + 2] if found[blink + 1] >= 0 else [blink])


static func _chosen(found: PackedInt32Array) -> Shapes:
	var visemes := ShapeMatcher.count_in(found, Expressions.FIRST_VISEME, Expressions.FIRST_VOWEL - Expressions.FIRST_VISEME)
	var vowels := ShapeMatcher.count_in(found, Expressions.FIRST_VOWEL, Expressions.FIRST_BLINK - Expressions.FIRST_VOWEL)
	var has_arkit := ShapeMatcher.count_in(found, 0, Arkit.COUNT) >= _ENOUGH_OF_ARKIT
	if has_arkit or (visemes == 0 and vowels == 0):
		return Shapes.ARKIT
	return Shapes.VISEMES if visemes > 0 else Shapes.VOWELS


func _add(mesh: MeshInstance3D, found: PackedInt32Array, wanted: Array) -> void:
	for value: int in wanted:
		if found[value] >= 0:
			_moved.append([mesh, found[value], value, 0.0])


static func _shape_names(mesh: MeshInstance3D) -> PackedStringArray:
	var names := PackedStringArray()
	var shapes := mesh.mesh as ArrayMesh
	for index in shapes.get_blend_shape_count() if shapes != null else 0:
		names.append(shapes.get_blend_shape_name(index))
	return names
