# SPDX-License-Identifier: Apache-2.0
"""The networks that peers train: those of trainer/models, layer for layer."""
import torch
from torch import nn

# 3x32x32 images of 10 classes, as `convoy bench step` has them.
INPUT_SHAPE = (3, 32, 32)
CLASSES = 10


def conv3x3(inputs, outputs, stride):
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = conv3x3(inputs, outputs, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv3x3(outputs, outputs, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, inputs):
        x = self.bn1(self.conv1(inputs)).relu_()
        x = self.bn2(self.conv2(x))
        x += inputs if self.downsample is None else self.downsample(inputs)
        return x.relu_()


def stage(inputs, outputs, stride):
    return nn.Sequential(ResidualBlock(inputs, outputs, stride), ResidualBlock(outputs, outputs, 1))


class ResNet18(nn.Module):
    """trainer/models/resnet18.cpp: 11,173,962 parameters."""

    def __init__(self):
        super().__init__()
        self.conv1 = conv3x3(INPUT_SHAPE[0], 64, 1)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = stage(64, 64, 1)
        self.layer2 = stage(64, 128, 2)
        self.layer3 = stage(128, 256, 2)
        self.layer4 = stage(256, 512, 2)
        self.fc = nn.Linear(512, CLASSES)

    def forward(self, inputs):
        x = self.bn1(self.conv1(inputs)).relu_()
        x = self.layer2(self.layer1(x))
        x = self.layer4(self.layer3(x))
        return self.fc(x.mean(dim=(2, 3)))


def tiny():
    """For tests: trains in no time, large enough that PowerSGD compresses it."""
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 16), nn.ReLU(), nn.Linear(16, CLASSES))


def make(name):
    torch.manual_seed(1)
    return {"resnet18": ResNet18, "tiny": tiny}[name]()
