"""Edge rings around the mouth of the MakeHuman mesh: where the lips touch, what is lip, what is cavity.

The mesh is made of quads, and the lips are closed edge loops around the mouth's slit. A loop is followed from a
vertex and a neighbour: at each vertex of four edges go straight on, over the edge that shares no quad with the one
you came by.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from facestream_models.flame.head import Float64, Int64

SLIT_START = 520
"""Vertex of mesh hm08 in the middle of the upper lip where it touches the lower one (0, 6.683, 1.444) dm."""

LIP_RINGS = 6
"""Edge loops from the slit to the border of the red of the lips."""


@dataclass(frozen=True)
class MouthRings:
    """`upper` and `lower` [K]: the slit's vertices on each lip, both from the subject's right to left.

    `lip_ring` [N]: 0 at the slit, 1 .. LIP_RINGS outwards, -1 inside the mouth and LIP_RINGS + 1 beyond the lips.
    """

    upper: Int64
    lower: Int64
    lip_ring: Int64


def find_mouth_rings(vertices: Float64, quads: Int64) -> MouthRings:
    """Follow the slit of `quads` [Q, 4] and count rings from it; `vertices` [N, 3]."""
    mesh = _QuadMesh(quads)
    right = min(mesh.neighbours(SLIT_START), key=lambda vertex: vertices[vertex, 0])
    slit = np.array(mesh.loop(SLIT_START, right))
    # The slit runs from the middle of the upper lip to the right corner, along the lower lip, and back.
    half = len(slit) // 2
    turned = np.roll(slit, (half - 1) // 2)
    upper, lower = turned[:half][::-1], turned[half:]

    ring = np.full(len(vertices), LIP_RINGS + 1, np.int64)
    beyond = mesh.neighbours(SLIT_START) - set(slit.tolist())
    inside = mesh.flood(min(beyond, key=lambda vertex: vertices[vertex, 2]), border=set(slit.tolist()))
    ring[list(inside)] = -1
    ring[slit] = 0
    frontier = set(slit.tolist())
    for number in range(1, LIP_RINGS + 1):
        frontier = {n for v in frontier for n in mesh.corner_neighbours(v) if ring[n] == LIP_RINGS + 1}
        ring[list(frontier)] = number
    return MouthRings(upper, lower, ring)


class _QuadMesh:
    def __init__(self, quads: Int64) -> None:
        self._quads = quads.tolist()
        self._quads_of: dict[int, list[int]] = defaultdict(list)
        for index, quad in enumerate(self._quads):
            for vertex in quad:
                self._quads_of[vertex].append(index)

    def neighbours(self, vertex: int) -> set[int]:
        """Vertices that share an edge with `vertex`."""
        found = set()
        for index in self._quads_of[vertex]:
            quad = self._quads[index]
            place = quad.index(vertex)
            found |= {quad[place - 1], quad[(place + 1) % 4]}
        return found

    def corner_neighbours(self, vertex: int) -> set[int]:
        """Vertices that share a quad with `vertex`."""
        return {other for index in self._quads_of[vertex] for other in self._quads[index]} - {vertex}

    def flood(self, start: int, border: set[int]) -> set[int]:
        """Vertices reached from `start` over edges without entering `border`."""
        seen, stack = {start}, [start]
        while stack:
            fresh = self.neighbours(stack.pop()) - seen - border
            seen |= fresh
            stack.extend(fresh)
        return seen

    def loop(self, first: int, second: int) -> list[int]:
        """The closed edge loop that starts `first`, `second`."""
        path = [first, second]
        while True:
            before, here = path[-2:]
            beside = {v for i in self._quads_of[here] if before in self._quads[i] for v in self._quads[i]}
            ahead = self.neighbours(here) - beside
            if len(ahead) != 1:
                raise ValueError(f"no edge loop through vertices {first} and {second}: it ends at {here}")
            following = ahead.pop()
            if following == first:
                return path
            path.append(following)
