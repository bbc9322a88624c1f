"""Datasets of images, and decoding from bytes to pixels."""

from fishembed.images.datasets.boxes import DEFAULT_BOXES, BoxOptions, parse_box_path
from fishembed.images.datasets.exif_columns import with_exif
from fishembed.images.datasets.folder import find_images
from fishembed.images.datasets.open_dataset import list_dataset, open_dataset
from fishembed.images.datasets.samples import Dataset, Sample
from fishembed.images.datasets.special_kinds import is_image_list
from fishembed.images.datasets.video_frames import (
    VideoFrame,
    files_and_frames,
    parse_frame_path,
    with_frames,
)
from fishembed.images.decoding.decode import MAX_PIXELS, decode, image_size, quiet_decoding
from fishembed.images.decoding.image_bytes import ImageBytes, read_bytes
from fishembed.images.decoding.image_pixels import Decoding, crop_pixels, image_pixels
from fishembed.images.decoding.on_device import DeviceDecoder, suits_device
from fishembed.images.stored_images import ImageFiles

# Names of 0.1.0, for scripts that import them.
open_source, find_pictures, picture_pixels = open_dataset, find_images, image_pixels
Source, Item, Blob, Photos = Dataset, Sample, ImageBytes, ImageFiles

__all__ = [
    "DEFAULT_BOXES",
    "MAX_PIXELS",
    "BoxOptions",
    "Dataset",
    "Decoding",
    "DeviceDecoder",
    "ImageBytes",
    "ImageFiles",
    "Sample",
    "VideoFrame",
    "crop_pixels",
    "decode",
    "files_and_frames",
    "find_images",
    "image_pixels",
    "image_size",
    "is_image_list",
    "list_dataset",
    "open_dataset",
    "parse_box_path",
    "parse_frame_path",
    "quiet_decoding",
    "read_bytes",
    "suits_device",
    "with_exif",
    "with_frames",
]
