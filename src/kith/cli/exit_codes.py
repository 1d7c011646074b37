"""What each error means to a shell. Documented in the README; a test checks that none is missing."""

from collections.abc import Mapping

from kith import errors

SUCCESS = 0
NON_MATCH = 1
ERROR = 2
UNDETERMINED = 3
MISTAKE = 70  # in Kith itself; sysexits.h calls it EX_SOFTWARE
INTERRUPTED = 130

EXIT_CODES: Mapping[type[errors.KithError], int] = {
    errors.InvalidArgument: ERROR,
    errors.ImageError: ERROR,
    errors.NoPeopleFound: ERROR,
    errors.InvalidImage: ERROR,
    errors.NoFaceFound: UNDETERMINED,
    errors.SeveralFacesFound: UNDETERMINED,
    errors.LowQuality: UNDETERMINED,
    errors.UnknownSubject: ERROR,
    errors.DuplicateSubject: ERROR,
    errors.UnknownReference: ERROR,
    errors.DuplicateReference: ERROR,
    errors.UnknownCluster: ERROR,
    errors.ModelMismatch: ERROR,
    errors.GalleryError: ERROR,
    errors.EvaluationError: ERROR,
    errors.TrainingError: ERROR,
    errors.UnknownModel: ERROR,
    errors.ChecksumMismatch: ERROR,
    errors.DownloadFailed: ERROR,
    errors.LicenseNotAccepted: ERROR,
    errors.UnsupportedFile: ERROR,
    errors.WeightsError: ERROR,
    errors.DeviceError: ERROR,
    errors.MissingExtra: ERROR,
}


def exit_code(error: errors.KithError) -> int:
    """The exit code of an error: its own class's, or the nearest parent's."""
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return ERROR
