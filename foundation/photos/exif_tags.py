"""Numbers the fields of EXIF that are read (CIPA DC-008, tables 4 to 8): Pillow's list of all takes longer to load."""

from enum import IntEnum


class Tag(IntEnum):
    """The fields of EXIF that are read."""

    ImageDescription = 270
    Orientation = 274
    DateTime = 306
    Artist = 315
    Copyright = 33432
    ExifOffset = 34665
    DateTimeOriginal = 36867
    DateTimeDigitized = 36868
    OffsetTime = 36880
    OffsetTimeOriginal = 36881
    OffsetTimeDigitized = 36882
