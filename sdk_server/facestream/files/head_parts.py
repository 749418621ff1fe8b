"""How the open head is cut into meshes, in every format that has meshes."""

FACE_PARTS = ("skin", "lips", "mouth", "brows", "lashes")
"""Parts of the mesh `face`, which all 52 shapes move and which is skinned to root and neck."""

RIDING = {
    "teeth_upper": ("teeth_upper", "gums_upper"),
    "teeth_lower": ("teeth_lower", "gums_lower"),
    "tongue": ("tongue",),
    "eye_left": ("white_left", "iris_left", "pupil_left"),
    "eye_right": ("white_right", "iris_right", "pupil_right"),
}
"""Meshes that ride on the neck, and the parts they are made of."""

TWO_SIDED = ("brows", "lashes", "mouth")

MOVED = 1.5e-4
"""Metres: less in a morph target is left out. Keeps the GLB at 1.5 MB."""
