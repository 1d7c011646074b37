"""Claim: a training step of Inception-ResNet-v1 by triplets is faster in Kith than in PyTorch, on one GPU.

The paper's batch of 1,800 faces of 160 pixels, semi-hard negatives of the whole batch, bfloat16. Both embed
the batch in chunks, mine over all of it, and go back through the network chunk by chunk, for the
activations of 1,800 faces fit on no card. PyTorch gets channels_last, bfloat16 autocast, torch.compile and
its fused optimizer. Images are made on the card: nothing is loaded. The cards' peaks are NVIDIA's, dense.

    python benchmarks/train_gpu.py                  # under ten minutes on an H100

To see it run on a CPU, in two minutes and without PyTorch's compiler, which takes long there:

    TORCH_COMPILE_DISABLE=1 python benchmarks/train_gpu.py --batch 8 --chunk 4 --size 80 --rounds 1

Needs torch and jax with CUDA, and keras; it stops with a word where there is no GPU.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the card is shared with PyTorch
sys.path.insert(0, str(Path(__file__).parents[1] / "src"))  # runs without being installed

import jax
import numpy as np
import torch
from torch import nn
from torch.nn import functional

PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40": 181e12, "4090": 165e12}  # bfloat16, dense
PEOPLE_SHARE = 40  # faces of each person in a batch, as in the paper


def main() -> int:
    """Run it; 1 if Kith is slower."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--batch", type=int, default=1800)
    parser.add_argument("--chunk", type=int, default=360)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(
        f"{name}; jax {jax.__version__} on {jax.devices()[0].platform}, torch {torch.__version__}", flush=True
    )
    if device == "cpu" and options.batch > 100:
        print("no GPU: nothing measured; see the small numbers above to see it run")
        return 0
    labels = np.arange(options.batch) // min(PEOPLE_SHARE, max(options.batch // 4, 2))
    images = np.random.default_rng(0).integers(
        0, 256, (options.batch, options.size, options.size, 3), np.uint8
    )
    ours, flops = kith_step(images, labels, options.chunk)
    first = measure("kith, keras on jax", ours, options, name, flops)
    jax.clear_caches()
    theirs = torch_step(images, labels, options.chunk, device)
    second = measure("pytorch, compiled", theirs, options, name, flops)
    print(f"kith is {second / first:.2f} times as fast: {'met' if first < second else 'MISSED'}")
    return int(first >= second)


def measure(
    what: str, step: Callable[[], float], options: argparse.Namespace, card: str, flops: float
) -> float:
    """Median seconds of a step."""
    start = time.perf_counter()
    losses = [step(), step()]  # compiles
    compiled = time.perf_counter() - start
    seconds = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    peak = next((value for key, value in PEAKS.items() if key in card), None)
    # forward once without and once with gradients, and backward, which is twice a forward
    used = f"{4 * flops * options.batch / median / peak:.1%} of the peak" if peak else "no peak known"
    least, most = min(seconds) * 1000, max(seconds) * 1000
    print(
        f"{what}: {options.batch / median:,.0f} images/s, {median * 1000:.0f} ms a step "
        f"({least:.0f} to {most:.0f}), {used}, loss {losses[-1]:.4f}, ready after {compiled:.0f} s",
        flush=True,
    )
    return median


def kith_step(images: np.ndarray, labels: np.ndarray, chunk: int) -> tuple[Callable[[], float], float]:
    """Kith's own step, and the operations of one image's forward pass."""
    import keras

    from kith.catalogue.preprocessing import MTCNN_PIXELS
    from kith.networks import inception_resnet_v1
    from kith.training.losses import TripletLoss
    from kith.training.mining import SemiHard
    from kith.training.steps import Stepper

    keras.config.set_dtype_policy("mixed_bfloat16")
    model = inception_resnet_v1(embedding_size=128, crop_size=images.shape[1])
    stepper = Stepper(
        model,
        TripletLoss(SemiHard(0.2)),
        keras.optimizers.AdamW(1e-3),
        pixels=MTCNN_PIXELS,
        chunk=chunk,
        decay=0.999,
    )
    state, on_card, targets = stepper.start(), jax.device_put(images), jax.device_put(labels.astype(np.int32))

    def step() -> float:
        nonlocal state
        state, seen = stepper.step(state, on_card, targets)
        return float(seen.loss)

    return step, count_operations(model)


def count_operations(model) -> float:  # keras is imported late
    """Multiplications and additions of one image's forward pass, of convolutions and dense layers."""
    total = 0.0
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            places = np.prod(layer.output.shape[1:-1]) if len(layer.output.shape) == 4 else 1
            total += 2 * float(places) * float(np.prod(layer.kernel.shape))
    return total


def torch_step(images: np.ndarray, labels: np.ndarray, chunk: int, device: str) -> Callable[[], float]:
    """The same in PyTorch."""
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high")
    model = InceptionResNet(128).to(device, memory_format=torch.channels_last)
    average = [weight.detach().clone() for weight in model.parameters()]
    embed = torch.compile(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=device == "cuda")
    mine = torch.compile(semi_hard)
    pixels = torch.from_numpy(images).to(device).permute(0, 3, 1, 2)
    whose = torch.from_numpy(labels).to(device)
    parts = pixels.contiguous(memory_format=torch.channels_last).split(chunk)

    def raw(part: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device, torch.bfloat16):
            return embed((part.float() - 127.5) / 128).float()

    def step() -> float:
        with torch.no_grad():
            whole = torch.cat([raw(part) for part in parts])
        whole.requires_grad_(True)
        loss = mine(functional.normalize(whole), whose)
        loss.backward()
        for part, gradient in zip(parts, whole.grad.split(chunk), strict=True):
            raw(part).backward(gradient)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        torch._foreach_lerp_(average, [weight.detach() for weight in model.parameters()], 0.001)
        return loss.item()

    return step


def semi_hard(embeddings: torch.Tensor, labels: torch.Tensor, margin: float = 0.2) -> torch.Tensor:
    """The mean loss of all pairs of a person, each with its nearest semi-hard negative."""
    products = embeddings @ embeddings.T
    distances = 2 - 2 * products
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    total, count = embeddings.new_zeros(()), embeddings.new_zeros(())
    order = torch.where(same, float("inf"), distances.detach()).sort(dim=1)
    nearest = torch.searchsorted(order.values, distances.detach(), right=True).clamp(max=len(labels) - 1)
    farther = distances.gather(1, order.indices.gather(1, nearest))
    bound = order.values.gather(1, nearest)
    active = same & ~itself & (bound > distances.detach()) & (bound < distances.detach() + margin)
    total = torch.where(active, distances - farther + margin, 0.0).sum()
    count = active.sum()
    return total / count.clamp(min=1)


class Conv(nn.Sequential):
    """Convolution, batch normalization, ReLU."""

    def __init__(
        self, inputs: int, filters: int, kernel: int | tuple[int, int], stride: int = 1, valid: bool = False
    ):
        size = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = 0 if valid else (size[0] // 2, size[1] // 2)
        super().__init__(
            nn.Conv2d(inputs, filters, size, stride, padding, bias=False),
            nn.BatchNorm2d(filters, eps=0.001, momentum=0.005),
            nn.ReLU(),
        )


class Residual(nn.Module):
    """x + scale * (branches brought to the width of x)."""

    def __init__(self, width: int, branches: list[nn.Module], mixed: int, scale: float, last: bool = False):
        super().__init__()
        self.branches, self.up = nn.ModuleList(branches), nn.Conv2d(mixed, width, 1)
        self.scale, self.last = scale, last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run it."""
        x = x + self.scale * self.up(torch.cat([branch(x) for branch in self.branches], 1))
        return x if self.last else functional.relu(x)


class Reduction(nn.Module):
    """Branches side by side, one of them a max-pooling."""

    def __init__(self, branches: list[nn.Module]):
        super().__init__()
        self.branches = nn.ModuleList([*branches, nn.MaxPool2d(3, 2)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run it."""
        return torch.cat([branch(x) for branch in self.branches], 1)


class InceptionResNet(nn.Module):
    """Inception-ResNet-v1 as `kith.networks.inception_resnet_v1` has it."""

    def __init__(self, embedding_size: int):
        super().__init__()
        self.body = nn.Sequential(
            Conv(3, 32, 3, 2, True), Conv(32, 32, 3, 1, True), Conv(32, 64, 3), nn.MaxPool2d(3, 2),
            Conv(64, 80, 1), Conv(80, 192, 3, 1, True), Conv(192, 256, 3, 2, True),
            *[block35() for _ in range(5)],
            Reduction([
                Conv(256, 384, 3, 2, True),
                nn.Sequential(Conv(256, 192, 1), Conv(192, 192, 3), Conv(192, 256, 3, 2, True)),
            ]),
            *[block17() for _ in range(10)],
            Reduction([
                nn.Sequential(Conv(896, 256, 1), Conv(256, 384, 3, 2, True)),
                nn.Sequential(Conv(896, 256, 1), Conv(256, 256, 3, 2, True)),
                nn.Sequential(Conv(896, 256, 1), Conv(256, 256, 3), Conv(256, 256, 3, 2, True)),
            ]),
            *[block8() for _ in range(5)],
            block8(1.0, last=True),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(1792, embedding_size, bias=False),
            nn.BatchNorm1d(embedding_size, eps=0.001, momentum=0.005),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, s, s) to (n, d)."""
        return self.body(x)


def block35() -> Residual:
    """Inception-ResNet-A."""
    long = nn.Sequential(Conv(256, 32, 1), Conv(32, 32, 3), Conv(32, 32, 3))
    return Residual(256, [Conv(256, 32, 1), nn.Sequential(Conv(256, 32, 1), Conv(32, 32, 3)), long], 96, 0.17)


def block17() -> Residual:
    """Inception-ResNet-B."""
    long = nn.Sequential(Conv(896, 128, 1), Conv(128, 128, (1, 7)), Conv(128, 128, (7, 1)))
    return Residual(896, [Conv(896, 128, 1), long], 256, 0.10)


def block8(scale: float = 0.20, last: bool = False) -> Residual:
    """Inception-ResNet-C."""
    long = nn.Sequential(Conv(1792, 192, 1), Conv(192, 192, (1, 3)), Conv(192, 192, (3, 1)))
    return Residual(1792, [Conv(1792, 192, 1), long], 384, scale, last)


if __name__ == "__main__":
    sys.exit(main())
