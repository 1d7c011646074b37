"""What models may be used for: their licenses in plain words, and each in one.

The word says what those who published a model's weights allow. Whether the terms of the photos they were
trained on allow it too is told by the model's `training_data`, and settled by nobody.
"""

from dataclasses import dataclass
from enum import StrEnum


class Use(StrEnum):
    """What a model may be used for, in one word.

    UNCLEAR is a model whose weights have no license of their own, or whose publishers say two things.
    """

    ANY = "any"
    NONCOMMERCIAL = "noncommercial"
    RESEARCH = "research"
    UNCLEAR = "unclear"

    @property
    def is_restricted(self) -> bool:
        """Whether a license forbids commercial use; such a model is brought here only once it is accepted."""
        return self in (Use.NONCOMMERCIAL, Use.RESEARCH)


@dataclass(frozen=True, slots=True)
class License:
    """What those who published a model's weights say of their use.

    Attributes:
        text: In plain words; what was accepted is remembered by it.
        use: In one.
        url: Where it can be read; empty where nobody wrote one.
    """

    text: str
    use: Use
    url: str = ""


MIT = License("MIT", Use.ANY, "https://opensource.org/license/mit")
APACHE = License("Apache 2.0", Use.ANY, "https://www.apache.org/licenses/LICENSE-2.0")
INSIGHTFACE = License(
    "InsightFace's license, for non-commercial research only",
    Use.RESEARCH,
    "https://github.com/deepinsight/insightface#license",
)
CC_BY_NC_SA = License(
    "CC BY-NC-SA 4.0, not for commercial use",
    Use.NONCOMMERCIAL,
    "https://creativecommons.org/licenses/by-nc-sa/4.0/",
)
