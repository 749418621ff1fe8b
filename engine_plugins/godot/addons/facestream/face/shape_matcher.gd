extends RefCounted
## Which shape of a mesh shows which value of a face, whatever exporters made of the names: any case, any prefix, a suffix
## that all shapes share, and any spelling of a side (_L, .L, Left).

const Arkit := preload("arkit.gd")
const Expressions := preload("expressions.gd")

# what VRoid and VRChat call them
const _OTHER_NAMES := {
	"fclmtha": "aa", "fclmthi": "ih", "fclmthu": "ou", "fclmthe": "ee", "fclmtho": "oh",
	"fcleyeclose": "blink", "fcleyeclosel": "blinkLeft", "fcleyecloser": "blinkRight",
	"visemei": "viseme_ih", "visemeo": "viseme_oh", "visemeu": "viseme_ou",
}

# too short to be found within a name: VRM's names of vowels
const _WHOLE_NAMES := {
	"a": "aa", "i": "ih", "u": "ou", "e": "ee", "o": "oh", "aa": "aa", "ih": "ih", "ou": "ou", "ee": "ee", "oh": "oh",
}

static var _values := {}


## Index of the shape for each value of `Expressions`; -1 where the mesh has none. `own` has the last word: name of a value
## to name of a shape.
static func match_names(shapes: PackedStringArray, own: Dictionary) -> PackedInt32Array:
	var found := _matched(shapes, 0, 0)
	if found.count(-1) == found.size():
		found = _matched(shapes, _shared(shapes, false), _shared(shapes, true))
	for name: String in own:
		var value := Expressions.names().find(name)
		if value >= 0 and own[name] in shapes:
			found[value] = shapes.find(own[name])
	return found


## How many of a range of values have a shape.
static func count_in(found: PackedInt32Array, first: int, count: int) -> int:
	return count - found.slice(first, first + count).count(-1)


static func _matched(shapes: PackedStringArray, prefix: int, suffix: int) -> PackedInt32Array:
	var found := PackedInt32Array()
	found.resize(Expressions.COUNT)
	found.fill(-1)
	for index in shapes.size():
		var value := _value_of(shapes[index].substr(prefix, shapes[index].length() - prefix - suffix))
		if value >= 0 and found[value] < 0:
			found[value] = index
	return found


## The value of a name, whatever stands before it: the longest part of it that is known.
static func _value_of(name: String) -> int:
	if _values.is_empty():
		_values = _known()
	var names := Expressions.names()
	if _WHOLE_NAMES.has(_key(name)):
		return names.find(_WHOLE_NAMES[_key(name)])
	for start in name.length():
		if _is_word(name[start]) and (start == 0 or not _is_word(name[start - 1])):
			var key := _key(name.substr(start))
			if _values.has(key):
				return names.find(_values[key])
	return -1


static func _known() -> Dictionary:
	var known := _OTHER_NAMES.duplicate()
	var names := Expressions.names()
	for index in names.size():
		if index >= Expressions.FIRST_VOWEL and index < Expressions.FIRST_BLINK:
			continue
		var key := names[index].to_lower().replace("_", "")
		known[key] = names[index]
		if names[index].ends_with("Left"):
			known[key.trim_suffix("eft")] = names[index]
		elif names[index].ends_with("Right"):
			known[key.trim_suffix("ight")] = names[index]
		elif key.begins_with("viseme"):
			known["vrcv" + key.trim_prefix("viseme")] = names[index]
	return known


## Letters and digits in lower case.
static func _key(name: String) -> String:
	var key := ""
	for letter in name:
		if _is_word(letter):
			key += letter.to_lower()
	return key


static func _is_word(letter: String) -> bool:
	return letter.is_valid_int() or letter.to_lower() != letter.to_upper()


## How many characters all names begin with, or end with; one at least is left of each.
static func _shared(names: PackedStringArray, at_end: bool) -> int:
	var shared := 0
	while names.size() > 1:
		for name in names:
			var place := name.length() - 1 - shared if at_end else shared
			var first := names[0].length() - 1 - shared if at_end else shared
			if shared + 1 >= name.length() or name[place] != names[0][first]:
				return shared
		shared += 1
	return shared
