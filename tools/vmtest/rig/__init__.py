# SPDX-License-Identifier: GPL-2.0-only
"""Boot Linux, bare or as a Xen dom0, in QEMU and judge what happened."""
