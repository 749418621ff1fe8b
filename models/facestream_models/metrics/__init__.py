"""What speech motion is judged by; definitions of section 6 of the speech-motion-data specification.

Frames are at 50 Hz: frame j describes 20j ms. `Segments` of a clip are given in seconds.
"""
