"""Every error has an exit code, and errors stay one tree."""

from kith import errors
from kith.cli.exit_codes import EXIT_CODES, exit_code


def leaves(kind: type[errors.KithError]) -> list[type[errors.KithError]]:
    children = kind.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [kind]


def test_every_leaf_has_its_exit_code() -> None:
    assert set(leaves(errors.KithError)) <= set(EXIT_CODES)


def test_a_usable_face_missing_is_undetermined_and_all_else_an_error() -> None:
    for kind, code in EXIT_CODES.items():
        assert code == (3 if issubclass(kind, errors.AcquisitionError) else 2)


def test_parents_answer_for_new_children() -> None:
    class Blinking(errors.LowQuality):
        """A made-up error."""

    assert exit_code(Blinking("eyes closed")) == 3


def test_every_error_is_in_the_drawn_tree() -> None:
    def below(kind: type) -> list[type]:
        return [kind, *(grandchild for child in kind.__subclasses__() for grandchild in below(child))]

    drawn = errors.__doc__ or ""
    for kind in below(errors.KithError):
        if kind.__module__ == "kith.errors":
            assert kind.__name__ in drawn


def test_missing_extra_is_an_import_error_that_says_how() -> None:
    error = errors.MissingExtra("ray", "scale")
    assert isinstance(error, ImportError)
    assert "pip install 'kith[scale]'" in str(error)


def test_unknown_subject_suggests_close_names() -> None:
    error = errors.UnknownSubject("Grce", ["Grace", "Ada"])
    assert error.close_matches == ["Grace"]
    assert "did you mean Grace?" in str(error)
