// SPDX-License-Identifier: Apache-2.0
// Empty on purpose: the target convoy_torch_pch exists for its precompiled header.
