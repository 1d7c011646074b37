"""How much a weights file may hold; whatever is more is refused before it is read.

The largest network Kith knows has 500 variables and 110 MB; a training adds a state of the optimizer,
which is twice as much again. With these limits no file takes more than a gigabyte or a few seconds.
"""

MOST_FILE_BYTES = 384 << 20
MOST_ARRAY_BYTES = 288 << 20
"""Of all arrays that are copied out of a file."""

MOST_VARIABLES = 20_000
