extends RefCounted
## A node, or a bone of a skeleton, that is turned away from its rest. Godot's axes are those of the wire: right-handed,
## +Y up, a character's face towards +Z.

var _node: Node3D
var _bone := -1
var _rest: Quaternion
var _above := Quaternion.IDENTITY


## `bone` is the bone of a Skeleton3D; without one the node itself is turned.
func _init(node: Node3D, bone := "") -> void:
	_node = node
	if bone.is_empty():
		_rest = node.quaternion
		return
	var skeleton := node as Skeleton3D
	_bone = skeleton.find_bone(bone)
	_rest = skeleton.get_bone_rest(_bone).basis.get_rotation_quaternion()
	var parent := skeleton.get_bone_parent(_bone)
	if parent >= 0:
		_above = skeleton.get_bone_global_rest(parent).basis.get_rotation_quaternion()


## Turn it, as seen from the character, so far away from its rest.
func turn(by: Quaternion) -> void:
	if _bone < 0:
		_node.quaternion = by * _rest
	else:
		(_node as Skeleton3D).set_bone_pose_rotation(_bone, _above.inverse() * by * _above * _rest)
