/* SPDX-License-Identifier: GPL-2.0-only */
/* Macros of the kernel that begin a block, for spatch: else it leaves their function out. */
#define scoped_guard(...) if (1)
