"""CNN-M-2048, the network of both streams.

Chatfield, Simonyan, Vedaldi & Zisserman, "Return of the Devil in the Details", BMVC 2014, Table 1, as used by
Simonyan & Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos", NIPS 2014, Fig. 1.

Local response normalisation is Krizhevsky's (2012, section 3.3); the temporal net leaves the second one out:

    b_i = a_i / (k + α Σ_{j=i−n/2..i+n/2} a_j²)^β        k = 2, n = 5, α = 10⁻⁴, β = 0.75

Where the papers are silent: weights start as Krizhevsky's (2012, section 5). Deviation: features are pooled to 6×6 before full6, which
changes nothing at 224×224 and lets other crops through.
"""

from collections.abc import Iterable

from torch import Tensor, nn

from ml.backbones.fixed_map import FixedMap

MIN_SIZE = 41
"""Smaller crops have nothing left at pool5."""


def krizhevsky_norm() -> nn.LocalResponseNorm:
    """PyTorch divides α by n and the formula above does not, so α is multiplied by n."""
    n, alpha = 5, 1e-4
    return nn.LocalResponseNorm(n, alpha=n * alpha, beta=0.75, k=2.0)


class CNNM2048(nn.Module):
    """Images (B, C, H, W) → features (B, 2048), the output of full7."""

    def __init__(self, in_channels: int = 3, second_norm: bool = True, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 96, 7, stride=2)
        self.norm1 = krizhevsky_norm()
        self.conv2 = nn.Conv2d(96, 256, 5, stride=2, padding=1)
        self.norm2 = krizhevsky_norm() if second_norm else nn.Identity()
        self.conv3 = nn.Conv2d(256, 512, 3, padding=1)
        self.conv4 = nn.Conv2d(512, 512, 3, padding=1)
        self.conv5 = nn.Conv2d(512, 512, 3, padding=1)
        self.full6 = nn.Linear(512 * 6 * 6, 4096)
        self.full7 = nn.Linear(4096, 2048)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # Caffe rounds up
        self.to_6x6 = FixedMap(6)
        self.dropout = nn.Dropout(dropout)
        krizhevsky_start(self, (self.conv2, self.conv4, self.conv5, self.full6, self.full7))

    def forward(self, x: Tensor) -> Tensor:
        # x: (B, C, 224, 224)
        x = self.pool(self.norm1(self.relu(self.conv1(x))))  # (B, 96, 54, 54)
        x = self.pool(self.norm2(self.relu(self.conv2(x))))  # (B, 256, 13, 13)
        x = self.relu(self.conv3(x))  # (B, 512, 13, 13)
        x = self.relu(self.conv4(x))  # (B, 512, 13, 13)
        x = self.pool(self.relu(self.conv5(x)))  # (B, 512, 6, 6)
        x = self.to_6x6(x).flatten(1)  # (B, 18432)
        x = self.dropout(self.relu(self.full6(x)))  # (B, 4096)
        features: Tensor = self.relu(self.full7(x))  # (B, 2048)
        return features


def krizhevsky_start(net: nn.Module, lifted: Iterable[nn.Module]) -> None:
    """Weights from a Gaussian of deviation 0.01, biases 0, those of the `lifted` layers 1, so that their ReLUs let through at first."""
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(_bias(layer))
    for layer in lifted:
        nn.init.ones_(_bias(layer))


def _bias(layer: nn.Module) -> Tensor:
    bias = getattr(layer, "bias", None)
    if not isinstance(bias, Tensor):
        raise ValueError(f"expected a layer with bias, got {layer}")
    return bias
