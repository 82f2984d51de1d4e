/* Compiles rules.def into the filter program, as rows of a C array on stdout.  This runs at build
 * time: compiling takes libseccomp 2 ms, which is a large part of what launching a container costs. */

#include "base/cleanup.h"

#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/socket.h>

static const struct rule {
    const char *name;
    bool is_allowed;
} rules[] = {
#define ALLOW(name) { #name, true },
#define DENY(name)  { #name, false },
#include "executor/seccomp/rules.def"
#undef ALLOW
#undef DENY
};

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

static int add_rules(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        int number = seccomp_syscall_resolve_name(rules[i].name);
        uint32_t action = rules[i].is_allowed ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
        if (number == __NR_SCMP_ERROR)
            continue; /* newer than this libseccomp */
        int status = seccomp_rule_add(filter, action, number, 0);
        if (status < 0)
            return status;
    }
    return 0;
}

/* clone() only without new namespaces.  clone3() hides its flags in memory, so it does not exist, and
 * glibc falls back.  AF_VSOCK would reach the hypervisor.  personality() only to the common ones. */
static int add_conditional(scmp_filter_ctx filter)
{
    static const uint64_t personalities[] = { 0x0, 0x0008, 0x20000, 0x20008, 0xffffffff };
    int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
    if (status == 0)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_NE, AF_VSOCK, 0));
    for (size_t i = 0; status == 0 && i < sizeof personalities / sizeof personalities[0]; i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
                                  SCMP_A0(SCMP_CMP_EQ, personalities[i], 0));
    return status;
}

/* Programs of the 32-bit twin of an architecture run, too. */
static int add_architectures(scmp_filter_ctx filter)
{
    static const struct {
        uint32_t native, other;
    } twins[] = {
        { SCMP_ARCH_X86_64, SCMP_ARCH_X86 },
        { SCMP_ARCH_X86_64, SCMP_ARCH_X32 },
        { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM },
    };
    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        if (seccomp_arch_native() != twins[i].native)
            continue;
        int status = seccomp_arch_add(filter, twins[i].other);
        if (status < 0)
            return status;
    }
    return 0;
}

static int print_program(scmp_filter_ctx filter)
{
    cleanup_file FILE *file = tmpfile();
    if (!file || seccomp_export_bpf(filter, fileno(file)) < 0)
        return -1;
    rewind(file);
    struct sock_filter row;
    while (fread(&row, sizeof row, 1, file) == 1)
        printf("{ 0x%04x, %u, %u, 0x%08x },\n", row.code, row.jt, row.jf, row.k);
    return fflush(stdout);
}

int main(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!filter || add_architectures(filter) < 0 ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0 || add_rules(filter) < 0 ||
        add_conditional(filter) < 0 || print_program(filter) != 0) {
        fprintf(stderr, "could not compile the default seccomp filter\n");
        return 1;
    }
    seccomp_release(filter);
    return 0;
}
