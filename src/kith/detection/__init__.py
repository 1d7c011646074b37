"""Image -> faces."""

from kith.detection.choice import central_face as central_face
from kith.detection.choice import foremost_faces as foremost_faces
from kith.detection.choice import main_face as main_face
from kith.detection.detector import Detector as Detector
from kith.detection.detector import load_detector as load_detector
from kith.detection.mtcnn import MTCNN as MTCNN
from kith.detection.settings import DetectionSettings as DetectionSettings
