#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a network for Fashion-MNIST that convoy trains without a line of C++.

    /usr/bin/python3 examples/torchscript/make_scripted_model.py model.pt [--dropout 0.2]
    build/bin/convoy launch -n 2 -- train job.toml --set model.torchscript=model.pt

Any module will do if torch.jit.script() takes it, if forward() has one tensor for input and one for
output ([batch, classes] for images), and if its parameters are not frozen. The file carries code
and weights; training starts from these weights. Needs PyTorch (Debian: python3-torch).
"""

import argparse

import torch
from torch import nn


class FashionNet(nn.Module):
    """Two convolutions and two linear layers: images [B, 1, 28, 28] -> logits [B, 10]."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        # Left out at 0: a scripted Dropout draws from LibTorch's process-wide generator, and convoy
        # then refuses to run several ranks as threads of one process.
        self.dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.fc1 = nn.Linear(32 * 7 * 7, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.pool(self.conv1(images)))
        x = torch.relu(self.pool(self.conv2(x)))
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc2(self.dropout(x))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a scripted network for Fashion-MNIST")
    parser.add_argument("path", help="file to write, e.g. model.pt")
    parser.add_argument("--dropout", type=float, default=0.0, help="before the last layer, in [0, 1)")
    parser.add_argument("--seed", type=int, default=1, help="draws the weights")
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    torch.jit.script(FashionNet(arguments.dropout)).save(arguments.path)


if __name__ == "__main__":
    main()
