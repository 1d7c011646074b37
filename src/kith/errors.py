"""Every error that Kith raises on purpose.

::

    KithError
    ├── InvalidArgument         a rate, a limit or a prior that cannot be; a ValueError too
    ├── ImageError              the file is not a picture we can or may read
    │   ├── NoPeopleFound       a folder that was to have one folder per person has none with a photo
    │   └── InvalidImage        what was given for an image is no (h, w, 3) uint8 array
    ├── AcquisitionError        the picture is fine, but no usable face comes out of it
    │   ├── NoFaceFound
    │   ├── SeveralFacesFound
    │   └── LowQuality
    ├── GalleryError            the gallery cannot do what was asked
    │   ├── UnknownSubject
    │   ├── DuplicateSubject
    │   ├── UnknownReference
    │   ├── DuplicateReference
    │   ├── UnknownCluster
    │   └── ModelMismatch
    ├── EvaluationError         the protocol's files do not fit together
    ├── TrainingError           the data, the settings or the numbers do not allow training
    ├── WeightsError            a model cannot be had or read
    │   ├── UnknownModel
    │   ├── ChecksumMismatch
    │   ├── DownloadFailed
    │   ├── LicenseNotAccepted
    │   └── UnsupportedFile
    ├── DeviceError             networks cannot be run on the device that was asked for
    └── MissingExtra            an optional package is not installed

Wrong types and shapes in a program stay TypeError and ValueError. Nothing here knows of exit
codes or HTTP: the command line keeps its own table.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from enum import StrEnum


class Remedy(StrEnum):
    """What helps; how it is asked for is known to whoever shows the error."""

    PULL_MODEL = "pull model"
    ACCEPT_AND_PULL = "accept and pull"
    ACCEPT_AND_IMPORT = "accept and import"
    IMPORT_FILE = "import file"
    REMOVE_MODEL = "remove model"
    DESCRIBE_ONNX = "describe onnx"
    SIZE_OF_ONNX = "size of onnx"
    PIXELS_OF_ONNX = "pixels of onnx"
    OUTPUT_OF_ONNX = "output of onnx"
    CALIBRATE = "calibrate"
    LIST_CLUSTERS = "list clusters"
    SHOW_FACES = "show faces"
    MERGE_PEOPLE = "merge people"
    RENAME_PERSON = "rename person"
    DELETE_PERSON = "delete person"
    REPLACE_FILE = "replace file"


class KithError(Exception):
    """Root of everything Kith raises on purpose; its text is one line for a person to read.

    Args:
        text: What is wrong.
        remedy: What helps, if something does.
        about: What the remedy is applied to: a model's name, people's names.
    """

    def __init__(self, *text: object, remedy: Remedy | None = None, about: Sequence[str] = ()) -> None:
        super().__init__(*text)
        self.remedy = remedy
        self.about = tuple(about)


class InvalidArgument(KithError, ValueError):
    """What was asked for cannot be, whatever the data: a rate above 1, for example."""


class ImageError(KithError):
    """The file is missing, is no picture, is damaged, or is larger than allowed."""


class NoPeopleFound(ImageError):
    """A folder that was to have one folder per person has no photo in any."""


class InvalidImage(ImageError, TypeError, ValueError):
    """What was given for an image is none; a TypeError and a ValueError, as NumPy would raise either."""


class ImageWarning(UserWarning):
    """A picture was read although something is wrong with it, such as a missing end."""


class AcquisitionError(KithError):
    """A picture was read but gave no face that can be used."""


class NoFaceFound(AcquisitionError):
    """The detector found no face in the picture."""


class SeveralFacesFound(AcquisitionError):
    """One face was needed and the picture shows several, none of them clearly the main one."""


class LowQuality(AcquisitionError):
    """The face is too small, too blurred or too much in profile to rely on."""


class GalleryError(KithError):
    """The gallery cannot be opened, read or written as asked."""


class UnknownSubject(GalleryError):
    """No subject of the gallery has this name.

    Attributes:
        name: As it was asked for.
        now: The name of who was called so before; empty if no one was.
        close_matches: Names that are like it.
    """

    def __init__(self, name: str, known: Sequence[str], *, now: str = "", former: bool = False) -> None:
        self.name = name
        self.now = now
        self.close_matches = get_close_matches(name, known, n=3, cutoff=0.6)
        hint = f"; did you mean {' or '.join(self.close_matches)}?" if self.close_matches else ""
        hint = f"; {now} was called so before" if now else hint
        super().__init__(f"no person {'formerly ' if former else ''}named {name!r} in the gallery{hint}")


class DuplicateSubject(GalleryError):
    """A subject of this name exists already."""


class UnknownReference(GalleryError):
    """No reference has this number."""

    def __init__(self, id: int) -> None:
        self.id = id
        super().__init__(f"no reference {id} in the gallery")


class DuplicateReference(GalleryError):
    """This very photo is enrolled already.

    Attributes:
        source: Where the photo is; may be empty.
        reference_id: Of the reference that is there.
        owner: The name of the person whose reference that is.
        wanted: The name of the person it was to be enrolled as.
    """

    def __init__(self, source: str, reference_id: int, owner: str, wanted: str) -> None:
        self.source = source
        self.reference_id = reference_id
        self.owner = owner
        self.wanted = wanted
        super().__init__(f"{source or 'this photo'} is enrolled already, as {owner}")


class UnknownCluster(GalleryError):
    """No cluster has this number."""


class ModelMismatch(GalleryError):
    """Templates of two different models were to be compared."""


class EvaluationError(KithError):
    """An evaluation protocol's files are missing, malformed or do not fit together."""


class TrainingError(KithError):
    """The photos, the settings or the numbers do not allow training, or to go on with it."""


class WeightsError(KithError):
    """A model cannot be had or read."""


class UnknownModel(WeightsError):
    """No model of this name is in the catalogue."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown model {name!r}; known models: {', '.join(sorted(set(known)))}")


class ChecksumMismatch(WeightsError):
    """A weights file is not the one that was published."""


class DownloadFailed(WeightsError):
    """A weights file is not on this machine and could not be fetched."""


class LicenseNotAccepted(WeightsError):
    """A model's license forbids commercial use, and nobody here has accepted it; nothing was fetched.

    Attributes:
        license: Its words, and where it can be read.
    """

    def __init__(self, what: str, license: str, url: str, remedy: Remedy) -> None:
        self.license = f"{license} ({url})" if url else license
        super().__init__(f"{what} must not be used commercially: {self.license}", remedy=remedy, about=[what])


class UnsupportedFile(WeightsError):
    """A weights file is damaged, or is of a kind Kith does not read."""


class DeviceError(KithError):
    """Networks cannot be run on the device that was asked for."""


class MissingExtra(KithError, ImportError):
    """An optional package is needed for this and is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs {package}; install it with: pip install 'kith[{extra}]'")
