#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ndctl-progress.sh: a hand-over that takes long says so on a terminal, and nowhere
# else. The data is too large for dom0 to have a device of it, which is no error
# unless one was asked for.
#
# The row keeps nd_pmem away while it is blank, as that of large.sh does.

. /vmtest/guest/ndctl-functions.sh

LINE='are handed over to Xen, [0-9]* s'
ns=$(namespace_of 0)

# The host looks for the line on the console.
try "stderr is a terminal" sh -c "ndctl create-namespace --mode=xen --reconfig=$ns \
	>$JSON 2>/dev/console"
is "stdout is JSON, without a device" "$(json '.inner | length')" 0
is "in xen mode" "$(json .mode)" xen
try "it is disabled" ndctl disable-namespace "$ns"
refuses "a device was asked for" "this domain has no device of its data" \
	create "$ns" --force --personality=devdax
is "it is in xen mode all the same" "$(json .mode)" xen
try "it is disabled" ndctl disable-namespace "$ns"
try "stderr is a file" sh -c "ndctl create-namespace --mode=xen --force --reconfig=$ns \
	>$JSON 2>$OUT/stderr"
is "it has no such line" "$(grep -c "$LINE" "$OUT/stderr")" 0
finish
