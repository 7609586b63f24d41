#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# provision.sh DIMM...: hand the namespaces to Xen, and write nothing else: the
# host compares every byte of the medium afterwards.

. /vmtest/guest/functions.sh

for dimm; do
	try "R5 DIMM $dimm is not claimed by the driver" test \
		"$(driver_of "$(namespace_of "$dimm")")" != xen_pmem
	try "DIMM $dimm: create-namespace --mode=xen" provision "$dimm"
	try "DIMM $dimm: it is bound, its disk is there" back "$dimm"
	facts_of "$dimm"
done
is "R36 Xen lists each of them" "$(xenpf_pmem list | grep -c data_spfn=)" $#
finish
