"""Pictures of the open head: single faces and contact sheets. Needs numpy and Pillow, no GPU, no display."""
