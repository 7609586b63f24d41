#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# range-tests.sh DIMM VARIABLE=VALUE... TEST...: selftests on a DIMM, its namespace or
# its bare frames, with these variables in their environment.

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
