#!/usr/bin/env bash
# Every claim beside its peer, in the same run. Peers live in .venv-bench, for their heavy dependencies.
#   KITH_LFW=/path/to/lfw bash benchmarks/run.sh [detection embedding photo_to_template facenet many_photos startup memory identification calibration promises clustering mini]
set -euo pipefail
cd "$(dirname "$0")/.."
lfw=${KITH_LFW:-../shared/data/lfw}
venv=.venv-bench

if [ ! -d "$lfw" ]; then
    echo "No benchmarks: $lfw is not there. Set KITH_LFW to the folder of Labeled Faces in the Wild."
    exit 0
fi

if [ ! -e "$venv/.ready" ] || [ pyproject.toml -nt "$venv/.ready" ] || [ benchmarks/run.sh -nt "$venv/.ready" ]; then
    echo "Setting up $venv with the peers (once, about three minutes) ..."
    [ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --editable . \
        tensorflow-cpu mtcnn==1.0.0 dlib-bin 'setuptools<81' click psutil
    # face_recognition asks for dlib, which compiles for half an hour; dlib-bin is the same, compiled
    "$venv/bin/python" -m pip install --quiet --no-deps face_recognition face_recognition_models==0.3.0
    # facenet-pytorch asks for a torch of 2024; its network runs on this one
    "$venv/bin/python" -m pip install --quiet torch==2.13.0 requests tqdm 'setuptools<81'
    "$venv/bin/python" -m pip install --quiet --no-deps facenet-pytorch==2.6.0
    touch "$venv/.ready"
fi

missed=0
for claim in "${@:-detection embedding photo_to_template facenet many_photos startup memory identification calibration promises clustering mini}"; do
    for name in $claim; do
        echo "== $name"
        keep=()
        case $name in identification | clustering) keep=(--keep "$venv/lfw.kept") ;;
            calibration | promises) keep=(--keep "$venv/lfw.kept" --groups "$(dirname "$lfw")/lfw_groups.csv") ;;
            mini) keep=(--keep "$venv/lfw.kept" --keep-mini "$venv/lfw-mini.kept") ;; esac
        "$venv/bin/python" "benchmarks/$name.py" --lfw "$lfw" "${keep[@]}" || missed=1
    done
done
exit $missed
