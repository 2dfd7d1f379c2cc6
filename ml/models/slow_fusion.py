"""Slow fusion: a ConvNet on a stack of RGB frames, the baseline of the temporal stream.

Karpathy, Toderici, Shetty, Leung, Sukthankar & Fei-Fei, "Large-Scale Video Classification with Convolutional Neural Networks", CVPR 2014,
section 3.1; on 11 frames in Simonyan & Zisserman, "Two-Stream Convolutional Networks", NIPS 2014, section 5 (56.4 % from scratch).

Time is fused little by little: the first convolution reaches over T of L frames at stride 2 and answers at 4 moments; the second and the
third reach over 2 moments at stride 2, so that 4 become 2 and then 1, which has seen all frames. Karpathy's T is 4 of 10 frames; L frames
take T = L − 6, 5 of the two-stream paper's 11. In space all layers are those of CNN-M-2048, the two-stream paper's network; it does not
say which its baseline had.
"""

from torch import Tensor, nn
from torch.nn import functional

from ml.backbones import BACKBONES, Backbone
from ml.backbones.cnn_m import NUM_FEATURES, Top, krizhevsky_norm
from ml.backbones.normalization import normalize
from ml.config import models as schemas
from ml.layers.seen import Seen
from ml.models.two_stream import Stream

RGB = 3
FUSED = 6
"""L − T: frames that the later layers add to those which the first one reaches over."""


class SlowFusion(Top):
    """Clips (B, 3L, H, W), red, green and blue of each frame in turn → features (B, 2048)."""

    def __init__(self, clip_len: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(RGB, 96, (clip_len - FUSED, 7, 7), stride=2)
        self.norm1 = krizhevsky_norm()
        self.conv2 = nn.Conv3d(96, 256, (2, 5, 5), stride=2, padding=(0, 1, 1))
        self.norm2 = krizhevsky_norm()
        self.conv3 = nn.Conv3d(256, 512, (2, 3, 3), padding=(0, 1, 1))
        self.add_top(dropout)
        self.start(self.conv2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(len(x), -1, RGB, *x.shape[2:]).transpose(1, 2)  # (B, 3, L, 224, 224)
        x = self.pool_each(self.norm1(self.relu(self.conv1(x))))  # (B, 96, 4, 54, 54)
        x = self.pool_each(self.norm2(self.relu(self.conv2(x))))  # (B, 256, 2, 13, 13)
        return self.top(self.relu(self.conv3(x)).squeeze(2))  # (B, 2048)

    def pool_each(self, x: Tensor) -> Tensor:
        """The maxima of each moment for itself, (B, C, T, H, W). A GPU adds up the gradients of pooling in 3D in no fixed order."""
        pooled = functional.max_pool2d(x.flatten(1, 2), 3, stride=2, ceil_mode=True)
        return pooled.view(*x.shape[:3], *pooled.shape[2:])


def build_slow_fusion(config: schemas.SlowFusion, seen: Seen, num_classes: int) -> Stream:
    """With the last layer of a two-stream network's stream."""
    recipe = BACKBONES[config.backbone]
    net, frames = SlowFusion(seen.channels // RGB, config.dropout), normalize(seen.channels, recipe.mean, recipe.std)
    return Stream(Backbone(net, NUM_FEATURES, frames), num_classes, config.dropout)
