"""Losses that several papers share, as means over the batch.

Source: Goodfellow et al., NeurIPS 2014, arXiv:1406.2661 (the two sides, the generator's in its
non-saturating form); Zhang et al., "StackGAN", ICCV 2017, arXiv:1612.03242, eq. 2 (KL).
"""

from torch import Tensor
from torch.nn.functional import softplus


def says_real(logits: Tensor) -> Tensor:
    """-log sigmoid: low where the discriminator says yes."""
    return softplus(-logits.float()).mean()


def says_fake(logits: Tensor) -> Tensor:
    """-log(1 - sigmoid): low where it says no."""
    return softplus(logits.float()).mean()


def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL of N(mu, exp(logvar)) from N(0, 1), mean over width and batch."""
    mu, logvar = mu.float(), logvar.float()
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()


def change_where(where: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """Mean over all of (B, 3, S, S) of the absolute change, what `where`, (B, 1, S, S), leaves."""
    return ((after - before).abs() * where).mean()


def miss_of_asked(asked: Tensor, is_known: Tensor, edited: Tensor) -> Tensor:
    """Mean absolute difference of edits to what was asked for, both (B, 3, S, S), over those of
    which that `is_known`, (B,) of 0 and 1; 0 where it is known of none.
    """
    misses = (edited - asked).abs().mean((1, 2, 3))
    return (misses * is_known).sum() / is_known.sum().clamp(min=1)
