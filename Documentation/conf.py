# SPDX-License-Identifier: GPL-2.0
"""Configuration of Sphinx for "make docs": the kernel's own, and what is different here.

The pages below driver-api/, admin-guide/ and ABI/ are written for a kernel tree, and are
to go there unchanged. So they are built as there: scripts/build-docs puts this directory
beside the kernel's scripts/, with the kernel's conf.py as kernel.py and its extensions in
sphinx/. This file and the pages beside it are of this repository only.
"""
import pathlib

# Sphinx runs this file in its own directory.
exec(compile(pathlib.Path("kernel.py").read_text(), "kernel.py", "exec"))  # pylint: disable=exec-used

project = "xen-pmem"
author = copyright = "the xen-pmem maintainers"
version = release = ""
html_title = "xen-pmem"
html_logo = None
html_show_copyright = False
html_theme_options["description"] = "Persistent memory under Xen"
# There is nothing else of a kernel tree here.
extensions = [name for name in extensions if name not in
              ("translations", "maintainers_include", "kernel_feat")]

# Types of C and of the kernel, which no page here describes.
nitpick_ignore = [("c:identifier", name) for name in (
    "bool", "size_t", "u8", "u16", "u32", "u64", "__le16", "__le32", "__le64",
    "bus_type", "device", "device_driver", "nd_namespace_common", "nd_region",
)]
