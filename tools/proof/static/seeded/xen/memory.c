/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults in a file of Xen: use of a null pointer after the test for it, a value that
 * was never set, a switch without a default label.
 * finds gcc-xen: dereference of NULL .*Wanalyzer-null-dereference
 * finds gcc-xen: use of uninitialized value .*Wanalyzer-use-of-uninitialized-value
 * finds clang-xen: core.NullDereference
 * finds clang-xen: [Uu]ndefined or garbage value
 * finds cppcheck-xen: nullPointer
 * finds cppcheck-xen: [uU]ninit
 * finds cppcheck-xen: Misra rule 16.4
 */
#include <xen/mm.h>
#include <xen/sched.h>

unsigned int seeded_null(const struct vcpu *v);
unsigned int seeded_unset(unsigned int kind);
unsigned int seeded_switch(unsigned int kind);

unsigned int seeded_null(const struct vcpu *v)
{
    if ( v->domain )
        return 0;

    return v->domain->domain_id;
}

unsigned int seeded_unset(unsigned int kind)
{
    unsigned int order;

    if ( kind )
        order = 9;

    return order;
}

unsigned int seeded_switch(unsigned int kind)
{
    unsigned int order;

    switch ( kind )
    {
    case 0:
        order = 9;
        break;

    case 1:
        order = 18;
        break;
    }

    return order;
}
