extends RefCounted
## Everything a mesh may have shapes for, out of one face: the 52 of ARKit, the 15 visemes, the five vowels and the blinks
## of VRM.

const Arkit := preload("arkit.gd")
const Visemes := preload("visemes.gd")

const FIRST_VISEME := Arkit.COUNT
const FIRST_VOWEL := FIRST_VISEME + 15
const FIRST_BLINK := FIRST_VOWEL + 5
const COUNT := FIRST_BLINK + 3

const _OTHER_NAMES: PackedStringArray = ["aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight"]
const _BLINK_LEFT := 0
const _BLINK_RIGHT := 7

static var _visemes := Visemes.new()


## Names of the values, in order: ARKit's, viseme_sil ..., aa ih ou ee oh, blink blinkLeft blinkRight.
static func names() -> PackedStringArray:
	var all := Arkit.NAMES.duplicate()
	for viseme in Visemes.NAMES:
		all.append("viseme_" + viseme)
	all.append_array(_OTHER_NAMES)
	return all


## All values of a face; without `needs_visemes` visemes and vowels stay 0, which saves their solution.
static func of(face: PackedFloat32Array, needs_visemes: bool) -> PackedFloat32Array:
	var values := face.slice(0, Arkit.COUNT)
	values.resize(COUNT)
	values[FIRST_BLINK] = minf(face[_BLINK_LEFT], face[_BLINK_RIGHT])
	values[FIRST_BLINK + 1] = face[_BLINK_LEFT]
	values[FIRST_BLINK + 2] = face[_BLINK_RIGHT]
	if not needs_visemes:
		return values
	var said := _visemes.solve(face)
	for index in said.size():
		values[FIRST_VISEME + index] = said[index]
	values[FIRST_VOWEL] = said[10]
	values[FIRST_VOWEL + 1] = minf(1, said[12] + 0.5 * said[7])
	values[FIRST_VOWEL + 2] = minf(1, said[14] + 0.5 * said[9] + 0.5 * said[6])
	values[FIRST_VOWEL + 3] = minf(1, said[11] + 0.5 * said[5])
	values[FIRST_VOWEL + 4] = said[13]
	return values
