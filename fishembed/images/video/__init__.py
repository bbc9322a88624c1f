"""Videos: which frames of them are images, and how a frame is read at its time."""
