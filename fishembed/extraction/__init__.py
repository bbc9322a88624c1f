"""Images through an encoder into a store: what is new, and the way it goes."""

from fishembed.extraction.encode_images import EncodedPictures, encode_pictures
from fishembed.extraction.extract import extract
from fishembed.extraction.ray_engine import RayEngine
from fishembed.extraction.result import Extraction

__all__ = [
    "EncodedPictures",
    "Extraction",
    "RayEngine",
    "encode_pictures",
    "extract",
]
