"""Keras model -> ONNX -> what runs.

ONNX Runtime reports to its maker, from version 1.29 on and by default: it writes a device's id into
the user's cache when it is imported, and connects soon after. One environment variable prevents all
of it if it is set before the first import; child processes inherit it. `kith` sets it when it is imported,
for programs that import ONNX Runtime themselves afterwards. Everything of Kith that imports it lies in this
package, so what is done here holds for all of Kith.
"""

import logging
import os
import sys

TELEMETRY_SWITCH = "ORT_DISABLE_TELEMETRY"

if "onnxruntime" in sys.modules and os.environ.get(TELEMETRY_SWITCH) != "1" and not os.environ.get("CI"):
    logging.getLogger("kith").warning(
        "kith: onnxruntime was imported before Kith, too early to keep it from reporting to its maker; "
        "import kith first, or set %s=1",
        TELEMETRY_SWITCH,
    )
os.environ[TELEMETRY_SWITCH] = "1"
