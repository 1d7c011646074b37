"""Training on all devices of a machine, or of several machines, as on one.

Every device holds the whole network and a part of each batch; JAX joins the gradients. The loss, and with
it the mining, sees the whole batch: its embeddings travel, its images do not.
"""

from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np

from kith.errors import TrainingError


@dataclass(slots=True)
class Hosts:
    """The processes that train together.

    Attributes:
        coordinator: HOST:PORT of the process with index 0; empty for one process.
        processes: How many there are.
        index: Which one this is, from 0.
    """

    coordinator: str = ""
    processes: int = 1
    index: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.processes:
            raise TrainingError(f"index must be from 0 to {self.processes - 1}, got {self.index}")
        if (self.processes > 1) != bool(self.coordinator):
            raise TrainingError("several processes need a coordinator, HOST:PORT, and one needs none")

    @property
    def leads(self) -> bool:
        """Whether this process writes checkpoints, logs and the model."""
        return self.index == 0

    @property
    def part(self) -> tuple[int, int]:
        """This process's part of every batch."""
        return self.index, self.processes

    @property
    def devices(self) -> int:
        """Devices of all processes."""
        return int(jax.device_count())

    def begin(self) -> None:
        """Find the others, and spread what is made from now on over all devices.

        Raises:
            TrainingError: The others cannot be reached.
        """
        self.join()
        self.spread()

    def join(self) -> None:
        """Find the others: before anything is computed.

        Raises:
            TrainingError: They cannot be reached.
        """
        if self.processes > 1:
            try:
                jax.distributed.initialize(self.coordinator, self.processes, self.index)
            except RuntimeError as error:
                raise TrainingError(f"cannot join {self.coordinator}: {str(error).splitlines()[0]}") from None

    def spread(self) -> None:
        """From now on every device holds what is made: before the network is."""
        if self.devices > 1:
            keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))

    def place(self, part: np.ndarray) -> jax.Array:
        """This process's part of a batch, (n, ...), as the whole batch on all devices."""
        if self.devices == 1:
            return jax.numpy.asarray(part)
        mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
        rows: Any = jax.sharding.PartitionSpec
        join: Any = jax.make_array_from_process_local_data
        whole: jax.Array = join(jax.sharding.NamedSharding(mesh, rows("batch")), part)
        return whole
