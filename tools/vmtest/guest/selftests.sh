#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# selftests.sh DIMM SPARE [VARIABLE=VALUE...] TEST...: the kernel's selftests of
# xen-pmem, on two DIMMs ("-" for none) whose contents may be lost, their namespaces or
# their bare frames, with these variables in their environment. A row has all that its
# tests need: one that skips has failed. Each has the seconds of KSFT_TIMEOUT, else those
# of its settings.

# functions.sh starts a KTAP document of its own; this step is a kselftest's.
. /vmtest/guest/functions.sh >/dev/null

ns_or_none()
{
	[ "$1" = - ] || namespace_of "$1" || bail "DIMM $1 has no namespace"
}

export XEN_PMEM_NAMESPACE XEN_PMEM_SPARE
XEN_PMEM_NAMESPACE=$(ns_or_none "$1")
XEN_PMEM_SPARE=$(ns_or_none "$2")
shift 2
while [ "${1#*=}" != "$1" ]; do
	export "${1?}"
	shift
done
for test; do
	set -- "$@" -t "xen-pmem:$test"
	shift
done
cd /selftests || exit 1
./run_kselftest.sh ${KSFT_TIMEOUT:+--override-timeout "$KSFT_TIMEOUT"} "$@" | tee /run/xp/kselftest.log
! grep -E '^(not ok|ok .*# SKIP)' /run/xp/kselftest.log >&2
