#include "launcher/isolators.h"

/* What set-user-id programs of an image may still be given. */
static bool prepare(const struct container *container, Eos__Executor__V1__TaskPlan *plan,
                    struct error *err)
{
    static const char *const kept[] = {
        "CAP_CHOWN",  "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
        "CAP_SETGID", "CAP_SETUID",       "CAP_SETFCAP",          "CAP_SETPCAP",
        "CAP_KILL",   "CAP_SYS_CHROOT",   "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE",
    };
    (void)container;
    (void)err;
    plan->container->capabilities = (char **)kept;
    plan->container->n_capabilities = sizeof kept / sizeof kept[0];
    return true;
}

const struct isolator isolator_linux_capabilities = { .name = "linux/capabilities",
                                                      .prepare = prepare };
