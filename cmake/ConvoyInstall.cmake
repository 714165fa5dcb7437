# SPDX-License-Identifier: Apache-2.0
# Written last: installs the libraries, their public headers and a package for find_package(convoy).
