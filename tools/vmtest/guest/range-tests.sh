#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# range-tests.sh DIMM VARIABLE=VALUE... TEST...: selftests of the bare hypercall on
# the frames of a DIMM, with these variables in their environment.

dimm=$1
shift
while :; do
	case $1 in
	*=*) export "${1?}" ;;
	*) break ;;
	esac
	shift
done
exec sh /vmtest/guest/selftests.sh "$dimm" - "$@"
