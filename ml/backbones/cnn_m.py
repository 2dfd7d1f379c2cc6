"""CNN-M-2048, the network of both streams.

Chatfield, Simonyan, Vedaldi & Zisserman, "Return of the Devil in the Details", BMVC 2014, Table 1, as used by
Simonyan & Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos", NIPS 2014, Fig. 1.

Local response normalisation is Krizhevsky's (2012, section 3.3); the temporal net leaves the second one out:

    b_i = a_i / (k + α Σ_{j=i−n/2..i+n/2} a_j²)^β        k = 2, n = 5, α = 10⁻⁴, β = 0.75

Where the papers are silent: weights start as Krizhevsky's (2012, section 5). Deviation: features are pooled to 6×6 before full6, which
changes nothing at 224×224 and lets other crops through.
"""

from torch import Tensor, nn

from ml.backbones.fixed_map import FixedMap

NUM_FEATURES = 2048
MIN_SIZE = 41
"""Smaller crops have nothing left at pool5."""


def krizhevsky_norm() -> nn.LocalResponseNorm:
    """PyTorch divides α by n and the formula above does not, so α is multiplied by n."""
    n, alpha = 5, 1e-4
    return nn.LocalResponseNorm(n, alpha=n * alpha, beta=0.75, k=2.0)


class Top(nn.Module):
    """conv4 to full7: the part of CNN-M-2048 that other networks share."""

    def add_top(self, dropout: float) -> None:
        """Behind the layers that a network has below, so that its first one stays the first."""
        self.conv4 = nn.Conv2d(512, 512, 3, padding=1)
        self.conv5 = nn.Conv2d(512, 512, 3, padding=1)
        self.full6 = nn.Linear(512 * 6 * 6, 4096)
        self.full7 = nn.Linear(4096, NUM_FEATURES)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)  # Caffe rounds up
        self.to_6x6 = FixedMap(6)
        self.dropout = nn.Dropout(dropout)

    def top(self, x: Tensor) -> Tensor:
        # x: (B, 512, 13, 13)
        x = self.relu(self.conv4(x))  # (B, 512, 13, 13)
        x = self.pool(self.relu(self.conv5(x)))  # (B, 512, 6, 6)
        x = self.to_6x6(x).flatten(1)  # (B, 18432)
        x = self.dropout(self.relu(self.full6(x)))  # (B, 4096)
        features: Tensor = self.relu(self.full7(x))  # (B, 2048)
        return features

    def start(self, conv2: nn.Module) -> None:
        """Weights and biases as Krizhevsky's (2012, section 5): in every other convolution and all hidden layers the biases are 1."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(_bias(layer))
        for layer in (conv2, self.conv4, self.conv5, self.full6, self.full7):
            nn.init.ones_(_bias(layer))


class CNNM2048(Top):
    """Images (B, C, H, W) → features (B, 2048), the output of full7."""

    def __init__(self, in_channels: int = 3, second_norm: bool = True, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 96, 7, stride=2)
        self.norm1 = krizhevsky_norm()
        self.conv2 = nn.Conv2d(96, 256, 5, stride=2, padding=1)
        self.norm2 = krizhevsky_norm() if second_norm else nn.Identity()
        self.conv3 = nn.Conv2d(256, 512, 3, padding=1)
        self.add_top(dropout)
        self.start(self.conv2)

    def forward(self, x: Tensor) -> Tensor:
        # x: (B, C, 224, 224)
        x = self.pool(self.norm1(self.relu(self.conv1(x))))  # (B, 96, 54, 54)
        x = self.pool(self.norm2(self.relu(self.conv2(x))))  # (B, 256, 13, 13)
        return self.top(self.relu(self.conv3(x)))  # (B, 2048)


def _bias(layer: nn.Module) -> Tensor:
    bias = getattr(layer, "bias", None)
    if not isinstance(bias, Tensor):
        raise ValueError(f"expected a layer with bias, got {layer}")
    return bias
