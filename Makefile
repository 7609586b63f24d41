# SPDX-License-Identifier: GPL-2.0-only
#
# Entry points for people. What they do is in scripts/; what they make is in
# build/. Kbuild does not read this file, it reads Kbuild.

.DEFAULT_GOAL := help

# ROW=... picks rows of the test machines, V=1 lets kbuild print commands.
ROW ?=

.PHONY: help
help:
	@echo 'First use (Debian 12 or 13, root or sudo):'
	@echo '  make demo        build everything, show persistent memory under Xen in a virtual machine'
	@echo '  make demo-guest  the same, with the memory given to a guest'
	@echo '  make check       build everything and run every test; ends in "N passed, N failed"'
	@echo '  make doctor      what this machine lacks for any of this, and what cures it; changes nothing'
	@echo
	@echo 'Parts:'
	@echo '  make modules     build the driver for Linux 6.1, 6.12 and 7.2, each with its own compiler:'
	@echo '                   build/modules/KERNEL/xen_pmem.ko; with KDIR=DIR for the kernel there'
	@echo '  make install     install the driver and its udev rule on this machine (KDIR=, DESTDIR=)'
	@echo '  make xen         build Xen with the pmem operation: 4.20 in build/xen/pmem and debug, 4.17 in debug-4.17'
	@echo '  make ndctl       build ndctl 81 with --mode=xen: build/ndctl/pmem'
	@echo '  make toolstack   build xl with pmem= for guests: build/toolstack/pmem'
	@echo '  make deb         build packages of the driver, ndctl, Xen and xl for Debian 13 and 12: build/deb'
	@echo '  make selftests   build the kselftest directory: build/selftests, and for other kernels build/test-modules'
	@echo '  make docs        the documentation as HTML: build/docs/index.html'
	@echo '  make tree        the Debian 13 tree everything is built in: build/tree'
	@echo '  make kernels     download the Debian kernels, Xen and ndctl to test with'
	@echo
	@echo 'Tests:'
	@echo '  make unit        tests that need no virtual machine'
	@echo '  make lint        checkpatch, sparse, kernel-doc, shellcheck, documentation, build inside a kernel tree'
	@echo '  make vmtest      all test machines; ROW="NAME..." for some ("tools/vmtest/vmtest list")'
	@echo '  make vmtest-long test machines that take too long for each check: tools/vmtest/long.toml'
	@echo '  make proof       hours of trying to lose data: build/proof/report.md; PART="NAME..." for some of it'
	@echo '  make bench       what it costs, counted in instructions: build/bench/report.md; ROW="NAME..." for some machines'
	@echo '  make bench-host DIR=DIR  the same in time, on real hardware: DIR is on a file system mounted with -o dax'
	@echo '  make upstream-series  the patches for Linux, Xen and ndctl, in build/upstream; "scripts/upstream-series check"'
	@echo '  make shell ROW=NAME   boot one test machine and get its console'
	@echo
	@echo '  make clean       remove what was built, keep downloads and the Debian tree'
	@echo '  make distclean   remove build/'

# --- build ---------------------------------------------------------------------

.PHONY: tree kernels modules xen ndctl toolstack selftests docs deb
tree kernels: %:
	@scripts/$(if $(filter kernels,$*),fetch,$*)

ifdef KDIR
modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
else
modules:
	@scripts/build-modules
endif

xen ndctl toolstack selftests docs deb: %:
	@scripts/build-$*

# --- test ----------------------------------------------------------------------

.PHONY: unit lint vmtest vmtest-long shell check demo demo-guest doctor
unit lint check demo doctor:
	@scripts/$@

demo-guest:
	@scripts/demo guest

vmtest: kernels modules xen ndctl toolstack selftests
	@scripts/build-plugin
	@tools/vmtest/vmtest run $(ROW)

# Kernels that its rows want, and that Debian has not, are built here.
vmtest-long: kernels modules xen ndctl toolstack selftests
	@scripts/build-plugin
	@scripts/build-ndctl-tests
	@scripts/fetch acceptance device-model
	@scripts/build-xen debug-4.17
	@scripts/build-deb
	@scripts/build-disk trixie
	@scripts/build-disk bookworm
	@scripts/build-kernel $$(tools/vmtest/vmtest --matrix tools/vmtest/long.toml kernels $(ROW))
	@tools/vmtest/vmtest --matrix tools/vmtest/long.toml run $(ROW)

.PHONY: bench bench-host
bench:
	@scripts/bench $(ROW)

bench-host:
	@scripts/bench-host $(DIR) $(NAMESPACE)

.PHONY: proof upstream-series
proof:
	@scripts/proof $(PART)

upstream-series:
	@scripts/upstream-series

shell: kernels modules xen ndctl toolstack selftests
	$(if $(ROW),,$(error say which machine: make shell ROW=NAME; tools/vmtest/vmtest list))
	@tools/vmtest/vmtest shell $(ROW)

# --- install -------------------------------------------------------------------

# The kernel that runs, unless KDIR= names another one's headers.
INSTALL_KDIR = $(or $(KDIR),/lib/modules/$(shell uname -r)/build)
RULES = $(DESTDIR)/usr/lib/udev/rules.d

.PHONY: install
install:
	@test -e $(INSTALL_KDIR)/Makefile || { \
		echo 'no kernel headers in $(INSTALL_KDIR): apt-get install linux-headers-$(shell uname -r)'; \
		exit 1; }
	$(MAKE) -C $(INSTALL_KDIR) M=$(CURDIR) modules
	$(MAKE) -C $(INSTALL_KDIR) M=$(CURDIR) $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) \
		CONFIG_MODULE_SIG_ALL= modules_install
	install -D -m 644 -t $(RULES) contrib/60-xen-pmem.rules

# --- clean ---------------------------------------------------------------------

.PHONY: clean distclean
clean distclean:
	@scripts/clean $@
