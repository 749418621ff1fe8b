"""facestream: speech in, a moving face out, live.

Read the package in the order of the data: `audio` -> `motion` -> `engines` -> `retarget` -> `polish`
-> `serving` -> `transports`; the other end of the wire is `client`.
"""

__version__ = "0.1.0"
