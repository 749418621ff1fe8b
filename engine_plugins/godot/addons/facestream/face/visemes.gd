extends RefCounted
## The 15 visemes of Oculus and Ready Player Me out of ARKit weights. Each viseme is a sparse ARKit pose; its weight is how
## much of that pose a face holds: non-negative least squares, the sum at most 1, silence the rest.
##
## The active sets of Lawson and Hanson (Solving Least Squares Problems, chapter 23), as the server does it: the poses are
## too much alike for anything that descends step by step.

const Arkit := preload("arkit.gd")

const NAMES: PackedStringArray = [
	"sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"
]

const _SPOKEN := 14
const _MOST_ROUNDS := 4 * _SPOKEN
const _TOLERANCE := 1e-9

# in the order of NAMES, without silence; "S" stands for a shape's Left and Right
const _POSES: PackedStringArray = [
	"mouthClose .05 mouthPressS .5 mouthRollLower .25 mouthRollUpper .25",
	"mouthRollLower .55 mouthUpperUpS .25 jawOpen .05",
	"jawOpen .15 tongueOut .35 mouthUpperUpS .1",
	"jawOpen .12 mouthUpperUpS .15 mouthLowerDownS .2",
	"jawOpen .2 mouthStretchS .15 mouthLowerDownS .1",
	"mouthFunnel .5 jawOpen .1 mouthPucker .15 mouthUpperUpS .1",
	"mouthStretchS .3 mouthLowerDownS .25 mouthUpperUpS .1 jawOpen .04",
	"jawOpen .1 mouthUpperUpS .1 mouthLowerDownS .08",
	"mouthFunnel .3 mouthPucker .25 jawOpen .1",
	"jawOpen .65 mouthLowerDownS .2",
	"jawOpen .3 mouthSmileS .2 mouthStretchS .2 mouthLowerDownS .2",
	"jawOpen .18 mouthSmileS .35 mouthStretchS .15",
	"jawOpen .4 mouthFunnel .55",
	"jawOpen .12 mouthPucker .7 mouthFunnel .2",
]

# a pose as index and weight of its few shapes
var _shapes: Array[PackedInt32Array] = []
var _weights: Array[PackedFloat64Array] = []
var _gram: Array[PackedFloat64Array] = []
var _wanted := PackedFloat64Array()
var _found := PackedFloat64Array()
var _is_free: Array[bool] = []


func _init() -> void:
	_wanted.resize(_SPOKEN)
	_found.resize(_SPOKEN)
	_is_free.resize(_SPOKEN)
	for pose in _POSES:
		_read_pose(pose.split(" "))
	for one in _SPOKEN:
		var full := PackedFloat32Array()
		full.resize(Arkit.COUNT)
		for place in _shapes[one].size():
			full[_shapes[one][place]] = _weights[one][place]
		var row := PackedFloat64Array()
		for other in _SPOKEN:
			row.append(_overlap(other, full))
		_gram.append(row)


## Weights of the 15, which sum up to 1, of a face whose first 52 numbers are ARKit's.
func solve(face: PackedFloat32Array) -> PackedFloat32Array:
	for one in _SPOKEN:
		_wanted[one] = _overlap(one, face)
		_found[one] = 0.0
		_is_free[one] = false
	for _round in _MOST_ROUNDS:
		if not _free_one():
			break
		while not _improve():
			pass
	var sum := 0.0
	for value in _found:
		sum += value
	var visemes := PackedFloat32Array([maxf(0, 1 - sum)])
	for value in _found:
		visemes.append(value / maxf(1, sum))
	return visemes


## Let the pose rise that would help most; false where none helps.
func _free_one() -> bool:
	var best := -1
	var strongest := _TOLERANCE
	for one in _SPOKEN:
		if _is_free[one]:
			continue
		var pull := _wanted[one]
		for other in _SPOKEN:
			pull -= _gram[one][other] * _found[other]
		if pull > strongest:
			strongest = pull
			best = one
	if best >= 0:
		_is_free[best] = true
	return best >= 0


## Go towards the minimum over the free poses; false where one of them met zero on the way.
func _improve() -> bool:
	var best := _solve_free()
	var share := 1.0
	for one in _SPOKEN:
		if _is_free[one] and best[one] <= 0:
			share = minf(share, _found[one] / maxf(_found[one] - best[one], 1e-30))
	var is_whole := true
	for one in _SPOKEN:
		if not _is_free[one]:
			continue
		var is_low := best[one] <= 0
		is_whole = is_whole and not is_low
		if is_low and _found[one] / maxf(_found[one] - best[one], 1e-30) <= share:
			_is_free[one] = false
			_found[one] = 0.0
		else:
			_found[one] += share * (best[one] - _found[one])
	return is_whole


## The minimum over the free poses, by elimination; the normal matrix is positive definite.
func _solve_free() -> PackedFloat64Array:
	var free: Array[int] = []
	for one in _SPOKEN:
		if _is_free[one]:
			free.append(one)
	var rows: Array[PackedFloat64Array] = []
	for one in free:
		var row := PackedFloat64Array()
		for other in free:
			row.append(_gram[one][other])
		row.append(_wanted[one])
		rows.append(row)
	var count := free.size()
	for pivot in count:
		for below in range(pivot + 1, count):
			var factor := rows[below][pivot] / rows[pivot][pivot]
			for column in range(pivot, count + 1):
				rows[below][column] -= factor * rows[pivot][column]
	var best := PackedFloat64Array()
	best.resize(_SPOKEN)
	for place in range(count - 1, -1, -1):
		var value := rows[place][count]
		for column in range(place + 1, count):
			value -= rows[place][column] * best[free[column]]
		best[free[place]] = value / rows[place][place]
	return best


func _overlap(pose: int, face: PackedFloat32Array) -> float:
	var sum := 0.0
	for place in _shapes[pose].size():
		sum += _weights[pose][place] * face[_shapes[pose][place]]
	return sum


func _read_pose(words: PackedStringArray) -> void:
	var shapes := PackedInt32Array()
	var weights := PackedFloat64Array()
	for word in range(0, words.size(), 2):
		var both := words[word].trim_suffix("S")
		for side: String in ["Left", "Right"] if both != words[word] else [""]:
			shapes.append(Arkit.NAMES.find(both + side))
			weights.append(words[word + 1].to_float())
	_shapes.append(shapes)
	_weights.append(weights)
