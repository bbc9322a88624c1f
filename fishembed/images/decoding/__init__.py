"""Decoding: from the bytes of images to pixels."""
