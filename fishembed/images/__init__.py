"""Where pictures come from, and how bytes become pixels."""

from fishembed.images.blob import Blob
from fishembed.images.decode import MAX_PIXELS, decode, quiet_decoding, read_bytes
from fishembed.images.geometry import crop_pixels
from fishembed.images.inputs import find_pictures
from fishembed.images.lookup import Photos
from fishembed.images.on_device import DeviceDecoder, suits_device
from fishembed.images.pixels import Decoding, image_pixels
from fishembed.images.source import Item, Source, open_source

__all__ = [
    "MAX_PIXELS",
    "Blob",
    "Decoding",
    "DeviceDecoder",
    "Item",
    "Photos",
    "Source",
    "crop_pixels",
    "decode",
    "find_pictures",
    "image_pixels",
    "open_source",
    "quiet_decoding",
    "read_bytes",
    "suits_device",
]
