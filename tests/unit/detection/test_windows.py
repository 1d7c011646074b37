import numpy as np

from kith.detection.windows import cut_windows


def test_windows_are_bilinear_samples_from_edge_to_edge() -> None:
    height, width = 30, 50
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows * 5, columns * 5, np.zeros_like(rows)], axis=2).astype(np.uint8)
    box = np.array([[10.0, 6.0, 34.0, 22.0]])
    (window,) = cut_windows(image, box, 5)
    expected_columns = np.linspace(10, 34, 5) * (width - 1) / width
    expected_rows = np.linspace(6, 22, 5) * (height - 1) / height
    np.testing.assert_allclose(window[0, :, 1], expected_columns * 5, atol=1)
    np.testing.assert_allclose(window[:, 0, 0], expected_rows * 5, atol=1)


def test_windows_beyond_the_image_are_gray() -> None:
    (window,) = cut_windows(np.zeros((10, 10, 3), np.uint8), np.array([[-40.0, -40.0, -20.0, -20.0]]), 4)
    assert (window == 127).all()


def test_many_windows_are_cut_in_parts() -> None:
    image = np.arange(20 * 20 * 3, dtype=np.uint8).reshape(20, 20, 3)
    box = np.array([[2.0, 3.0, 12.0, 13.0]])
    many = cut_windows(image, np.repeat(box, 1500, axis=0), 24)
    assert (many == cut_windows(image, box, 24)).all()
